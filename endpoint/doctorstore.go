package endpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/store"
	"docaxis/internal/doctor"
	"docaxis/internal/envelope"
	"docaxis/internal/lang"
	"docaxis/proto/axispb"
)

// oldestUnsent is the submission that waits longest for the axis's answer; nil for
// none.
func oldestUnsent(tx *bbolt.Tx) (*clerk.Unsent, error) {
	var oldest *clerk.Unsent
	err := outbox.In(tx).Each(func(e *axispb.OutboxEntry) error {
		waits := outbox.Live(e) || e.State == axispb.State_STATE_PARKED
		if waits && (oldest == nil || e.CreatedMs < oldest.SinceMS) {
			oldest = &clerk.Unsent{ID: e.Id, Subject: e.Subject, SinceMS: e.CreatedMs, Parked: !outbox.Live(e)}
		}
		return nil
	})
	return oldest, err
}

// lookBack is how many of the newest statements and submissions are asked for the
// axis's time: those that it has not answered have none.
const lookBack = 20

// lastJournaled is the latest journal time that the axis told this endpoint, of the
// newest entries of each kind; 0 for none. The true time is later.
func lastJournaled(tx *bbolt.Tx) (int64, error) {
	newest, err := store.NewestRegistry(tx)
	if err != nil {
		return 0, err
	}
	last := timeOf(newest.GetReceipt())
	sent, err := outbox.In(tx).List(outbox.Filter{Limit: lookBack})
	if err != nil {
		return 0, err
	}
	for _, e := range sent {
		last = max(last, timeOf(e.Receipt))
	}
	at, err := store.Progress(tx)
	if err != nil {
		return 0, err
	}
	for n := at.GetCounter(); n > 0 && n+lookBack > at.GetCounter(); n-- {
		e, err := inbox.In(tx).Evidence(n)
		if err != nil {
			return 0, err
		}
		last = max(last, timeOf(e.GetReceipt()))
	}
	return last, nil
}

// timeOf reads a receipt that was verified when it was kept.
func timeOf(receipt []byte) int64 {
	var (
		r axispb.Receipt
		h axispb.RecordHeader
	)
	if proto.Unmarshal(receipt, &r) != nil || proto.Unmarshal(r.GetHeader(), &h) != nil {
		return 0
	}
	return h.GetTimeMs()
}

