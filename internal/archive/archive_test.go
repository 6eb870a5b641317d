package archive_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"docaxis/internal/archive"
	"docaxis/internal/fault"
	"docaxis/internal/lang"
)

// sample is what the tests put in: a file of no bytes, files around the size of a
// tar block, one that is named by its digest.
func sample() map[string][]byte {
	body := []byte("nội dung")
	return map[string][]byte{
		"axis.toml": []byte("name = \"axis.example.vn\"\n"),
		"keys/none": nil,
		"journal/0": bytes.Repeat([]byte{7}, 512),
		"journal/1": bytes.Repeat([]byte{8}, 513),
		fmt.Sprintf("content/%x", sha256.Sum256(body)): body,
	}
}

func fill(w io.Writer) error {
	out, err := archive.NewWriter(w, archive.Manifest{Kind: archive.KindAxis, Name: "axis.example.vn", MadeMS: 1_700_000_000_000})
	if err != nil {
		return err
	}
	for _, name := range []string{"axis.toml", "keys/none", "journal/0", "journal/1"} {
		if err := out.Add(name, int64(len(sample()[name])), bytes.NewReader(sample()[name])); err != nil {
			return err
		}
	}
	for name, b := range sample() {
		if strings.HasPrefix(name, "content/") {
			if err := out.Add(name, int64(len(b)), bytes.NewReader(b)); err != nil {
				return err
			}
		}
	}
	return out.Close()
}

func readAll(r io.Reader) (map[string][]byte, error) {
	in, err := archive.NewReader(r)
	if err != nil {
		return nil, err
	}
	got := map[string][]byte{}
	for {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		b, err := e.All(1 << 20)
		if err != nil {
			return got, err
		}
		got[e.Name] = b
		if len(b) == 0 {
			got[e.Name] = nil
		}
	}
}

func readFile(path string, k archive.Keys) (map[string][]byte, error) {
	r, err := archive.Open(path, k)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readAll(r)
}

func check(r io.Reader) error {
	_, err := readAll(r)
	return err
}

// ways are the ways to protect a container, with what opens each.
type way struct {
	name string
	lock archive.Protection
	keys archive.Keys
}

