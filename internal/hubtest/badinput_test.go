package hubtest_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// moreAgencies have somebody for every way in which a recipient cannot be reached.
const moreAgencies = fourAgencies + `H60,Ủy ban nhân dân tỉnh Hưng Yên,000.00.00.H60,,province,,
H27,Ủy ban nhân dân tỉnh Hà Tĩnh,000.00.00.H27,,province,,
H28,Ủy ban nhân dân tỉnh Hòa Bình,000.00.00.H28,,province,,
H61,Ủy ban nhân dân tỉnh Yên Bái,000.00.00.H61,,province,,
`

// Largest files in these tests: what an honest endpoint sends, what the axis takes.
const (
	fileHere   = 1 << 20
	fileAtAxis = 2 << 20
)

// told is what whoever sends something wrong is told of it.
type told struct {
	// where: "at once" by the endpoint, "refused" by the axis in writing,
	// "answered" by a service, "parked" for the clerk.
	where string
	why   *axispb.Reason
}

// badCase is something that must not be sent, done or stated.
type badCase struct {
	name string
	// do does it, holds that nothing else changed, mends the cause and holds that
	// the same document arrives.
	do    func(t *testing.T, s *siege) told
	where string
	code  string
	// vi and en name the thing at fault and what to do.
	vi, en []string
}

// Every wrong thing that somebody can send gets a reason that names what is wrong
// and says what to do, in both languages, changes nothing for anybody else, and,
// mended, arrives.
func TestBadInputIsAnsweredAndNothingIsLost(t *testing.T) {
	s := besiegeMore(t)
	var table []string
	for _, c := range allBadCases() {
		t.Run(c.name, func(t *testing.T) {
			got := c.do(t, s)
			table = append(table, c.row(got))
			c.check(t, got)
		})
	}
	t.Logf("what people are told:\n%s", strings.Join(table, "\n"))
	s.emptyHanded(t)
	s.settle(t)
	s.wellServed(t)
}

func allBadCases() []badCase {
	all := draftCases()
	all = append(all, axisCases()...)
	all = append(all, forgedCases()...)
	all = append(all, sealCases()...)
	return append(all, statementCases()...)
}

// besiegeMore is a siege with agencies that closed, and limits on files.
func besiegeMore(t *testing.T) *siege {
	t.Helper()
	s := &siege{log: &complaints{}}
	s.World = world(t, hubtest.Config{
		Agencies: moreAgencies, Log: slog.New(s.log), MaxFileBytes: fileAtAxis, EndpointFaults: s.line,
		Retry: endpoint.Retry{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond},
	}, "H41")
	t.Cleanup(func() { s.log.check(t) })
	for code, successors := range map[string][]string{"H27": {"H41"}, "H28": {"H41", "H42"}, "H61": nil} {
		s.change(t, &axispb.Change{Change: &axispb.Change_CloseAgency{CloseAgency: &axispb.CloseAgency{Code: code, Successors: successors}}})
	}
	s.sender, s.receiver = s.enrol(t, "G22"), s.Member("H41")
	s.limitFiles(t, s.sender)
	if err := s.sender.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.away, s.attacker = s.enrol(t, "H42"), s.enrol(t, "H25")
	s.raw, s.me = s.connect(t, s.attacker), s.identity(t, s.attacker)
	s.exchange(t)
	s.directoryKnows(t, "H25")
	return s
}

// line is an endpoint's line, on which nothing is uploaded or submitted while it is
// offline.
func (s *siege) line(string) fault.Hook {
	return func(point string) error {
		if s.offline.Load() && (point == "put.before" || point == "submit.before") {
			return errOffline
		}
		return nil
	}
}

var errOffline = errors.New("the line is down")

var byTest = operator.Why{Actor: "test", Reason: "thử"}

func (s *siege) change(t *testing.T, steps ...*axispb.Change) {
	t.Helper()
	if err := s.Hub().ChangeRegistry(t.Context(), byTest, steps...); err != nil {
		t.Fatal(err)
	}
}

func (c badCase) row(got told) string {
	if got.why == nil {
		return c.name + "\n\t" + got.where
	}
	return fmt.Sprintf("%s\n\t%s %s\n\t%s\n\t%s", c.name, got.where, word(&axispb.Answer{Error: got.why}),
		reason.Sentence(got.why, reason.Vietnamese), reason.Sentence(got.why, reason.English))
}

func (c badCase) check(t *testing.T, got told) {
	t.Helper()
	expect(t, "where", got.where, c.where)
	if c.code == "" {
		return // nothing is wrong with it after all
	}
	expect(t, "reason", word(&axispb.Answer{Error: got.why}), c.code)
	for lang, phrases := range map[reason.Language][]string{reason.Vietnamese: c.vi, reason.English: c.en} {
		sentence := reason.Sentence(got.why, lang)
		if len(phrases) == 0 {
			t.Errorf("nothing is asked of the sentence %q", sentence)
		}
		for _, p := range phrases {
			if !strings.Contains(sentence, p) {
				t.Errorf("%q lacks %q", sentence, p)
			}
		}
	}
}

// wellServed holds the axis not to have come near a fault, and looks at all that
// everybody holds.
func (s *siege) wellServed(t *testing.T) {
	t.Helper()
	if st := s.Hub().Served(); st.Panics > 0 || st.Dropped > 0 {
		t.Errorf("%+v", st)
	}
	for _, m := range []*hubtest.Member{s.sender, s.receiver} {
		if err := m.Agent().Check(); err != nil {
			t.Errorf("%s: %v", m.Code, err)
		}
	}
	if err := s.Hub().CheckContent(t.Context()); err != nil {
		t.Error(err)
	}
}
