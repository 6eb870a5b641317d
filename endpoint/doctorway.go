package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"time"

	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/doctor"
)

// way looks at the way to the axis, step by step, and reports whether a log-in has a
// chance.
func (p *patient) way(ctx context.Context, id link.Identity) bool {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Patience)
	defer cancel()
	host, _, err := net.SplitHostPort(id.Address)
	c := p.report.Check("name", "Tên máy của trục", "The axis's name")
	if err != nil {
		c.Wrong(doctor.Textf("địa chỉ %q không có dạng máy:cổng", "the address %q is not host:port", id.Address),
			doctor.Textf("Sửa address trong identity/identity.toml.", "Mend address in identity/identity.toml."))
		return false
	}
	found, err := new(net.Resolver).LookupHost(ctx, host)
	if err != nil {
		c.Wrong(doctor.Textf("không tìm được địa chỉ của %s: %v", "%s has no address: %v", host, err),
			doctor.Textf("Kiểm tra cấu hình DNS của máy này, và address trong identity/identity.toml.", "Check this machine's DNS, and address in identity/identity.toml."))
		return false
	}
	c.Well("%s là %s", "%s is %s", host, found[0])
	conn, ok := p.reach(ctx, id.Address)
	return ok && p.secure(ctx, conn, host, id)
}

func (p *patient) reach(ctx context.Context, address string) (net.Conn, bool) {
	c := p.report.Check("reach", "Đường mạng đến trục", "The line to the axis")
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		c.Wrong(doctor.Textf("không nối được đến %s: %v", "%s cannot be reached: %v", address, err),
			doctor.Textf("Cho phép máy này gọi ra %s trên tường lửa; hỏi quản trị trục xem trục có đang chạy.",
				"Let this machine connect to %s through the firewall; ask the operator whether the axis runs.", address))
		return nil, false
	}
	c.Well("nối được đến %s", "%s answers", address)
	return conn, true
}

// secure shakes hands as the endpoint does, and says who answered where it is not
// the axis.
func (p *patient) secure(ctx context.Context, raw net.Conn, host string, id link.Identity) bool {
	defer raw.Close()
	c := p.report.Check("tls", "TLS và CA đã ghim", "TLS and the pinned CA")
	roots := x509.NewCertPool()
	roots.AddCert(id.CA)
	conn := tls.Client(raw, &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: host, Time: p.cfg.Now,
		Certificates: []tls.Certificate{id.Certificate},
	})
	err := conn.HandshakeContext(ctx)
	if err == nil {
		until := conn.ConnectionState().PeerCertificates[0].NotAfter.Format(time.DateOnly)
		c.Well("máy chủ đúng là trục; chứng thư đến %s", "it is the axis; its certificate holds until %s", until)
		return true
	}
	p.notSecure(c, host, id, err)
	return false
}

// notSecure says why no handshake came about. Whose certificate it is comes before
// what is wrong with it.
func (p *patient) notSecure(c doctor.Check, host string, id link.Identity, err error) {
	var (
		shown   *tls.CertificateVerificationError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &shown) && shown.UnverifiedCertificates[0].CheckSignatureFrom(id.CA) != nil:
		c.Wrong(doctor.Textf("máy trả lời có chứng thư do %q cấp, không phải CA của trục: có thiết bị xen vào giữa và mở TLS, hoặc đó là trục khác", "whoever answers has a certificate issued by %q, not by the axis's CA: something on the way intercepts TLS, or it is another axis", shown.UnverifiedCertificates[0].Issuer.String()),
			doctor.Textf("Yêu cầu bộ phận mạng không kiểm tra TLS (SSL inspection) với %s; đừng cài chứng thư của thiết bị đó.", "Have TLS inspection switched off for %s; do not install the device's certificate.", id.Address))
	case errors.As(err, &name):
		c.Wrong(doctor.Textf("chứng thư của trục không có tên %s", "the axis's certificate does not have the name %s", host),
			doctor.Textf("Sửa address trong identity/identity.toml, hoặc quản trị trục thêm tên vào hosts.", "Mend address in identity/identity.toml, or have the operator add the name to hosts."))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		c.Wrong(doctor.Textf("theo đồng hồ máy này (%s), chứng thư của trục không còn hoặc chưa có hiệu lực", "by this machine's clock (%s) the axis's certificate is not valid", p.cfg.Now().Format(time.DateTime)),
			doctor.Textf("Kiểm tra đồng hồ của máy này trước; nếu đúng giờ, báo quản trị trục.", "Check this machine's clock first; where it is right, tell the operator of the axis."))
	default:
		c.Wrong(doctor.Textf("không bắt tay TLS 1.3 được: %v", "no TLS 1.3 handshake: %v", err),
			doctor.Textf("Thiết bị mạng có thể chặn TLS 1.3, hoặc cổng này không phải của trục. Hỏi bộ phận mạng.", "Something on the way may block TLS 1.3, or the port is not the axis's. Ask whoever runs the network."))
	}
}

// login asks to be let in, as the endpoint does.
func (p *patient) login(ctx context.Context, id link.Identity) {
	c := p.report.Check("login", "Trục có cho vào không", "Whether the axis lets it in")
	if p.cfg.Status != nil && p.cfg.Status.Connected {
		c.Well("điểm kết nối đang chạy đã được cho vào", "the running endpoint is connected")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Patience)
	defer cancel()
	conn, err := bus.Dial(ctx, bus.DialConfig{
		Address: id.Address, Endpoint: id.Endpoint, Certificate: id.Certificate, CA: id.CA,
		Log: slog.New(slog.DiscardHandler), Now: p.cfg.Now,
	})
	if err == nil {
		err = letIn(ctx, conn)
		conn.Close()
	}
	if err == nil {
		c.Well("được", "it does")
		return
	}
	c.Wrong(doctor.Textf("không: %v", "it does not: %v", err),
		doctor.Textf("Điểm kết nối có thể đã bị thu hồi. Hỏi quản trị trục: axis status. Nếu bị thu hồi, xin lời mời mới cho một thư mục mới.",
			"The endpoint may have been revoked. Ask the operator: axis status. Where it was, ask for a new invitation, for a new folder."))
}

func letIn(ctx context.Context, conn *bus.Conn) error {
	in := make(chan struct{}, 1)
	conn.OnConnect(func() {
		select {
		case in <- struct{}{}:
		default:
		}
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-in:
			return nil
		case <-ctx.Done():
			return errors.Join(conn.Trouble(), ctx.Err())
		case <-tick.C:
			if err := conn.Trouble(); err != nil {
				return err
			}
		}
	}
}
