package axis

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// enclosed is a sealed envelope with files, which travel inside its submission.
func (b *bench) enclosed(d *envelope.Document, files ...[]byte) *axispb.SubmitRequest {
	b.t.Helper()
	var sealed []envelope.File
	for i, data := range files {
		f, err := chunk.Read(bytes.NewReader(data))
		if err != nil {
			b.t.Fatal(err)
		}
		sealed = append(sealed, envelope.File{Title: fmt.Sprintf("tệp %d", i), Type: "text/plain", Content: f})
	}
	s := b.seals[d.Sender]
	raw, err := envelope.Seal(d, sealed, envelope.Key{Signer: s.Key, Chain: s.Chain[:1]})
	if err != nil {
		b.t.Fatal(err)
	}
	return &axispb.SubmitRequest{Envelope: raw, Chunks: files}
}

// wantAnswered has a submission answered with an error of its request, about which
// nothing is journaled.
func (b *bench) wantAnswered(what string, req *axispb.SubmitRequest, code axispb.ReasonCode, temporary bool) {
	b.t.Helper()
	before := b.chainSize()
	answer, err := b.intake.Submit(b.t.Context(), "g22", req)
	if !reason.Is(err, code) || reason.IsTemporary(err) != temporary {
		b.t.Errorf("%s: %v, %v; not %s", what, answer, err, code)
	}
	if after := b.chainSize(); after != before {
		b.t.Errorf("%s: the journal grew from %d to %d", what, before, after)
	}
}

func (b *bench) held(endpoint string, data []byte) bool {
	b.t.Helper()
	id := sha256.Sum256(data)
	held, err := b.content.Have(b.t.Context(), endpoint, [][]byte{id[:]})
	if err != nil {
		b.t.Fatal(err)
	}
	return held[0].Complete
}

// A document whose files are in its submission is accepted without an upload, and again
// with the same leaf, whatever is inside the repetition.
func TestFilesInsideTheSubmission(t *testing.T) {
	b := newBench(t)
	one, two, other := []byte("tệp một"), bytes.Repeat([]byte("tệp hai"), 5000), []byte("tệp khác")
	req := b.enclosed(doc("H41"), one, two)
	var leaf uint64
	for i, chunks := range [][][]byte{{two, one}, {one, two}, nil, {other}} {
		answer, err := b.intake.Submit(t.Context(), "g22", &axispb.SubmitRequest{Envelope: req.Envelope, Chunks: chunks})
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.trust.Receipt(answer.GetReceipt(), req.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && p.LeafIndex != leaf {
			t.Errorf("repetition %d: leaf %d, not %d", i, p.LeafIndex, leaf)
		}
		leaf = p.LeafIndex
	}
	if !b.held("g22", one) || !b.held("g22", two) || b.held("h41", one) {
		t.Error("the files are not the sender's alone")
	}
	if b.held("g22", other) {
		t.Error("a repetition stored what it brought")
	}
}

// A chunk that cannot be stored is answered as a put is; the envelope is not refused, and
// goes with the right ones.
func TestABadChunkInsideASubmission(t *testing.T) {
	b := newBench(t)
	right, wrong := []byte("đúng"), []byte("sai")
	req := b.enclosed(doc("H41"), right)
	with := func(chunks ...[]byte) *axispb.SubmitRequest {
		return &axispb.SubmitRequest{Envelope: req.Envelope, Chunks: chunks}
	}
	many := make([][]byte, chunk.MaxAboardCount+1)
	for i := range many {
		many[i] = right
	}
	b.wantAnswered("other bytes", with(wrong), axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	b.wantAnswered("a chunk of no file", with(right, wrong), axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	b.wantAnswered("an empty one", with(right, nil), axispb.ReasonCode_REASON_MALFORMED, false)
	b.wantAnswered("too many", with(many...), axispb.ReasonCode_REASON_MALFORMED, false)
	b.wantAnswered("too large", with(make([]byte, chunk.MaxAboard+1)), axispb.ReasonCode_REASON_MALFORMED, false)
	b.wantAnswered("none", with(), axispb.ReasonCode_REASON_CONTENT_MISSING, true)
	if b.held("g22", right) || b.held("g22", wrong) {
		t.Error("something was stored")
	}
	answer, err := b.intake.Submit(t.Context(), "g22", req)
	if err != nil || answer.GetReceipt() == nil {
		t.Errorf("with the right ones: %v, %v", answer, err)
	}
}

// What another endpoint uploaded is nobody else's without its bytes, and who does not act
// for a sender stores nothing.
func TestASubmissionWithoutTheBytes(t *testing.T) {
	b := newBench(t)
	theirs := []byte("của H41")
	d := doc("G22")
	d.Sender = "H41"
	if answer, err := b.intake.Submit(t.Context(), "h41", b.enclosed(d, theirs)); err != nil || answer.GetReceipt() == nil {
		t.Fatalf("%v, %v", answer, err)
	}
	req := b.enclosed(doc("H41"), theirs)
	req.Chunks = nil
	b.wantAnswered("no bytes", req, axispb.ReasonCode_REASON_CONTENT_MISSING, true)
	req.Chunks = [][]byte{[]byte("khác")}
	b.wantAnswered("other bytes", req, axispb.ReasonCode_REASON_DIGEST_MISMATCH, false)
	if b.held("g22", theirs) {
		t.Error("it possesses what it never had")
	}
	mine := []byte("của G22")
	answer, err := b.intake.Submit(t.Context(), "h41", b.enclosed(doc("H41"), mine))
	if err != nil || answer.GetRejection() == nil || b.held("h41", mine) {
		t.Errorf("who does not act for the sender: %v, %v", answer, err)
	}
}
