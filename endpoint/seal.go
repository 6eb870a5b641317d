package endpoint

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/internal/envelope"
	"docaxis/signing"
)

// seal is the seal of an agency that sends from here.
type seal = envelope.Key

// loadSeals reads every seal that the settings name, by the agency's code. A seal
// that cannot be read stops the start: a clerk must not find out at the first
// urgent document.
func loadSeals(dir string, all []SealSettings) (map[string]seal, error) {
	seals := make(map[string]seal, len(all))
	for _, s := range all {
		password, err := readPassword(dir, s.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("seal of %s: %w", s.Code, err)
		}
		var more []string
		if s.Certificate != "" {
			more = append(more, within(dir, s.Certificate))
		}
		key, chain, err := signing.LoadKey(within(dir, s.Key), password, more...)
		if err != nil {
			return nil, fmt.Errorf("seal of %s: %w", s.Code, err)
		}
		seals[s.Code] = seal{Signer: key, Chain: chain}
	}
	return seals, nil
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

// sealKnown reports whether the directory has the seal for the agency; known is
// false where the directory has no seal of that agency at all.
func sealKnown(tx *bbolt.Tx, code string, key seal) (admitted, known bool, err error) {
	all, err := directory.In(tx).Seals(code)
	if err != nil || len(all) == 0 {
		return false, false, err
	}
	mine := sha256.Sum256(key.Chain[0].Raw)
	for _, s := range all {
		if sha256.Sum256(s.Seal.GetCertificate()) == mine && s.RetiredMs == 0 {
			return true, true, nil
		}
	}
	return false, true, nil
}