func ways(t *testing.T) []way {
	t.Helper()
	dir := t.TempDir()
	identity, passphrase := filepath.Join(dir, "key"), filepath.Join(dir, "passphrase")
	to, err := archive.NewIdentity(identity)
	if err := errors.Join(err, os.WriteFile(passphrase, []byte("một câu dài dễ nhớ\r\nthừa"), 0o600)); err != nil {
		t.Fatal(err)
	}
	other, err := archive.NewIdentity(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	return []way{
		{"plain", archive.Protection{Plain: true}, archive.Keys{}},
		{"keys", archive.Protection{Recipients: []string{other, to}}, archive.Keys{IdentityFile: identity}},
		{"passphrase", archive.Protection{PassphraseFile: passphrase, WorkFactor: 4}, archive.Keys{PassphraseFile: passphrase}},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, w := range ways(t) {
		path := filepath.Join(t.TempDir(), "a.backup")
		if err := archive.Create(path, w.lock, nil, fill, check); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		got, err := readFile(path, w.keys)
		if err != nil || !reflect.DeepEqual(got, sample()) {
			t.Errorf("%s: %d files came back (%v)", w.name, len(got), err)
		}
		raw, err := os.ReadFile(path)
		if secret := bytes.Contains(raw, []byte("axis.example.vn")); err != nil || secret == (w.name != "plain") {
			t.Errorf("%s: the name stands in the file: %v (%v)", w.name, secret, err)
		}
		if err := archive.Create(path, w.lock, nil, fill, check); !errors.Is(err, archive.ErrExists) {
			t.Errorf("%s: written over: %v", w.name, err)
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(left) != 1 {
			t.Errorf("%s: left behind: %v (%v)", w.name, left, err)
		}
	}
}

// places are where a file of n bytes is cut or changed: everywhere at its beginning
// and end, here and there in between.
func places(n int) (all []int) {
	for i := range n {
		if i < 60 || i > n-30 || i%211 == 0 {
			all = append(all, i)
		}
	}
	return all
}

// A container that was cut is never taken for whole.
func TestTruncationIsFound(t *testing.T) {
	for _, w := range ways(t) {
		path := filepath.Join(t.TempDir(), "a.backup")
		if err := archive.Create(path, w.lock, nil, fill, check); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range places(len(raw)) {
			if err := os.WriteFile(path, raw[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := readFile(path, w.keys)
			if !errors.Is(err, archive.ErrDamaged) && !errors.Is(err, archive.ErrNoArchive) {
				t.Fatalf("%s, %d of %d bytes: %v", w.name, n, len(raw), err)
			}
			bothLanguages(t, err)
		}
		if err := os.WriteFile(path, append(raw, 0), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readFile(path, w.keys); !errors.Is(err, archive.ErrDamaged) {
			t.Errorf("%s: a byte behind its end: %v", w.name, err)
		}
	}
}

// A changed byte is found; in a plain container one that means nothing (padding, the
// time of a file) may be passed over, and then changes nothing.
func TestFlippedBytesAreFound(t *testing.T) {
	for _, w := range ways(t) {
		path := filepath.Join(t.TempDir(), "a.backup")
		if err := archive.Create(path, w.lock, nil, fill, check); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range append(places(len(raw)), bytes.Index(raw, []byte("nội dung"))) {
			if i < 0 {
				continue // it is encrypted
			}
			raw[i] ^= 0x20
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			raw[i] ^= 0x20
			got, err := readFile(path, w.keys)
			if err == nil && (w.name != "plain" || !reflect.DeepEqual(got, sample())) {
				t.Fatalf("%s: byte %d of %d was changed, and nobody saw", w.name, i, len(raw))
			}
			if err != nil {
				bothLanguages(t, err)
			}
		}
	}
}

func bothLanguages(t *testing.T, err error) {
	t.Helper()
	vi, en := lang.Say(err, lang.Vietnamese), lang.Say(err, lang.English)
	if vi == en || vi == "" {
		t.Fatalf("said in one language only: %q", en)
	}
}

func TestWrongKeys(t *testing.T) {
	all := ways(t)
	for _, w := range all[1:] {
		path := filepath.Join(t.TempDir(), "a.backup")
		if err := archive.Create(path, w.lock, nil, fill, check); err != nil {
			t.Fatal(err)
		}
		for _, k := range []archive.Keys{{}, all[1].keys, all[2].keys, stranger(t)} {
			_, err := readFile(path, k)
			if right := k == w.keys; right != (err == nil) || !right && !errors.Is(err, archive.ErrKey) {
				t.Errorf("%s with %+v: %v", w.name, k, err)
			}
			if err != nil {
				bothLanguages(t, err)
			}
		}
	}
}

// stranger is a key pair and passphrase of somebody else.
func stranger(t *testing.T) archive.Keys {
	t.Helper()
	dir := t.TempDir()
	k := archive.Keys{IdentityFile: filepath.Join(dir, "key"), PassphraseFile: filepath.Join(dir, "passphrase")}
	_, err := archive.NewIdentity(k.IdentityFile)
	if err := errors.Join(err, os.WriteFile(k.PassphraseFile, []byte("khác\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestProtectionIsChosen(t *testing.T) {
	all := ways(t)
	for name, p := range map[string]archive.Protection{
		"none": {}, "plain and keys": {Plain: true, Recipients: all[1].lock.Recipients},
		"keys and passphrase": {Recipients: all[1].lock.Recipients, PassphraseFile: all[2].lock.PassphraseFile},
		"no key":              {Recipients: []string{"age1x"}},
		"a secret key":        {Recipients: []string{"AGE-SECRET-KEY-1QQQQ"}},
	} {
		path := filepath.Join(t.TempDir(), "a.backup")
		err := archive.Create(path, p, nil, fill, check)
		if err == nil {
			t.Errorf("%s: written", name)
			continue
		}
		bothLanguages(t, err)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there is a file (%v)", name, err)
		}
	}
}

// Nothing has the final name that was not written, read again and found right.
func TestFailedCreateLeavesNothing(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	at := func(point string) fault.Hook {
		return func(p string) error {
			if p == point {
				return full
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		faults fault.Hook
		fill   func(io.Writer) error
		check  func(io.Reader) error
		want   error
	}{
		"the disk is full while it is written": {nil, func(io.Writer) error { return full }, check, archive.ErrFull},
		"the disk is full at its beginning":    {at("archive.write.before"), fill, check, archive.ErrFull},
		"the disk is full at its end":          {at("archive.commit.before"), fill, check, archive.ErrFull},
		"it is not what it should be":          {nil, func(w io.Writer) error { _, err := w.Write([]byte("x")); return err }, check, archive.ErrNoArchive},
	} {
		for _, w := range ways(t)[:2] {
			path := filepath.Join(t.TempDir(), "a.backup")
			err := archive.Create(path, w.lock, c.faults, c.fill, c.check)
			if !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v", w.name, name, err)
			}
			bothLanguages(t, err)
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
				t.Errorf("%s, %s: left behind %v (%v)", w.name, name, left, err)
			}
		}
	}
}

func TestNewerVersionsAreRefused(t *testing.T) {
	var b bytes.Buffer
	if err := fill(&b); err != nil {
		t.Fatal(err)
	}
	newer := bytes.Replace(b.Bytes(), []byte(`"version": 1`), []byte(`"version": 2`), 1)
	in, err := archive.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got := in.Manifest(); got.Version != archive.Version || got.Name != "axis.example.vn" {
		t.Errorf("%+v", got)
	}
	if _, err := archive.NewReader(bytes.NewReader(newer)); !errors.Is(err, archive.ErrNewer) {
		t.Errorf("%v", err)
	}
}

// Names that would leave the folder, hide or overwrite are refused on both sides.
func TestNames(t *testing.T) {
	for _, name := range []string{"../x", "/x", "a/../b", "a\\b", "c:x", "", ".", "a\nb", "MANIFEST.json", "SHA256SUMS", strings.Repeat("a", 300)} {
		out, err := archive.NewWriter(io.Discard, archive.Manifest{})
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Add(name, 0, strings.NewReader("")); err == nil {
			t.Errorf("%q was taken", name)
		}
		if err := out.Add("content/"+strings.Repeat("0", 64), 0, strings.NewReader("")); err == nil {
			t.Error("a name that is another's digest was taken")
		}
	}
}

// What another program may put into a tar is refused before it is used.
func TestHostileEntries(t *testing.T) {
	for name, h := range map[string]*tar.Header{
		"a way out":      {Typeflag: tar.TypeReg, Name: "../../etc/passwd"},
		"a link":         {Typeflag: tar.TypeSymlink, Name: "keys/ca.key", Linkname: "/etc/passwd"},
		"a folder":       {Typeflag: tar.TypeDir, Name: "keys"},
		"a name":         {Typeflag: tar.TypeReg, Name: strings.Repeat("a/", 5000) + "b"},
		"a manifest":     {Typeflag: tar.TypeReg, Name: "MANIFEST.json"},
		"a wrong digest": {Typeflag: tar.TypeReg, Name: "content/" + strings.Repeat("0", 64)},
	} {
		var b bytes.Buffer
		out := tar.NewWriter(&b)
		manifest := `{"version": 1, "kind": "axis"}`
		err := errors.Join(
			out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "MANIFEST.json", Size: int64(len(manifest))}),
			write(out, manifest), out.WriteHeader(h), out.Close())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(&b); !errors.Is(err, archive.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	f, err := archive.BeginFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := archive.BeginFolder(dir); !errors.Is(err, archive.ErrExists) {
		t.Errorf("begun twice: %v", err)
	}
	if err := f.Undo(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if f, err = archive.BeginFolder(dir); err == nil {
		err = f.Done()
	}
	if left, _ := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.BeginFolder(dir); !errors.Is(err, archive.ErrExists) {
		t.Errorf("a folder with a file: %v", err)
	}
}
