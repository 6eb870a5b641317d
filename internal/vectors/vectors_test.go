package vectors_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"testing"

	"docaxis/internal/vectors"
)

func wantBytes(t *testing.T, name string, raw []byte, size int, digest string) {
	t.Helper()
	if len(raw) != size {
		t.Errorf("%s has %d bytes, its index says %d", name, len(raw), size)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != digest {
		t.Errorf("%s has digest %x, its index says %s", name, sum, digest)
	}
}

// inFolder lists the edXML files of a folder.
func inFolder(t *testing.T, folder, suffix string) map[string]bool {
	t.Helper()
	found, err := fs.Glob(vectors.FS(), path.Join(folder, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range found {
		names[strings.TrimSuffix(path.Base(f), suffix)] = true
	}
	return names
}

func TestEdXMLFilesAreAsIndexed(t *testing.T) {
	list, err := vectors.EdXMLFiles()
	if err != nil {
		t.Fatal(err)
	}
	left := inFolder(t, "edxml", ".edxml")
	for _, f := range list {
		wantBytes(t, f.Name, vectors.EdXML(f.Name), f.Bytes, f.SHA256)
		if got := headerHash(t, f.SHA256); got != f.HashFileHeader {
			t.Errorf("%s: header hash %s, want %s", f.Name, got, f.HashFileHeader)
		}
		delete(left, strings.TrimSuffix(f.Name, ".edxml"))
	}
	if len(list) != 18 || len(left) > 0 {
		t.Errorf("%d files in the index, not in it: %v", len(list), left)
	}
}

// headerHash drops the leading zero of each byte, as the SDK does.
func headerHash(t *testing.T, digest string) string {
	t.Helper()
	raw, err := hex.DecodeString(digest)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range raw {
		b.WriteString(strings.TrimPrefix(hex.EncodeToString([]byte{c}), "0"))
	}
	return b.String()
}

func TestVariantsAreAsIndexed(t *testing.T) {
	list, err := vectors.Variants()
	if err != nil {
		t.Fatal(err)
	}
	left := inFolder(t, "edxml/variants", ".edxml")
	for _, v := range list {
		wantBytes(t, v.Name, vectors.EdXML("variants/"+v.Name), v.Bytes, v.SHA256)
		if !strings.HasPrefix(v.Verdict, "ok") && !strings.HasPrefix(v.Verdict, "fail") {
			t.Errorf("%s: verdict %q", v.Name, v.Verdict)
		}
		delete(left, strings.TrimSuffix(v.Name, ".edxml"))
	}
	if len(list) != 62 || len(left) > 0 {
		t.Errorf("%d variants in the index, not in it: %v", len(list), left)
	}
}

func TestExchangesAreWhole(t *testing.T) {
	list, err := vectors.Exchanges()
	if err != nil {
		t.Fatal(err)
	}
	left := inFolder(t, "vxp-http", ".request")
	for _, x := range list {
		if !bytes.HasPrefix(x.Request, []byte(x.Method+" "+x.Path)) {
			t.Errorf("%s: the request begins %.40q", x.Name, x.Request)
		}
		if !bytes.HasPrefix(x.Response, []byte("HTTP/1.1 "+x.Status)) {
			t.Errorf("%s: the answer begins %.40q", x.Name, x.Response)
		}
		delete(left, x.Name)
	}
	if len(list) != 46 || len(left) > 0 {
		t.Errorf("%d exchanges in the index, not in it: %v", len(list), left)
	}
}

func TestLineEndsAreKept(t *testing.T) {
	if !bytes.Contains(vectors.EdXML("new-1-attachment.edxml"), []byte("\r\n")) {
		t.Error("the carriage returns are gone")
	}
}
