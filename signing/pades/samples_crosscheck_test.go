//go:build crosscheck

package pades_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"docaxis/signing"
	"docaxis/signing/pades"
)

// samples is where pdfcpu keeps its files: made by many programs, some of them signed.
func samples(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pdfcpu/pdfcpu").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// atThatTime is when most of the samples' signers were in force.
func atThatTime() signing.Options {
	return signing.Options{At: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)}
}

// TestRealFilesAreRead: a strict reader is worth something only if it reads what is
// in circulation.
func TestRealFilesAreRead(t *testing.T) {
	labels := map[pades.Label]int{}
	err := filepath.WalkDir(samples(t), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		d := inspectBy(t, b, atThatTime())
		labels[d.Label]++
		if d.Label == pades.Unreadable && e.Name() != "withOffsetStart.pdf" {
			t.Errorf("%s: %s", path, d.Trouble)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if labels[pades.Problem] < 7 || labels[pades.Unsigned] < 400 {
		t.Errorf("%v", labels)
	}
}

// TestRealSignatures: what is known of the signed samples. Nobody trusts their
// authorities here, so the best verdict is that no chain was found.
func TestRealSignatures(t *testing.T) {
	type seen struct {
		Form     pades.SubFilter
		Kind     pades.Kind
		Revision int
		Whole    bool
		Changes  []pades.ChangeKind
		Verdict  signing.SubIndication
	}
	cades := func(revision int, whole bool, changes ...pades.ChangeKind) seen {
		return seen{pades.CAdESDetached, pades.Approval, revision, whole, changes, signing.NoCertificateChainFound}
	}
	weak := func(form pades.SubFilter, kind pades.Kind, revision int) seen {
		return seen{form, kind, revision, true, nil, signing.CryptoConstraintsFailure}
	}
	for file, want := range map[string][]seen{
		"ETSI.CAdES.detached/testPAdES_BB.pdf":  {cades(3, true)},
		"ETSI.CAdES.detached/testPAdES_BT.pdf":  {cades(3, true)},
		"ETSI.CAdES.detached/testPAdES_BLT.pdf": {cades(3, false, pades.ChangeValidation)},
		"ETSI.CAdES.detached/testPAdES_BLTA.pdf": {
			cades(3, false, pades.ChangeValidation, pades.ChangeTimestamp),
			{pades.RFC3161, pades.Timestamp, 5, true, nil, signing.NoCertificateChainFound},
		},
		"adbe.pkcs7.detached/sample1.pdf":     {weak(pades.PKCS7Detached, pades.Approval, 1)},
		"adbe.pkcs7.detached/sample2.pdf":     {weak(pades.PKCS7Detached, pades.Certification, 2)},
		"adbe.pkcs7.detached/usageRights.pdf": nil, // signs no document
		"adbe.x509.rsa_sha1/sample01.pdf":     {weak(pades.X509RSASHA1, pades.Approval, 2)},
	} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join(samples(t), "pkg", "samples", "signatures", filepath.FromSlash(file))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got []seen
			for _, s := range inspectBy(t, b, atThatTime()).Signatures {
				one := seen{s.SubFilter, s.Kind, s.Revision, s.WholeFile, nil, s.Verdict.SubIndication}
				for _, c := range s.Changes {
					one.Changes = append(one.Changes, c.Kind)
				}
				got = append(got, one)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if n := pdfcpuSees(t, path); n != len(want) && want != nil {
				t.Errorf("pdfcpu sees %d signatures", n)
			}
		})
	}
}

// pdfcpuSees is how many signatures pdfcpu finds.
func pdfcpuSees(t *testing.T, path string) int {
	t.Helper()
	api.DisableConfigDir()
	model.TrustedCertDir = t.TempDir() // it asks for one, which may be empty
	c := model.NewDefaultConfiguration()
	c.Offline = true
	found, err := api.ValidateSignatures(path, true, c)
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}
