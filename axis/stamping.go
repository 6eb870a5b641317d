package axis

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"docaxis/axis/sealing"
	"docaxis/internal/evidence"
	"docaxis/internal/lang"
	"docaxis/internal/signer"
	"docaxis/internal/timestamp"
	"docaxis/signing"
)

// SealSettings name the axis's seal: a PEM or PKCS#12 file, or a key in a token by its
// address (pkcs11:…, RFC 7512). Paths are relative to the axis's folder. Where no key is named, the axis's evidence key is taken, which its CA
// vouches for.
type SealSettings struct {
	Key         string `toml:"key,omitempty"`
	Certificate string `toml:"certificate,omitempty"`
	// PasswordFile has the password of a PKCS#12 file in its first line.
	PasswordFile string `toml:"password_file,omitempty"`
	// Signer is the program that reaches tokens; that beside this one where left out.
	Signer string `toml:"signer,omitempty"`
}

// TimestampSettings say who time-stamps the log's checkpoints.
type TimestampSettings struct {
	// Authorities are asked in this order (RFC 3161 over HTTP); without any, nothing is
	// time-stamped.
	Authorities []string `toml:"authorities,omitempty"`
	// Anchors are files or folders of certificates, relative to the axis's folder: whom
	// to believe about time. The folder trust-tsa where there are none.
	Anchors []string `toml:"anchors,omitempty"`
	// Every is the least time between two time-stamps, as a duration of Go: 1m to 1h;
	// empty means 1m. (A text, so that settings without any leave the table out.)
	Every string `toml:"every,omitempty"`
}

const (
	leastEvery, mostEvery = time.Minute, time.Hour
	// anchorsOfTime is the folder of the authorities' certificates.
	anchorsOfTime = "trust-tsa"
)

// validate says what is wrong with the settings, and how to mend it.
func (s TimestampSettings) validate() error {
	var errs []error
	for _, a := range s.Authorities {
		u, err := url.Parse(a)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, lang.Errorf("timestamps.authorities %q: hãy ghi địa chỉ http hoặc https, như http://tsa.example.vn",
				"timestamps.authorities %q: write an address of http or https, as http://tsa.example.vn", a))
		}
	}
	if d := s.interval(); d < leastEvery || d > mostEvery {
		errs = append(errs, lang.Errorf("timestamps.every %q: hãy ghi từ 1m (một phút) đến 1h (một giờ)", "timestamps.every %q: write 1m (a minute) to 1h (an hour)", s.Every))
	}
	return errors.Join(errs...)
}

// interval is Every; 0 where it is none.
func (s TimestampSettings) interval() time.Duration {
	d, err := time.ParseDuration(cmp.Or(s.Every, leastEvery.String()))
	if err != nil {
		return 0
	}
	return d
}

// within is a path as the settings give it.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// openSealing prepares what seals the log's checkpoints. Files are read when they are
// needed: whatever is wrong with them takes the log's time and nothing else, also on the
// day of a restore, and is told like an authority that does not answer.
func (h *Hub) openSealing(context.Context) error {
	if len(h.cfg.Timestamps.Authorities) == 0 {
		return nil
	}
	h.sealer = sealing.New(sealedLog{h}, sealing.Config{
		Every: h.cfg.Timestamps.interval(), Look: h.cfg.SealEvery, Now: h.cfg.Now, Log: h.log, Faults: h.cfg.Faults,
		Seal: h.seal, Authorities: &timekeepers{h: h},
	})
	return nil
}

// timekeepers are the authorities, from the first time on that their certificates could
// be read. They are asked by one goroutine at a time.
type timekeepers struct {
	h      *Hub
	client *timestamp.Client
}

// Signature implements sealing.Authorities.
func (k *timekeepers) Signature(ctx context.Context, signature []byte, signer int) ([]byte, error) {
	if k.client == nil {
		trust, err := k.h.cfg.Timestamps.trust(k.h.dir)
		if err != nil {
			return nil, err
		}
		config := timestamp.Config{Trust: trust, Now: k.h.cfg.Now, Random: k.h.cfg.Random}
		for _, u := range k.h.cfg.Timestamps.Authorities {
			config.Authorities = append(config.Authorities, timestamp.Authority{URL: u})
		}
		if k.client, err = timestamp.New(config); err != nil {
			return nil, err
		}
	}
	return k.client.Signature(ctx, signature, signer)
}

