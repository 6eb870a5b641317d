package endpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/backup"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/link"
	"docaxis/endpoint/store"
	"docaxis/endpoint/systems"
	"docaxis/internal/archive"
	"docaxis/internal/chunk"
	"docaxis/internal/diskspace"
	"docaxis/internal/doctor"
	"docaxis/internal/lang"
	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// DoctorConfig says how an endpoint is looked at.
type DoctorConfig struct {
	// Status of the running endpoint; nil where none runs.
	Status *clerk.Status
	// Deep reads every file's content.
	Deep bool
	Now  func() time.Time
	// Disk asks for the free space of a folder's disk.
	Disk func(dir string) (diskspace.Space, error)
	// Patience is how long the axis may take to let the endpoint in; 15 s by default.
	Patience time.Duration
}

// Doctor looks at an endpoint's folder, and at the way to the axis, and says what is
// wrong. It changes nothing that a start would not change, and works whether or not the endpoint runs.
func Doctor(ctx context.Context, dir string, cfg DoctorConfig) *doctor.Report {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Disk == nil {
		cfg.Disk = diskspace.Of
	}
	if cfg.Patience == 0 {
		cfg.Patience = 15 * time.Second
	}
	p := &patient{dir: dir, cfg: cfg, report: new(doctor.Report)}
	p.report.Program()
	settings, ok := p.settings()
	p.permissions()
	id, known := p.identity()
	p.name = id.Endpoint
	p.store(id.Endpoint)
	if ok {
		p.seals(settings)
	}
	p.unsent()
	p.systems()
	if ok {
		p.signatures(settings)
	}
	p.clock()
	p.missing()
	p.files()
	p.disk(settings.Limits)
	if known && p.way(ctx, id) {
		p.login(ctx, id)
	}
	return p.report
}

// patient is an endpoint that is looked at.
type patient struct {
	dir    string
	cfg    DoctorConfig
	report *doctor.Report
	// admitted is asked about seals; nil while the store cannot be read.
	admitted func(code string, key seal) (admitted, known bool)
	// oldest document that the axis has not answered; nil for none.
	oldest *clerk.Unsent
	// journalMS is the latest time that the axis told; 0 for none.
	journalMS int64
	// absent names documents of which a file is gone; nil where nobody looked.
	absent *[]string
	// held waits for a person; nil where nobody looked.
	held *clerk.Held
	// signed is what a running endpoint says of signatures within files; nil where none runs.
	signed *clerk.Signatures
	// unheeded are the agencies whose policies nothing can be held to without anchors;
	// name is the endpoint's.
	unheeded []string
	name     string
	// sealed are the agencies that the settings have a seal of.
	sealed []string
}

func (p *patient) settings() (Settings, bool) {
	c := p.report.Check("settings", "Cấu hình "+SettingsFile, "Settings, "+SettingsFile)
	s, err := LoadSettings(p.dir)
	if err != nil {
		c.Wrong(doctor.Said(err), doctor.Textf("Sửa %s rồi chạy lại endpoint serve.", "Mend %s, then start endpoint serve again.", SettingsFile))
		return s, false
	}
	for _, seal := range s.Seals {
		p.sealed = append(p.sealed, seal.Code)
	}
	c.Well("đọc được; %d con dấu số", "can be read; %d seals", len(s.Seals))
	return s, true
}

// permissions looks at who else may read the key.
func (p *patient) permissions() {
	c := p.report.Check("permissions", "Quyền của thư mục và khóa", "Permissions of folder and key")
	if runtime.GOOS == "windows" {
		c.Well("do Windows quản lý", "kept by Windows")
		return
	}
	for _, path := range []string{"identity/endpoint.pem", "endpoint.db", systems.KeyFile} {
		info, err := os.Stat(filepath.Join(p.dir, filepath.FromSlash(path)))
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			c.Wrong(doctor.Textf("%s ai cũng đọc hoặc ghi được (%v)", "%s may be read or written by others (%v)", path, info.Mode().Perm()),
				doctor.Textf("Chạy: chmod 600 %s", "Run: chmod 600 %s", filepath.Join(p.dir, path)))
			return
		}
		if errors.Is(err, fs.ErrPermission) {
			c.Wrong(doctor.Textf("người dùng này không đọc được %s", "this user may not read %s", path),
				doctor.Textf("Chạy bằng người dùng sở hữu thư mục.", "Run this as the user who owns the folder."))
			return
		}
	}
	c.Well("chỉ người sở hữu đọc được", "only the owner may read them")
}

