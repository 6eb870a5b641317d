// Package backup owns what a backup of an endpoint holds, and in which order:
// settings, identity, the store as it was at one moment, and the bodies of
// documents. It does not know what is in the store: whoever reads a backup is given
// it to judge.
//
// Names in the container (internal/archive):
//
//	endpoint.toml         settings, where there are any
//	identity/NAME         who the endpoint is
//	systems.key           what opens the secrets of its systems, where it has any
//	endpoint.db           the store
//	content/files/ab/HEX  bodies
//
// The seals' keys are left out, wherever they lie: they are the agencies', and have
// keepers of their own.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"docaxis/internal/archive"
)

// Names in the container.
const (
	SettingsName   = "endpoint.toml"
	StoreName      = "endpoint.db"
	SystemsKeyName = "systems.key"
	IdentityPrefix = "identity/"
	BodyPrefix     = "content/files/"
)

// Report is what a backup has.
type Report struct {
	archive.Manifest
	Bodies uint64 `json:"bodies"`
	Bytes  uint64 `json:"bytes"` // of bodies
	// Damaged counts bodies that no longer had their digest and were left out.
	Damaged uint64 `json:"damaged,omitempty"`
}

// Source is the endpoint that is backed up: its folder, and a copy of its store.
type Source struct {
	Dir, Store string
	// Name of the endpoint; Epoch, Size and Root as far as it verified the log.
	Name        string
	Epoch, Size uint64
	Root        []byte
	Now         time.Time
	// WithoutContent leaves the bodies out.
	WithoutContent bool
}

// Write writes a backup. The store is to be the oldest part of it: bodies are added
// before the store names them.
func Write(ctx context.Context, to io.Writer, src Source) (Report, error) {
	report := Report{Manifest: archive.Manifest{
		Version: archive.Version, Kind: archive.KindEndpoint, Name: src.Name, MadeMS: src.Now.UnixMilli(),
		Epoch: src.Epoch, Size: src.Size, Root: src.Root, Content: !src.WithoutContent, Program: archive.Program(),
	}}
	out, err := archive.NewWriter(to, report.Manifest)
	if err != nil {
		return report, err
	}
	w := &writer{out: out, src: src, report: &report}
	for _, name := range []string{SettingsName, SystemsKeyName} {
		if err := w.file(name, filepath.Join(src.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return report, err
		}
	}
	for _, step := range []func(context.Context) error{w.identity, w.store, w.bodies} {
		if err := step(ctx); err != nil {
			return report, err
		}
	}
	return report, out.Close()
}

type writer struct {
	out    *archive.Writer
	src    Source
	report *Report
}

func (w *writer) file(name, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return w.out.Add(name, info.Size(), f)
}

func (w *writer) identity(context.Context) error {
	entries, err := os.ReadDir(filepath.Join(w.src.Dir, "identity"))
	if err != nil {
		return fmt.Errorf("read the identity: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := w.file(IdentityPrefix+e.Name(), filepath.Join(w.src.Dir, "identity", e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) store(context.Context) error { return w.file(StoreName, w.src.Store) }

func (w *writer) bodies(ctx context.Context) error {
	if w.src.WithoutContent {
		return nil
	}
	root := filepath.Join(w.src.Dir, "content", "files")
	for i := range 256 {
		folder := fmt.Sprintf("%02x", i)
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if err := errors.Join(ctx.Err(), w.body(folder, e.Name(), filepath.Join(root, folder, e.Name()))); err != nil {
				return err
			}
		}
	}
	return nil
}

// body adds a body that is as its name says. One that is gone meanwhile is not
// needed any more.
func (w *writer) body(folder, name, from string) error {
	want, ok := archive.SelfNamed(name)
	if !ok {
		return nil
	}
	f, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if [sha256.Size]byte(sum.Sum(nil)) != want {
		w.report.Damaged++
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w.report.Bodies++
	w.report.Bytes += uint64(n)
	return w.out.Add(BodyPrefix+folder+"/"+name, n, f)
}

// Sink takes the files of a backup, by their names in the container, each to its
// end. That they are right is known only when Read returned nil.
type Sink func(name string, size int64, r io.Reader) error

// Read reads a backup to its end and checks the digest of every file. Errors of the
// file are archive.ErrDamaged and its neighbours; those of the sink come back as
// they are.
func Read(ctx context.Context, r io.Reader, to Sink) (report Report, err error) {
	in, err := archive.NewReader(r)
	if err != nil {
		return Report{}, err
	}
	report.Manifest = in.Manifest()
	if report.Kind != archive.KindEndpoint {
		return report, archive.OtherKind(report.Manifest)
	}
	store, identity := false, false
	for {
		e, err := in.Next()
		if errors.Is(err, io.EOF) && store && identity {
			return report, nil
		}
		if errors.Is(err, io.EOF) {
			return report, archive.Damaged(errors.New("it has no store, or no identity"))
		}
		if err != nil {
			return report, err
		}
		switch {
		case e.Name == StoreName:
			store = true
		case isIdentity(e.Name):
			identity = true
		case isBody(e.Name):
			report.Bodies++
			report.Bytes += uint64(e.Size)
		case e.Name != SettingsName && e.Name != SystemsKeyName:
			return report, archive.Damaged(fmt.Errorf("%q does not belong there", e.Name))
		}
		if err := errors.Join(ctx.Err(), to(e.Name, e.Size, e)); err != nil {
			return report, err
		}
	}
}

func isIdentity(name string) bool {
	return path.Dir(name)+"/" == IdentityPrefix && !strings.HasPrefix(path.Base(name), ".")
}

func isBody(name string) bool {
	digest, ok := archive.SelfNamed(name)
	return ok && name == BodyPrefix+hex.EncodeToString(digest[:1])+"/"+path.Base(name)
}
