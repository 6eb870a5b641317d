package rounds_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	operator "docaxis/axis/admin"
	clerk "docaxis/endpoint/admin"
)

// patience is how long anything may take before it counts as stuck.
const patience = 90 * time.Second

// settle waits until everything that was taken has come to its end: as its sender,
// its receivers and the axis show it, and nothing is left to be said.
func (w *world) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, c := range codes {
		p := w.ends[c[0]]
		var list []clerk.Outgoing
		err := until(ctx, func() (err error) {
			list, err = get[[]clerk.Outgoing](ctx, p, clerk.PathOutbox, nil)
			return err
		})
		if err != nil {
			return fmt.Errorf("list what %s sent: %w", c[0], err)
		}
		for _, o := range list {
			if err := until(ctx, func() error { return w.settled(ctx, p, o.ID) }); err != nil {
				return fmt.Errorf("%s of %s: %w", o.Subject, c[0], err)
			}
		}
	}
	for _, c := range codes {
		if err := until(ctx, func() error { return w.quiet(ctx, w.ends[c[0]]) }); err != nil {
			return fmt.Errorf("%s: %w", c[0], err)
		}
	}
	return nil
}

// until asks again and again, until the answer is nil.
func until(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if !pause(ctx, 20*time.Millisecond) {
			return fmt.Errorf("it does not come to an end: %w", err)
		}
	}
}

// quiet: the endpoint has said everything, and knows the newest name in the registry.
func (w *world) quiet(ctx context.Context, p *process) error {
	s, err := get[clerk.Status](ctx, p, clerk.PathStatus, nil)
	if err != nil {
		return err
	}
	if s.Unsent > 0 || s.Parked != nil {
		return fmt.Errorf("%d statements are left, parked: %v", s.Unsent, s.Parked)
	}
	found, err := get[[]clerk.Agency](ctx, p, clerk.PathAgencies, url.Values{"search": {renamed}})
	if err != nil || len(found) == 0 {
		return fmt.Errorf("%s is not in the directory (%w)", renamed, err)
	}
	var n int
	fmt.Sscanf(found[0].Name, "Bộ số %d", &n) //nolint:errcheck // 0 where it was never renamed
	if n < w.story.named {
		return fmt.Errorf("%s is called %q, but name %d was answered for", renamed, found[0].Name, w.story.named)
	}
	return nil
}

// settled: a document is where it comes to by itself, and its sender, its receivers
// and the axis show the same.
func (w *world) settled(ctx context.Context, p *process, id string) error {
	list, err := w.show(ctx, p, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(s clerk.Story) bool { return s.Sent })
	if i < 0 {
		return fmt.Errorf("%s is not shown as sent", id)
	}
	sent := list[i]
	switch sent.State {
	case "REJECTED":
		return nil
	case "ACCEPTED":
	default:
		return fmt.Errorf("it is %s (%v)", sent.State, sent.Trouble)
	}
	all, err := get[[]operator.Document](ctx, w.axis, operator.PathDocument, url.Values{"id": {id}})
	if err != nil {
		return err
	}
	for _, r := range all[0].Recipients {
		if err := w.same(ctx, sent, r); err != nil {
			return err
		}
	}
	return nil
}

// same: one recipient has it, as sender and axis show it.
func (w *world) same(ctx context.Context, sent clerk.Story, r operator.Recipient) error {
	if r.State == "REJECTED" {
		return nil
	}
	if r.State == "ACCEPTED" {
		return fmt.Errorf("%s has not received it", r.Code)
	}
	shown := ""
	for _, step := range sent.Steps {
		if step.Code == r.Code {
			shown = step.State
		}
	}
	if shown != r.State {
		return fmt.Errorf("the sender sees %s at %s, the axis %s", shown, r.Code, r.State)
	}
	list, err := w.show(ctx, w.ends[serving(r.Code)], sent.ID)
	if err != nil {
		return fmt.Errorf("at %s: %w", r.Code, err)
	}
	for _, s := range list {
		if !s.Sent && len(s.Steps) > 0 && s.Steps[len(s.Steps)-1].Code == r.Code && s.State == r.State {
			return nil
		}
	}
	return fmt.Errorf("%s does not show it as %s", r.Code, r.State)
}
