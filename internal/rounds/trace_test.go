package rounds_test

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A trace of a process's system calls (strace -f -yy) shows what the disk was told
// before anything left.

// moment is a system call as it begins or ends.
type momentOf struct {
	call *call
	ends bool
}

// call is a system call of a trace.
type call struct {
	line   int
	thread string
	name   string
	args   string
	failed bool
}

var (
	wholeLine   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)`)
	begunLine   = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	resumedLine = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)`)
)

// parseTrace gives the moments of a trace in their order. What is no system call is
// left out.
func parseTrace(r io.Reader) (all []momentOf, err error) {
	open := map[string]*call{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		if m := wholeLine.FindStringSubmatch(text); m != nil {
			c := &call{n, m[1], m[2], m[3], strings.HasPrefix(m[4], "-")}
			all = append(all, momentOf{c, false}, momentOf{c, true})
		} else if m := begunLine.FindStringSubmatch(text); m != nil {
			c := &call{n, m[1], m[2], m[3], false}
			open[m[1]] = c
			all = append(all, momentOf{c, false})
		} else if m := resumedLine.FindStringSubmatch(text); m != nil {
			c := open[m[1]]
			if c == nil || c.name != m[2] {
				return nil, fmt.Errorf("line %d ends a call that never began: %s", n, text)
			}
			delete(open, m[1])
			c.args, c.failed = c.args+m[3], strings.HasPrefix(m[4], "-")
			all = append(all, momentOf{c, true})
		}
	}
	return all, lines.Err()
}

// file is the path, or the connection, that the call's first argument is open on.
func (c *call) file() string {
	_, rest, _ := strings.Cut(c.args, "<")
	if end := strings.Index(rest, ">,"); end >= 0 {
		return rest[:end]
	}
	return strings.TrimSuffix(rest, ">")
}

// renamed gives the paths of a renameat.
func (c *call) renamed() (from, to string) {
	quoted := regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(c.args, -1)
	if len(quoted) != 2 {
		return "", ""
	}
	return quoted[0][1], quoted[1][1]
}

func (c *call) writes() bool {
	return slices.Contains([]string{"write", "writev", "pwrite64", "sendto", "sendmsg"}, c.name)
}

func (c *call) syncs() bool { return c.name == "fsync" || c.name == "fdatasync" }

// promise is what must be on the disk before something leaves.
type promise struct {
	// durable are the files whose writes must be synced before anything leaves.
	durable func(path string) bool
	// named are the files that are given their names by a rename: synced before, and
	// their folder after.
	named func(path string) bool
	// leaves are the connections on which an answer, or a request, leaves.
	leaves func(connection string) bool
}

// kept is how often each thing happened that the promise is about.
type kept struct{ writes, names, leaves int }

// watchdog goes through a trace.
type watchdog struct {
	promise
	kept
	written map[string]int // writes to a file, or names in a folder, that are not synced
	folders map[string]bool
	began   map[*call]int // what a sync found written
	found   []error
}

// check says where something left that promised more than the disk was told.
func (p promise) check(trace []momentOf) (kept, []error) {
	w := &watchdog{promise: p, written: map[string]int{}, folders: map[string]bool{}, began: map[*call]int{}}
	for _, m := range trace {
		c := m.call
		switch {
		case c.writes() && !m.ends:
			w.write(c)
		case c.syncs() && !m.ends:
			w.began[c] = w.written[c.file()]
		case c.syncs() && !c.failed && w.written[c.file()] == w.began[c]:
			delete(w.written, c.file())
		case c.name == "renameat" && m.ends && !c.failed:
			w.rename(c)
		}
	}
	return w.kept, w.found
}

func (w *watchdog) complain(c *call, format string, args ...any) {
	w.found = append(w.found, fmt.Errorf("line %d: "+format, append([]any{c.line}, args...)...))
}

func (w *watchdog) write(c *call) {
	if !w.promise.leaves(c.file()) {
		w.written[c.file()]++
		if w.durable(c.file()) {
			w.writes++
		}
		return
	}
	w.kept.leaves++
	for path := range w.written {
		if w.durable(path) || w.folders[path] {
			w.complain(c, "something leaves on %s before %s is synced", c.file(), path)
		}
	}
}

