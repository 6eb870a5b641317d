package signing_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// authorityOf makes a root with an authority for time-stamps that says it is
// stampedAt.
func authorityOf(t testing.TB) (signingtest.Identity, *signingtest.TimestampAuthority) {
	t.Helper()
	root := must(signingtest.NewRoot("Root of time", sealtest.NotBefore, sealtest.NotAfter))
	return root, must(root.NewTimestampAuthority("TSA", func() time.Time { return stampedAt }))
}

// ask is the way of a signature value to an authority and back.
func ask(tsa *signingtest.TimestampAuthority, h crypto.Hash) func([]byte) ([]byte, error) {
	return func(value []byte) ([]byte, error) {
		w := h.New()
		w.Write(value)
		request, err := signing.TimestampRequest(h, w.Sum(nil), big.NewInt(42))
		if err != nil {
			return nil, err
		}
		return signing.ReadTimestampResponse(tsa.Respond(request))
	}
}

// TestAddTimestamp: a stored signature becomes B-T, in either encoding and for any
// of several signers; all that was signed stays as it was.
func TestAddTimestamp(t *testing.T) {
	b := newBench(t)
	root, tsa := authorityOf(t)
	two := severalSigners(t, forge(b.seal, b.content), bySHA512(b))
	made := must(signing.Sign(b.content, b.seal.Key, b.seal.Chain))
	for _, tt := range []struct {
		name      string
		signature []byte
		signer    int
		hash      crypto.Hash
	}{
		{"made by Sign", made, 0, crypto.SHA256},
		{"BER", inBER(made), 0, crypto.SHA384},
		{"first of two", two, 0, crypto.SHA512},
		{"second of two", two, 1, crypto.SHA256},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := anchoredAt(b.root)
			o.Timestamping = signing.NewTrust([]*x509.Certificate{root.Certificate()}, nil)
			signature := tt.signature
			for n := 1; n <= 2; n++ {
				signature = must(signing.AddTimestamp(signature, tt.signer, ask(tsa, tt.hash)))
				verdicts := must(signing.Verify(signature, b.content, o))
				for i, v := range verdicts {
					stamped := i == tt.signer
					if !v.Passed() || stamped != (v.TimeSource == signing.TimeTimestamp) || stamped && len(v.Timestamps) != n {
						t.Fatalf("signer %d: %s (%s), by %s, %d time-stamps", i, v.SubIndication, v.Detail, v.TimeSource, len(v.Timestamps))
					}
				}
				if o.DER = true; !must(signing.Verify(signature, b.content, o))[0].Passed() {
					t.Error("the outcome is no DER")
				}
			}
			want := tt.signature
			if tt.name == "BER" {
				want = made
			}
			if diff := cmp.Diff(withoutTokens(t, want), withoutTokens(t, signature)); diff != "" {
				t.Errorf("more was changed than the time-stamps: %s", diff)
			}
		})
	}
}

// withoutTokens is every part of a signature but unsigned attributes and lengths.
func withoutTokens(t *testing.T, signature []byte) (all [][]byte) {
	t.Helper()
	parts := children(t, children(t, children(t, signature)[1])[0]) // SignedData
	last := len(parts) - 1
	for _, info := range children(t, parts[last]) {
		for _, part := range children(t, info) {
			if part[0] != 0xa1 {
				all = append(all, part)
			}
		}
	}
	return append(all, parts[:last]...)
}

// children are the elements within an element.
func children(t *testing.T, der []byte) (all [][]byte) {
	t.Helper()
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	for rest := outer.Bytes; len(rest) > 0; {
		var e asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e.FullBytes)
	}
	return all
}