func (p *patient) identity() (link.Identity, bool) {
	c := p.report.Check("identity", "Danh tính (chứng thư của điểm kết nối)", "Identity (the endpoint's certificate)")
	id, err := link.LoadIdentity(p.dir)
	if err != nil {
		c.Wrong(doctor.Textf("không đọc được: %v", "it cannot be read: %v", err), doctor.Textf("Khôi phục thư mục identity từ bản sao lưu, hoặc xin quản trị trục cấp lại.",
			"Restore the folder identity from a backup, or ask the operator of the axis to issue the endpoint anew."))
		return id, false
	}
	leaf, now := id.Certificate.Leaf, p.cfg.Now()
	until := lang.Time(leaf.NotAfter)
	switch {
	case leaf.CheckSignatureFrom(id.CA) != nil:
		c.Wrong(doctor.Textf("chứng thư không do CA đã ghim cấp", "the certificate was not issued by the pinned CA"),
			doctor.Textf("Khôi phục thư mục identity từ bản sao lưu.", "Restore the folder identity from a backup."))
		return id, false
	case now.Before(leaf.NotBefore):
		c.Wrong(doctor.Textf("theo đồng hồ máy này, chứng thư chưa có hiệu lực", "by this machine's clock the certificate is not valid yet"),
			doctor.Textf("Đồng hồ chạy chậm: hãy chỉnh giờ và bật đồng bộ giờ (NTP).", "The clock is slow: set it, and let it be kept right (NTP)."))
	case now.After(leaf.NotAfter):
		c.Warn(doctor.Textf("chứng thư hết hạn lúc %s; chỉ còn dùng để gia hạn", "the certificate expired at %s; it can only be renewed", until),
			doctor.Textf("Chạy endpoint serve: chứng thư tự gia hạn khi kết nối được. Nếu đồng hồ chạy nhanh, hãy chỉnh giờ.",
				"Run endpoint serve: it renews the certificate once it is connected. Where the clock is fast, set it."))
	case link.RenewalDue(id, now):
		c.Warn(doctor.Textf("chứng thư sắp hết hạn (%s) mà chưa gia hạn", "the certificate ends soon (%s) and was not renewed", until),
			doctor.Textf("Để endpoint serve chạy và nối được với trục: nó tự gia hạn.", "Let endpoint serve run and reach the axis: it renews by itself."))
	default:
		c.Well("%s, hiệu lực đến %s", "%s, valid until %s", id.Endpoint, until)
	}
	return id, true
}

// store looks at the store itself where nothing runs, else at what the running
// endpoint says.
func (p *patient) store(endpoint string) {
	c := p.report.Check("store", "Kho dữ liệu endpoint.db", "The store, endpoint.db")
	if p.cfg.Status != nil {
		c.Well("điểm kết nối đang chạy giữ kho này; kiểm tra từng trang khi nó dừng", "the running endpoint has it open; its pages are checked while none runs")
		p.trouble(p.cfg.Status.Parked)
		p.running(p.cfg.Status)
		return
	}
	path := filepath.Join(p.dir, backup.StoreName)
	if _, err := os.Stat(path); err != nil {
		c.Warn(doctor.Textf("chưa có kho", "there is none yet"), doctor.Textf("Chạy endpoint serve lần đầu.", "Run endpoint serve for the first time."))
		return
	}
	if _, err := checkStore(path); err != nil {
		if errors.Is(err, store.ErrNewer) || errors.Is(err, store.ErrInUse) {
			c.Wrong(doctor.Said(err), doctor.Textf("Làm như dòng trên.", "Do as it says."))
			return
		}
		c.Wrong(doctor.Textf("kho hỏng: %v", "it is damaged: %v", err),
			doctor.Textf("Đừng chạy điểm kết nối. Chép riêng thư mục này để điều tra, rồi endpoint restore bản sao lưu gần nhất; kiểm tra đĩa.",
				"Do not run the endpoint. Keep a copy of the folder, then endpoint restore the newest backup; check the disk."))
		return
	}
	c.Well("mọi trang và mọi bất biến đều đúng", "every page and every invariant holds")
	p.readStore(path)
}

