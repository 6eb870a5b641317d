package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// thing is a small program.
type thing struct {
	cli.Common
	Dir string   `help:"Folder.|Thư mục."`
	Do  doThing  `cmd:"" help:"Do it.|Làm đi."`
	Say sayThing `cmd:"" help:"Say it.|Nói đi."`
	In  struct {
		Say sayThing `cmd:"" help:"Say it.|Nói đi."`
	} `cmd:"" help:"Inside.|Bên trong."`

	fails error
}

type doThing struct {
	Count int    `help:"How often.|Bao nhiêu lần."`
	Kind  string `help:"Which.|Loại nào." enum:"a,b" default:"a"`
	What  string `arg:"" help:"What.|Cái gì."`
}

func (doThing) Run(g *thing) error { return g.fails }

type sayThing struct{}

func (sayThing) Run(_ context.Context, o *cli.IO) error {
	return o.Print(map[string]string{"word": "<&>"}, func(w io.Writer) { fmt.Fprintln(w, o.Say("chào", "hello"), o.State("PARKED")) })
}

// run gives exit code and output.
func run(t *testing.T, fails error, args ...string) (code int, out, errs string) {
	t.Helper()
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "")
	}
	g := thing{fails: fails}
	var o, e bytes.Buffer
	code = cli.Program{
		Name: "thing", About: "A thing.|Một thứ.", Detail: cli.Help("thing do it", "", ""), Grammar: &g, Common: &g.Common,
		Folder: cli.Folder{Marker: "thing.toml", Make: "thing make --dir %s", Env: "THING_DIR"},
	}.Run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func TestLanguageIsChosen(t *testing.T) {
	for _, tt := range []struct {
		env  string
		args []string
		want string
	}{
		{"", []string{"say"}, "hello parked\n"},
		{"vi", []string{"say"}, "chào chờ người xử lý\n"},
		{"vi", []string{"say", "--lang", "en"}, "hello parked\n"},
		{"", []string{"--lang=vi", "say"}, "chào chờ người xử lý\n"},
		{"", []string{"say", "--lang=vi", "--json"}, "{\n  \"word\": \"<&>\"\n}\n"},
	} {
		t.Setenv("DOCAXIS_LANG", tt.env)
		if code, out, errs := run(t, nil, tt.args...); code != cli.OK || out != tt.want || errs != "" {
			t.Errorf("%q %q: %d, %q, %q", tt.env, tt.args, code, out, errs)
		}
	}
}

