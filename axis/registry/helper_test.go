package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"docaxis/axis/registry"
	"docaxis/proto/axispb"
)

var noon = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

// certificate makes a self-signed certificate, valid for a year around noon.
func certificate(t testing.TB, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: noon.AddDate(0, -6, 0), NotAfter: noon.AddDate(0, 6, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func change(steps ...*axispb.Change) *axispb.RegistryChange {
	return &axispb.RegistryChange{Version: 1, Actor: "op", Reason: "test", Changes: steps}
}

func put(code, name, parent string, level axispb.Level, aliases ...string) *axispb.Change {
	return putAgency(&axispb.Agency{Code: code, Name: name, Parent: parent, Level: level, Aliases: aliases})
}

func putAgency(a *axispb.Agency) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: a}}
}

func closing(code string, successors ...string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_CloseAgency{CloseAgency: &axispb.CloseAgency{Code: code, Successors: successors}}}
}

func serve(code, endpoint string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_ServeCode{ServeCode: &axispb.ServeCode{Code: code, Endpoint: endpoint}}}
}

func enrol(name string, cert []byte, codes ...string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutEndpoint{PutEndpoint: &axispb.Endpoint{Name: name, Certificate: cert, Codes: codes}}}
}

func revoke(name string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_RevokeEndpoint{RevokeEndpoint: &axispb.RevokeEndpoint{Name: name}}}
}

func admit(s *axispb.Seal) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_AdmitSeal{AdmitSeal: s}}
}

func retire(code string, digest []byte) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_RetireSeal{RetireSeal: &axispb.RetireSeal{Code: code, Digest: digest}}}
}

func invite(secret, name string, expires time.Time, codes ...string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_Invite{Invite: &axispb.Invitation{
		SecretHash: hash(secret), Endpoint: name, Codes: codes, ExpiresMs: expires.UnixMilli(),
	}}}
}

func use(secret string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_UseInvitation{UseInvitation: &axispb.UseInvitation{SecretHash: hash(secret)}}}
}

func hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

const (
	province = axispb.Level_LEVEL_PROVINCE
	district = axispb.Level_LEVEL_DISTRICT
	commune  = axispb.Level_LEVEL_COMMUNE
)

// world is a registry whose every change is checked first, and whose invariants
// hold after each.
type world struct {
	*registry.State
	t        testing.TB
	position uint64
}

func newWorld(t testing.TB) *world {
	return &world{State: registry.NewState(), t: t}
}

func (w *world) do(at time.Time, steps ...*axispb.Change) registry.Effects {
	w.t.Helper()
	c := change(steps...)
	if err := w.Check(c, at); err != nil {
		w.t.Fatal(err)
	}
	w.position++
	effects := w.Apply(w.position, at, c)
	if err := w.Invariants(); err != nil {
		w.t.Fatal(err)
	}
	return effects
}

// nghean is a province with two districts, of which one has two communes, and two
// endpoints: "vinh" serves the province and a commune, "ndan" a district.
func nghean(t testing.TB) *world {
	w := newWorld(t)
	w.do(noon,
		put("H41", "Ủy ban nhân dân tỉnh Nghệ An", "", province, "000.00.00.H41"),
		put("H41.11", "Ủy ban nhân dân huyện Nam Đàn", "H41", district),
		put("H41.12", "Ủy ban nhân dân huyện Thanh Chương", "000.00.00.H41", district),
		put("H41.11.05", "Ủy ban nhân dân xã Kim Liên", "H41.11", commune, "000.05.11.H41"),
		put("H41.11.06", "Ủy ban nhân dân xã Nam Giang", "H41.11", commune),
	)
	w.do(noon,
		enrol("vinh", certificate(t, "vinh"), "H41", "000.05.11.H41"),
		enrol("ndan", certificate(t, "ndan"), "H41.11"),
	)
	return w
}

func asking(r *axispb.AgencyRequest) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_RequestAgency{RequestAgency: r}}
}

func settling(id string, approved bool) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_SettleRequest{SettleRequest: &axispb.SettleRequest{Id: id, Approved: approved}}}
}
