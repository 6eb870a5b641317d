// Package docs_test keeps the pages true to the code: what can be compared is.
package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The table of reasons has every code, under its number and name, and no other.
func TestProtocolHasEveryReason(t *testing.T) {
	page := read(t, "protocol.md")
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| ([A-Z_]+) \|`).FindAllStringSubmatch(page, -1)
	said := make(map[string]string)
	for _, r := range rows {
		said[r[1]] = r[2]
	}
	for number, name := range axispb.ReasonCode_name {
		if number == 0 {
			continue
		}
		key := fmt.Sprint(number)
		if want := strings.TrimPrefix(name, "REASON_"); said[key] != want {
			t.Errorf("protocol.md, reason %s: %q, not %q", key, said[key], want)
		}
		delete(said, key)
	}
	for number, name := range said {
		t.Errorf("protocol.md has reason %s %s, which is none", number, name)
	}
}

func TestProtocolHasEveryService(t *testing.T) {
	page := read(t, "protocol.md")
	for _, s := range bus.Services() {
		if !regexp.MustCompile("`[^`\n]*\\b" + string(s) + "\\b[^`\n]*`").MatchString(page) {
			t.Errorf("protocol.md does not name the service %s", s)
		}
	}
}

// Every example of a message is one.
func TestProtocolExamplesAreMessages(t *testing.T) {
	examples := regexp.MustCompile("(?s)```textproto\n# (\\w+)\n(.*?)```").FindAllStringSubmatch(read(t, "protocol.md"), -1)
	if len(examples) == 0 {
		t.Fatal("no examples")
	}
	for _, e := range examples {
		kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName("docaxis.v1." + e[1]))
		if err != nil {
			t.Errorf("%s: %v", e[1], err)
			continue
		}
		if err := prototext.Unmarshal([]byte(e[2]), kind.New().Interface()); err != nil {
			t.Errorf("example of %s: %v", e[1], err)
		}
	}
}

// Every bucket that the endpoint's packages declare is listed.
func TestFormatsHasEveryBucket(t *testing.T) {
	page := read(t, "formats.md")
	declared := regexp.MustCompile(`(?m)^\s*\w+Bucket\s*=\s*"(\w+)"`)
	found := 0
	for _, part := range []string{"store", "outbox", "inbox", "directory", "systems"} {
		files, err := filepath.Glob(filepath.Join("..", "endpoint", part, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			for _, m := range declared.FindAllStringSubmatch(read(t, f), -1) {
				found++
				if !strings.Contains(page, "| `"+m[1]+"`") {
					t.Errorf("formats.md does not list bucket %s of endpoint/%s", m[1], part)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no bucket is declared any more: this test looks in the wrong place")
	}
}

// Every test that a page names, as `folder: TestName`, exists.
func TestNamedTestsExist(t *testing.T) {
	named := regexp.MustCompile("`([a-z/]+): (Test\\w+)`")
	for _, page := range pages(t) {
		for _, m := range named.FindAllStringSubmatch(read(t, page), -1) {
			if !hasTest(t, m[1], m[2]) {
				t.Errorf("%s names %s of %s, which does not exist", page, m[2], m[1])
			}
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	if folder == "docaxis" {
		folder = "."
	}
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(read(t, f), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// Every link within the project leads to a file.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)\)`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}

// The decisions are all in their list.
func TestEveryDecisionIsListed(t *testing.T) {
	list := read(t, filepath.Join("decisions", "README.md"))
	files, err := filepath.Glob(filepath.Join("decisions", "[0-9]*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		title := strings.SplitN(read(t, f), "\n", 2)[0]
		if !strings.Contains(list, "("+filepath.Base(f)+") | "+title[len("# 0000 "):]+" |") {
			t.Errorf("decisions/README.md does not list %s as %q", filepath.Base(f), title)
		}
	}
}

// pages are those of this folder and of the root.
func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("..", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
