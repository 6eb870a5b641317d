package axis

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/doctor"
	"docaxis/internal/lang"
)

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// listener looks at where endpoints connect: whether it can be opened, or who answers.
func (p *patient) listener(ctx context.Context) {
	c := p.report.Check("listen", "Địa chỉ cho các điểm kết nối", "The address for endpoints")
	if p.file == nil {
		c.Warn(doctor.Textf("không biết, vì chưa đọc được cấu hình", "not known, since the settings cannot be read"), doctor.Textf("Sửa %s trước.", "Mend %s first.", FileName))
		return
	}
	if p.runs() {
		p.answers(ctx, c)
		return
	}
	l, err := net.Listen("tcp", p.file.Listen)
	if err != nil {
		c.Wrong(doctor.Textf("không mở được %s: %v", "%s cannot be opened: %v", p.file.Listen, err),
			doctor.Textf("Dừng chương trình đang dùng cổng này, hoặc sửa listen trong %s.", "Stop the program that uses the port, or change listen in %s.", FileName))
		return
	}
	l.Close()
	c.Well("mở được %s", "%s can be opened", p.file.Listen)
}

// at is where this machine reaches the running axis.
func (p *patient) at() string {
	host, port, err := net.SplitHostPort(p.file.Listen)
	if err != nil || port == "0" {
		if p.cfg.Status != nil {
			return p.cfg.Status.Address
		}
		return p.file.Listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// answers shakes hands as an endpoint does.
func (p *patient) answers(ctx context.Context, c doctor.Check) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Patience)
	defer cancel()
	at := p.at()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", at)
	if err != nil {
		c.Wrong(doctor.Textf("trục đang chạy mà %s không trả lời: %v", "the axis runs, and %s does not answer: %v", at, err),
			doctor.Textf("Nếu listen trong %s vừa đổi, hãy khởi động lại trục; nếu không, xem tường lửa và nhật ký của trục.",
				"Where listen in %s was just changed, start the axis again; else see the firewall and the axis's log.", FileName))
		return
	}
	defer raw.Close()
	var shown []*x509.Certificate
	conn := tls.Client(raw, &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // what is shown is judged below, name by name
		VerifyConnection: func(s tls.ConnectionState) error {
			shown = s.PeerCertificates
			return nil
		},
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		c.Wrong(doctor.Textf("%s không bắt tay TLS 1.3: %v", "%s does not shake hands in TLS 1.3: %v", at, err),
			doctor.Textf("Có lẽ chương trình khác đang dùng cổng này; xem nhật ký của trục.", "Another program may have the port; see the axis's log."))
		return
	}
	p.shown(c, at, shown)
}

// shown judges the certificate that the listener has.
func (p *patient) shown(c doctor.Check, at string, shown []*x509.Certificate) {
	leaf, restart := shown[0], doctor.Textf("Khởi động lại trục: chứng thư máy chủ được cấp mới.", "Start the axis again: it issues itself a new one.")
	var lacking []string
	for _, host := range p.file.Hosts {
		if leaf.VerifyHostname(host) != nil {
			lacking = append(lacking, host)
		}
	}
	switch now := p.cfg.Now(); {
	case p.ca != nil && leaf.CheckSignatureFrom(p.ca) != nil:
		c.Wrong(doctor.Textf("%s có chứng thư do %q cấp, không phải CA của trục", "%s shows a certificate issued by %q, not by the axis's CA", at, leaf.Issuer.String()),
			doctor.Textf("Chương trình khác đang dùng cổng này, hoặc thư mục keys bị thay khi trục đang chạy: dừng cả hai, rồi khởi động lại trục.",
				"Another program has the port, or the folder keys was replaced under the running axis: stop both, then start the axis again."))
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		c.Wrong(doctor.Textf("theo đồng hồ máy này, chứng thư máy chủ không có hiệu lực (%s đến %s)", "by this machine's clock the server's certificate is not valid (%s to %s)", lang.Time(leaf.NotBefore), lang.Time(leaf.NotAfter)), restart)
	case len(lacking) > 0:
		c.Wrong(doctor.Textf("chứng thư máy chủ không có tên %s", "the server's certificate lacks %s", strings.Join(lacking, ", ")), restart)
	default:
		c.Well("%s trả lời TLS; chứng thư có %s, đến %s", "%s answers in TLS; its certificate has %s, until %s", at, strings.Join(p.file.Hosts, ", "), lang.Time(leaf.NotAfter))
	}
}

func (p *patient) losses() {
	c := p.report.Check("losses", "Bản ghi bị mất", "Records that were lost")
	s := p.cfg.Status
	switch {
	case s == nil:
		c.Well("biết được khi trục chạy", "known while the axis runs")
	case s.Recovering:
		c.Warn(doctor.Textf("trục đang chờ các điểm kết nối trả lại: mất %d, đã có lại %d", "the axis waits for endpoints to give back: %d lost, %d came back", s.Lost, s.CameBack),
			doctor.Textf("Chờ một phút, rồi xem lại.", "Wait a minute, then look again."))
	case s.Lost > s.CameBack:
		c.Warn(doctor.Textf("một kỷ trước đã ký %d bản ghi mà sổ này không có; %d đã có lại", "an earlier epoch signed %d records that this journal had not; %d came back", s.Lost, s.CameBack),
			doctor.Textf("Giữ cho mọi điểm kết nối chạy: chúng trả lại những gì chúng có. Xem axis journal và axis endpoint list để biết ai chưa kết nối.",
				"Have every endpoint run: they give back what they have. axis endpoint list says who is not connected, axis journal what came back."))
	default:
		c.Well("không còn thiếu: mất %d, đã có lại %d", "nothing is lacking: %d lost, %d came back", s.Lost, s.CameBack)
	}
}

