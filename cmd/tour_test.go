// Package cmd_test runs the programs as processes, as a person or a script runs
// them: each file in testdata is one behaviour.
package cmd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	auditor "docaxis/cmd/auditor/command"
	axis "docaxis/cmd/axis/command"
	endpoint "docaxis/cmd/endpoint/command"
	"docaxis/internal/hubtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"auditor":  program(auditor.Run),
		"axis":     program(axis.Run),
		"endpoint": program(endpoint.Run),
		"dying":    dying,
	})
}

type command = func(ctx context.Context, args []string, out, errs io.Writer) int

// program is what main of the command does.
func program(run command) func() {
	return func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
}

func TestPrograms(t *testing.T) {
	before := found(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DOCAXIS_LANG", "en")
			address, err := hubtest.Port()
			env.Setenv("ADDRESS", address)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"founded":  before.copyInto,
			"seal":     makeSeal,
			"until":    until,
			"exits":    exits,
			"field":    field,
			"keep":     keep,
			"large":    large,
			"append":   appendTo,
			"proved":   proved,
			"shorten":  shorten,
			"killed":   killedRestore,
			"signedby": signedBy,
		},
	})
}

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

// until runs a command again and again until its output matches (with !: until it
// does not).
//
//	until 'connected' endpoint status --dir ministry
func until(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); ; {
		err := ts.Exec(args[1], args[2:]...)
		if pattern.MatchString(ts.ReadFile("stdout")) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%q did not come (%v)", args[0], err)
		}
		<-time.After(30 * time.Millisecond)
	}
}

// exits runs a command, which must end with this code.
//
//	exits 3 axis status --dir axis
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// field compares a member of the JSON on standard output.
//
//	field 0.state CONSIGNED
func field(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: field PATH VALUE")
	}
	got, err := member(ts.ReadFile("stdout"), args[0])
	ts.Check(err)
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %q", args[0], got)
	}
}

func member(text, path string) (string, error) {
	var at any
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		return "", fmt.Errorf("standard output is no JSON: %w", err)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n >= len(v) {
				return "", fmt.Errorf("there is no %s in %s", name, path)
			}
			at = v[n]
		default:
			return "", fmt.Errorf("there is no %s in %s", name, path)
		}
	}
	return fmt.Sprint(at), nil
}

// keep puts what the pattern finds on standard output into a variable: its first
// group, or all of it.
//
//	keep ID '[0-9a-f-]{36}'
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATTERN")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("%q is not on standard output", args[1])
	}
	ts.Setenv(args[0], found[len(found)-1])
}

// appendTo is printf TEXT >> FILE.
func appendTo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: append FILE TEXT")
	}
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	text = append(text, strings.ReplaceAll(args[1], `\n`, "\n")...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

// shorten cuts so many bytes off a file's end.
func shorten(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shorten FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), info.Size()-n))
}

// large makes a file of so many bytes.
func large(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: large FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), nil, 0o600))
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// makeSeal makes an agency's seal as a certification service would: key and
// certificate in NAME.pem, the certificate alone in NAME.crt and, with a password,
// both in NAME.p12.
//
//	seal G02 ministry [PASSWORD]
func makeSeal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: seal CODE NAME [PASSWORD]")
	}
	path := filepath.Join(ts.MkAbs("."), args[1])
	ts.Check(writeSeal(path, args[0], strings.Join(args[2:], "")))
}
