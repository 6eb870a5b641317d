package hubtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

func sum(b []byte) []byte {
	d := sha256.Sum256(b)
	return d[:]
}

// testHave: what others uploaded is not counted, so that a digest that exists
// looks like one that does not.
func testHave(t *testing.T, s *siege) {
	s.attack(t, nil, func() {
		existing := [][]byte{s.crossed.digest(), s.pending.digest(), s.shared.digest()}
		invented := [][]byte{sum([]byte("1")), sum([]byte("2")), sum([]byte("3"))}
		there := s.raw.ask(t, bus.Have, &axispb.HaveRequest{Digests: existing})
		nowhere := s.raw.ask(t, bus.Have, &axispb.HaveRequest{Digests: invented})
		if !proto.Equal(there, nowhere) {
			t.Errorf("%v and %v differ", there, nowhere)
		}
		held := new(axispb.HaveAnswer)
		mustBody(t, there, held)
		for _, h := range held.GetHeld() {
			if h.GetBytes() != 0 || h.GetComplete() {
				t.Errorf("%v is held", h)
			}
		}
		expect(t, "no digest", said(s.raw.ask(t, bus.Have, &axispb.HaveRequest{Digests: [][]byte{{1}}})),
			`MALFORMED ["a chunk's digest has 1 bytes, not 32"]`)
	})
}

// testPut uploads what others hold and what nobody holds in the same steps, some
// of them wrong, and gets the same answers.
func testPut(t *testing.T, s *siege) {
	fresh := bytes.Repeat([]byte("mới "), 40000)
	fresh = fresh[:len(s.crossed.content)]
	steps := func(content []byte) (answers []string) {
		digest, size, half := sum(content), uint32(len(content)), len(content)/2
		for _, req := range []*axispb.PutRequest{
			{Digest: digest, Size: size},
			{Digest: digest, Size: size, Offset: 7, Data: content[7:9]},
			{Digest: digest, Size: size, Data: content[:half]},
			{Digest: digest, Size: size, Data: content[:half]},
			{Digest: digest, Size: size - 1, Offset: uint32(half), Data: content[half:]},
			{Digest: digest, Size: size, Offset: uint32(half), Data: make([]byte, len(content)-half)},
			{Digest: digest, Size: 1, Data: content[:1]},
			{Digest: digest, Size: size, Data: content[:half]},
			{Digest: digest, Size: size, Offset: uint32(half), Data: content[half:]},
			{Digest: digest, Size: size, Offset: 3},
		} {
			a := wire(t, s.raw.ask(t, bus.Put, req))
			answers = append(answers, fmt.Sprintf("%x", bytes.ReplaceAll(a, []byte(hex.EncodeToString(digest)), []byte("the digest"))))
		}
		return answers
	}
	s.attack(t, traces{upload: 2, file: 1}, func() {
		theirs, nobodys := steps(s.crossed.content), steps(fresh)
		for i := range theirs {
			expect(t, fmt.Sprintf("step %d with what others hold", i), theirs[i], nobodys[i])
		}
	})
}

// testGet asks for chunks by every combination of leaf and digest that names
// something of others: all answers are the one for what does not exist.
func testGet(t *testing.T, s *siege) {
	leaves := []uint64{0, 1, s.crossed.item.LeafIndex, s.pending.item.LeafIndex, s.shared.item.LeafIndex, 1 << 40, 1 << 62, 1 << 63, huge}
	digests := [][]byte{s.crossed.digest(), s.pending.digest(), s.shared.digest(), sum([]byte("nothing"))}
	s.attack(t, nil, func() {
		for _, digest := range digests {
			for _, leaf := range leaves {
				if leaf == s.shared.item.LeafIndex && bytes.Equal(digest, s.shared.digest()) {
					continue
				}
				for _, length := range []uint32{1000, 1 << 18, 1 << 31} {
					a := s.raw.ask(t, bus.Get, &axispb.GetRequest{LeafIndex: leaf, Digest: digest, Length: length})
					expect(t, fmt.Sprintf("chunk %x of leaf %d", digest, leaf), said(a), fmt.Sprintf("NOT_FOUND [%q]", hex.EncodeToString(digest)))
				}
			}
		}
		// What it is a party of it gets, so the rest was no accident.
		got := new(axispb.GetAnswer)
		mustBody(t, s.raw.ask(t, bus.Get, &axispb.GetRequest{
			LeafIndex: s.shared.item.LeafIndex, Digest: s.shared.digest(), Length: uint32(len(s.shared.content)),
		}), got)
		if !bytes.Equal(got.GetData(), s.shared.content) {
			t.Error("its own document's content differs")
		}
	})
}

