package hubtest_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	operator "docaxis/axis/admin"
	"docaxis/internal/business"
	"docaxis/internal/hubtest"
)

// told lists what the axis tells of a document, as "CODE WHAT[!UNUSUAL]".
func (c *changes) told(id string) []string {
	c.t.Helper()
	d := c.document(id)
	all := []string{}
	for _, t := range d.Told {
		text := t.Code + " " + t.What
		if t.Unusual != "" {
			text += "!" + t.Unusual
		}
		all = append(all, text)
	}
	return all
}

func (c *changes) document(id string) operator.Document {
	c.t.Helper()
	all, err := c.Hub().Documents(c.t.Context(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	return all[0]
}

// tells waits until the axis tells that of a document.
func (c *changes) tells(id string, want ...string) {
	c.t.Helper()
	eventually(c.t, "the axis tells of "+id, func() error {
		if got := c.told(id); !slices.Equal(got, want) {
			return fmt.Errorf("it tells %q, not %q", got, want)
		}
		return nil
	})
}

// released waits until the axis has released the content of exactly these documents.
func (c *changes) released(ids ...string) {
	c.t.Helper()
	slices.Sort(ids)
	eventually(c.t, "the contents are released", func() error {
		_, err := c.Hub().ReleaseNow(c.t.Context())
		if err != nil {
			return err
		}
		if got := c.gone(); !slices.Equal(got, ids) {
			return fmt.Errorf("released: %q, not %q", got, ids)
		}
		return nil
	})
}

// gone lists what the ledger says was released.
func (c *changes) gone() []string {
	c.t.Helper()
	var dump strings.Builder
	if err := c.Hub().DumpLedger(c.t.Context(), &dump); err != nil {
		c.t.Fatal(err)
	}
	ids := map[string]string{} // by leaf index
	gone := []string{}
	for _, line := range strings.Split(dump.String(), "\n") {
		f := strings.Fields(strings.Trim(line, "]"))
		if len(f) < 6 {
			continue
		}
		switch f[0] {
		case "document":
			ids[strings.Trim(f[1], "[")] = unhex(f[4])
		case "holding":
			if f[5] != "0" {
				gone = append(gone, ids[strings.Trim(f[1], "[")])
			}
		}
	}
	slices.Sort(gone)
	return gone
}

// Once every recipient of a recalled document has given it back, by its agency's answer
// or by its endpoint's, the axis keeps its content no longer, and that of no other: the
// recall itself stays. A start in between forgets nothing.
func TestAnAgreedRecallReleasesTheContent(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	second := c.Member("H41.11")
	had, updated, kept, half := c.new("H41", "H41.11"), c.new("H41"), c.new("H41"), c.new("H41", "H41.11")
	for _, id := range []string{had, kept} {
		c.fetch(c.first, id)
		c.confirm(c.first, id, "")
	}
	c.ask(business.Update, updated, "H41")
	refusedOne := c.ask(business.TakeBack, kept, "H41")
	c.answer(business.Disagreed, "G22", refusedOne)
	c.ask(business.Recall, half, "H41")
	c.tells(half, "H41 recall", "H41 15")
	recall := c.ask(business.Recall, had, "H41", "H41.11")
	c.tells(had, "H41 recall", "H41.11 recall", "H41.11 15")
	c.shows(had, "H41.11", withdrawn, "")
	c.released()
	if err := errors.Join(c.StopAxis(), c.StartAxis(t.Context())); err != nil {
		t.Fatal(err)
	}
	c.answer(business.Registered, "G22", had)
	c.answer(business.Agreed, "G22", had)
	c.answer(business.InProgress, "G22", had)
	c.released(had)
	c.tells(had, "H41 recall", "H41.11 recall", "H41.11 15", "H41 03", "H41 15", "H41 05!after-withdrawal")
	c.tells(kept, "H41 13", "H41 16")
	c.tells(updated, "H41 update", "H41 15")
	c.tells(recall, "H41.11 15")
	if got := c.document(had).Recipients; got[0].Business != business.InProgress || got[1].Business != business.Agreed || got[1].State != "WITHDRAWN" {
		t.Errorf("the axis shows %+v", got)
	}
	eventually(t, "the sender sees as much", func() error {
		if got := c.seen(had, "H41"); got != "03 15 05!after-withdrawal" {
			return fmt.Errorf("it sees %q", got)
		}
		return nil
	})
	if e := c.entry(second, had); e.State != withdrawn || e.ReleasedMs == 0 {
		t.Errorf("at the second recipient it is %s", e.State)
	}
	c.ask(business.TakeBack, half, "H41.11")
	c.released(had, half)
	c.end()
}

// The axis releases by itself and at once.
func TestARecallIsReleasedAtOnce(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	id := c.new("H41")
	c.ask(business.Recall, id, "H41")
	eventually(t, "it is released", func() error {
		if got := c.gone(); !slices.Equal(got, []string{id}) {
			return fmt.Errorf("released %q", got)
		}
		return nil
	})
	c.end()
}

// What was told in an unusual order is kept and flagged, whoever tells it.
func TestUnusualStatesAreKeptAndFlagged(t *testing.T) {
	t.Parallel()
	c := newChanges(t, hubtest.Config{})
	id := c.new("H41")
	c.fetch(c.first, id)
	for _, s := range []string{"01", "03", "03", "02", "05", "15", "06"} {
		c.answer(s, "G22", id)
	}
	c.tells(id, "H41 01", "H41 03", "H41 03!repeated", "H41 02!refused-late", "H41 05!after-refusal", "H41 15!unasked", "H41 06!after-refusal")
	if e := c.entry(c.first, id); e.State != consigned || e.Answered != "" {
		t.Errorf("it is %s, answered %q", e.State, e.Answered)
	}
	c.end()
}

// seen are the business states that the sender sees at a recipient, as told writes them.
func (c *changes) seen(id, code string) string {
	c.t.Helper()
	l, err := c.line(id, code)
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, s := range l.Steps {
		if s.Business == "" {
			continue
		}
		text := s.Business
		if s.Unusual != business.Usual {
			text += "!" + s.Unusual.String()
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// unhex reads a text as a dump writes it.
func unhex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		return s
	}
	return string(b)
}
