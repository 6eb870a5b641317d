package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// patience is how long the demo waits for documents to arrive before it reports
// what did not.
const patience = 2 * time.Minute

// watch shows the steps of every document as they come to its sender, until all
// are where they belong.
func (s *stage) watch(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		open := 0
		for _, d := range s.plays {
			if d.done {
				continue
			}
			if err := s.follow(ctx, d); err != nil {
				return err
			}
			if !d.done {
				open++
			}
		}
		if open == 0 {
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) follow(ctx context.Context, d *sent) error {
	story, err := s.story(ctx, d)
	if err != nil {
		return err
	}
	for _, step := range story.Steps {
		key := fmt.Sprint(step.State, step.Event, step.Code, step.LeafIndex)
		if d.seen[key] || step.Event != "" && !step.Verified && step.Problem == "" {
			continue
		}
		d.seen[key] = true
		// What the endpoint says of itself, as queued, proves nothing.
		if problem := s.problem(step); problem != "" || d.told && step.Event != "" {
			s.show(d, step, problem)
		}
	}
	d.done = d.settled(story)
	if n := len(story.Steps); d.done && n > 0 {
		d.took = time.Duration(story.Steps[n-1].TimeMS-story.Steps[0].TimeMS) * time.Millisecond
	}
	return nil
}

// story is the sender's view of a document.
func (s *stage) story(ctx context.Context, d *sent) (clerk.Story, error) {
	all, err := s.clerk(d.from).Show(ctx, d.id)
	if err != nil {
		return clerk.Story{}, err
	}
	if s.spoil != nil {
		s.spoil(&all[0])
	}
	return all[0], nil
}

// show writes a step in a line.
func (s *stage) show(d *sent, step clerk.Step, problem string) {
	proof := fmt.Sprintf(s.o.Say("%-22s đúng", "%-22s holds"), step.Event)
	if problem != "" {
		proof = fmt.Sprintf(s.o.Say("%-22s KHÔNG ĐỨNG VỮNG: %s", "%-22s DOES NOT HOLD: %s"), step.Event, problem)
	}
	if len(step.Receipt) > 0 {
		proof += fmt.Sprintf(s.o.Say("; bản ghi %d", "; record %d"), step.LeafIndex)
	}
	proof += fmt.Sprintf(s.o.Say(", ký bởi %s", ", signed by %s"), step.Issuer)
	if why := s.o.Say(step.ReasonVI, step.ReasonEN); why != "" {
		first, _, _ := strings.Cut(why, ". ")
		proof += ": " + first
	}
	where := d.to
	if step.Code != "" {
		where = step.Code
	}
	at := time.UnixMilli(step.TimeMS).In(lang.VietNam()).Format("15:04:05.000")
	fmt.Fprintf(s.o.Out, "%s  #%-2d %-9s → %-15s  %-18s %s\n", at, d.n, d.from, where, s.o.State(step.State), proof)
}

// settled reports whether everything that must happen to a document has.
func (d *sent) settled(story clerk.Story) bool {
	if d.rejected {
		return story.State == "REJECTED"
	}
	for _, code := range d.recipients {
		if d.ends(code) != last(story, code) {
			return false
		}
	}
	return true
}

func (d *sent) ends(code string) string {
	if code == d.refusing {
		return "HANDOVER_FAILED"
	}
	return "HANDED_OVER"
}

// last is the state of a document at a recipient.
func last(story clerk.Story, code string) string {
	state := ""
	for _, step := range story.Steps {
		if step.Code == code && step.State != "UNSPECIFIED" {
			state = step.State
		}
	}
	return state
}

// report writes the final table and counts what is not as it must be: a document
// that did not get there, a step without proof, a proof that does not hold.
func (s *stage) report() (problems int) {
	var rows [][]string
	proofs := 0
	for _, d := range s.plays {
		story, err := s.story(context.Background(), d)
		if err != nil {
			s.say("#%d: %v", "#%d: %v", d.n, err)
			problems++
			continue
		}
		proved, bad := s.check(d, story)
		proofs, problems = proofs+proved, problems+bad
		rows = append(rows, []string{
			fmt.Sprint(d.n), d.from, d.to, d.subject, s.outcome(d, story), fmt.Sprint(proved), fmt.Sprintf("%d ms", d.took.Milliseconds()),
		})
	}
	fmt.Fprintln(s.o.Out)
	cli.Table(s.o.Out, []string{
		"#", s.o.Say("TỪ", "FROM"), s.o.Say("ĐẾN", "TO"), s.o.Say("TRÍCH YẾU", "SUBJECT"), s.o.Say("KẾT QUẢ", "OUTCOME"),
		s.o.Say("BẰNG CHỨNG", "PROOFS"), s.o.Say("THỜI GIAN", "TIME"),
	}, rows)
	s.say("\n%d văn bản, %d bằng chứng đã kiểm, %d vấn đề.", "%d documents, %d proofs checked, %d problems.", len(s.plays), proofs, problems)
	return problems
}

func (s *stage) check(d *sent, story clerk.Story) (proved, bad int) {
	if !d.settled(story) {
		bad++
	}
	for _, step := range story.Steps {
		switch {
		case step.Event == "":
		case s.problem(step) == "":
			proved++
		default:
			bad++
		}
	}
	// Nothing may be shown of a recipient without evidence: a consignment and a
	// hand-over each, beside the acceptance of the whole.
	if !d.rejected && proved < 1+2*len(d.recipients) || proved == 0 {
		bad++
	}
	return proved, bad
}

func (s *stage) outcome(d *sent, story clerk.Story) string {
	if d.rejected {
		return s.o.State(story.State)
	}
	var all []string
	for _, code := range d.recipients {
		if state := s.o.State(last(story, code)); !slices.Contains(all, state) {
			all = append(all, state)
		}
	}
	return strings.Join(all, ", ")
}
