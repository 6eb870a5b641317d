package pades_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"golang.org/x/text/unicode/norm"

	"docaxis/signing/pades"
)

func TestHolders(t *testing.T) {
	uid := asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	attribute := func(oid asn1.ObjectIdentifier, s string) []pkix.AttributeTypeAndValue {
		return []pkix.AttributeTypeAndValue{{Type: oid, Value: s}}
	}
	province := []string{"UBND tỉnh Thử"}
	for name, tt := range map[string]struct {
		subject pkix.Name
		want    pades.Holder
	}{
		"a person of an agency":          {pkix.Name{CommonName: "Nguyễn Văn Thử", Organization: province}, pades.Person},
		"a person in capitals":           {pkix.Name{CommonName: "TRẦN THỊ THỬ", OrganizationalUnit: province}, pades.Person},
		"a family name near an office":   {pkix.Name{CommonName: "Bàn Văn Thử", Organization: province}, pades.Person},
		"Trương is no school":            {pkix.Name{CommonName: "Trương Thị Thử", Organization: province}, pades.Person},
		"the agency itself":              {pkix.Name{CommonName: "UBND tỉnh Thử", Organization: province}, pades.Organisation},
		"its own unit":                   {pkix.Name{CommonName: "Tổ Thử Nghiệm", OrganizationalUnit: []string{"TỔ THỬ  NGHIỆM"}}, pades.Organisation},
		"an office":                      {pkix.Name{CommonName: "Sở Thông tin và Truyền thông"}, pades.Organisation},
		"an office, decomposed":          {pkix.Name{CommonName: norm.NFD.String("Ủy ban nhân dân xã Thử")}, pades.Organisation},
		"a company by its tax code":      {pkix.Name{CommonName: "ABC", Names: attribute(uid, "MST:0100000000")}, pades.Organisation},
		"a person by the identity card":  {pkix.Name{CommonName: "Sở Thử", Names: attribute(uid, "CCCD:000000000000")}, pades.Person},
		"a person with a title":          {pkix.Name{CommonName: "A", Names: attribute(asn1.ObjectIdentifier{2, 5, 4, 12}, "Chủ tịch")}, pades.Person},
		"a legal person of EN 319 412":   {pkix.Name{CommonName: "A", Names: attribute(asn1.ObjectIdentifier{2, 5, 4, 97}, "VATVN-0100000000")}, pades.Organisation},
		"a natural person of EN 319 412": {pkix.Name{CommonName: "A", SerialNumber: "PNOVN-000000000000"}, pades.Person},
		"a name without an organisation": {pkix.Name{CommonName: "Nguyễn Văn Thử"}, pades.Unknown},
		"a machine":                      {pkix.Name{CommonName: "signer01", Organization: province}, pades.Unknown},
		"nobody":                         {pkix.Name{}, pades.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := pades.HolderOf(&x509.Certificate{Subject: tt.subject})
			if got != tt.want {
				t.Errorf("%s, not %s", got, tt.want)
			}
			if got.Words("vi") == got.Words("en") {
				t.Error(got.Words("vi"))
			}
		})
	}
	if pades.HolderOf(nil) != pades.Unknown {
		t.Error("no certificate")
	}
}
