package axis

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/registry"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/diskspace"
	"docaxis/internal/doctor"
	"docaxis/internal/lang"
)

// DoctorConfig says how an axis is looked at.
type DoctorConfig struct {
	// Status of the running axis and its endpoints; nil where none runs.
	Status    *operator.Status
	Endpoints []operator.EndpointLine
	// Unanswered is why the process that owns the folder did not answer; nil where it
	// did, or where there is none.
	Unanswered error
	// Deep reads every chunk, and of an axis that does not run the whole journal:
	// that starts the journal's server over the folder, with nobody listening.
	Deep bool
	// Backups is the folder where backups are kept; empty where it is not known.
	Backups string
	Now     func() time.Time
	// Space asks for the free space of a folder's disk.
	Space func(dir string) (diskspace.Space, error)
	// Patience is how long the axis may take to answer a connection; 10 s by default.
	Patience time.Duration
}

// Doctor looks at an axis's folder, and at the axis where it runs, and says what is
// wrong. Without Deep it changes nothing in the folder.
func Doctor(ctx context.Context, dir string, cfg DoctorConfig) *doctor.Report {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Space == nil {
		cfg.Space = diskspace.Of
	}
	if cfg.Patience == 0 {
		cfg.Patience = 10 * time.Second
	}
	p := &patient{dir: dir, cfg: cfg, report: new(doctor.Report)}
	p.report.Program()
	p.settings()
	p.process()
	p.permissions()
	p.authority()
	p.listener(ctx)
	p.restored()
	p.remembered()
	p.ledger(ctx)
	p.logKey()
	p.journal(ctx)
	p.content(ctx)
	p.disk()
	p.clock()
	p.signatures()
	p.losses()
	p.timestamps()
	p.certificates()
	p.absent()
	p.backups()
	return p.report
}

// patient is an axis that is looked at.
type patient struct {
	dir    string
	cfg    DoctorConfig
	report *doctor.Report

	file   *File // nil where it cannot be read
	ca     *x509.Certificate
	guard  *axistlog.GuardState // nil where nothing is known
	epoch  uint64               // the newest that was seen
	lastMS int64                // journal time of the last record, as far as is known
}

