package registry

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"docaxis/agency"
	"docaxis/proto/axispb"
)

const (
	maxCSV    = 64 << 20
	maxFaults = 20
)

// CSVError is one fault in a list of agencies.
type CSVError struct {
	// Line and Column count from 1; Column counts columns, not characters, and is 0
	// where the whole line is meant.
	Line, Column int
	// Name of the column.
	Name string
	// What is wrong and how to mend it.
	What string
}

// Error says it in one line.
func (e *CSVError) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.What)
	}
	return fmt.Sprintf("line %d, column %d (%s): %s", e.Line, e.Column, e.Name, e.What)
}

// ParseCSV reads a list of agencies as a spreadsheet saves it: UTF-8, commas or
// semicolons, a first row with the names of the columns in any order. Columns are
// code, name, aliases (separated by spaces or semicolons), parent, level
// (ministry, province, district, commune, unit), valid_from (a day, 2021-07-01 or
// 01/07/2021, in the time of Viet Nam), mail, phone, fax, and note, which is for people
// and not read; code, name and level must be there. The error joins a *CSVError for each
// of the first 20 faults. Whether parents exist is not looked at: they may be in
// the registry.
func ParseCSV(r io.Reader) ([]*axispb.Agency, error) {
	data, err := readText(r)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma = separator(data)
	reader.FieldsPerRecord = -1
	p := csvParser{reader: reader, owners: map[string]int{}}
	if err := p.header(); err != nil {
		return nil, err
	}
	if err := p.rows(); err != nil {
		return nil, err
	}
	return p.agencies, errors.Join(p.faults...)
}

// readText takes off the mark that spreadsheets put before UTF-8.
func readText(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxCSV+1))
	if err != nil {
		return nil, fmt.Errorf("read the list of agencies: %w", err)
	}
	if len(data) > maxCSV {
		return nil, fmt.Errorf("the list has more than %d MB; split it", maxCSV>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) {
			return nil, &CSVError{Line: line, What: "this is not UTF-8; save the file as “CSV UTF-8”"}
		}
	}
	return data, nil
}

// separator goes by the first row, whose names have neither.
func separator(data []byte) rune {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		return ';'
	}
	return ','
}

type csvParser struct {
	reader   *csv.Reader
	columns  map[string]int
	owners   map[string]int // code or alias → line that has it
	row      []string
	line     int
	agencies []*axispb.Agency
	faults   []error
}

func (p *csvParser) header() error {
	row, err := p.reader.Read()
	if err != nil {
		return p.unreadable(err)
	}
	known := []string{"code", "name", "aliases", "parent", "level", "valid_from", "mail", "phone", "fax", "note"}
	p.columns = map[string]int{}
	for i, name := range row {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		if _, twice := p.columns[name]; twice || !slices.Contains(known, name) {
			return &CSVError{Line: 1, Column: i + 1, Name: name, What: "not a column of this list, or there twice; the columns are " + strings.Join(known, ", ")}
		}
		p.columns[name] = i
	}
	for _, name := range []string{"code", "name", "level"} {
		if _, ok := p.columns[name]; !ok {
			return &CSVError{Line: 1, What: fmt.Sprintf("the first row must name the columns, and %s is missing; add it", name)}
		}
	}
	return nil
}

func (p *csvParser) unreadable(err error) error {
	var bad *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return &CSVError{Line: 1, What: "the list is empty; begin it with a row that names the columns"}
	case errors.As(err, &bad):
		return &CSVError{Line: bad.Line, What: fmt.Sprintf("quotes are not closed or stand inside a text (%v); put the whole text in quotes and double those inside", bad.Err)}
	default:
		return fmt.Errorf("read the list of agencies: %w", err)
	}
}

func (p *csvParser) rows() error {
	for len(p.faults) < maxFaults {
		row, err := p.reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.Join(append(p.faults, p.unreadable(err))...)
		}
		p.line, _ = p.reader.FieldPos(0)
		p.row = row
		if strings.TrimSpace(strings.Join(row, "")) != "" {
			p.agency()
		}
	}
	return nil
}

