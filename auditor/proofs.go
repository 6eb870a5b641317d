package auditor

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// proofs are the proofs of one folder, which are judged together: epochs say which
// keys count, receipts place records, and evidence is about documents.
type proofs struct {
	*audit
	trust     *evidence.Trust
	epochs    map[string]error // what was wrong with each epoch, by its bytes
	documents map[[sha256.Size]byte]document
}

// document is one whose record was proven.
type document struct {
	proven evidence.Proven
	evidence.Document
}

// member is a file of a folder that may be a proof.
type member struct {
	name string
	raw  []byte
	what any // as proofOf says
}

// record is what is judged together: the body of a record, its receipt and its time
// proofs; any of them may be missing.
type record struct {
	body, receipt *member
	times         []*member
}

func (r record) name() string {
	switch {
	case r.body != nil:
		return r.body.name
	case r.receipt != nil:
		return r.receipt.name
	}
	return r.times[0].name
}

// time is the name that its time proof has.
func (r record) time() string {
	switch {
	case r.body != nil:
		return r.body.name + timeSuffix
	case r.receipt != nil:
		return withoutSuffix(r.receipt.name) + timeSuffix
	}
	return ""
}

// newProofs believes whichever anchor vouches for most: each axis has its own CA, and
// proofs of two are not mixed.
func (a *audit) newProofs(members []*member) *proofs {
	var epochs []*epochProof
	for _, m := range members {
		if e, ok := m.what.(*epochProof); ok {
			epochs = append(epochs, e)
		}
	}
	slices.SortFunc(epochs, func(x, y *epochProof) int { return cmp.Compare(x.epoch.Number, y.epoch.Number) })
	best := a.learn(nil, epochs)
	least := best.strangers(members)
	for _, ca := range a.anchors {
		p := a.learn(ca, epochs)
		if n := p.strangers(members); n < least {
			best, least = p, n
		}
	}
	return best
}

func (a *audit) learn(ca *x509.Certificate, epochs []*epochProof) *proofs {
	p := &proofs{audit: a, trust: evidence.NewTrust(ca), epochs: map[string]error{}, documents: map[[sha256.Size]byte]document{}}
	for _, e := range epochs {
		var signed axispb.SignedEpoch
		if parsed(e.raw, &signed) {
			p.trust.Learn(signed.Authorities)
		}
	}
	for _, e := range epochs {
		_, p.epochs[string(e.raw)] = p.trust.AddEpoch(e.raw)
	}
	return p
}

// strangers counts what others than the trusted CA announced or certified.
func (p *proofs) strangers(members []*member) (n int) {
	for _, m := range members {
		switch w := m.what.(type) {
		case *epochProof:
			if p.epochs[string(w.raw)] != nil {
				n++
			}
		case *evidenceProof:
			cert, err := x509.ParseCertificate(w.evidence.Certificate)
			if err != nil || p.trust.CheckIssued(cert) != nil {
				n++
			}
		}
	}
	return n
}

// paired joins each receipt to its body: by the digest that it has, else by the name,
// so that a body that was changed still meets its receipt.
func paired(members []*member) (records []record) {
	bodies, named := map[[sha256.Size]byte]*member{}, map[string]*member{}
	for _, m := range members {
		named[m.name] = m
		switch m.what.(type) {
		case *receiptProof, *timeProof:
		default:
			bodies[sha256.Sum256(m.raw)] = m
		}
	}
	placed := map[*member]bool{}
	for _, m := range members {
		r, ok := m.what.(*receiptProof)
		if !ok {
			continue
		}
		body := bodies[[sha256.Size]byte(pad(r.header.BodyDigest))]
		if body == nil {
			body = named[withoutSuffix(m.name)]
		}
		records = append(records, record{body: body, receipt: m})
		placed[body] = true
	}
	for _, m := range members {
		if isBody(m) && !placed[m] {
			records = append(records, record{body: m})
		}
	}
	records = timed(records, members, bodies)
	slices.SortFunc(records, func(x, y record) int { return cmp.Compare(x.name(), y.name()) })
	return records
}

// pad makes a digest of any length one that can be looked up.
func pad(digest []byte) []byte {
	return append(slices.Clone(digest), make([]byte, sha256.Size)...)[:sha256.Size]
}

func isBody(m *member) bool {
	switch m.what.(type) {
	case *evidenceProof, *envelopeProof, *recoveredProof:
		return true
	}
	return false
}

// know proves the documents first: evidence is compared with them.
func (p *proofs) know(records []record) {
	for _, r := range records {
		if r.body == nil || r.receipt == nil {
			continue
		}
		body, receipt := r.body.raw, r.receipt.raw
		if _, ok := r.body.what.(*recoveredProof); ok {
			past, err := evidence.OpenRecovered(body)
			if err != nil {
				continue
			}
			body, receipt = past.Record.GetBody(), past.Receipt
		}
		proven, err := p.trust.Receipt(receipt, body)
		if err != nil {
			continue
		}
		if e, err := envelope.Parse(body); err == nil {
			p.documents[proven.Commitment] = document{proven, evidence.Document{
				Sender: e.Document.Sender, ID: e.Document.ID, ManifestDigest: e.ManifestDigest,
			}}
		}
	}
}

// epochFile judges the announcement of a log's key.
func (p *proofs) epochFile(m *member) File {
	e := m.what.(*epochProof).epoch
	s := p.proof(ForEpoch, p.epochFailure(p.epochs[string(m.raw)]))
	s.ClaimedTime = millis(e.OpenedMs)
	s.Covers = Covers{
		Sentence: fmt.Sprintf(p.say("khóa của sổ %s, kỷ %d, từ bản ghi %d", "the key of log %s, epoch %d, from record %d on"), short(e.Origin), e.Number, e.BaseSize),
		Record:   &Record{Origin: short(e.Origin), Epoch: e.Number, LeafIndex: e.BaseSize, Kind: "epoch"},
	}
	if s.Indication == signing.TotalPassed {
		s.Chain = p.authority()
		s.Sentence = fmt.Sprintf(p.say("Kỷ %d của sổ do CA của trục công bố.", "Epoch %d of the log was announced by the axis's CA."), e.Number)
	}
	f := File{File: m.name, Kind: KindEpoch, Sentence: p.say("Công bố khóa ký sổ của trục.", "The announcement of an axis's log key."), Signatures: []Signature{s}}
	f.settle()
	return f
}

// authority are the CAs that are believed about the log.
func (p *proofs) authority() (all []Certificate) {
	for _, c := range p.trust.CAs() {
		all = append(all, *certificate(c))
	}
	return all
}

func (p *proofs) epochFailure(err error) *failure {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, evidence.ErrSplitView):
		return p.splitView(err)
	}
	return &failure{
		signing.NoCertificateChainFound, err.Error(),
		p.say("Kỷ này không do nguồn được tin cậy nào ký; hãy nêu chứng thư CA của trục, lấy từ nơi khác, bằng --anchor.",
			"No trusted authority signed this epoch; name the CA certificate of the axis, got from elsewhere, with --anchor."),
	}
}
