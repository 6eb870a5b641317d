package evidence

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// FuzzStatement gives both what comes from outside as it is, and the same bytes
// as a statement that an enrolled endpoint has signed: the second reaches what is
// behind the signature.
func FuzzStatement(f *testing.F) {
	w := newWorld(f)
	ev, err := w.h41.Sign(consignment())
	must(f, err)
	f.Add(ev)
	f.Add(marshal(f, consignment()))
	f.Add(marshal(f, rejection()))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, input := range [][]byte{b, signStatement(t, w.h41, b)} {
			st, cert, err := w.trust.Statement(input)
			if err != nil {
				continue
			}
			if err := checkStatement(st); err != nil {
				t.Errorf("accepted against the rules: %v", err)
			}
			if st.Issuer != cert.Subject.CommonName || st.Issuer == AxisIssuer && st.Counter != 0 {
				t.Errorf("accepted from %q with a certificate of %q", st.Issuer, cert.Subject.CommonName)
			}
			if at := time.UnixMilli(st.TimeMs); checkUse(cert, at) != nil {
				t.Errorf("accepted at %s", at)
			}
		}
	})
}

func FuzzReceipt(f *testing.F) {
	w := newWorld(f)
	r := record(f, 1, "an envelope")
	f.Add(w.receipt(r), r.Body)
	f.Add(w.receipt(r), []byte(nil))
	f.Fuzz(func(t *testing.T, receipt, body []byte) {
		p, err := w.trust.Receipt(receipt, body)
		if err != nil {
			return
		}
		if p.Header == nil || p.LeafIndex >= p.Checkpoint.Size {
			t.Errorf("accepted leaf %d at size %d", p.LeafIndex, p.Checkpoint.Size)
		}
		if body != nil && [32]byte(p.Header.BodyDigest) != [32]byte(digest(string(body))) {
			t.Error("accepted for another body")
		}
	})
}

// FuzzCheckpoint gives notes as they come, and texts that the log has signed.
func FuzzCheckpoint(f *testing.F) {
	w := newWorld(f)
	w.log.fill(11)
	f.Add(w.log.checkpoint(11))
	f.Add([]byte(w.log.text(11)))
	f.Add([]byte(w.log.text(0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		log := *w.log
		log.t = t
		inputs := [][]byte{b}
		if bytes.HasSuffix(b, []byte("\n")) {
			inputs = append(inputs, log.note(string(b)))
		}
		for _, input := range inputs {
			c, err := w.trust.Checkpoint(input)
			if err != nil {
				continue
			}
			// What is accepted has one form only.
			if form := fmt.Sprintf("%s\n%d\n%s\n\n", log.origin, c.Size, c.Root); !bytes.HasPrefix(input, []byte(form)) {
				t.Errorf("accepted %q as %q", input, form)
			}
			if _, err := RefCheckpoint(c.Ref()); err != nil {
				t.Errorf("accepted, but cannot be named: %v", err)
			}
		}
	})
}

// FuzzEpoch gives both what comes from outside and what the CA has signed.
func FuzzEpoch(f *testing.F) {
	ca := newAuthority(f, caSeed)
	l := newLog(f, 1, log1Seed, &testTree{})
	f.Add(ca.sign(l.epoch(1, 0, nil)))
	f.Add(marshal(f, l.epoch(1, 0, nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		ca := *ca
		ca.t = t
		for _, input := range [][]byte{b, ca.signRaw(b)} {
			e, err := NewTrust(ca.cert).AddEpoch(input)
			if err == nil && CheckEpoch(e) != nil {
				t.Errorf("accepted against the rules: %v", e)
			}
		}
	})
}
