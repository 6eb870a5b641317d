package signing

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of what LoadRevocation reads; a list in PEM takes a third more.
const (
	maxRevocationFile  = MaxCRL * 3 / 2
	maxRevocationFiles = 1000
)

// LoadRevocation reads lists (CRL) and answers (OCSP) in files, DER or PEM, and in the
// files of folders whose names end with .crl, .ocsp, .ors, .der or .pem, not in folders
// below. A file that is neither is an error that names it: whether a certificate is
// revoked must not depend on which files happened to be readable.
func LoadRevocation(paths ...string) (*Revocation, error) {
	r := new(Revocation)
	count := 0
	for _, path := range paths {
		files, err := filesIn(path, ".crl", ".ocsp", ".ors", ".der", ".pem")
		if err != nil {
			return nil, err
		}
		if count += len(files); count > maxRevocationFiles {
			return nil, fmt.Errorf("%s: more than %d files of revocation data", path, maxRevocationFiles)
		}
		for _, file := range files {
			if err := r.load(file); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return r, nil
}

// filesIn are the files of a folder with one of the endings, or the file that is named.
func filesIn(path string, endings ...string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(e.Name()))) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, nil
}

func (r *Revocation) load(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxRevocationFile {
		return fmt.Errorf("no regular file of at most %d bytes", maxRevocationFile)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("-----BEGIN ")) {
		return r.add(raw)
	}
	found := false
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		found = true
		if err := r.add(block.Bytes); err != nil {
			return err
		}
	}
	if !found {
		return errors.New("no PEM")
	}
	return nil
}

// add takes what is a list or an answer.
func (r *Revocation) add(der []byte) error {
	list, notList := ParseCRL(der)
	if notList == nil {
		r.CRLs = append(r.CRLs, list)
		return nil
	}
	answer, err := ParseOCSP(der)
	if err != nil {
		return errors.Join(notList, err)
	}
	r.OCSPs = append(r.OCSPs, answer)
	return nil
}
