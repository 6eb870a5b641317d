package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"docaxis/internal/cli"
)

// Files that --out leaves.
const (
	outText     = "table.txt"
	outMarkdown = "table.md"
	outJSON     = "result.json"
	outChart    = "chart.svg"
)

// write leaves the result in a folder: for people, for docs/performance.md, for scripts,
// and as a chart.
func (r *Result) write(dir string, o *cli.IO) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var text, markdown, chart bytes.Buffer
	r.print(&text, o)
	r.markdown(&markdown)
	data, err := json.MarshalIndent(r, "", "  ")
	if err = errors.Join(err, r.chart(&chart)); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		outText: text.Bytes(), outMarkdown: markdown.Bytes(), outJSON: append(data, '\n'), outChart: chart.Bytes(),
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	return err
}
