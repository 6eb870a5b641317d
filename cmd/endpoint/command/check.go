package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"docaxis/edxml"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// unusable is the exit code where a file could not be judged.
const unusable = 3

type checkCommand struct {
	Files []string `arg:"" help:"edXML files.|Các tệp edXML." type:"path"`
}

func (checkCommand) Help() string {
	return cli.Help("endpoint check goi-tin.edxml\nendpoint check --json *.edxml",
		"Needs neither a network nor an endpoint. Exit codes: 0 no errors, 1 errors found, 3 a file cannot be read as edXML. docs/conformance.vi.md explains every rule.",
		"Không cần mạng hay điểm kết nối. Mã thoát: 0 không có lỗi, 1 có lỗi, 3 có tệp không đọc được theo edXML. Xem giải thích từng quy tắc ở docs/conformance.vi.md.")
}

// checked is what is said of one file.
type checked struct {
	File     string           `json:"file"`
	Usable   bool             `json:"usable"`
	Conforms bool             `json:"conforms"`
	Findings []checkedFinding `json:"findings"`
	// Problem of the file itself, where it could not be read.
	Problem string `json:"problem,omitempty"`
}

type checkedFinding struct {
	edxml.Finding
	What string `json:"what"`
	Mend string `json:"mend"`
}

func (c checkCommand) Run(o *cli.IO) error {
	all, exit := make([]checked, len(c.Files)), cli.OK
	for i, path := range c.Files {
		all[i] = checkFile(path, o)
		exit = max(exit, all[i].exit())
	}
	err := o.Print(all, func(w io.Writer) {
		for _, one := range all {
			one.print(w, o)
		}
	})
	if err == nil && exit != cli.OK {
		return cli.Code{Exit: exit}
	}
	return err
}

func (c checked) exit() int {
	switch {
	case !c.Usable:
		return unusable
	case !c.Conforms:
		return cli.Failed
	default:
		return cli.OK
	}
}

func checkFile(path string, o *cli.IO) checked {
	c := checked{File: path, Findings: []checkedFinding{}}
	report, err := checkPath(path)
	if err != nil {
		c.Problem = lang.Say(err, o.Lang)
		return c
	}
	c.Usable, c.Conforms = report.Package != nil, report.Conforms()
	for _, f := range report.Findings {
		what, mend := f.Texts(edxml.Language(o.Lang))
		c.Findings = append(c.Findings, checkedFinding{Finding: f, What: what, Mend: mend})
	}
	return c
}

func checkPath(path string) (edxml.Report, error) {
	if err := cli.ExistingFile(path); err != nil {
		return edxml.Report{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return edxml.Report{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return edxml.Report{}, err
	}
	return edxml.Check(f, info.Size(), edxml.Limits{}, time.Now())
}

func (c checked) print(w io.Writer, o *cli.IO) {
	verdict := o.Say("ĐẠT", "CONFORMS")
	switch c.exit() {
	case cli.Failed:
		verdict = o.Say("KHÔNG ĐẠT", "DOES NOT CONFORM")
	case unusable:
		verdict = o.Say("KHÔNG ĐỌC ĐƯỢC", "CANNOT BE READ")
	}
	fmt.Fprintf(w, "%s: %s\n", c.File, verdict)
	if c.Problem != "" {
		fmt.Fprintf(w, "  %s\n", c.Problem)
	}
	severities := map[edxml.Severity]string{
		edxml.Error:     o.Say("Lỗi", "Error"),
		edxml.Warning:   o.Say("Cảnh báo", "Warning"),
		edxml.Tolerated: o.Say("Được chấp nhận", "Tolerated"),
	}
	for _, f := range c.Findings {
		fmt.Fprintf(w, "  %s [%s] %s\n", severities[f.Severity], f.Rule, f.Say(edxml.Language(o.Lang)))
	}
}
