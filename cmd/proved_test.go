package cmd_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"docaxis/internal/evidence"
)

// proved verifies a folder that axis document --evidence wrote, believing its CA and
// nothing else.
//
//	proved proofs
func proved(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proved DIR")
	}
	ts.Check(verify(ts.MkAbs(args[0])))
}

func verify(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	trust := evidence.NewTrust(ca)
	epoch, err := os.ReadFile(filepath.Join(dir, "epoch-1"))
	if err != nil {
		return err
	}
	if _, err := trust.AddEpoch(epoch); err != nil {
		return err
	}
	receipts, err := filepath.Glob(filepath.Join(dir, "*.receipt"))
	if err != nil || len(receipts) != 3 {
		return fmt.Errorf("%d receipts, not those of the envelope, the consignment and the hand-over (%w)", len(receipts), err)
	}
	for _, name := range receipts {
		receipt, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(strings.TrimSuffix(name, ".receipt"))
		if err != nil {
			return err
		}
		if _, err := trust.Receipt(receipt, body); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if strings.Contains(name, "-evidence-") {
			if _, _, err := trust.Statement(body); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}
