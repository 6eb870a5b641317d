package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// Table writes rows in columns. What others wrote into a cell cannot break out of
// it: control characters become spaces.
func Table(w io.Writer, header []string, rows [][]string) {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	line(t, header)
	for _, row := range rows {
		line(t, row)
	}
	t.Flush() //nolint:errcheck // a buffer takes everything
	for text := range strings.Lines(b.String()) {
		fmt.Fprintln(w, strings.TrimRight(text, " \n"))
	}
}

func line(w io.Writer, cells []string) {
	clean := make([]string, len(cells))
	for i, c := range cells {
		clean[i] = Clean(c)
	}
	fmt.Fprintln(w, strings.Join(clean, "\t"))
}

// Clean makes another's text safe to show on a terminal: one line, no control or
// direction characters.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
}