func TestAddTimestampRefuses(t *testing.T) {
	b := newBench(t)
	root, tsa := authorityOf(t)
	signature := forge(b.seal, b.content).der(t)
	other := func([]byte) ([]byte, error) { return ask(tsa, crypto.SHA256)([]byte("another value")) }
	if _, err := signing.AddTimestamp(signature, 0, other); !errors.Is(err, signing.ErrOtherTimestamp) {
		t.Errorf("of another value: %v", err)
	}
	weak := func(value []byte) ([]byte, error) {
		return forgeToken(newTSA(t, root, nil), value, func(s *stamps) {
			s.imprint = sequence(algorithm(oidSHA1), octets(make([]byte, 20)))
		}, nil).der(t), nil
	}
	down := func([]byte) ([]byte, error) { return nil, errors.New("nobody answers") }
	noToken := func([]byte) ([]byte, error) { return []byte("no token"), nil }
	for name, try := range map[string]func() ([]byte, error){
		"weak":         func() ([]byte, error) { return signing.AddTimestamp(signature, 0, weak) },
		"down":         func() ([]byte, error) { return signing.AddTimestamp(signature, 0, down) },
		"no token":     func() ([]byte, error) { return signing.AddTimestamp(signature, 0, noToken) },
		"no signer":    func() ([]byte, error) { return signing.AddTimestamp(signature, 1, ask(tsa, crypto.SHA256)) },
		"no signature": func() ([]byte, error) { return signing.AddTimestamp([]byte{0x30, 0}, 0, ask(tsa, crypto.SHA256)) },
	} {
		if der, err := try(); err == nil || der != nil {
			t.Errorf("%s: %d bytes, %v", name, len(der), err)
		}
	}
}

// TestTimestampResponses: what authorities answer, and what is none.
func TestTimestampResponses(t *testing.T) {
	_, tsa := authorityOf(t)
	digest := sha256.Sum256([]byte("content"))
	good := tsa.Respond(must(signing.TimestampRequest(crypto.SHA256, digest[:], nil)))
	token := must(signing.ReadTimestampResponse(good))
	if info := must(signing.ParseTimestamp(token)); info.Nonce != nil || !bytes.Equal(info.Digest, digest[:]) || !info.Policy.Equal(signingtest.Policy) {
		t.Errorf("%+v", info)
	}
	for i := range good {
		if _, err := signing.ReadTimestampResponse(good[:i]); err == nil {
			t.Fatalf("read %d of %d bytes", i, len(good))
		}
	}
	refused := func(parts ...[]byte) []byte { return sequence(sequence(parts...)) }
	for _, tt := range []struct {
		response  []byte
		want      string
		temporary bool
	}{
		{tsa.Respond([]byte("no request")), "status 2", false},
		{refused(marshal(2), sequence(tlv(0x0c, []byte("bận"))), tlv(0x03, []byte{1, 0, 2})), `status 2, failure 14: "bận"`, true},
		{refused(marshal(3), tlv(0x03, []byte{0, 0x80})), "status 3, failure 0", false},
		{refused(marshal(0)), "timeStampToken", false},
		{refused(marshal(9)), "unknown", false},
		{append(bytes.Clone(good), 0), "behind the end", false},
		{make([]byte, signing.MaxSize+1), "at most", false},
	} {
		_, err := signing.ReadTimestampResponse(tt.response)
		var refusal *signing.TimestampRefusal
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(tt.want)) || errors.As(err, &refusal) && refusal.Temporary() != tt.temporary {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	for _, digest := range [][]byte{nil, make([]byte, 31)} {
		if _, err := signing.TimestampRequest(crypto.SHA256, digest, nil); err == nil {
			t.Error("asked for a digest that is none")
		}
	}
	if _, err := signing.TimestampRequest(crypto.SHA1, make([]byte, 20), nil); err == nil {
		t.Error("asked for SHA-1")
	}
}

// TestSentencesNameTheProof: a sentence says what proves the time.
func TestSentencesNameTheProof(t *testing.T) {
	v := signing.Verdict{Time: sealtest.At}
	seen := map[string]bool{}
	for _, source := range []signing.TimeSource{signing.TimeGiven, signing.TimeNow, signing.TimeCheckpoint, signing.TimeTimestamp} {
		v.TimeSource = source
		for _, lang := range []string{"vi", "en"} {
			if s := v.Sentence(lang); seen[s] {
				t.Errorf("%s is not told apart: %s", source, s)
			} else {
				seen[s] = true
			}
		}
	}
	if v.TimeSource = signing.TimeTimestamp; v.Sentence("vi") != fmt.Sprintf(
		"Chữ ký của người ký không rõ hợp lệ; chứng thư số có hiệu lực tại thời điểm %s (theo dấu thời gian).", "2026-11-21T09:00:00+07:00") {
		t.Error(v.Sentence("vi"))
	}
}