func (p *patient) path(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

// runs reports whether some process owns the folder.
func (p *patient) runs() bool { return p.cfg.Status != nil || p.cfg.Unanswered != nil }

func (p *patient) settings() {
	c := p.report.Check("settings", "Cấu hình "+FileName, "Settings, "+FileName)
	f, err := LoadFile(p.dir)
	if err != nil {
		c.Wrong(doctor.Said(err), doctor.Textf("Sửa %s: trục không khởi động lại được cho đến lúc đó.", "Mend %s: until then the axis cannot be started again.", FileName))
		return
	}
	p.file = &f
	c.Well("đọc được: %s, nghe ở %s", "can be read: %s, listens at %s", f.Name, f.Listen)
}

func (p *patient) process() {
	c := p.report.Check("running", "Trục có đang chạy không", "Whether the axis runs")
	switch {
	case p.cfg.Unanswered != nil:
		c.Wrong(doctor.Textf("có, nhưng nó không trả lời: %v", "it does, and does not answer: %v", p.cfg.Unanswered),
			doctor.Textf("Xem nhật ký của nó rồi khởi động lại; không có gì đã hứa bị mất.", "See its log, then start it again; nothing that was promised is lost."))
	case p.cfg.Status == nil:
		c.Warn(doctor.Textf("không", "it does not"), doctor.Textf("Chạy axis serve, rồi chạy lại lệnh này để xem cả các điểm kết nối.", "Run axis serve, then this again, which then looks at endpoints, too."))
	default:
		c.Well("có, từ %s", "it does, since %s", lang.Millis(p.cfg.Status.StartedMS))
	}
}

// permissions looks at who else may read the keys.
func (p *patient) permissions() {
	c := p.report.Check("permissions", "Quyền của thư mục keys", "Permissions of the folder keys")
	if runtime.GOOS == "windows" {
		c.Well("do Windows quản lý", "kept by Windows")
		return
	}
	open := ""
	err := filepath.WalkDir(p.path("keys"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // replaced meanwhile
		}
		if err == nil && filepath.Ext(path) != ".crt" && d.Name() != "ca-older.pem" && info.Mode().Perm()&0o077 != 0 {
			open = path
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrPermission):
		c.Wrong(doctor.Textf("người dùng này không đọc được: %v", "this user may not read them: %v", err),
			doctor.Textf("Chạy bằng người dùng sở hữu thư mục, chính là người dùng chạy trục.", "Run this as the user who owns the folder and runs the axis."))
	case err != nil:
		c.Wrong(doctor.Textf("không đọc được: %v", "they cannot be read: %v", err),
			doctor.Textf("Khôi phục thư mục keys từ bản sao lưu.", "Put the folder keys back from a backup."))
	case open != "":
		c.Wrong(doctor.Textf("người khác đọc hoặc ghi được %s", "others may read or write %s", open),
			doctor.Textf("Chạy: chmod -R go= %s. Nếu máy có người dùng khác, hãy thay khóa: axis key roll.",
				"Run: chmod -R go= %s. Where the machine has other users, replace the keys: axis key roll.", p.path("keys")))
	default:
		c.Well("chỉ người sở hữu đọc được khóa", "only the owner may read the keys")
	}
}

// soon is how long before its end a certificate is spoken of.
const soon = 30 * 24 * time.Hour

func (p *patient) authority() {
	c := p.report.Check("ca", "CA của trục", "The axis's CA")
	l, err := registry.LookCA(p.path("keys"))
	p.ca = l.CA
	if err != nil && !errors.Is(err, registry.ErrAxisKey) {
		p.ca = nil
		c.Wrong(doctor.Textf("không dùng được: %v", "it cannot be used: %v", err),
			doctor.Textf("Khôi phục cả thư mục keys từ bản sao lưu mới nhất; đừng tạo CA mới: mọi điểm kết nối đã ghim CA này.",
				"Put the whole folder keys back from the newest backup; make no new CA: every endpoint has pinned this one."))
		return
	}
	roll := doctor.Textf("Chạy axis key roll ca khi trục đang chạy.", "Run axis key roll ca while the axis runs.")
	clock := doctor.Textf("Kiểm tra đồng hồ của máy này trước.", "Check this machine's clock first.")
	switch now := p.cfg.Now(); {
	case now.Before(l.CA.NotBefore):
		c.Wrong(doctor.Textf("theo đồng hồ máy này, CA chưa có hiệu lực", "by this machine's clock it is not valid yet"), clock)
	case now.After(l.CA.NotAfter):
		c.Wrong(doctor.Textf("hết hạn lúc %s", "it expired at %s", lang.Time(l.CA.NotAfter)), clock)
	case l.CA.NotAfter.Sub(now) < registry.CertificateLife:
		c.Warn(doctor.Textf("chỉ còn hiệu lực đến %s", "it is only valid until %s", lang.Time(l.CA.NotAfter)), roll)
	case l.Rolling:
		c.Warn(doctor.Textf("việc thay CA chưa xong", "its replacement was begun and not ended"), doctor.Textf("Khởi động lại trục: nó làm nốt.", "Start the axis again: it ends it."))
	default:
		c.Well("hiệu lực đến %s", "valid until %s", lang.Time(l.CA.NotAfter))
	}
	p.evidenceKey(l, err)
}

// evidenceKey looks at what the axis signs its evidence with; err is LookCA's.
func (p *patient) evidenceKey(l registry.Looked, err error) {
	c := p.report.Check("certificate", "Khóa và chứng thư ký bằng chứng của trục", "The axis's evidence key and certificate")
	again := doctor.Textf("Khởi động lại trục: nó tự gia hạn.", "Start the axis again: it renews by itself.")
	switch now := p.cfg.Now(); {
	case err != nil:
		c.Wrong(doctor.Textf("không dùng được: %v", "they cannot be used: %v", err),
			doctor.Textf("Chuyển axis.key và axis.crt đi nơi khác rồi khởi động lại: trục tạo khóa mới.", "Move axis.key and axis.crt away and start again: the axis makes new ones."))
	case l.Axis == nil:
		c.Well("chưa có; trục tự tạo khi khởi động", "there are none yet; the axis makes them when it starts")
	case !l.Rolling && l.Axis.CheckSignatureFrom(l.CA) != nil:
		c.Warn(doctor.Textf("chứng thư không do CA này cấp", "the certificate was not issued by this CA"), again)
	case now.After(l.Axis.NotAfter):
		c.Warn(doctor.Textf("chứng thư hết hạn lúc %s", "the certificate expired at %s", lang.Time(l.Axis.NotAfter)), again)
	case l.Axis.NotAfter.Sub(now) < soon:
		c.Warn(doctor.Textf("chứng thư sắp hết hạn (%s) mà chưa gia hạn", "the certificate ends soon (%s) and was not renewed", lang.Time(l.Axis.NotAfter)), again)
	default:
		c.Well("hiệu lực đến %s", "valid until %s", lang.Time(l.Axis.NotAfter))
	}
}

// logKey looks for the key of the newest epoch.
func (p *patient) logKey() {
	c := p.report.Check("log-key", "Khóa của sổ", "The log's key")
	if p.epoch == 0 {
		c.Well("chưa có kỷ nào; trục tự tạo khi khởi động", "there is no epoch yet; the axis makes one when it starts")
		return
	}
	path := p.path(fmt.Sprintf("keys/log-%06d.key", p.epoch))
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		c.Wrong(doctor.Textf("khóa của kỷ %d không còn (%s)", "the key of epoch %d is gone (%s)", p.epoch, path),
			doctor.Textf("Khôi phục tệp từ bản sao lưu; nếu không có, lần khởi động sau sẽ mở kỷ mới.", "Put the file back from a backup; without it, the next start opens a new epoch."))
		return
	}
	if err == nil {
		_, err = openLogKey(raw)
	}
	if err != nil {
		c.Wrong(doctor.Textf("khóa của kỷ %d không dùng được: %v", "the key of epoch %d cannot be used: %v", p.epoch, err),
			doctor.Textf("Khôi phục %s từ bản sao lưu, hoặc chuyển nó đi nơi khác: lần khởi động sau sẽ mở kỷ mới.",
				"Put %s back from a backup, or move it away: the next start then opens a new epoch.", path))
		return
	}
	c.Well("có khóa của kỷ %d", "the key of epoch %d is there", p.epoch)
}