// notAdmitted lists the SHA-256 (hex) of those certificates of seals that the
// directory knows not, or has retired, though it has others of the agency.
func (a *Agent) notAdmitted(tx *bbolt.Tx) (all []string, err error) {
	for code, seals := range a.seals {
		for _, s := range seals {
			ok, known, err := admittedIn(tx, code, s)
			if err != nil {
				return nil, err
			}
			if known && !ok {
				all = append(all, certificateDigest(s))
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

func certificateDigest(s seal) string {
	sum := sha256.Sum256(s.Chain[0].Raw)
	return hex.EncodeToString(sum[:])
}

// health adds to a status what a doctor asks a running endpoint.
func (d desk) health(out *clerk.Status) error {
	return d.a.db.View(func(tx *bbolt.Tx) (err error) {
		if out.OldestUnsent, err = oldestUnsent(tx); err != nil {
			return err
		}
		if out.JournalMS, err = lastJournaled(tx); err != nil {
			return err
		}
		if out.Held, err = held(tx, func(code string) bool { return len(d.a.unattended(code)) > 0 }); err != nil {
			return err
		}
		if out.NotAdmitted, err = d.a.notAdmitted(tx); err != nil {
			return err
		}
		return d.a.signatures(tx, &out.Signatures)
	})
}

// running takes from a running endpoint what else the store says.
func (p *patient) running(s *clerk.Status) {
	p.oldest, p.journalMS, p.held, p.signed = s.OldestUnsent, s.JournalMS, &s.Held, &s.Signatures
	p.admitted = func(_ string, key seal) (admitted, known bool) {
		return !slices.Contains(s.NotAdmitted, certificateDigest(key)), true
	}
}

// longUnsent is how long a document may wait for the axis before it is spoken of.
const longUnsent = time.Hour

func (p *patient) unsent() {
	c := p.report.Check("unsent", "Văn bản chưa gửi được", "Documents that were not sent")
	o := p.oldest
	switch {
	case o == nil:
		c.Well("không có", "there are none")
	case o.Parked:
		c.Warn(doctor.Textf("%s (%s) đã dừng, từ %s", "%s (%s) is parked, since %s", o.ID, o.Subject, lang.Millis(o.SinceMS)),
			doctor.Textf("Xem vì sao: endpoint show %s; sửa rồi chạy endpoint retry.", "See why: endpoint show %s; mend it, then run endpoint retry.", o.ID))
	case p.cfg.Now().Sub(time.UnixMilli(o.SinceMS)) > longUnsent:
		c.Warn(doctor.Textf("cũ nhất là %s (%s), từ %s", "the oldest is %s (%s), since %s", o.ID, o.Subject, lang.Millis(o.SinceMS)),
			doctor.Textf("Để endpoint serve chạy; nếu không nối được với trục, làm theo các dòng dưới.", "Let endpoint serve run; where it does not reach the axis, do as the lines below say."))
	default:
		c.Well("cũ nhất từ %s", "the oldest is of %s", lang.Millis(o.SinceMS))
	}
}

// slow is how far a clock may be behind: the axis flags evidence from there on.
const slow = 10 * time.Minute

// clock holds this machine's clock against the axis's time. What the axis journaled
// last is past, so only a clock that is behind is seen; the windows of certificates
// (identity, tls) find one that is months ahead.
func (p *patient) clock() {
	c := p.report.Check("clock", "Đồng hồ", "The clock")
	now, last := p.cfg.Now(), time.UnixMilli(p.journalMS)
	switch {
	case p.journalMS == 0:
		c.Well("%s; chưa có giờ nào của trục để so, chỉ có thời hạn của các chứng thư", "%s; there is no time of the axis to compare with yet, only the windows of certificates", lang.Time(now))
	case now.Before(last.Add(-slow)):
		c.Wrong(doctor.Textf("chạy chậm: chỉ %s, mà trục đã ghi sổ lúc %s", "it is slow: it shows %s, and the axis journaled at %s", lang.Time(now), lang.Time(last)),
			doctor.Textf("Chỉnh giờ và bật đồng bộ giờ (NTP).", "Set it, and let it be kept right (NTP)."))
	default:
		c.Well("%s, không chậm hơn lần ghi sổ cuối của trục (%s); cách này không thấy đồng hồ chạy nhanh", "%s, not behind what the axis journaled last (%s); a clock that is fast is not seen this way", lang.Time(now), lang.Time(last))
	}
}

// absent lists the documents of which a file is not there that should be.
func absent(tx *bbolt.Tx, dir string) (all []string, err error) {
	look := func(h *holding, envelope []byte) error {
		if !present(dir, h, envelope) {
			all = append(all, h.String())
		}
		return nil
	}
	return all, errors.Join(
		outbox.In(tx).Each(func(e *axispb.OutboxEntry) error { return look(sentHolding(e)) }),
		inbox.In(tx).Each(func(e *axispb.InboxEntry) error { return look(receivedHolding(e)) }))
}

// present looks for a document's envelope and, where they should be here, its files.
// What they have in them is for a deep look.
func present(dir string, h *holding, of []byte) bool {
	path := bodyPath(dir, of)
	info, err := os.Stat(path)
	if err != nil || info.Size() > envelope.MaxSize {
		return false
	}
	if h.released || h.incomplete {
		return true
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	if h.draft {
		return draftPresent(dir, raw)
	}
	env, err := envelope.Parse(raw)
	if err != nil {
		return !h.sent && !h.since.IsZero() // it came like this, and was refused
	}
	contents, err := contentsOf(env)
	for _, c := range contents {
		err = errors.Join(err, bodyThere(dir, c.Digest, c.Size))
	}
	return err == nil
}

func draftPresent(dir string, raw []byte) bool {
	_, parts, err := parseDraft(raw)
	for _, f := range parts {
		err = errors.Join(err, bodyThere(dir, f.Content.Digest, f.Content.Size))
	}
	return err == nil
}

func bodyThere(dir string, of digest, size uint64) error {
	info, err := os.Stat(bodyPath(dir, of[:]))
	if err == nil && uint64(info.Size()) != size {
		err = fs.ErrInvalid
	}
	return err
}

func bodyPath(dir string, digest []byte) string {
	name := hex.EncodeToString(digest)
	return filepath.Join(dir, "content", "files", name[:min(2, len(name))], name)
}

// missing says of which documents a file is gone.
func (p *patient) missing() {
	c := p.report.Check("missing", "Tệp mà kho dữ liệu nêu tên", "Files that the store names")
	switch {
	case p.absent == nil:
		c.Well("kiểm tra khi điểm kết nối dừng", "looked for while the endpoint is stopped")
	case len(*p.absent) > 0:
		c.Wrong(doctor.Textf("%d văn bản thiếu tệp, như %s", "%d documents lack a file, as %s", len(*p.absent), (*p.absent)[0]),
			doctor.Textf("Lấy thư mục content từ bản sao lưu, chép vào những tệp đang thiếu; văn bản nhận được thì endpoint serve tự tải lại khi cần. Kiểm tra đĩa.",
				"Put the files that are gone from the folder content back from a backup; those of received documents endpoint serve fetches again when they are asked for. Check the disk."))
	default:
		c.Well("đều có", "all are there")
	}
}