func TestExitCodesAndWhatIsSaid(t *testing.T) {
	dir := t.TempDir()
	away := &admin.NotRunning{Dir: dir, Cause: fs.ErrNotExist}
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, "thing.toml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	here := &admin.NotRunning{Dir: own, Cause: fs.ErrNotExist}
	busy := reason.Temporary(axispb.ReasonCode_REASON_BUSY)
	for name, tt := range map[string]struct {
		err    error
		code   int
		en, vi string
	}{
		"done":           {nil, cli.OK, "", ""},
		"plain":          {errors.New("plain"), cli.Failed, "thing: plain\n", "thing: plain\n"},
		"phrase":         {errors.New("line 2: the list is empty; begin it with a row that names the columns"), cli.Failed, "line 2: the list", "dòng 2: danh mục trống"},
		"permanent":      {reason.Permanent(axispb.ReasonCode_REASON_NO_RECIPIENT), cli.Failed, "No recipient", "Không còn nơi nhận"},
		"temporary":      {fmt.Errorf("send: %w", busy), cli.TryAgain, "The axis is busy", "đang bận"},
		"not found":      {reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, "x"), cli.NotFound, "Nothing is known as “x”", "Không tìm thấy “x”"},
		"wrong folder":   {away, cli.Failed, dir + " is no folder of thing (it has no thing.toml). Name the right one with --dir or THING_DIR, or make one: thing make --dir " + dir, "không phải thư mục của thing"},
		"not running":    {fmt.Errorf("ask: %w", here), cli.TryAgain, "Nothing runs on folder " + own + ". Start it: thing serve --dir " + own, "Chưa có tiến trình nào chạy"},
		"code":           {cli.Code{Exit: cli.NotFound}, cli.NotFound, "", ""},
		"code and text":  {cli.Code{Exit: cli.Usage, Err: lang.Errorf("sai", "wrong")}, cli.Usage, "thing: wrong\n", "thing: sai\n"},
		"both languages": {fmt.Errorf("x: %w", lang.Errorf("sai", "wrong")), cli.Failed, "thing: wrong\n", "thing: sai\n"},
		// What stands around a reason says more than the reason, and the other way round.
		"outer text":   {lang.Errorf("ngoài", "outer").Because(busy), cli.TryAgain, "thing: outer\n", "thing: ngoài\n"},
		"outer reason": {reason.Permanent(axispb.ReasonCode_REASON_NO_RECIPIENT).Because(lang.Errorf("trong", "inner")), cli.Failed, "No recipient", "Không còn"},
		"no file":      {&fs.PathError{Op: "open", Path: "a.pdf", Err: fs.ErrNotExist}, cli.Failed, "There is no a.pdf", "Không có a.pdf"},
		"no right":     {&fs.PathError{Op: "open", Path: "a.pdf", Err: fs.ErrPermission}, cli.Failed, "a.pdf may not be accessed", "Không có quyền truy cập a.pdf"},
	} {
		for l, want := range map[string]string{"en": tt.en, "vi": tt.vi} {
			code, out, errs := run(t, tt.err, "do", "it", "--lang", l)
			if code != tt.code || out != "" || !strings.Contains(errs, want) || (want == "") != (errs == "") {
				t.Errorf("%s, %s: %d, %q, %q", name, l, code, out, errs)
			}
		}
	}
}

func TestAMisunderstoodCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		en, vi string
	}{
		{[]string{"do"}, `expected "<what>"`, "còn thiếu <what>"},
		{[]string{"do", "it", "now"}, "unexpected argument now", "không hiểu “now”"},
		{[]string{"do", "it", "--kynd", "a"}, "unknown flag --kynd", "không có tùy chọn --kynd"},
		{[]string{"do", "it", "--kind", "c"}, `--kind must be one of "a","b" but got "c"`, `--kind phải là một trong "a","b", không phải "c"`},
		{[]string{"do", "it", "--count", "x"}, "int but got", "--count phải là số"},
		{[]string{"undo"}, "unexpected argument undo", "không hiểu “undo”"},
		{[]string{}, "Usage: thing <command>", "Cách dùng: thing <lệnh>"},
		{[]string{"in"}, "Usage: thing in <command>", "Cách dùng: thing in <lệnh>"},
	} {
		for l, want := range map[string]string{"en": tt.en, "vi": tt.vi} {
			code, out, errs := run(t, nil, append([]string{"--lang", l}, tt.args...)...)
			if code != cli.Usage || out != "" || !strings.Contains(errs, want) {
				t.Errorf("%q in %s: %d, %q, %q", tt.args, l, code, out, errs)
			}
		}
	}
}

func TestTableKeepsItsShape(t *testing.T) {
	var b bytes.Buffer
	cli.Table(&b, []string{"TÊN", "TRẠNG THÁI", ""}, [][]string{
		{"Bộ Công Thương", "đã đến", ""},
		{"a\tb\nc\x1b[31m\u202e", "x", ""},
	})
	want := "TÊN             TRẠNG THÁI\nBộ Công Thương  đã đến\na b c [31m      x\n"
	if b.String() != want {
		t.Errorf("%q", b.String())
	}
}

func TestExistingFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cli.ExistingFile(path); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{dir, filepath.Join(dir, "b")} {
		var code cli.Code
		if err := cli.ExistingFile(wrong); !errors.As(err, &code) || code.Exit != cli.NotFound {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
