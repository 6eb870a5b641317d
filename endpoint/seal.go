package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/internal/envelope"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/internal/signer"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// seal is the seal of an agency that sends from here.
type seal = envelope.Key

// loadSeals reads every seal that the settings name, by the agency's code, the newest
// first. A seal that cannot be read stops the start: a clerk must not find out at
// the first urgent document. Only a token that is away does not, once it was seen.
func loadSeals(dir string, all []SealSettings, wait signer.Config) (map[string][]seal, error) {
	seals := make(map[string][]seal, len(all))
	for _, s := range all {
		one, err := loadSeal(dir, s, wait)
		if err != nil {
			return nil, errors.Join(unsealed(s, err), closeSeals(seals))
		}
		seals[s.Code] = append(seals[s.Code], one)
	}
	for _, of := range seals {
		slices.SortStableFunc(of, func(a, b seal) int { return b.Chain[0].NotBefore.Compare(a.Chain[0].NotBefore) })
	}
	return seals, nil
}

func loadSeal(dir string, s SealSettings, wait signer.Config) (seal, error) {
	if signer.IsURI(s.Key) {
		return openToken(dir, s, wait)
	}
	password, err := readPassword(dir, s.PasswordFile)
	if err != nil {
		return seal{}, err
	}
	var more []string
	if s.Certificate != "" {
		more = append(more, within(dir, s.Certificate))
	}
	key, chain, err := signing.LoadKey(within(dir, s.Key), password, more...)
	return seal{Signer: key, Chain: chain}, err
}

// unsealed says why a seal cannot be used, and what to change in the settings.
func unsealed(s SealSettings, err error) error {
	why := lang.Errorf("không đọc được %s (%v); hãy kiểm tra tệp", "%s cannot be read (%v); check the file", s.Key, err)
	var missing *fs.PathError
	switch {
	case signer.ProblemOf(err) != nil:
		why = signer.ProblemOf(err).Said()
	case errors.Is(err, fs.ErrNotExist) && errors.As(err, &missing):
		why = lang.Errorf("không có tệp %s; hãy sửa đường dẫn, tính từ thư mục của điểm kết nối", "there is no file %s; mend its path, which begins in the endpoint's folder", missing.Path)
	case errors.Is(err, signing.ErrPassword) && s.PasswordFile == "":
		why = lang.Errorf("%s có mật khẩu; hãy ghi mật khẩu vào một tệp và nêu tệp đó ở password_file", "%s has a password; write it into a file and name that as password_file", s.Key)
	case errors.Is(err, signing.ErrPassword):
		why = lang.Errorf("mật khẩu trong %s không mở được %s; hãy sửa mật khẩu", "the password in %s does not open %s; mend it", s.PasswordFile, s.Key)
	case errors.Is(err, signing.ErrIterations):
		why = lang.Errorf("%s bắt băm mật khẩu quá nhiều lần nên không được mở; hãy xuất lại tệp từ nơi cấp", "%s asks that its password be hashed too often, so it is not opened; have it exported again", s.Key)
	case errors.Is(err, signing.ErrEncryptedPEM):
		why = lang.Errorf("khóa trong %s có mật khẩu ở dạng PEM; hãy đổi sang PKCS#12 (.p12, .pfx)", "the key in %s is encrypted PEM; convert it to PKCS#12 (.p12, .pfx)", s.Key)
	case errors.Is(err, signing.ErrNoKey):
		why = lang.Errorf("trong %s không có khóa riêng; hãy nêu tệp có khóa ở key", "there is no private key in %s; name the file that has it as key", s.Key)
	case errors.Is(err, signing.ErrNoCertificate):
		why = lang.Errorf("không có chứng thư của khóa trong %s; hãy nêu tệp chứng thư ở certificate", "there is no certificate for the key in %s; name the file that has it as certificate", s.Key)
	}
	return lang.Errorf("Con dấu số của %s trong %s: %v.", "The seal of %s in %s: %v.", s.Code, SettingsFile, why).Because(err)
}

// within is a path as the settings give it, relative to the endpoint's folder.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func readPassword(dir, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	raw, err := os.ReadFile(within(dir, path))
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	return string(bytes.TrimSuffix(line, []byte("\r"))), nil
}

// chooseSeal finds the seal to sign with now: of those that the directory has as
// admitted and valid, the one that was issued last, so that a new one is used from
// the day on which it is good. This endpoint's clock may be wrong, so that where none
// is valid by it an admitted one is taken all the same, and the axis decides; as it
// does where the directory has no seal of that agency.
func chooseSeal(tx *bbolt.Tx, code string, have []seal, now time.Time) (seal, error) {
	known, err := directory.In(tx).Seals(code)
	if err != nil {
		return seal{}, err
	}
	good, admitted := -1, -1
	refused := reason.Permanent(axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED, code, have[0].Chain[0].Subject.String())
	for i, s := range have {
		e := entryOf(known, s)
		if ms := e.GetRetiredMs(); ms != 0 {
			refused = reason.Permanent(axispb.ReasonCode_REASON_SEAL_RETIRED, code, reason.Time(time.UnixMilli(ms)))
		}
		if e == nil && len(known) > 0 || e.GetRetiredMs() != 0 {
			continue
		}
		if admitted = i; good < 0 && validAt(s, e.GetSeal(), now) {
			good = i
		}
	}
	switch {
	case good >= 0:
		return have[good], nil
	case admitted >= 0:
		return have[admitted], nil
	}
	return seal{}, refused
}

// entryOf finds what the directory has of a seal; nil where it has nothing.
func entryOf(known []*axispb.SealEntry, s seal) *axispb.SealEntry {
	for _, e := range known {
		if bytes.Equal(e.Seal.GetCertificate(), s.Chain[0].Raw) {
			return e
		}
	}
	return nil
}

// validAt asks certificate and admission, whose bounds are zero where they are the
// certificate's.
func validAt(s seal, admission *axispb.Seal, now time.Time) bool {
	from, until := s.Chain[0].NotBefore, s.Chain[0].NotAfter
	if ms := admission.GetValidFromMs(); ms != 0 {
		from = time.UnixMilli(ms)
	}
	if ms := admission.GetValidUntilMs(); ms != 0 {
		until = time.UnixMilli(ms)
	}
	return !now.Before(from) && !now.After(until)
}