// testResubmission: the list of chunks is not signed. A second submission of the
// attacker's own document that names another's chunk must not make that chunk its
// own.
func testResubmission(t *testing.T, s *siege) {
	mine := []byte("của mình")
	s.raw.upload(t, mine)
	raw := s.compose(t, s.attacker, docTo("H25"), mine)
	first := s.submit(t, raw)
	if first.GetReceipt() == nil {
		t.Fatalf("its own document is refused: %v", first)
	}
	s.settle(t)
	for _, p := range []parcel{s.pending, s.crossed} {
		env := new(axispb.Envelope)
		if err := proto.Unmarshal(raw, env); err != nil {
			t.Fatal(err)
		}
		env.Contents[0].Chunks[0] = p.digest()
		s.attack(t, nil, func() {
			if again := s.submit(t, wire(t, env)); again.GetReceipt() == nil {
				t.Errorf("the repetition is refused: %v", again)
			}
			s.ownNothingOf(t, p)
		})
	}
}

// ownNothingOf: neither does the axis count the chunk as the attacker's, nor does a
// document of the attacker that names it pass.
func (s *siege) ownNothingOf(t *testing.T, p parcel) {
	t.Helper()
	if bytes.Equal(p.digest(), s.crossed.digest()) {
		return // uploaded by the attacker itself in testPut
	}
	held := new(axispb.HaveAnswer)
	mustBody(t, s.raw.ask(t, bus.Have, &axispb.HaveRequest{Digests: [][]byte{p.digest()}}), held)
	if h := held.GetHeld()[0]; h.GetComplete() || h.GetBytes() > 0 {
		t.Errorf("the axis counts another's chunk as the attacker's: %v", h)
	}
	theirs := s.raw.ask(t, bus.Submit, &axispb.SubmitRequest{Envelope: s.compose(t, s.attacker, docTo("H25"), p.content)})
	expect(t, "a document with another's file", said(theirs), `temporary CONTENT_MISSING ["files/001.bin"]`)
}

func (s *siege) submit(t *testing.T, raw []byte) *axispb.SubmitAnswer {
	t.Helper()
	answer := new(axispb.SubmitAnswer)
	mustBody(t, s.raw.ask(t, bus.Submit, &axispb.SubmitRequest{Envelope: raw}), answer)
	return answer
}

// testForeignContent: a document may name only chunks that its endpoint uploaded.
// Nothing of it is journaled, since what is missing may still come.
func testForeignContent(t *testing.T, s *siege) {
	s.attack(t, nil, func() {
		for _, content := range [][]byte{s.pending.content, s.shared.content, []byte("never uploaded by anybody")} {
			raw := s.compose(t, s.attacker, docTo("H25"), content)
			a := s.raw.ask(t, bus.Submit, &axispb.SubmitRequest{Envelope: raw})
			expect(t, "content that it did not upload", said(a), `temporary CONTENT_MISSING ["files/001.bin"]`)
			other := []byte("other bytes")
			a = s.raw.ask(t, bus.Submit, &axispb.SubmitRequest{Envelope: raw, Chunks: [][]byte{other}})
			expect(t, "other bytes inside the submission", said(a), fmt.Sprintf(`DIGEST_MISMATCH ["%x"]`, sum(other)))
		}
	})
}