// readStore takes what other checks need out of a store that is right.
func (p *patient) readStore(path string) {
	var parked *axispb.Trouble
	inStore := func(read func(tx *bbolt.Tx) error) error {
		db, err := store.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(db.View(read), db.Close())
	}
	err := inStore(func(tx *bbolt.Tx) (err error) {
		if parked, err = store.Parked(tx); err != nil {
			return err
		}
		if p.oldest, err = oldestUnsent(tx); err != nil {
			return err
		}
		if p.journalMS, err = lastJournaled(tx); err != nil {
			return err
		}
		waits, err := held(tx, func(code string) bool { return slices.Contains(p.sealed, code) })
		if err != nil {
			return err
		}
		p.held = &waits
		if p.unheeded, err = unheeded(tx, p.name, 0); err != nil {
			return err
		}
		gone, err := absent(tx, p.dir)
		p.absent = &gone
		return err
	})
	if err != nil {
		return // the start says so
	}
	p.trouble(told(parked))
	p.admitted = func(code string, key seal) (admitted, known bool) {
		if err := inStore(func(tx *bbolt.Tx) (err error) {
			admitted, known, err = admittedIn(tx, code, key)
			return err
		}); err != nil {
			return false, false
		}
		return admitted, known
	}
}

// admittedIn asks the directory of a store about a seal; known is false where it has
// none of the agency.
func admittedIn(tx *bbolt.Tx, code string, key seal) (admitted, known bool, err error) {
	all, err := directory.In(tx).Seals(code)
	e := entryOf(all, key)
	return e != nil && e.GetRetiredMs() == 0, len(all) > 0, err
}

func (p *patient) trouble(t *clerk.Trouble) {
	c := p.report.Check("parked", "Điểm kết nối có tự dừng không", "Whether the endpoint parked itself")
	if t == nil {
		c.Well("không", "it did not")
		return
	}
	c.Wrong(doctor.Text{Vietnamese: "đã dừng: " + t.Vietnamese + " " + t.Detail, English: "it did: " + t.English + " " + t.Detail},
		doctor.Textf("Không gửi nhận gì cho đến khi có người quyết định. Hãy báo quản trị trục, kèm dòng trên.",
			"Nothing is sent or received until a person decides. Tell the operator of the axis, with the line above."))
}

func (p *patient) seals(s Settings) {
	c := p.report.Check("seals", "Con dấu số", "Seals")
	if len(s.Seals) == 0 {
		c.Warn(doctor.Textf("chưa có con dấu nào: chỉ nhận được, không gửi được", "there is none: documents can be received, not sent"),
			doctor.Textf("Ghi [[seal]] vào %s.", "Name one as [[seal]] in %s.", SettingsFile))
		return
	}
	bad := false
	for _, one := range s.Seals {
		bad = p.seal(c, s.Seals, one) || bad
	}
	if !bad {
		c.Well("%d con dấu mở được và còn hiệu lực", "%d can be opened and are valid", len(s.Seals))
	}
}

// seal reports whether something is to be said of a seal.
func (p *patient) seal(c doctor.Check, all []SealSettings, s SealSettings) bool {
	loaded, err := loadSeals(p.dir, []SealSettings{s}, signer.Config{})
	defer func() { _ = closeSeals(loaded) }()
	if err != nil {
		c.Wrong(doctor.Said(err), doctor.Textf("Sửa như trên: điểm kết nối không chạy khi một con dấu không mở được.",
			"Mend it as it says: the endpoint does not start with a seal that cannot be opened."))
		return true
	}
	key, now := loaded[s.Code][0], p.cfg.Now()
	cert := key.Chain[0]
	admit := doctor.Textf("Gửi chứng thư của con dấu cho quản trị trục: axis seal admit %s TỆP.", "Give the seal's certificate to the operator of the axis: axis seal admit %s FILE.", s.Code)
	switch {
	case now.After(cert.NotAfter) && p.another(all, s):
		c.Warn(doctor.Textf("con dấu cũ của %s (%s) hết hạn lúc %s; con dấu khác đang được dùng", "an old seal of %s (%s) expired at %s; another is used", s.Code, s.Key, lang.Time(cert.NotAfter)),
			doctor.Textf("Bỏ [[seal]] đó khỏi %s.", "Take that [[seal]] out of %s.", SettingsFile))
	case now.After(cert.NotAfter) || now.Before(cert.NotBefore):
		c.Wrong(doctor.Textf("con dấu của %s hết hạn lúc %s", "the seal of %s expired at %s", s.Code, lang.Time(cert.NotAfter)),
			doctor.Textf("Xin con dấu số mới, ghi vào %s, và nhờ quản trị trục chấp nhận.", "Get a new one, name it in %s, and have the operator of the axis admit it.", SettingsFile))
	case cert.NotAfter.Sub(now) < sealWarning:
		c.Warn(doctor.Textf("con dấu của %s hết hạn lúc %s", "the seal of %s expires at %s", s.Code, lang.Time(cert.NotAfter)), admit)
	case p.notAdmitted(s.Code, key):
		c.Wrong(doctor.Textf("danh mục không có chứng thư này của %s: văn bản sẽ bị từ chối", "the directory does not have this certificate of %s: documents will be refused", s.Code), admit)
	default:
		return p.token(c, s, key)
	}
	p.token(c, s, key)
	return true
}

