package endpoint

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/outbox"
	"docaxis/internal/doctor"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/internal/signer"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// A seal in a token signs as long as the token is there. While it is not, documents of
// systems are kept as drafts, as those without a seal are, and go by themselves when it
// signs again; a clerk, who may stand before the token, is told to see to it.

// tokenFolder keeps what a start without the token must know.
const tokenFolder = "signer"

func (c Config) tokens() signer.Config {
	return signer.Config{Patience: c.TokenPatience, Rest: c.TokenRest, Now: c.Now}
}

// checkToken says what is wrong with settings of a token, or with those of a file that
// only a token has.
func (s SealSettings) checkToken() error {
	if !signer.IsURI(s.Key) {
		if s.Signer != "" {
			return lang.Errorf("signer chỉ dùng với key = \"pkcs11:…\"; hãy bỏ đi", "signer goes with key = \"pkcs11:…\" alone; take it out")
		}
		return nil
	}
	if s.PasswordFile != "" {
		return lang.Errorf("password_file không dùng với thiết bị; hãy nêu tệp mã PIN ở pin-source của key", "password_file does not go with a token; name the PIN's file as pin-source in key")
	}
	_, err := signer.ParseURI(s.Key)
	return err
}

// files are those that the settings of a seal name.
func (s SealSettings) files() []string {
	if u, err := signer.ParseURI(s.Key); err == nil {
		return []string{u.PinFile, s.Certificate}
	}
	return []string{s.Key, s.Certificate, s.PasswordFile}
}

// openToken reaches for a seal in a token. With wait, only its durations count.
func openToken(dir string, s SealSettings, wait signer.Config) (seal, error) {
	wait.Base, wait.Memory = dir, filepath.Join(dir, tokenFolder)
	if s.Signer != "" {
		wait.Program = within(dir, s.Signer)
	}
	if s.Certificate != "" {
		var err error
		if wait.Certificates, err = signing.LoadCertificates(within(dir, s.Certificate)); err != nil {
			return seal{}, err
		}
	}
	key, err := signer.Open(s.Key, wait)
	if err != nil {
		return seal{}, err
	}
	return seal{Signer: key, Chain: key.Chain()}, nil
}

// closeSeals ends the signers of those that are in tokens.
func closeSeals(all map[string][]seal) error {
	var errs []error
	for _, of := range all {
		for _, s := range of {
			if c, ok := s.Signer.(io.Closer); ok {
				errs = append(errs, c.Close())
			}
		}
	}
	return errors.Join(errs...)
}

// away gives the reason of an error that a token gave; any other error as it is.
func away(code string, err error) error {
	p := signer.ProblemOf(err)
	switch {
	case p == nil:
		return err
	case p.Temporary():
		return reason.Temporary(axispb.ReasonCode_REASON_SEAL_AWAY, code, p.Error()).Because(err)
	}
	return reason.Permanent(axispb.ReasonCode_REASON_SEAL_AWAY, code, p.Error()).Because(err)
}

func isAway(err error) bool { return reason.Is(err, axispb.ReasonCode_REASON_SEAL_AWAY) }

// awaits reports whether a submission waits for a token.
func awaits(e *axispb.OutboxEntry) bool {
	return outbox.Unsealed(e) && e.Trouble.GetReason().GetCode() == axispb.ReasonCode_REASON_SEAL_AWAY
}

// lookForToken is how often, at the least, a token that is away is tried while documents
// wait for it: whoever puts it back waits no longer than this.
const lookForToken = 15 * time.Second

// sealAwaited seals what waits for a token as soon as it signs. Trying is the only way to
// know; a refused PIN is not tried again (internal/signer).
func (a *Agent) sealAwaited(ctx context.Context) error {
	for tried := uint32(0); ; tried++ {
		left, err := a.sealOnce(ctx)
		if err != nil {
			return err
		}
		wait := min(lookForToken, a.cfg.Retry.wait(tried))
		if left == 0 {
			tried, wait = 0, 24*time.Hour // the bell says when there is something
		}
		if !nap(ctx, wait, a.wake.seal) {
			return nil
		}
	}
}

// sealOnce tries every document that waits for a token, one of each agency whose token
// is away. left is how many go on waiting.
func (a *Agent) sealOnce(ctx context.Context) (left int, err error) {
	var waiting []*axispb.OutboxEntry
	err = a.db.View(func(tx *bbolt.Tx) error {
		return outbox.In(tx).Each(func(e *axispb.OutboxEntry) error {
			if awaits(e) {
				waiting = append(waiting, e)
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	absent := map[string]bool{}
	for _, e := range waiting {
		if ctx.Err() != nil || absent[e.Sender] {
			left++
			continue
		}
		waits, err := a.sealWaiting(ctx, e)
		if err != nil {
			return left, err
		}
		if waits {
			absent[e.Sender] = true
			left++
		}
	}
	return left, nil
}

// sealWaiting tries one document. Where something else is wrong with it, a person
// decides, as about any that has no seal.
func (a *Agent) sealWaiting(ctx context.Context, e *axispb.OutboxEntry) (waits bool, err error) {
	err = a.sealDraft(ctx, e)
	switch {
	case err == nil, errors.Is(err, outbox.ErrState):
		return false, nil
	case fatal(err):
		return false, err
	case !isAway(err) && reason.IsTemporary(err):
		a.log.Warn("not sealed yet", slog.String("id", e.Id), slog.Any("why", err))
		return true, nil
	}
	t := a.trouble(err)
	if !slices.Equal(t.Reason.GetArgs(), e.Trouble.GetReason().GetArgs()) || t.Reason.GetCode() != e.Trouble.GetReason().GetCode() {
		a.log.Warn("waits for its seal", slog.String("id", e.Id), troubleAttr(t))
		noted := a.db.Update(context.WithoutCancel(ctx), func(tx *bbolt.Tx) error { return outbox.In(tx).Unsealable(e.Id, t) })
		if noted != nil && !errors.Is(noted, outbox.ErrState) {
			return false, noted
		}
		a.watch.changed(e.Id)
	}
	return isAway(err), nil
}

// token reports whether something is to be said of the token that holds a seal.
func (p *patient) token(c doctor.Check, s SealSettings, key seal) bool {
	token, ok := key.Signer.(*signer.Key)
	if !ok {
		return false
	}
	if err := token.Away(); err != nil {
		c.Wrong(doctor.Textf("thiết bị giữ con dấu của %s chưa ký được: %v", "the token with the seal of %s does not sign: %v", s.Code, saidOf(err)),
			doctor.Textf("Làm như trên; văn bản đang chờ sẽ tự đi.", "Do as it says; what waits goes by itself."))
		return true
	}
	return p.pinFile(c, s)
}

// saidOf is a token's problem in both languages.
func saidOf(err error) error {
	if p := signer.ProblemOf(err); p != nil {
		return p.Said()
	}
	return err
}

// pinFile looks at who else may read a PIN.
func (p *patient) pinFile(c doctor.Check, s SealSettings) bool {
	u, err := signer.ParseURI(s.Key)
	if err != nil || u.PinFile == "" || runtime.GOOS == "windows" {
		return false
	}
	path := within(p.dir, u.PinFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return false
	}
	c.Warn(doctor.Textf("tệp mã PIN %s người khác cũng đọc được (%v)", "the PIN's file %s may be read by others (%v)", path, info.Mode().Perm()),
		doctor.Textf("Chạy: chmod 600 %s", "Run: chmod 600 %s", path))
	return true
}
