package hubtest_test

import (
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the driver

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// state is everything that the axis holds, and what the victims see, a line for
// each row. The journal is in it by its number of records and its root.
type state map[string]struct{}

func (s *siege) state(t *testing.T) state {
	t.Helper()
	all := state{}
	dumpTables(t, all, filepath.Join(s.AxisDir(), "ledger.db"))
	dumpTables(t, all, filepath.Join(s.AxisDir(), "content", "content.db"))
	s.listContent(t, all)
	s.listRegistry(t, all)
	for _, m := range []*hubtest.Member{s.sender, s.receiver} {
		view(t, all, m)
	}
	return all
}

func (all state) add(what string, values ...any) {
	all[fmt.Sprint(append([]any{what}, values...)...)] = struct{}{}
}

// dumpTables adds every row of a database.
func dumpTables(t *testing.T, all state, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=query_only(1)&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range tables(t, db) {
		rows, err := db.QueryContext(t.Context(), cmp.Or(withCodes[table], "SELECT * FROM "+table))
		if err != nil {
			t.Fatal(err)
		}
		dumpRows(t, all, table, rows)
	}
}

// withCodes are queries of the ledger's tables that have codes by numbers.
var withCodes = map[string]string{
	"recipient": `SELECT r.document, c.name code, coalesce(s.name, c.name) serving, r.endpoint, r.state, r.since_ms, r.evidence, r.agreed
		FROM recipient r LEFT JOIN code c ON c.id = r.code LEFT JOIN code s ON s.id = r.serving`,
	"mailbox": `SELECT m.endpoint, m.lane, m.position, m.ordinal, m.record, c.name code, coalesce(s.name, c.name) serving, m.target
		FROM mailbox m LEFT JOIN code c ON c.id = m.code LEFT JOIN code s ON s.id = m.serving`,
	"served": `SELECT c.name serving, v.endpoint FROM served v LEFT JOIN code c ON c.id = v.serving`,
}

func tables(t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM sqlite_schema WHERE type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) == 0 {
		t.Fatalf("%d tables, %v", len(names), err)
	}
	return names
}

func dumpRows(t *testing.T, all state, table string, rows *sql.Rows) {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		line := table
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = fmt.Sprintf("%x", b)
			}
			line += fmt.Sprintf(" %s=%v", columns[i], v)
		}
		all.add(line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// listContent adds every file of the chunk store with its digest.
func (s *siege) listContent(t *testing.T, all state) {
	t.Helper()
	dir := filepath.Join(s.AxisDir(), "content")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "content.db") {
			return err
		}
		content, err := os.ReadFile(path)
		all.add("file ", strings.TrimPrefix(path, dir), fmt.Sprintf(" %x", sha256.Sum256(content)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listRegistry adds what the axis has in memory.
func (s *siege) listRegistry(t *testing.T, all state) {
	t.Helper()
	status, err := s.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	agencies, err := s.Hub().ListAgencies(t.Context(), operator.AgencyFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range agencies.Agencies {
		all.add("registry agency ", fmt.Sprintf("%+v", a))
	}
	for _, e := range status.Endpoints {
		all.add("registry ", e.Name, " ", e.Codes, " revoked=", e.Revoked, " ", e.EnrolledMS)
	}
}

// view adds what a victim sees.
func view(t *testing.T, all state, m *hubtest.Member) {
	t.Helper()
	desk := endpoint.Clerk(m.Agent())
	sent, err := desk.Outbox(t.Context(), clerk.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range sent {
		d.Label = "" // made later, and changes nothing
		all.add("outbox of ", m.Code, " ", text(t, d))
	}
	received, err := desk.Inbox(t.Context(), clerk.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range received {
		d.Label = ""
		all.add("inbox of ", m.Code, " ", text(t, d))
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// changes lists what is new with a plus and what is gone with a minus.
func (all state) changes(now state) []string {
	var lines []string
	for line := range now {
		if _, same := all[line]; !same {
			lines = append(lines, "+"+line)
		}
	}
	for line := range all {
		if _, same := now[line]; !same {
			lines = append(lines, "-"+line)
		}
	}
	slices.SortFunc(lines, func(a, b string) int { return cmp.Compare(a[1:], b[1:]) })
	return lines
}

// underWay reports whether a victim that is there has not consigned yet.
func (all state) underWay() bool {
	for line := range all {
		here := strings.Contains(line, " serving=G22 ") || strings.Contains(line, " serving=H41 ")
		if strings.HasPrefix(line, "recipient ") && here && strings.Contains(line, fmt.Sprintf(" state=%d ", axispb.State_STATE_ACCEPTED)) {
			return true
		}
	}
	return false
}

// number is how the ledger calls an endpoint.
func (all state) number(name string) string {
	for line := range all {
		if rest, ok := strings.CutPrefix(line, "endpoint id="); ok && strings.HasSuffix(rest, " name="+name) {
			return strings.TrimSuffix(rest, " name="+name)
		}
	}
	return "none"
}

// traces counts what an attack may leave behind, by the words below.
type traces map[string]int

const (
	refusal = "refusal of a submission" // journaled, signed by the axis
	record  = "record"                  // of any other kind than the registry's; refusals alone may be
	renewal = "registry record"         // of a certificate of its own
	upload  = "own chunk"               // a possession; the chunk's file is one more
	file    = "own chunk's file"
)

// attack does something and holds the axis to have changed by exactly so much.
func (s *siege) attack(t *testing.T, want traces, do func()) {
	t.Helper()
	before := s.state(t)
	do()
	got := traces{}
	after := s.state(t)
	number := after.number(s.attacker.Name)
	for _, line := range before.changes(after) {
		if word := s.explain(line, number); word != "" {
			got[word]++
		}
	}
	if want == nil {
		want = traces{}
	}
	if got[record] != got[refusal] {
		t.Errorf("%d records, %d of them refusals", got[record], got[refusal])
	}
	delete(got, record)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the axis changed otherwise (-want +got):\n%s", diff)
	}
}

// explain says what a changed line is; a line that nobody may change is itself.
// What follows from a record, as the tree's hashes, has no word of its own.
func (s *siege) explain(line, number string) string {
	has := func(start string, rest ...string) bool {
		return strings.HasPrefix(line, start) && !slices.ContainsFunc(rest, func(r string) bool { return !strings.Contains(line, r) })
	}
	att := s.attacker.Name
	switch {
	case has("+hash "), has("+position "), has("-position "), has("+starts "), has("-starts "), has("+refusal ", "endpoint="+number+" "), has("+endpoint ", "name="+att):
		return ""
	case has("+record ", fmt.Sprintf("kind=%d ", axispb.Kind_KIND_REGISTRY)):
		return renewal
	case has("+record "):
		return record
	case has("+evidence ", "document=<nil>", "issuer=axis", fmt.Sprintf("event=%d ", axispb.Event_EVENT_SUBMISSION_REJECTION)):
		return refusal
	case has("+possession ", "endpoint="+att, "complete=1"):
		return upload
	case has("+file /chunks/"):
		return file
	case has("+usage ", "endpoint="+att), has("-usage ", "endpoint="+att):
		return ""
	}
	return line
}
