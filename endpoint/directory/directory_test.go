package directory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/proto/axispb"
)

type dir struct {
	t  *testing.T
	db *bbolt.DB
}

func open(t *testing.T) dir {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(Init); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.View(Check); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return dir{t, db}
}

func (d dir) do(f func(Directory) error) {
	d.t.Helper()
	if err := d.db.Update(func(tx *bbolt.Tx) error { return f(In(tx)) }); err != nil {
		d.t.Fatal(err)
	}
}

func (d dir) apply(ms int64, changes ...*axispb.Change) {
	d.t.Helper()
	d.do(func(d Directory) error { return d.Apply(time.UnixMilli(ms), &axispb.RegistryChange{Changes: changes}) })
}

func (d dir) lookup(code string) (e *axispb.AgencyEntry) {
	d.t.Helper()
	d.do(func(d Directory) (err error) { e, err = d.Lookup(code); return err })
	return e
}

func put(code, parent string, aliases ...string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: &axispb.Agency{Code: code, Parent: parent, Aliases: aliases}}}
}

func serve(code, endpoint string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_ServeCode{ServeCode: &axispb.ServeCode{Code: code, Endpoint: endpoint}}}
}

func TestLookupByCodeAndAlias(t *testing.T) {
	d := open(t)
	d.do(func(d Directory) error {
		if !d.Empty() {
			t.Error("a new directory is not empty")
		}
		return nil
	})
	d.apply(1, put("H41", "", "000.00.00.H41"), put("H41.1", "H41"))
	if d.lookup("000.00.00.H41").GetAgency().GetCode() != "H41" || d.lookup("H42") != nil {
		t.Error("wrong agency")
	}
	d.apply(2, put("H42", "", "000.00.00.H41"))
	d.apply(3, put("H41", ""))
	if d.lookup("000.00.00.H41").GetAgency().GetCode() != "H42" {
		t.Error("an alias that moved on was dropped")
	}
	d.apply(4, put("H42", ""))
	if d.lookup("000.00.00.H41") != nil {
		t.Error("a dropped alias is still known")
	}
}

func TestListByParentAndPage(t *testing.T) {
	d := open(t)
	d.apply(1, put("H41", ""), put("H41.1", "H41"), put("H41.2", "H41"), put("H41.3", "H41"), put("H42.1", "H42"))
	var got []string
	d.do(func(d Directory) error {
		f := Filter{Parent: "H41", Limit: 2}
		for {
			page, err := d.List(f)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, e := range page {
				got = append(got, e.Agency.Code)
			}
			f.After = got[len(got)-1]
		}
	})
	if !slices.Equal(got, []string{"H41.1", "H41.2", "H41.3"}) {
		t.Fatalf("got %q", got)
	}
}

func TestClosedAgency(t *testing.T) {
	d := open(t)
	d.apply(1, put("H41.1", "H41"))
	d.apply(7, &axispb.Change{Change: &axispb.Change_CloseAgency{CloseAgency: &axispb.CloseAgency{Code: "H41.1", Successors: []string{"H41.2"}}}})
	if e := d.lookup("H41.1"); e.ClosedMs != 7 || !slices.Equal(e.Successors, []string{"H41.2"}) {
		t.Fatalf("got %v", e)
	}
	d.apply(8, put("H41.1", "H41"))
	if e := d.lookup("H41.1"); e.ClosedMs != 7 {
		t.Fatal("a new name opened a closed agency")
	}
}

func TestWhoEverServedACode(t *testing.T) {
	d := open(t)
	d.apply(1, put("H41", ""), serve("H41", "one"))
	d.apply(2, serve("H41", "two"), serve("H42", "three"))
	check := func(endpoint string, want, wantKnown bool, codes ...string) {
		t.Helper()
		d.do(func(d Directory) error {
			served, known, err := d.Served(endpoint, codes...)
			if served != want || known != wantKnown {
				t.Errorf("%s %q: %v, %v", endpoint, codes, served, known)
			}
			return err
		})
	}
	check("one", true, true, "H41")
	check("two", true, true, "H41")
	check("three", false, true, "H41")
	check("three", true, true, "H41", "H42")
	check("three", false, false, "H9")
	d.do(func(d Directory) error {
		codes, err := d.Codes("two")
		if !slices.Equal(codes, []string{"H41"}) {
			t.Errorf("codes %q", codes)
		}
		return err
	})
}

