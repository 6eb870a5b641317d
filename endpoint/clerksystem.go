package endpoint

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/systems"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Systems lists the document-management systems, by name.
func (d desk) Systems(context.Context) ([]clerk.System, error) {
	out := []clerk.System{}
	err := d.a.db.View(func(tx *bbolt.Tx) error {
		all, err := systems.In(tx).List()
		for _, e := range all {
			s, err := d.systemOf(tx, e)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return err
	})
	return out, err
}

func (d desk) systemOf(tx *bbolt.Tx, e *axispb.SystemEntry) (clerk.System, error) {
	now := d.a.cfg.Now()
	s := clerk.System{Name: e.System, Codes: e.Codes, CreatedMS: e.CreatedMs, Secrets: []clerk.SystemSecret{}}
	for _, secret := range slices.Backward(e.Secrets) {
		if secret.EndsMs == 0 || now.UnixMilli() < secret.EndsMs {
			s.Secrets = append(s.Secrets, clerk.SystemSecret{CreatedMS: secret.CreatedMs, EndsMS: secret.EndsMs})
		}
	}
	codes, err := codesOf(tx, e.System)
	s.Documents = inbox.In(tx).CountOffers(codes, inbox.Documents, now)
	s.Statuses = inbox.In(tx).CountOffers(codes, inbox.Statuses, now) + systems.In(tx).CountNotices(codes, now)
	return s, err
}

// ChangeSystem does one thing to a system. A secret that it makes is told once, here.
func (d desk) ChangeSystem(ctx context.Context, c clerk.SystemChange) (clerk.SystemChanged, error) {
	var (
		out    clerk.SystemChanged
		sealed []byte
		err    error
	)
	if c.Codes, err = d.parseCodes(c); err != nil {
		return out, err
	}
	if c.Do == clerk.SystemAdd && !systems.ValidName(c.Name) {
		return out, badSystemName(c.Name)
	}
	if c.Do == clerk.SystemAdd || c.Do == clerk.SystemRotate {
		if out.Secret, sealed, err = d.a.keys.New(c.Name); err != nil {
			return clerk.SystemChanged{}, err
		}
	}
	err = d.a.db.Update(ctx, func(tx *bbolt.Tx) error {
		return d.changeSystem(tx, c, sealed, &out)
	})
	if err != nil {
		return clerk.SystemChanged{}, systemTrouble(c.Name, err)
	}
	d.a.log.Info("systems changed", slog.String("do", c.Do), slog.String("system", c.Name), slog.String("codes", strings.Join(c.Codes, " ")))
	return out, nil
}

func (d desk) parseCodes(c clerk.SystemChange) (codes []string, err error) {
	needs := c.Do == clerk.SystemAdd || c.Do == clerk.SystemAllow || c.Do == clerk.SystemDisallow
	if needs && len(c.Codes) == 0 {
		return nil, lang.Errorf("Chưa nêu mã đơn vị nào. Hãy thêm --code MÃ.", "No agency is named. Add --code CODE.")
	}
	err = d.a.db.View(func(tx *bbolt.Tx) error {
		for _, text := range c.Codes {
			code, err := canonical(tx, text)
			if err != nil {
				return err
			}
			codes = append(codes, code)
		}
		return nil
	})
	return codes, err
}

func (d desk) changeSystem(tx *bbolt.Tx, c clerk.SystemChange, sealed []byte, out *clerk.SystemChanged) error {
	s, now := systems.In(tx), d.a.cfg.Now()
	var err error
	switch c.Do {
	case clerk.SystemAdd:
		err = s.Add(c.Name, c.Codes, sealed, now)
	case clerk.SystemRotate:
		until := now
		if !c.Now {
			until = now.Add(d.a.cfg.Settings.VXP.overlap())
		}
		err = s.Rotate(c.Name, sealed, now, until)
	case clerk.SystemAllow:
		err = s.Allow(c.Name, c.Codes)
	case clerk.SystemDisallow:
		err = s.Disallow(c.Name, c.Codes)
	case clerk.SystemRemove:
		out.Name = c.Name
		return s.Remove(c.Name)
	default:
		err = reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "do: "+clip(c.Do))
	}
	if err != nil {
		return err
	}
	e, err := s.Get(c.Name)
	if err != nil {
		return err
	}
	if out.System, err = d.systemOf(tx, e); err != nil {
		return err
	}
	out.Strange, err = d.strange(tx, c.Codes)
	return err
}

// strange lists the codes that this endpoint neither serves nor has a seal of.
func (d desk) strange(tx *bbolt.Tx, codes []string) (all []string, err error) {
	served, err := directory.In(tx).Codes(d.a.Name())
	for _, code := range codes {
		if !slices.Contains(served, code) && len(d.a.seals[code]) == 0 {
			all = append(all, code)
		}
	}
	return all, err
}

func systemTrouble(name string, err error) error {
	switch {
	case errors.Is(err, systems.ErrExists):
		return lang.Errorf("Đã có hệ thống %s. Muốn thêm mã, hãy chạy: endpoint vxp allow %[1]s --code MÃ. Muốn cấp mật khẩu mới: endpoint vxp rotate %[1]s",
			"There is a system %s already. To give it more codes: endpoint vxp allow %[1]s --code CODE. To give it a new secret: endpoint vxp rotate %[1]s", name).Because(err)
	case errors.Is(err, systems.ErrNotFound):
		return notSystem(name, err)
	case errors.Is(err, systems.ErrName):
		return badSystemName(name)
	}
	return err
}

func badSystemName(name string) error {
	return lang.Errorf("Tên hệ thống %q không dùng được. Hãy chỉ dùng chữ không dấu, số, dấu chấm, gạch ngang, gạch dưới; nhiều nhất %d ký tự.",
		"%q cannot be a system's name. Use only letters without marks, digits, dots, dashes and underscores; at most %d.", clip(name), systems.MaxName).Because(systems.ErrName)
}

// answersAtOnce bounds the answers that one commit looks at.
const answersAtOnce = 5000

// pruneAnswers forgets what systems were answered, and what they took of what they were
// told, too long ago to matter.
func (a *Agent) pruneAnswers(ctx context.Context) error {
	before := a.cfg.Now().Add(-a.cfg.Settings.VXP.keep())
	for what, prune := range map[string]pruner{"answers": systems.Systems.Prune, "notices": systems.Systems.PruneNotices} {
		n, err := a.prune(ctx, prune, before)
		if err != nil {
			return err
		}
		if n > 0 {
			a.log.Info("what was said to systems is kept no longer", slog.String("what", what), slog.Int("entries", n))
		}
	}
	return nil
}

// pruner is Systems.Prune, or one like it.
type pruner func(s systems.Systems, before time.Time, from []byte, limit int) (n int, next []byte, err error)

func (a *Agent) prune(ctx context.Context, prune pruner, before time.Time) (total int, err error) {
	var from []byte
	for {
		var next []byte
		n := 0
		err := a.db.Update(ctx, func(tx *bbolt.Tx) (err error) {
			n, next, err = prune(systems.In(tx), before, from, answersAtOnce)
			return err
		})
		total += n
		if from = next; err != nil || from == nil {
			return total, err
		}
	}
}