func (w *watchdog) rename(c *call) {
	from, to := c.renamed()
	if !w.named(to) {
		return
	}
	w.names++
	if w.written[from] > 0 {
		w.complain(c, "%s is named before it is synced", to)
	}
	delete(w.written, from)
	w.written[filepath.Dir(to)]++
	w.folders[filepath.Dir(to)] = true
}

// What the disk must be told before an answer of the axis leaves: blocks of the
// journal, the guard, and chunks with their names.
func axisPromise(listen string) promise {
	return promise{
		durable: func(path string) bool {
			return strings.HasSuffix(path, ".blk") || strings.HasSuffix(path, "/keys/guard")
		},
		named:  func(path string) bool { return strings.Contains(path, "/content/chunks/") },
		leaves: func(connection string) bool { return strings.Contains(connection, "TCP:["+listen+"->") },
	}
}

// recorded are the calls of an axis that takes one document, shortened.
const recorded = `10 write(9</d/content/parts/e-g22/aa.part>, ""..., 100) = 100
10 fsync(9</d/content/parts/e-g22/aa.part>) = 0
10 renameat(AT_FDCWD</>, "/d/content/parts/e-g22/aa.part", AT_FDCWD</>, "/d/content/chunks/aa/aa") = 0
11 write(7<TCP:[127.0.0.1:1->127.0.0.1:9]>, ""..., 30) = 30
10 fsync(9</d/content/chunks/aa>) = 0
10 write(7<TCP:[127.0.0.1:7422->127.0.0.1:9]>, ""..., 30) = 30
12 write(8</d/journal/msgs/1.blk>, ""..., 700) = 700
12 fsync(8</d/journal/msgs/1.blk> <unfinished ...>
13 futex(0x1, FUTEX_WAIT) = 0
12 <... fsync resumed>)                = 0
14 pwrite64(6</d/keys/guard>, ""..., 159, 4096) = 159
14 fdatasync(6</d/keys/guard>)         = 0
15 pwrite64(5</d/ledger.db-wal>, ""..., 4096, 0) = 4096
15 write(7<TCP:[127.0.0.1:7422->127.0.0.1:9]>, ""..., 600) = 600
`

// The reader of traces finds what left too early: here each time something of an
// honest trace is missing, or comes later.
func TestTracesAreJudged(t *testing.T) {
	judge := func(text string) (kept, []error) {
		trace, err := parseTrace(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return axisPromise("127.0.0.1:7422").check(trace)
	}
	if k, found := judge(recorded); len(found) > 0 || k != (kept{writes: 2, names: 1, leaves: 2}) {
		t.Errorf("an honest trace: %+v, %v", k, found)
	}
	lines := strings.SplitAfter(recorded, "\n")
	for _, c := range []struct {
		name string
		omit []int // lines
		want string
	}{
		{"the chunk is not synced", []int{2}, "is named before it is synced"},
		{"the chunk's folder is not synced", []int{5}, "before /d/content/chunks/aa is synced"},
		{"the block is not synced", []int{8, 10}, "before /d/journal/msgs/1.blk is synced"},
		{"the guard is not synced", []int{12}, "before /d/keys/guard is synced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			without, late := "", ""
			for i, l := range lines {
				if slices.Contains(c.omit, i+1) {
					late += l
				} else {
					without += l
				}
			}
			for name, text := range map[string]string{"missing": without, "after all": without + late} {
				if _, found := judge(text); len(found) == 0 || !strings.Contains(found[0].Error(), c.want) {
					t.Errorf("%s: no complaint of %q, but %v", name, c.want, found)
				}
			}
		})
	}
	swapped := strings.Replace(recorded, lines[11], "", 1)
	swapped = strings.Replace(swapped, lines[13], lines[13]+lines[11], 1)
	if _, found := judge(swapped); len(found) != 1 {
		t.Errorf("an answer before the guard's sync: %v", found)
	}
	failed := strings.Replace(recorded, "/d/keys/guard>)         = 0", "/d/keys/guard>)         = -1 EIO (Input/output error)", 1)
	if _, found := judge(failed); len(found) != 1 {
		t.Errorf("an answer after a sync that failed: %v", found)
	}
}