func TestEndpoints(t *testing.T) {
	d := open(t)
	change := &axispb.Change{Change: &axispb.Change_PutEndpoint{PutEndpoint: &axispb.Endpoint{Name: "one", Certificate: []byte("c"), Codes: []string{"H41"}}}}
	d.apply(1, change)
	d.apply(2, change, &axispb.Change{Change: &axispb.Change_RevokeEndpoint{RevokeEndpoint: &axispb.RevokeEndpoint{Name: "one"}}})
	d.do(func(d Directory) error {
		e, err := d.Endpoint("one")
		if len(e.GetCertificates()) != 1 || e.GetRevokedMs() != 2 {
			t.Errorf("got %v", e)
		}
		return err
	})
	if d.lookup("H41").GetEndpoint() != "one" {
		t.Error("its code is not served")
	}
}

func reissue(name, certificate string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutEndpoint{PutEndpoint: &axispb.Endpoint{Name: name, Certificate: []byte(certificate), Reissued: true}}}
}

func TestAReissueEndsCertificates(t *testing.T) {
	d := open(t)
	for _, c := range []string{"a", "b"} {
		d.apply(1, &axispb.Change{Change: &axispb.Change_PutEndpoint{PutEndpoint: &axispb.Endpoint{Name: "one", Certificate: []byte(c)}}})
	}
	// Applied twice, as after a crash.
	d.apply(5, reissue("one", "c"))
	d.apply(5, reissue("one", "c"))
	d.do(func(d Directory) error {
		e, err := d.Endpoint("one")
		if len(e.GetCertificates()) != 3 || e.GetEnded() != 2 || e.GetReissuedMs() != 5 {
			t.Errorf("got %v", e)
		}
		return err
	})
}

func TestPolicies(t *testing.T) {
	d := open(t)
	want := func(code string, delegated bool, security string) {
		t.Helper()
		d.do(func(d Directory) error {
			p, err := d.Policy(code)
			if p.DelegatedSeals != delegated || p.Security != security {
				t.Errorf("policy of %q: %+v", code, p)
			}
			return err
		})
	}
	set := func(p *axispb.Policy) {
		d.apply(9, &axispb.Change{Change: &axispb.Change_PutPolicy{PutPolicy: p}})
	}
	d.apply(1, put("H41", "", "old"), put("H42", ""))
	want("H41", true, "")
	want("", true, "")
	set(&axispb.Policy{DelegatedSeals: axispb.Permission_PERMISSION_FORBIDDEN, Security: "confidential"})
	want("H41", false, "confidential")
	want("H99", false, "confidential")
	set(&axispb.Policy{Code: "old", DelegatedSeals: axispb.Permission_PERMISSION_ALLOWED})
	want("H41", true, "confidential")
	want("old", true, "confidential")
	want("H42", false, "confidential")
	set(&axispb.Policy{})
	set(&axispb.Policy{Code: "H41"})
	want("H41", true, "")
}

func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "seal"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSealsAsOfATime(t *testing.T) {
	d := open(t)
	der := certificate(t)
	digest := sha256.Sum256(der)
	seal := &axispb.Seal{Code: "H41", Certificate: der, ValidFromMs: 120, ValidUntilMs: 900}
	d.apply(50, put("H41", "", "old"))
	d.apply(100, &axispb.Change{Change: &axispb.Change_AdmitSeal{AdmitSeal: seal}})
	d.apply(500, &axispb.Change{Change: &axispb.Change_RetireSeal{RetireSeal: &axispb.RetireSeal{Code: "H41", Digest: digest[:]}}})
	for ms, want := range map[int64]int{99: 0, 110: 0, 120: 1, 300: 1, 500: 1, 501: 0} {
		for _, code := range []string{"H41", "old"} {
			d.do(func(d Directory) error {
				certs, err := d.SealsAt(code, time.UnixMilli(ms))
				if len(certs) != want {
					t.Errorf("%s at %d: %d seals, want %d", code, ms, len(certs), want)
				}
				return err
			})
		}
	}
	d.apply(700, &axispb.Change{Change: &axispb.Change_AdmitSeal{AdmitSeal: seal}})
	d.do(func(d Directory) error {
		for ms, want := range map[int64]int{300: 1, 800: 1, 950: 0} {
			if certs, err := d.SealsAt("H41", time.UnixMilli(ms)); err != nil || len(certs) != want {
				t.Errorf("admitted again, at %d: %d seals, %v", ms, len(certs), err)
			}
		}
		return nil
	})
}

func TestApplyOfNothing(t *testing.T) {
	d := open(t)
	d.apply(1, &axispb.Change{}, put("", ""), serve("", "x"),
		&axispb.Change{Change: &axispb.Change_RetireSeal{RetireSeal: &axispb.RetireSeal{Code: "H1"}}},
		&axispb.Change{Change: &axispb.Change_RevokeEndpoint{RevokeEndpoint: &axispb.RevokeEndpoint{}}},
		&axispb.Change{Change: &axispb.Change_AdmitSeal{AdmitSeal: nil}})
}