// another reports whether the agency of a seal has one more that is valid.
func (p *patient) another(all []SealSettings, s SealSettings) bool {
	for _, o := range all {
		if o.Code != s.Code || o.Key == s.Key {
			continue
		}
		loaded, err := loadSeals(p.dir, []SealSettings{o}, signer.Config{})
		defer func() { _ = closeSeals(loaded) }()
		if err == nil && validAt(loaded[o.Code][0], nil, p.cfg.Now()) {
			return true
		}
	}
	return false
}

// sealWarning is how long before its end a seal is spoken of: a new one takes weeks.
const sealWarning = 60 * 24 * time.Hour

func (p *patient) notAdmitted(code string, key seal) bool {
	if p.admitted == nil {
		return false
	}
	admitted, known := p.admitted(code, key)
	return known && !admitted
}

func (p *patient) files() {
	c := p.report.Check("files", "Tệp của văn bản", "The documents' files")
	if !p.cfg.Deep {
		c.Well("không đọc (thêm --deep để kiểm tra từng tệp)", "not read (--deep checks each of them)")
		return
	}
	checked, wrong := 0, []string{}
	err := filepath.WalkDir(filepath.Join(p.dir, "content", "files"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		want, ok := archive.SelfNamed(filepath.ToSlash(path))
		if checked++; !ok || !hasDigest(path, want) {
			wrong = append(wrong, d.Name())
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		c.Wrong(doctor.Said(err), doctor.Textf("Kiểm tra đĩa và quyền của thư mục content.", "Check the disk and the permissions of the folder content."))
	case len(wrong) > 0:
		c.Wrong(doctor.Textf("%d tệp không đúng mã băm, như %s", "%d files do not have their digest, as %s", len(wrong), wrong[0]),
			doctor.Textf("Đĩa có thể đang hỏng: hãy kiểm tra đĩa và lấy các tệp này từ bản sao lưu.", "The disk may be failing: check it, and take these files from a backup."))
	default:
		c.Well("%d tệp đúng mã băm", "%d files have their digests", checked)
	}
}

func hasDigest(path string, want [sha256.Size]byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) // removed meanwhile
	}
	defer f.Close()
	sum, err := chunk.Sum(f)
	return err == nil && sum == want
}

func (p *patient) disk(set Limits) {
	c := p.report.Check("disk", "Chỗ trống trên đĩa", "Room on the disk")
	space, err := p.cfg.Disk(p.dir)
	if err != nil {
		c.Warn(doctor.Said(err), doctor.Text{})
		return
	}
	limits := set.room()
	if limits == (diskspace.Limits{}) {
		limits = diskspace.Default(space.Total)
	}
	room := doctor.Textf("Xóa bớt tệp khác trên đĩa, chạy endpoint cleanup, hoặc thêm đĩa.", "Remove other files from the disk, run endpoint cleanup, or add room.")
	switch {
	case space.Free < limits.Refuse:
		c.Wrong(doctor.Textf("chỉ còn %s: không gửi, không tải được gì", "only %s left: nothing can be sent or fetched", doctor.Bytes(space.Free)), room)
	case space.Free < 2*limits.Resume:
		c.Warn(doctor.Textf("còn %s", "%s left", doctor.Bytes(space.Free)), room)
	default:
		c.Well("còn %s trên %s", "%s of %s left", doctor.Bytes(space.Free), doctor.Bytes(space.Total))
	}
}