func (p *csvParser) agency() {
	before := len(p.faults)
	a := &axispb.Agency{
		Code: p.code("code"), Name: p.name(), Aliases: p.aliases(),
		Level: p.level(), ValidFromMs: p.validFrom(),
		Mail: p.field("mail"), Phone: p.field("phone"), Fax: p.field("fax"),
	}
	if err := checkContacts(a); err != nil {
		p.fault("code", "%v", err)
	}
	if p.field("parent") != "" {
		a.Parent = p.code("parent")
	}
	p.own(a)
	if len(p.faults) == before {
		p.agencies = append(p.agencies, a)
	}
}

func (p *csvParser) field(name string) string {
	if i, ok := p.columns[name]; ok && i < len(p.row) {
		return norm.NFC.String(strings.TrimSpace(p.row[i]))
	}
	return ""
}

func (p *csvParser) fault(column, format string, args ...any) {
	e := &CSVError{Line: p.line, Column: p.columns[column] + 1, Name: column, What: fmt.Sprintf(format, args...)}
	p.faults = append(p.faults, e)
}

func (p *csvParser) code(column string) string {
	c, err := agency.Parse(p.field(column))
	if err != nil {
		p.fault(column, "%v", err)
	}
	return string(c)
}

func (p *csvParser) name() string {
	name := p.field("name")
	if name == "" {
		p.fault("name", "the agency has no name; give its name in Vietnamese")
	} else if err := checkWords("the name", name); err != nil {
		p.fault("name", "%v", err)
	}
	return name
}

func (p *csvParser) aliases() []string {
	var aliases []string
	for _, text := range strings.FieldsFunc(p.field("aliases"), func(r rune) bool { return r == ' ' || r == ';' }) {
		c, err := agency.Parse(text)
		if err != nil {
			p.fault("aliases", "%v", err)
			continue
		}
		aliases = append(aliases, string(c))
	}
	if len(aliases) > maxAliases {
		p.fault("aliases", "there are %d and may be %d; leave some out", len(aliases), maxAliases)
	}
	return aliases
}

func (p *csvParser) level() axispb.Level {
	switch level := strings.ToLower(p.field("level")); level {
	case "ministry":
		return axispb.Level_LEVEL_MINISTRY
	case "province":
		return axispb.Level_LEVEL_PROVINCE
	case "district":
		return axispb.Level_LEVEL_DISTRICT
	case "commune":
		return axispb.Level_LEVEL_COMMUNE
	case "unit":
		return axispb.Level_LEVEL_UNIT
	default:
		p.fault("level", "%s is no level; write ministry, province, district, commune or unit", quote(level))
		return axispb.Level_LEVEL_UNSPECIFIED
	}
}

func (p *csvParser) validFrom() int64 {
	text := p.field("valid_from")
	if text == "" {
		return 0
	}
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006"} {
		if t, err := time.ParseInLocation(layout, text, vietnam()); err == nil && t.UnixMilli() > 0 {
			return t.UnixMilli()
		}
	}
	p.fault("valid_from", "%s is no day after 1970; write it like 2021-07-01 or 01/07/2021, or leave it empty", quote(text))
	return 0
}

// own notes the agency's codes, each of which may mean one agency only.
func (p *csvParser) own(a *axispb.Agency) {
	p.take("code", a.GetCode())
	for _, alias := range a.GetAliases() {
		p.take("aliases", alias)
	}
	if a.GetParent() != "" && a.GetParent() == a.GetCode() {
		p.fault("parent", "the agency cannot be its own parent; name the one above it, or leave it empty")
	}
}

func (p *csvParser) take(column, code string) {
	if line := p.owners[code]; line != 0 {
		p.fault(column, "%s is on line %d already; leave one of them out", code, line)
	}
	if code != "" {
		p.owners[code] = p.line
	}
}
