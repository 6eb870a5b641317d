package axis

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"os"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/axis/content"
	"docaxis/axis/intake"
	"docaxis/axis/ledger"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/diskspace"
	"docaxis/internal/doctor"
	"docaxis/internal/lang"
)

func openLogKey(raw []byte) (*axistlog.Signer, error) {
	return axistlog.OpenSigner(string(bytes.TrimSpace(raw)))
}

// saw takes note of an epoch and of the journal's time.
func (p *patient) saw(epoch uint64, ms int64) {
	p.epoch, p.lastMS = max(p.epoch, epoch), max(p.lastMS, ms)
}

func (p *patient) restored() {
	c := p.report.Check("restored", "Vừa khôi phục từ bản sao lưu", "Restored from a backup")
	_, err := os.Stat(p.path("keys/" + RestoredFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Well("không", "it was not")
	case p.runs():
		c.Wrong(doctor.Textf("trục đang chạy mà tệp keys/%s vẫn còn", "the axis runs, and keys/%s is still there", RestoredFile),
			doctor.Textf("Thư mục này vừa bị thay khi trục đang chạy: dừng trục ngay rồi khởi động lại.", "The folder was replaced under the running axis: stop it now, then start it again."))
	default:
		c.Warn(doctor.Textf("lần khởi động sau sẽ mở kỷ mới", "the next start opens a new epoch"),
			doctor.Textf("Chạy axis serve; các điểm kết nối trả lại những gì bản sao lưu không có.", "Run axis serve; endpoints give back what the backup does not have."))
	}
}

// remembered looks at the guard, beside what a running axis says.
func (p *patient) remembered() {
	c := p.report.Check("guard", "Điều đã ký (keys/guard)", "What was signed (keys/guard)")
	state, found, err := axistlog.LookGuard(p.path("keys/guard"))
	s := p.cfg.Status
	if found {
		p.guard = &state
		p.saw(state.Epoch, state.TimeMS)
	}
	if s != nil {
		p.saw(s.Epoch, s.TimeMS)
	}
	epoch := doctor.Textf("Nếu tệp chỉ bị chuyển chỗ, hãy đặt lại; nếu không, chuyển nó đi nơi khác: lần khởi động sau sẽ mở kỷ mới. Đừng đặt bản cũ hơn vào chỗ đó.",
		"Where it was only moved, put it back; else move it away: the next start then opens a new epoch. Do not put an older copy in its place.")
	_, journaled := os.Stat(p.path("journal"))
	switch {
	case err != nil:
		c.Wrong(doctor.Textf("không đọc được: %v", "it cannot be read: %v", err), epoch)
	case !found && journaled == nil:
		c.Wrong(doctor.Textf("không có, mà sổ thì có", "there is none, and there is a journal"), epoch)
	case !found:
		c.Well("chưa ký gì", "nothing was signed yet")
	case s != nil && (s.Epoch > state.Epoch || s.Epoch == state.Epoch && s.Size > state.Size):
		c.Wrong(doctor.Textf("trục đang chạy có %d bản ghi của kỷ %d, tệp chỉ ghi %d của kỷ %d: tệp đã bị thay", "the running axis has %d records in epoch %d, the file says %d in epoch %d: it was replaced", s.Size, s.Epoch, state.Size, state.Epoch),
			doctor.Textf("Dừng trục, rồi khởi động lại: nó mở kỷ mới nếu phải mở. Tìm xem ai đã chép đè thư mục keys.", "Stop the axis and start it again: it opens a new epoch where it must. Find out who wrote over the folder keys."))
	default:
		c.Well("kỷ %d, %d bản ghi, lúc %s", "epoch %d, %d records, at %s", state.Epoch, state.Size, lang.Millis(state.TimeMS))
	}
}

// ledger looks at the projection of an axis that does not run, beside the guard.
func (p *patient) ledger(ctx context.Context) {
	c := p.report.Check("ledger", "Sổ tra cứu ledger.db", "The ledger, ledger.db")
	if s := p.cfg.Status; p.runs() {
		if s != nil {
			c.Well("trục đang dùng: %d bản ghi trong %d khối", "in use: %d records in %d blocks", s.Size, s.Blocks)
		} else {
			c.Well("trục đang dùng", "in use")
		}
		return
	}
	again := doctor.Textf("Không phải làm gì: lần khởi động sau tự dựng lại từ sổ ghi, có thể mất vài phút.", "Nothing need be done: the next start builds it anew from the journal, which may take minutes.")
	l, err := ledger.Look(ctx, p.path("ledger.db"))
	switch {
	case errors.Is(err, ledger.ErrUnfinished):
		c.Warn(doctor.Textf("trục lần trước không dừng bình thường", "the axis was not stopped in order the last time"),
			doctor.Textf("Chạy axis serve: nó tự làm nốt, rồi kiểm tra lại.", "Run axis serve, which takes in what is left, then look again."))
		return
	case errors.Is(err, fs.ErrNotExist) && p.guard == nil:
		c.Well("chưa có", "there is none yet")
		return
	case errors.Is(err, fs.ErrNotExist):
		c.Warn(doctor.Textf("không có", "there is none"), again)
		return
	case err != nil:
		c.Warn(doctor.Textf("không dùng được: %v", "it cannot be used: %v", err), again)
		return
	}
	defer l.Close()
	p.saw(l.Epoch, l.TimeMS)
	if p.cfg.Deep {
		if err := l.Check(ctx); err != nil {
			c.Wrong(doctor.Textf("hỏng: %v", "it is damaged: %v", err),
				doctor.Textf("Khi trục dừng, chuyển ledger.db đi nơi khác: lần khởi động sau dựng lại. Kiểm tra đĩa.", "While the axis is stopped, move ledger.db away: the next start builds it anew. Check the disk."))
			return
		}
	}
	p.position(c, l)
}

// position holds the ledger against the guard.
func (p *patient) position(c doctor.Check, l *ledger.Resting) {
	g := p.guard
	next := doctor.Textf("Nếu có tệp guard hoặc sổ ghi mới hơn, hãy đặt lại đúng chỗ trước khi khởi động; nếu không, lần khởi động sau mở kỷ mới.",
		"Where there is a newer guard or journal, put it in its place before the start; else the next start opens a new epoch.")
	switch {
	case g == nil || l.Epoch < g.Epoch || l.Size < g.Size:
		c.Well("có %d bản ghi; lần khởi động sau đọc tiếp từ sổ ghi", "it has %d records; the next start goes on from the journal", l.Size)
	case l.Epoch > g.Epoch:
		c.Wrong(doctor.Textf("của kỷ %d, còn guard của kỷ %d", "it is of epoch %d, the guard of epoch %d", l.Epoch, g.Epoch), next)
	case !sameRoot(g, l):
		c.Wrong(doctor.Textf("khác với điều đã ký: %d bản ghi đầu không có cùng gốc", "it differs from what was signed: its first %d records have another root", g.Size), next)
	default:
		c.Well("khớp với điều đã ký: %d bản ghi trong %d khối", "it fits what was signed: %d records in %d blocks", l.Size, l.Blocks)
	}
}

func sameRoot(g *axistlog.GuardState, hashes tlog.HashReader) bool {
	root, err := tlog.TreeHash(int64(g.Size), hashes)
	return err == nil && root == tlog.Hash(g.Root)
}

// journal reads the journal of an axis that does not run. Its server has to be
// started for it, so only a deep look does.
func (p *patient) journal(ctx context.Context) {
	c := p.report.Check("journal", "Sổ ghi", "The journal")
	_, err := os.Stat(p.path("journal"))
	switch {
	case p.runs():
		p.runningJournal(c)
	case err != nil && p.guard == nil:
		c.Well("chưa có", "there is none yet")
	case err != nil:
		c.Wrong(doctor.Textf("thư mục journal không còn, mà %d bản ghi đã được ký", "the folder journal is gone, and %d records were signed", p.guard.Size), p.lostJournal())
	case !p.cfg.Deep:
		c.Well("không đọc (thêm --deep để đọc và kiểm tra mọi khối)", "not read (--deep reads and verifies every block)")
	default:
		p.restingJournal(ctx, c)
	}
}

func (p *patient) lostJournal() doctor.Text {
	return doctor.Textf("Đừng khởi động trục. Tìm lại thư mục journal; nếu mất hẳn, axis restore bản sao lưu mới nhất: các điểm kết nối trả lại phần sau đó.",
		"Do not start the axis. Find the folder journal; where it is lost, axis restore the newest backup: endpoints give back what came after it.")
}

func (p *patient) runningJournal(c doctor.Check) {
	s, g := p.cfg.Status, p.guard
	if s == nil {
		c.Well("trục đang dùng; nó kiểm tra từng khối khi đọc", "in use; the axis verifies each block that it reads")
		return
	}
	root, _ := base64.StdEncoding.DecodeString(s.Root)
	if g != nil && g.Epoch == s.Epoch && g.Size == s.Size && !bytes.Equal(g.Root[:], root) {
		c.Wrong(doctor.Textf("trục đang chạy trên một sổ khác với điều đã ký", "the axis runs on another journal than what was signed"),
			doctor.Textf("Dừng trục, rồi khởi động lại: nó mở kỷ mới nếu phải mở. Tìm xem ai đã chép đè thư mục.", "Stop the axis and start it again: it opens a new epoch where it must. Find out who wrote over the folder."))
		return
	}
	c.Well("%d khối, %d bản ghi; trục kiểm tra từng khối khi đọc", "%d blocks, %d records; the axis verifies each block that it reads", s.Blocks, s.Size)
}

func (p *patient) restingJournal(ctx context.Context, c doctor.Check) {
	head, _, stop, err := RestingJournal(ctx, p.dir, slog.New(slog.DiscardHandler))
	if err != nil {
		c.Wrong(doctor.Textf("không đọc được hết: %v", "it cannot be read to its end: %v", err), p.lostJournal())
		return
	}
	if err := stop(); err != nil {
		c.Wrong(doctor.Textf("đọc xong mà không đóng lại được: %v", "it was read and could not be closed: %v", err), doctor.Textf("Kiểm tra đĩa.", "Check the disk."))
		return
	}
	p.saw(head.Epoch, 0)
	g := p.guard
	switch {
	case g != nil && (head.Epoch < g.Epoch || head.Size < g.Size):
		c.Wrong(doctor.Textf("có %d bản ghi, mà %d đã được ký", "it has %d records, and %d were signed", head.Size, g.Size), p.lostJournal())
	case g != nil && head.Epoch == g.Epoch && head.Size == g.Size && !bytes.Equal(head.Root, g.Root[:]):
		c.Wrong(doctor.Textf("khác với điều đã ký", "it differs from what was signed"), p.lostJournal())
	default:
		c.Well("mọi khối đúng: %d khối, %d bản ghi (máy chủ của sổ đã được chạy riêng để đọc)", "every block is right: %d blocks, %d records (its server was started, alone, to read it)", head.Blocks, head.Size)
	}
}

// sampled chunks are read where not all are to be.
const sampled = 32

func (p *patient) content(ctx context.Context) {
	c := p.report.Check("content", "Kho nội dung", "The content store")
	most := sampled
	if p.cfg.Deep {
		most = 0
	}
	looked, wrong, err := content.Look(ctx, p.path("content"), most)
	switch {
	case err != nil:
		c.Wrong(doctor.Textf("không đọc được: %v", "it cannot be read: %v", err), doctor.Textf("Kiểm tra đĩa và quyền của thư mục content.", "Check the disk and the permissions of the folder content."))
	case len(wrong) > 0:
		c.Wrong(doctor.Textf("%d trong %d khối nội dung bị hỏng, như %s", "%d of %d chunks are damaged, as %s", len(wrong), looked, wrong[0]),
			doctor.Textf("Đĩa có thể đang hỏng: hãy kiểm tra đĩa. Chép các tệp này từ bản sao lưu vào chỗ cũ; trục không bao giờ giao nội dung hỏng.",
				"The disk may be failing: check it. Put these files back from a backup; the axis never gives out damaged content."))
	case p.cfg.Deep:
		c.Well("cả %d khối nội dung đúng mã băm", "all %d chunks have their digests", looked)
	default:
		c.Well("%d khối nội dung xem thử đúng mã băm (--deep xem tất cả)", "%d chunks that were sampled have their digests (--deep reads all)", looked)
	}
}

// disk judges by the axis's own limits.
func (p *patient) disk() {
	c := p.report.Check("disk", "Chỗ trống trên đĩa", "Room on the disk")
	folders := []string{p.dir}
	for _, name := range []string{"journal", "content"} {
		if _, err := os.Stat(p.path(name)); err == nil {
			folders = append(folders, p.path(name))
		}
	}
	cfg := Config{Now: p.cfg.Now, Space: p.cfg.Space}
	if p.file != nil {
		cfg.File = *p.file
	}
	d, err := newDisks(cfg, folders...)
	if err != nil {
		c.Warn(doctor.Textf("không hỏi được: %v", "it cannot be asked for: %v", err), doctor.Textf("Xem bằng df; kiểm tra đĩa.", "Look with df; check the disk."))
		return
	}
	worst := d.watched[0]
	room := func(w *watched) int64 { s := w.work.State(); return int64(s.Free) - int64(s.Refuse) }
	for _, w := range d.watched {
		if room(w) < room(worst) {
			worst = w
		}
	}
	p.room(c, worst.folder, worst.work.State())
}

func (p *patient) room(c doctor.Check, folder string, s diskspace.State) {
	free := doctor.Textf("Giải phóng chỗ hoặc thêm đĩa (axis status --sizes cho biết phần nào chiếm bao nhiêu); có %s trống là trục tự tiếp tục.",
		"Free some space or add a disk (axis status --sizes says what takes how much); with %s free the axis goes on by itself.", doctor.Bytes(s.Resume))
	switch {
	case s.Free < s.Refuse/evidencePart:
		c.Wrong(doctor.Textf("%s chỉ còn %s: mọi thứ phải chờ, cả bằng chứng", "%s has only %s left: everything waits, evidence too", folder, doctor.Bytes(s.Free)), free)
	case s.Free < s.Refuse:
		c.Wrong(doctor.Textf("%s chỉ còn %s: văn bản mới phải chờ", "%s has only %s left: new documents wait", folder, doctor.Bytes(s.Free)), free)
	case s.Free < 2*s.Resume:
		c.Warn(doctor.Textf("%s còn %s; dưới %s là văn bản mới phải chờ", "%s has %s left; with less than %s new documents wait", folder, doctor.Bytes(s.Free), doctor.Bytes(s.Refuse)), free)
	default:
		c.Well("%s còn %s trên %s", "%s has %s of %s left", folder, doctor.Bytes(s.Free), doctor.Bytes(s.Total))
	}
}

func (p *patient) clock() {
	c := p.report.Check("clock", "Đồng hồ", "The clock")
	confirm := doctor.Textf("Nếu đồng hồ sai, hãy chỉnh giờ và bật đồng bộ giờ (NTP). Nếu đúng, chạy axis serve rồi axis clock confirm.",
		"Where it is wrong, set it, and let it be kept right (NTP). Where it is right, run axis serve, then axis clock confirm.")
	now := p.cfg.Now()
	if s := p.cfg.Status; s != nil {
		if s.Clock != nil {
			c.Wrong(doctor.Textf("trục nghi ngờ đồng hồ và không quyết định gì: đồng hồ chỉ %s, lẽ ra %s", "the axis doubts it and decides nothing: it shows %s, and should show %s",
				lang.Millis(s.Clock.ShownMS), lang.Millis(s.Clock.ExpectedMS)), confirm)
			return
		}
		c.Well("trục tin đồng hồ: %s", "the axis follows it: %s", lang.Time(now))
		return
	}
	last := millis(p.lastMS)
	switch intake.DoubtAtStart(now, last) {
	case intake.DoubtBehind:
		c.Wrong(doctor.Textf("chỉ %s, trước bản ghi cuối (%s)", "it shows %s, before the last record (%s)", lang.Time(now), lang.Time(last)), confirm)
	case intake.DoubtStopped:
		c.Warn(doctor.Textf("chỉ %s, lâu sau bản ghi cuối (%s): trục sẽ hỏi lại khi khởi động", "it shows %s, long after the last record (%s): a start will ask whether it is right", lang.Time(now), lang.Time(last)), confirm)
	default:
		c.Well("%s, hợp với bản ghi cuối", "%s, which fits the last record", lang.Time(now))
	}
}