// each says of the endpoints that f names what they have in common; well where it
// names none.
func (p *patient) each(c doctor.Check, f func(operator.EndpointLine) string, say func(n int, names string)) {
	if p.cfg.Status == nil {
		c.Well("biết được khi trục chạy", "known while the axis runs")
		return
	}
	var named []string
	for _, e := range p.cfg.Endpoints {
		if text := f(e); text != "" && !e.Revoked {
			named = append(named, text)
		}
	}
	if len(named) == 0 {
		c.Well("cả %d điểm kết nối đều ổn", "all %d endpoints are well", len(p.cfg.Endpoints))
		return
	}
	few := strings.Join(named[:min(len(named), 5)], ", ")
	if len(named) > 5 {
		few += ", …"
	}
	say(len(named), few)
}

func (p *patient) certificates() {
	c := p.report.Check("endpoint-certificates", "Chứng thư của các điểm kết nối", "The endpoints' certificates")
	until := p.cfg.Now().Add(soon).UnixMilli()
	p.each(c, func(e operator.EndpointLine) string {
		if e.UntilMS == 0 || e.UntilMS > until {
			return ""
		}
		return e.Name + " (" + lang.Millis(e.UntilMS) + ")"
	}, func(n int, names string) {
		c.Warn(doctor.Textf("%d sắp hết hạn hoặc đã hết hạn: %s", "%d end soon or have ended: %s", n, names),
			doctor.Textf("Gọi cho cơ quan: endpoint serve tự gia hạn khi kết nối được, cả sau khi hết hạn; endpoint doctor ở đó cho biết vì sao chưa.",
				"Call the offices: endpoint serve renews once it is connected, also after the end; endpoint doctor there says why it did not."))
	})
}

// longAway is how long a document may wait for an endpoint that is away before
// somebody is to call.
const longAway = 7 * 24 * time.Hour

func (p *patient) absent() {
	c := p.report.Check("endpoints-away", "Điểm kết nối vắng lâu", "Endpoints that are long away")
	since := p.cfg.Now().Add(-longAway).UnixMilli()
	p.each(c, func(e operator.EndpointLine) string {
		if e.Connected || e.Waiting == 0 || e.OldestMS > since || e.HeardMS > since {
			return ""
		}
		return e.Name + " (" + lang.Millis(e.OldestMS) + ")"
	}, func(n int, names string) {
		c.Warn(doctor.Textf("%d có văn bản chờ hơn 7 ngày: %s", "%d have documents waiting for more than 7 days: %s", n, names),
			doctor.Textf("Gọi cho cơ quan (axis waiting --older 168h); nếu máy ở đó đã mất: axis endpoint reissue.", "Call the offices (axis waiting --older 168h); where the machine there is lost: axis endpoint reissue."))
	})
}

// oldBackup is how old the newest backup may be.
const oldBackup = 48 * time.Hour

func (p *patient) backups() {
	c := p.report.Check("backup", "Bản sao lưu", "Backups")
	run := doctor.Textf("Chạy axis backup hằng ngày, và chép bản sao lưu sang máy khác.", "Run axis backup every day, and copy it to another machine.")
	if p.cfg.Backups == "" {
		c.Warn(doctor.Textf("trục không biết bản sao lưu ở đâu", "the axis does not know where backups are"),
			doctor.Textf("Nêu thư mục: axis doctor --backups THƯ MỤC. Chạy axis backup hằng ngày.", "Name their folder: axis doctor --backups FOLDER. Run axis backup every day."))
		return
	}
	name, newest, err := newestFile(p.cfg.Backups)
	switch {
	case err != nil:
		c.Wrong(doctor.Textf("không đọc được thư mục: %v", "their folder cannot be read: %v", err), run)
	case name == "":
		c.Wrong(doctor.Textf("không có bản nào trong %s", "there is none in %s", p.cfg.Backups), run)
	case p.cfg.Now().Sub(newest) > oldBackup:
		c.Warn(doctor.Textf("bản mới nhất, %s, từ %s", "the newest, %s, is of %s", name, lang.Time(newest)), run)
	default:
		c.Well("%s từ %s (axis backup --verify kiểm tra nó)", "%s, of %s (axis backup --verify checks it)", name, lang.Time(newest))
	}
}

// newestFile is the file of a folder that was written last; empty for none.
func newestFile(folder string) (name string, at time.Time, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		info, why := e.Info()
		if why != nil && !errors.Is(why, fs.ErrNotExist) {
			err = cmp.Or(err, why)
		}
		if why == nil && info.Mode().IsRegular() && info.ModTime().After(at) {
			name, at = e.Name(), info.ModTime()
		}
	}
	return name, at, err
}
