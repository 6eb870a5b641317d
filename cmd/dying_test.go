package cmd_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"docaxis/axis"
	"docaxis/endpoint"
	"docaxis/internal/archive"
	"docaxis/internal/fault"
)

// dying is a program that is killed at a step of a backup or restore, as by kill -9:
// nothing of it is tidied up. It exits with 0 where it lived.
//
//	! exec dying archive.check.before backup axis out.backup
//	! exec dying restore.keys.before restore out.backup new
func dying() {
	if err := live(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
}

func killedAt(point string) fault.Hook {
	return func(at string) error {
		if at != point {
			return nil
		}
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		if err := self.Kill(); err != nil {
			return err
		}
		select {} // until it comes
	}
}

func live(point, what, from, to string) error {
	ctx, faults := context.Background(), killedAt(point)
	switch what {
	case "backup":
		head, blocks, stop, err := axis.RestingJournal(ctx, from, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		_, err = axis.Backup(ctx, from, to, head, blocks, axis.BackupOptions{Protection: archive.Protection{Plain: true}, Faults: faults})
		if err != nil {
			return err
		}
		return stop()
	case "restore":
		_, err := axis.Restore(ctx, from, to, axis.RestoreOptions{By: "test", Reason: "test", Faults: faults})
		return err
	case "endpoint-backup":
		give := func(w io.Writer) error { return endpoint.RestingStore(from, w) }
		_, err := endpoint.Backup(ctx, from, to, give, endpoint.BackupOptions{Protection: archive.Protection{Plain: true}, Faults: faults})
		return err
	}
	_, err := endpoint.Restore(ctx, from, to, endpoint.RestoreOptions{Faults: faults})
	return err
}

// killedRestore kills a restore at a step. What it leaves cannot be started, and is
// not taken for an empty folder.
//
//	killed restore.keys.before restore out.backup
func killedRestore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: killed POINT restore|endpoint-restore FILE")
	}
	point, what, file := args[0], args[1], args[2]
	program := "axis"
	if what != "restore" {
		program = "endpoint"
	}
	dir := "killed-" + point
	if ts.Exec("dying", point, what, file, dir) == nil {
		ts.Fatalf("%s: it lived", point)
	}
	refuses := func(want string, args ...string) {
		if err := ts.Exec(program, args...); err == nil || !strings.Contains(ts.ReadFile("stderr"), want) {
			ts.Fatalf("%s: %v", point, err)
		}
	}
	refuses("is no folder of "+program, "status", "--dir", dir)
	again := []string{"restore", file, "--dir", dir}
	if program == "axis" {
		again = append(again, "--reason", "again")
	}
	refuses("was interrupted", again...)
}
