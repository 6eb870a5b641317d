package endpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/systems"
	"docaxis/internal/doctor"
	"docaxis/proto/axispb"
)

// held counts what of the systems' documents waits for a person; hasSeal says of which
// agencies there is a seal that signs without one.
func held(tx *bbolt.Tx, hasSeal func(code string) bool) (h clerk.Held, err error) {
	all, err := systems.In(tx).List()
	if err != nil {
		return h, err
	}
	h.Systems, h.ParkedDeliveries = len(all), inbox.In(tx).CountParked()
	parked, err := inbox.In(tx).Parked(1)
	if err != nil {
		return h, err
	}
	for _, e := range parked {
		h.ParkedID = e.Id
	}
	return h, outbox.In(tx).Each(func(e *axispb.OutboxEntry) error {
		if !outbox.Unsealed(e) {
			return nil
		}
		if awaits(e) {
			h.Away++
			h.AwayID = e.Id
			return nil
		}
		h.Unsealed++
		if has := hasSeal(e.Sender); has && h.Sealable == 0 || h.UnsealedID == "" {
			h.UnsealedID = e.Id
		}
		if hasSeal(e.Sender) {
			h.Sealable++
		}
		return nil
	})
}

// systems looks at what of the systems' documents waits for a person, and at the key of
// their secrets.
func (p *patient) systems() {
	c := p.report.Check("systems", "Hệ thống QLVB (vxp)", "Systems (vxp)")
	h := p.held
	if h == nil {
		c.Well("kiểm tra khi đọc được kho dữ liệu", "looked at when the store can be read")
		return
	}
	bad := p.systemsKey(c, h.Systems)
	if h.ParkedDeliveries > 0 {
		bad = true
		c.Warn(doctor.Textf("%d văn bản đến mà hệ thống báo lỗi quá nhiều lần, như %s", "%d received documents that their systems failed to take too often, as %s", h.ParkedDeliveries, h.ParkedID),
			doctor.Textf("Xem hệ thống vì sao không nhận được; sửa rồi chạy endpoint retry %s.", "See why the system cannot take them; mend it, then run endpoint retry %s.", h.ParkedID))
	}
	if h.Unsealed > h.Sealable {
		bad = true
		c.Warn(doctor.Textf("%d văn bản đi chờ con dấu số, như %s", "%d documents wait for a seal, as %s", h.Unsealed-h.Sealable, h.UnsealedID),
			doctor.Textf("Ghi con dấu của cơ quan gửi vào [[seal]] trong %s rồi khởi động lại.", "Name the sending agency's seal as [[seal]] in %s, and start again.", SettingsFile))
	}
	if h.Away > 0 {
		bad = true
		c.Warn(doctor.Textf("%d văn bản đi chờ thiết bị giữ con dấu số, như %s", "%d documents wait for the token that holds the seal, as %s", h.Away, h.AwayID),
			doctor.Textf("Xem vì sao: endpoint show %s. Khi thiết bị ký được, chúng tự đi.", "See why: endpoint show %s. When the token signs again, they go by themselves.", h.AwayID))
	}
	if h.Sealable > 0 {
		bad = true
		c.Warn(doctor.Textf("%d văn bản đi chờ đóng dấu, và nay đã có con dấu, như %s", "%d documents wait to be sealed, and there is a seal now, as %s", h.Sealable, h.UnsealedID),
			doctor.Textf("Chạy endpoint retry %s, và như vậy với từng văn bản.", "Run endpoint retry %s, and so with each.", h.UnsealedID))
	}
	if !bad {
		c.Well("%d hệ thống; không có gì chờ người xử lý", "%d systems; nothing waits for a person", h.Systems)
	}
}

// systemsKey reports whether something is to be said of the key.
func (p *patient) systemsKey(c doctor.Check, n int) bool {
	if n == 0 {
		return false
	}
	info, err := os.Stat(filepath.Join(p.dir, systems.KeyFile))
	if err == nil && info.Size() == systems.KeyBytes || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	c.Wrong(doctor.Textf("thiếu hoặc hỏng %s: không hệ thống nào gọi được", "%s is missing or damaged: no system can call", systems.KeyFile),
		doctor.Textf("Lấy lại tệp này từ bản sao lưu, hoặc cấp mật khẩu mới cho từng hệ thống: endpoint vxp rotate TÊN --now.",
			"Put that file back from a backup, or give each system a new secret: endpoint vxp rotate NAME --now."))
	return true
}