// trust reads the certificates of the authorities.
func (s TimestampSettings) trust(dir string) (*signing.Trust, error) {
	anchors := s.Anchors
	if len(anchors) == 0 {
		anchors = []string{anchorsOfTime}
	}
	var paths []string
	for _, a := range anchors {
		paths = append(paths, within(dir, a))
	}
	found, err := signing.LoadCertificates(paths...)
	if err == nil && len(found) == 0 {
		err = errors.New("no certificate in " + strings.Join(paths, ", "))
	}
	if err != nil {
		return nil, lang.Errorf("không đọc được chứng thư của đơn vị cấp dấu thời gian (%v); hãy đặt chứng thư vào đó, hoặc sửa timestamps.anchors trong %s",
			"the certificates of the time-stamping authorities cannot be read (%v); put them there, or mend timestamps.anchors in %s", err, FileName).Because(err)
	}
	return signing.NewTrust(found, nil), nil
}

// seal is what the settings name; without a key, the evidence key, which may be replaced
// while the axis runs.
func (h *Hub) seal() (crypto.Signer, []*x509.Certificate, error) {
	if h.cfg.Seal.Key == "" {
		return h.evidencePair()
	}
	if signer.IsURI(h.cfg.Seal.Key) {
		return h.token.open(h.dir, h.cfg.Seal, signer.Config{Now: h.cfg.Now})
	}
	return h.cfg.Seal.load(h.dir)
}

// load reads key and certificates.
func (s SealSettings) load(dir string) (crypto.Signer, []*x509.Certificate, error) {
	password := ""
	if s.PasswordFile != "" {
		raw, err := os.ReadFile(within(dir, s.PasswordFile))
		if err != nil {
			return nil, nil, unsealed(err)
		}
		line, _, _ := strings.Cut(string(raw), "\n")
		password = strings.TrimSuffix(line, "\r")
	}
	var more []string
	if s.Certificate != "" {
		more = append(more, within(dir, s.Certificate))
	}
	key, chain, err := signing.LoadKey(within(dir, s.Key), password, more...)
	if err != nil {
		return nil, nil, unsealed(err)
	}
	return key, chain, nil
}

func unsealed(err error) error {
	return lang.Errorf("%v; hãy kiểm tra key, certificate và password_file ở [seal] trong %s (tệp PEM, hoặc PKCS#12 có mật khẩu trong tệp riêng)",
		"%v; check key, certificate and password_file of [seal] in %s (a PEM file, or PKCS#12 with its password in a file)", err, FileName).Because(err)
}

// evidencePair is the axis's evidence key, with its certificate and that of the CA.
func (h *Hub) evidencePair() (crypto.Signer, []*x509.Certificate, error) {
	ca := h.ca.Load()
	key, der, err := ca.IssueAxis()
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate of the axis's evidence key: %w", err)
	}
	return key, []*x509.Certificate{cert, ca.Certificate()}, nil
}

// sealing runs the sealer where there is one.
func (h *Hub) sealing(ctx context.Context) error {
	if h.sealer == nil {
		return nil
	}
	return h.sealer.Run(ctx)
}

// SealNow seals and time-stamps the newest checkpoint, whenever that was done last. It
// reports false where no authority is configured, or nothing is new.
func (h *Hub) SealNow(ctx context.Context) (bool, error) {
	if h.sealer == nil {
		return false, nil
	}
	return h.sealer.Seal(ctx)
}

// sealedLog is the log as the sealer sees it.
type sealedLog struct{ h *Hub }

func (l sealedLog) Newest(ctx context.Context) (sealing.Newest, error) {
	if err := l.h.disks.allowEvidence(evidence.MaxSealed); err != nil {
		return sealing.Newest{}, err
	}
	s, err := l.h.ledger.Snapshot(ctx)
	if err != nil {
		return sealing.Newest{}, err
	}
	defer s.Close() //nolint:errcheck // a snapshot only reads
	last, found, err := s.LastSealed(ctx)
	if err != nil {
		return sealing.Newest{}, err
	}
	n := sealing.Newest{Epoch: s.Position.Epoch, Note: s.Position.Checkpoint}
	if found {
		n.Sealed = time.UnixMilli(last.TimeMS)
	}
	n.Grown, err = s.Grown(ctx, last.Size)
	return n, err
}

func (l sealedLog) Journal(ctx context.Context, epoch uint64, sealed []byte) (bool, error) {
	return l.h.intake.Sealed(ctx, epoch, sealed)
}
