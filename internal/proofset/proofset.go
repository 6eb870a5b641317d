// Package proofset owns the form of a folder of proofs, which axis and endpoint hand out
// and the auditor reads: which files there are, under which names.
package proofset

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"docaxis/internal/durable"
	"docaxis/internal/lang"
)

// Set proves the stories of a document to somebody who has nothing but the CA's key from
// elsewhere. Bytes are exact.
type Set struct {
	CA     []byte   `json:"ca"`     // DER
	Epochs [][]byte `json:"epochs"` // SignedEpoch, oldest first
	// One for each record, in the journal's order.
	Records []Record `json:"records"`
}

// Record is a record with its receipt.
type Record struct {
	LeafIndex uint64 `json:"leaf_index"`
	// Event names an evidence's event; empty for the document itself.
	Event string `json:"event,omitempty"`
	// Body is the Envelope or the Evidence, Receipt its Receipt; Time its TimeProof, empty
	// while no time-stamp covers it. Evidence that is not journaled yet has only a body.
	Body    []byte `json:"body"`
	Receipt []byte `json:"receipt,omitempty"`
	Time    []byte `json:"time,omitempty"`
}

// Untimed counts the records without a proof of time.
func (s Set) Untimed() (n int) {
	for _, r := range s.Records {
		if len(r.Time) == 0 {
			n++
		}
	}
	return n
}

// Write makes a folder, which must not be there yet, and gives the names of its files:
// each record's begin with its leaf index.
func (s Set) Write(dir string) ([]string, error) {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(lang.Errorf("%s đã có; không có gì bị ghi đè. Hãy nêu thư mục mới.", "%s exists; nothing was overwritten. Name a new folder.", dir), err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var (
		names []string
		err   error
	)
	put := func(name string, data []byte) {
		if len(data) > 0 {
			names = append(names, name)
			err = errors.Join(err, durable.WriteFile(filepath.Join(dir, name), data, 0o600))
		}
	}
	put("ca.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.CA}))
	for i, e := range s.Epochs {
		put(fmt.Sprintf("epoch-%d", i+1), e)
	}
	for i, r := range s.Records {
		name := r.name(i)
		put(name, r.Body)
		put(name+".receipt", r.Receipt)
		put(name+".time", r.Time)
	}
	put("README.md", []byte(howToVerify))
	return names, err
}

func (r Record) name(i int) string {
	kind := "envelope"
	if r.Event != "" {
		kind = "evidence-" + r.Event
	}
	if len(r.Receipt) == 0 {
		return fmt.Sprintf("without-receipt-%d-%s", i, kind)
	}
	return fmt.Sprintf("%06d-%s", r.LeafIndex, kind)
}
