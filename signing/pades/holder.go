package pades

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Holder is whose certificate signed.
type Holder string

// What a certificate's holder can be.
const (
	Person       Holder = "person"
	Organisation Holder = "organisation"
	Unknown      Holder = "unknown"
)

// organisationWords begin the names of Vietnamese agencies and enterprises. None of
// them is a family name as it is written.
var organisationWords = []string{
	"ủy ban", "uỷ ban", "ubnd", "hđnd", "hội đồng", "văn phòng", "bộ", "sở", "ban", "cục", "tổng cục", "chi cục", "vụ", "phòng", "trung tâm",
	"trường", "đại học", "học viện", "viện", "bệnh viện", "trạm", "công ty", "tổng công ty", "tập đoàn", "ngân hàng", "kho bạc", "thanh tra",
	"tòa án", "toà án", "viện kiểm sát", "công an", "quân khu", "bộ chỉ huy", "tỉnh ủy", "thành ủy", "huyện ủy", "quận ủy", "đảng ủy",
	"tỉnh uỷ", "thành uỷ", "huyện uỷ", "đảng uỷ", "liên đoàn", "hội liên hiệp", "hội nông dân", "mặt trận", "chi nhánh", "bảo hiểm", "thuế",
	"hải quan", "quỹ", "nhà xuất bản", "báo", "đài", "tổ chức", "hiệp hội", "doanh nghiệp",
}

var (
	oidUserID       = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	oidOrganisation = asn1.ObjectIdentifier{2, 5, 4, 97}
	oidSurname      = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidGivenName    = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidTitle        = asn1.ObjectIdentifier{2, 5, 4, 12}
)

// HolderOf tells a person's certificate from an organisation's by its subject. No
// standard of Vietnam's public-service PKI fixes that, so it is a heuristic: first
// identifiers that only one of them has (ETSI EN 319 412-1, UID of Vietnamese CAs),
// then whether the common name is that of the organisation, or begins as
// names of agencies do.
func HolderOf(cert *x509.Certificate) Holder {
	if cert == nil {
		return Unknown
	}
	if h := byIdentifier(cert); h != Unknown {
		return h
	}
	name := folded(cert.Subject.CommonName)
	if name == "" {
		return Unknown
	}
	units := append(slices.Clone(cert.Subject.Organization), cert.Subject.OrganizationalUnit...)
	if slices.ContainsFunc(units, func(u string) bool { return folded(u) == name }) || beginsAsOrganisation(name) {
		return Organisation
	}
	if looksLikePerson(cert.Subject.CommonName) && (len(units) > 0 || len(cert.EmailAddresses) > 0) {
		return Person
	}
	return Unknown
}

// byIdentifier reads what names a natural or a legal person by law.
func byIdentifier(cert *x509.Certificate) Holder {
	h := Unknown
	for _, a := range cert.Subject.Names {
		s, _ := a.Value.(string)
		id, _, _ := strings.Cut(strings.ToUpper(s), ":")
		switch {
		case a.Type.Equal(oidSurname), a.Type.Equal(oidGivenName), a.Type.Equal(oidTitle):
			return Person
		case a.Type.Equal(oidUserID) && slices.Contains([]string{"CMND", "CCCD", "HC", "CC"}, id):
			return Person
		case a.Type.Equal(oidUserID) && (id == "MST" || id == "MNS"), a.Type.Equal(oidOrganisation):
			h = Organisation
		}
	}
	for _, prefix := range []string{"PAS", "IDC", "PNO"} {
		if strings.HasPrefix(cert.Subject.SerialNumber, prefix) {
			return Person
		}
	}
	return h
}

func folded(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFC.String(s))), " ")
}

func beginsAsOrganisation(name string) bool {
	return slices.ContainsFunc(organisationWords, func(w string) bool {
		return name == w || strings.HasPrefix(name, w+" ")
	})
}

// looksLikePerson: two to six words of letters alone, each with a capital.
func looksLikePerson(name string) bool {
	words := strings.Fields(norm.NFC.String(name))
	if len(words) < 2 || len(words) > 6 {
		return false
	}
	for _, w := range words {
		for i, r := range w {
			if !unicode.IsLetter(r) || i == 0 && !unicode.IsUpper(r) {
				return false
			}
		}
	}
	return true
}

// Words is the holder's kind in Vietnamese ("vi") or English (any other).
func (h Holder) Words(lang string) string {
	vi, en := "chưa rõ cá nhân hay cơ quan", "person or organisation: not known"
	switch h {
	case Person:
		vi, en = "cá nhân", "person"
	case Organisation:
		vi, en = "cơ quan, tổ chức", "organisation"
	}
	return pick(lang, vi, en)
}

func pick(lang, vi, en string) string {
	if lang == "vi" {
		return vi
	}
	return en
}
