package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"docaxis/internal/durable"
	"docaxis/internal/lang"
)

// What stands between these lines of a page is the table of the newest run.
const (
	tableBegins = "<!-- the table begins -->\n"
	tableEnds   = "<!-- the table ends -->\n"
)

// page puts the table into a page in Markdown, in the place of the one that is there, and
// the chart beside it, under the page's name.
func (r *Result) page(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(old), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return lang.Errorf("%s không có hai dòng đánh dấu chỗ của bảng; không có gì thay đổi. Hãy thêm hai dòng %q và %q.",
			"%s lacks the two lines between which the table stands; nothing was changed. Add the lines %q and %q.",
			path, strings.TrimSpace(tableBegins), strings.TrimSpace(tableEnds))
	}
	chart := strings.TrimSuffix(path, filepath.Ext(path)) + ".svg"
	var table, svg bytes.Buffer
	e := r.Environment
	fmt.Fprintf(&table, "%s: %s, %d cores of %s, %s, kernel %s, %s; load before %s, a new file in %.0f to %.0f µs. The run took %.0f minutes.\n\n",
		r.Time.Format("2 January 2006"), e.System, e.Cores, e.CPU, e.Go, e.Kernel, e.FileSystem, e.LoadBefore, e.NewFileUS.Min, e.NewFileUS.Max, r.Seconds/60)
	r.markdown(&table)
	fmt.Fprintf(&table, "\n![How far each aim is reached](%s)\n", filepath.Base(chart))
	if err := r.chart(&svg); err != nil {
		return err
	}
	if err := durable.WriteFile(chart, svg.Bytes(), 0o644); err != nil {
		return err
	}
	return durable.WriteFile(path, []byte(before+tableBegins+table.String()+tableEnds+after), 0o644)
}
