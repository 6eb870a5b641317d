package axis

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

// bench is a running hub whose endpoints are only certificates: submissions and
// statements are given to intake as the bus would give them.
type bench struct {
	*Hub
	t     *testing.T
	seals map[string]sealtest.Seal
	keys  map[string]*evidence.Signer
	count map[string]uint64
}

const benchAgencies = `code,name,aliases,parent,level,valid_from,note
G22,Văn phòng Chính phủ,,,ministry,,
H41,Nghệ An,000.00.00.H41,,province,,
H41.11,Huyện Nam Đàn,,H41,district,,
H41.11.05,Xã Kim Liên,,H41.11,commune,,
H41.11.06,Xã Hồng Long,,H41.11,commune,,
H27,Hà Tĩnh,,,province,,
H28,Hòa Bình,,,province,,
H60,Tuyên Quang,,,province,,
`

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchAt(t, time.Now)
}

func newBenchAt(t *testing.T, now func() time.Time) *bench {
	t.Helper()
	return newBenchOf(t, now, DefaultFile())
}

func newBenchOf(t *testing.T, now func() time.Time, file File) *bench {
	t.Helper()
	dir := t.TempDir()
	file.Listen = "127.0.0.1:0"
	if err := Init(dir, file, Config{Now: now}); err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), dir, Config{File: file, Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Hub: h, t: t, seals: map[string]sealtest.Seal{}, keys: map[string]*evidence.Signer{}, count: map[string]uint64{}}
	ctx := t.Context()
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { // t.Context has ended by now
		running.Wait()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := h.ImportAgencies(ctx, operator.Import{CSV: benchAgencies}); err != nil {
		t.Fatal(err)
	}
	b.endpoint("g22", "G22")
	b.endpoint("h41", "H41")
	b.endpoint("h41-11", "H41.11", "H41.11.05")
	return b
}

// endpoint enrols a certificate for codes and admits a seal for each.
func (b *bench) endpoint(name string, codes ...string) {
	b.t.Helper()
	key := sealtest.P256(b.t)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		b.t.Fatal(err)
	}
	cert, err := b.ca.Load().IssueEndpoint(csr, name)
	if err != nil {
		b.t.Fatal(err)
	}
	b.change(&axispb.Change{Change: &axispb.Change_PutEndpoint{
		PutEndpoint: &axispb.Endpoint{Name: name, Certificate: cert, Codes: codes},
	}})
	if b.keys[name], err = evidence.NewSigner(key, cert); err != nil {
		b.t.Fatal(err)
	}
	for _, code := range codes {
		seal := sealtest.Issue(b.t, sealtest.Seal{}, "Con dấu "+code, sealtest.P256(b.t), nil)
		b.seals[code] = seal
		if _, err := b.AdmitSeal(b.t.Context(), operator.Seal{Code: code, Certificate: seal.Certificate().Raw}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) change(c *axispb.Change) uint64 {
	b.t.Helper()
	leaf, err := b.intake.Change(b.t.Context(), "", change("test", "", c))
	if err != nil {
		b.t.Fatal(err)
	}
	return leaf
}

func (b *bench) close(code string, successors ...string) {
	b.change(&axispb.Change{Change: &axispb.Change_CloseAgency{CloseAgency: &axispb.CloseAgency{Code: code, Successors: successors}}})
}

func doc(to ...string) *envelope.Document {
	return &envelope.Document{
		Version: 1, ID: uuid.Must(uuid.NewV7()).String(), Sender: "G22", To: to, Kind: envelope.KindDocument,
		Security: envelope.SecurityOrdinary, Subject: "Công văn", Created: time.Now().UTC().Truncate(time.Millisecond),
	}
}

func (b *bench) seal(d *envelope.Document) []byte {
	b.t.Helper()
	s := b.seals[d.Sender]
	raw, err := envelope.Seal(d, nil, envelope.Key{Signer: s.Key, Chain: s.Chain[:1]})
	if err != nil {
		b.t.Fatal(err)
	}
	return raw
}

// submit gives an envelope to intake and returns the verified receipt, or the
// reason of the verified rejection.
func (b *bench) submit(endpoint string, raw []byte) (evidence.Proven, axispb.ReasonCode) {
	b.t.Helper()
	answer, err := b.intake.Submit(b.t.Context(), endpoint, &axispb.SubmitRequest{Envelope: raw})
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.GetRejection() == nil {
		p, err := b.trust.Receipt(answer.GetReceipt(), raw)
		if err != nil {
			b.t.Fatal(err)
		}
		return p, 0
	}
	st, _, err := b.trust.Statement(answer.GetRejection())
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.trust.Receipt(answer.GetRejectionReceipt(), answer.GetRejection()); err != nil {
		b.t.Errorf("receipt of the rejection: %v", err)
	}
	if digest := sha256.Sum256(raw); !slices.Equal(st.GetEnvelopeDigest(), digest[:]) {
		b.t.Error("the rejection is of another envelope")
	}
	return evidence.Proven{}, st.GetReason().GetCode()
}

func (b *bench) accept(d *envelope.Document) evidence.Proven {
	b.t.Helper()
	endpoints := map[string]string{"G22": "g22", "H41": "h41", "H41.11": "h41-11", "H41.11.05": "h41-11"}
	p, refused := b.submit(endpoints[d.Sender], b.seal(d))
	if refused != 0 {
		b.t.Fatalf("refused: %v", refused)
	}
	return p
}

func TestTheSameSubmissionHasOneLeaf(t *testing.T) {
	b := newBench(t)
	d := doc("H41")
	raw := b.seal(d)
	first, refused := b.submit("g22", raw)
	if refused != 0 {
		t.Fatal(refused)
	}
	b.accept(doc("H41"))
	again, _ := b.submit("g22", raw)
	if again.LeafIndex != first.LeafIndex || again.Commitment != first.Commitment {
		t.Errorf("again: leaf %d, not %d", again.LeafIndex, first.LeafIndex)
	}
	d.Subject = "Nội dung khác"
	if _, refused := b.submit("g22", b.seal(d)); refused != axispb.ReasonCode_REASON_ID_COLLISION {
		t.Errorf("other content under the same id: %v", refused)
	}
}

func TestConcurrentRepetitionsHaveOneLeaf(t *testing.T) {
	b := newBench(t)
	raw := b.seal(doc("H41"))
	before := b.chainSize()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		leaves = map[uint64]bool{}
	)
	for range 50 {
		wg.Go(func() {
			answer, err := b.intake.Submit(t.Context(), "g22", &axispb.SubmitRequest{Envelope: raw})
			if err != nil {
				t.Error(err)
				return
			}
			p, err := b.trust.Receipt(answer.GetReceipt(), raw)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			leaves[p.LeafIndex] = true
		})
	}
	wg.Wait()
	if len(leaves) != 1 || b.chainSize() != before+1 {
		t.Errorf("leaves %v, journal grew from %d to %d", leaves, before, b.chainSize())
	}
}

func (b *bench) chainSize() uint64 {
	b.t.Helper()
	p, err := b.ledger.Position(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return p.Size
}

func TestWhatWasRefusedMayBeSentAgain(t *testing.T) {
	b := newBench(t)
	raw := b.seal(doc("H28"))
	if _, refused := b.submit("g22", raw); refused != axispb.ReasonCode_REASON_NOT_SERVED {
		t.Fatalf("refused with %v", refused)
	}
	b.endpoint("h28", "H28")
	if p, refused := b.submit("g22", raw); refused != 0 || p.Decision.GetDocument().GetRows() != 1 {
		t.Errorf("after an endpoint serves it: %v, %v", refused, p.Decision)
	}
}

func TestRecipientsAreResolvedOneByOne(t *testing.T) {
	b := newBench(t)
	b.close("H27", "H41")        // one successor
	b.close("H28", "H41", "G22") // several
	b.close("H60")               // none
	p := b.accept(doc("H27", "H28", "H60", "H41.11", "H41.11.06", "H99"))
	got := map[string]axispb.ReasonCode{}
	for _, r := range p.Decision.GetDocument().GetRefused() {
		got[r.GetCode()] = r.GetReason().GetCode()
	}
	want := map[string]axispb.ReasonCode{
		"H28":       axispb.ReasonCode_REASON_SEVERAL_SUCCESSORS,
		"H60":       axispb.ReasonCode_REASON_CLOSED_CODE,
		"H41.11.06": axispb.ReasonCode_REASON_NOT_SERVED,
		"H99":       axispb.ReasonCode_REASON_UNKNOWN_CODE,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("refused %v, not %v", got, want)
	}
	routed := p.Decision.GetDocument().GetRouted()
	if len(routed) != 1 || routed[0].GetCode() != "H27" || routed[0].GetSuccessor() != "H41" {
		t.Errorf("routed %v", routed)
	}
	if rows := b.rowsOf(p.LeafIndex); !slices.Equal(rows, []string{"H27→H41@h41", "H41.11→H41.11@h41-11"}) {
		t.Errorf("rows %v", rows)
	}
}

// rowsOf lists a document's recipients as the ledger has them.
func (b *bench) rowsOf(leaf uint64) (rows []string) {
	b.t.Helper()
	k, found, err := b.ledger.ByPosition(b.t.Context(), leaf)
	if err != nil || !found {
		b.t.Fatal(found, err)
	}
	stories, err := b.ledger.Stories(b.t.Context(), k.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range stories[0].Recipients {
		rows = append(rows, r.Code+"→"+r.Serving+"@"+r.Endpoint)
	}
	return rows
}

func TestAnAliasAndItsAgencyAreOneRecipient(t *testing.T) {
	b := newBench(t)
	p := b.accept(doc("H41", "000.00.00.H41"))
	if rows := b.rowsOf(p.LeafIndex); len(rows) != 1 {
		t.Errorf("rows %v", rows)
	}
	refused := p.Decision.GetDocument().GetRefused()
	if len(refused) != 1 || refused[0].GetReason().GetCode() != axispb.ReasonCode_REASON_DUPLICATE_CODE {
		t.Errorf("refused %v", refused)
	}
}

func TestAGroupIsItsServedMembersWithoutTheSender(t *testing.T) {
	b := newBench(t)
	d := doc()
	d.Groups = []envelope.Group{{}, {Under: "H41", Level: "commune"}}
	p := b.accept(d)
	if rows := b.rowsOf(p.LeafIndex); !slices.Equal(rows, []string{"H41→H41@h41", "H41.11→H41.11@h41-11", "H41.11.05→H41.11.05@h41-11"}) {
		t.Errorf("rows %v", rows)
	}
	groups := p.Decision.GetDocument().GetGroups()
	if len(groups) != 2 || groups[0].GetServed() != 3 || groups[1].GetServed() != 0 || groups[1].GetUnserved() != 1 {
		t.Errorf("groups %v", groups)
	}
}

func TestAChangeNeedsItsTargetAndTravelsAsFast(t *testing.T) {
	b := newBench(t)
	reply := func(to envelope.Reference) *envelope.Document {
		d := doc("H41")
		d.Kind, d.References = envelope.KindReply, []envelope.Reference{to}
		return d
	}
	unknown := reply(envelope.Reference{Sender: "G22", ID: uuid.Must(uuid.NewV7()).String(), Relation: envelope.RelationTarget})
	if _, refused := b.submit("g22", b.seal(unknown)); refused != axispb.ReasonCode_REASON_UNKNOWN_TARGET {
		t.Errorf("unknown target: %v", refused)
	}
	urgent := doc("H41")
	urgent.Priority = 2
	target := b.accept(urgent)
	p := b.accept(reply(envelope.Reference{Sender: "G22", ID: urgent.ID, Relation: envelope.RelationTarget}))
	d := p.Decision.GetDocument()
	if d.GetLane() != axispb.Lane_LANE_URGENT || d.GetTarget().GetLeafIndex() != target.LeafIndex {
		t.Errorf("lane %v, target %v", d.GetLane(), d.GetTarget())
	}
}

func TestSealsThatDoNotCount(t *testing.T) {
	b := newBench(t)
	stranger := sealtest.Issue(t, sealtest.Seal{}, "Người lạ", sealtest.P256(t), nil)
	d := doc("H41")
	raw, err := envelope.Seal(d, nil, envelope.Key{Signer: stranger.Key, Chain: stranger.Chain})
	if err != nil {
		t.Fatal(err)
	}
	if _, refused := b.submit("g22", raw); refused != axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED {
		t.Errorf("a stranger's seal: %v", refused)
	}
	other := b.seals["H41"]
	if raw, err = envelope.Seal(d, nil, envelope.Key{Signer: other.Key, Chain: other.Chain[:1]}); err != nil {
		t.Fatal(err)
	}
	if _, refused := b.submit("g22", raw); refused != axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED {
		t.Errorf("another agency's seal: %v", refused)
	}
	digest := sha256.Sum256(b.seals["G22"].Certificate().Raw)
	b.change(&axispb.Change{Change: &axispb.Change_RetireSeal{RetireSeal: &axispb.RetireSeal{Code: "G22", Digest: digest[:]}}})
	if _, refused := b.submit("g22", b.seal(d)); refused != axispb.ReasonCode_REASON_SEAL_RETIRED {
		t.Errorf("a retired seal: %v", refused)
	}
}

func TestASenderOfAnotherEndpointIsRefused(t *testing.T) {
	b := newBench(t)
	if _, refused := b.submit("h41", b.seal(doc("H41"))); refused != axispb.ReasonCode_REASON_SENDER_NOT_SERVED {
		t.Errorf("refused with %v", refused)
	}
}

func TestAnEnvelopeThatCannotBeReadIsRefusedWithARecord(t *testing.T) {
	b := newBench(t)
	before := b.chainSize()
	if _, refused := b.submit("g22", []byte("không phải phong bì")); refused == 0 {
		t.Error("accepted")
	}
	if b.chainSize() != before+1 {
		t.Error("the refusal is not in the journal")
	}
}

// state makes an endpoint's statement about a document.
func (b *bench) state(endpoint string, p evidence.Proven, d *envelope.Document, code string, ev axispb.Event, raw []byte) *axispb.Statement {
	b.t.Helper()
	at, err := b.ledger.Position(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := envelope.Parse(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	b.count[endpoint]++
	st := &axispb.Statement{
		Version: 1, Event: ev, Issuer: endpoint, Counter: b.count[endpoint], TimeMs: time.Now().UnixMilli(),
		Document: p.Ref(), Commitment: p.Commitment[:], Sender: d.Sender, EnvelopeId: d.ID,
		ManifestDigest: e.ManifestDigest[:], Code: code,
		Checkpoint: &axispb.CheckpointRef{Epoch: at.Epoch, Size: at.Size, Root: at.Root[:]},
	}
	if evidence.IsNegative(ev) {
		st.Reason = &axispb.Reason{Code: axispb.ReasonCode_REASON_STORE_FAILED, Args: []string{"đĩa đầy"}}
	}
	return st
}

// offer gives a statement to intake: its standing, or why it is refused.
func (b *bench) offer(endpoint string, st *axispb.Statement) (evidence.Proven, axispb.ReasonCode) {
	b.t.Helper()
	raw, err := b.keys[endpoint].Sign(st)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.intake.Evidence(b.t.Context(), endpoint, [][]byte{raw})
	if err != nil {
		b.t.Fatal(err)
	}
	o := answer.GetOutcomes()[0]
	if o.GetRefused() != nil {
		return evidence.Proven{}, o.GetRefused().GetCode()
	}
	p, err := b.trust.Receipt(o.GetReceipt(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return p, 0
}

func TestStandingsOfEvidence(t *testing.T) {
	b := newBench(t)
	d := doc("H41", "H41.11")
	raw := b.seal(d)
	p, _ := b.submit("g22", raw)
	type step struct {
		event axispb.Event
		want  axispb.Standing
		state axispb.State
	}
	const (
		consigned = axispb.Event_EVENT_CONTENT_CONSIGNMENT
		failed    = axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE
		taken     = axispb.Event_EVENT_CONTENT_HANDOVER
		refused   = axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE
	)
	for _, s := range []step{
		{failed, axispb.Standing_STANDING_FIRST, axispb.State_STATE_CONSIGNMENT_FAILED},
		{consigned, axispb.Standing_STANDING_SUPERSEDES, axispb.State_STATE_CONSIGNED},
		{taken, axispb.Standing_STANDING_FIRST, axispb.State_STATE_HANDED_OVER},
		{refused, axispb.Standing_STANDING_CONTRARY, axispb.State_STATE_HANDED_OVER},
	} {
		got, why := b.offer("h41", b.state("h41", p, d, "H41", s.event, raw))
		if why != 0 || got.Decision.GetEvidence().GetStanding() != s.want {
			t.Errorf("%v: %v %v, not %v", s.event, got.Decision.GetEvidence().GetStanding(), why, s.want)
		}
		if held, _, err := b.ledger.Copy(t.Context(), p.LeafIndex, "H41"); err != nil || held.State != s.state {
			t.Errorf("after %v: %+v (%v), not %v", s.event, held, err, s.state)
		}
	}
	before := b.chainSize()
	again, why := b.offer("h41", b.state("h41", p, d, "H41", taken, raw))
	if why != 0 || b.chainSize() != before {
		t.Errorf("a repetition: %v, journal grew to %d from %d", why, b.chainSize(), before)
	}
	if first, _, err := b.ledger.First(t.Context(), p.LeafIndex, "H41", taken, "h41"); err != nil || first.Position != again.LeafIndex {
		t.Errorf("a repetition is answered with record %d, not the first, %d (%v)", again.LeafIndex, first.Position, err)
	}
}

func TestEvidenceThatIsNotTaken(t *testing.T) {
	b := newBench(t)
	d := doc("H41")
	raw := b.seal(d)
	p, _ := b.submit("g22", raw)
	good := func() *axispb.Statement {
		return b.state("h41", p, d, "H41", axispb.Event_EVENT_CONTENT_CONSIGNMENT, raw)
	}
	for _, c := range []struct {
		name   string
		change func(*axispb.Statement)
		want   axispb.ReasonCode
	}{
		{"another code", func(s *axispb.Statement) { s.Code = "H41.11" }, axispb.ReasonCode_REASON_NOT_RECIPIENT},
		{"a record that is no document", func(s *axispb.Statement) { s.Document.LeafIndex = 0 }, axispb.ReasonCode_REASON_NOT_RECIPIENT},
		{"another commitment", func(s *axispb.Statement) { s.Commitment[0]++ }, axispb.ReasonCode_REASON_UNKNOWN_RECORD},
		{"another manifest", func(s *axispb.Statement) { s.ManifestDigest[0]++ }, axispb.ReasonCode_REASON_UNKNOWN_RECORD},
		{"an epoch that never was", func(s *axispb.Statement) { s.Document.Epoch = 7 }, axispb.ReasonCode_REASON_UNKNOWN_RECORD},
		{"a root that was never signed", func(s *axispb.Statement) { s.Checkpoint.Root[0]++ }, axispb.ReasonCode_REASON_SPLIT_VIEW},
		{"a size beyond the log", func(s *axispb.Statement) { s.Checkpoint.Size += 1000 }, axispb.ReasonCode_REASON_SPLIT_VIEW},
		{"a checkpoint of no epoch", func(s *axispb.Statement) { s.Checkpoint.Epoch = 9 }, axispb.ReasonCode_REASON_SPLIT_VIEW},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := b.chainSize()
			st := proto.Clone(good()).(*axispb.Statement)
			c.change(st)
			if _, why := b.offer("h41", st); why != c.want {
				t.Errorf("%v, not %v", why, c.want)
			}
			if b.chainSize() != before {
				t.Error("it was journaled")
			}
		})
	}
	if _, why := b.offer("g22", b.state("g22", p, d, "H41", axispb.Event_EVENT_CONTENT_CONSIGNMENT, raw)); why != axispb.ReasonCode_REASON_NOT_RECIPIENT {
		t.Errorf("by the sender's endpoint: %v", why)
	}
	first := good()
	if _, why := b.offer("h41", first); why != 0 {
		t.Fatalf("the good one: %v", why)
	}
	clone := proto.Clone(first).(*axispb.Statement)
	clone.TimeMs++
	if _, why := b.offer("h41", clone); why != axispb.ReasonCode_REASON_COUNTER_REUSED {
		t.Errorf("a counter used for other content: %v", why)
	}
}

func TestAnInvitationIsUsedOnce(t *testing.T) {
	b := newBench(t)
	invited, err := b.Invite(t.Context(), operator.Invite{Codes: []string{"H28"}})
	if err != nil {
		t.Fatal(err)
	}
	invs := b.registry.Invitations()
	user := ""
	for _, i := range invs {
		if i.Endpoint == invited.Endpoint {
			user = bus.InviteUser(i.Hash[:])
		}
	}
	csr := func() []byte {
		raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, sealtest.P256(t))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	mine := csr()
	got := make(chan error, 8)
	for range cap(got) - 1 {
		go func() {
			_, err := b.enrol(t.Context(), user, &axispb.EnrolRequest{Csr: csr()})
			got <- err
		}()
	}
	go func() {
		_, err := b.enrol(t.Context(), user, &axispb.EnrolRequest{Csr: mine})
		got <- err
	}()
	in := 0
	for range cap(got) {
		if err := <-got; err == nil {
			in++
		} else if !strings.Contains(err.Error(), "invitation") {
			t.Errorf("error %v does not speak of the invitation", err)
		}
	}
	e, _ := b.registry.Endpoint(invited.Endpoint)
	if in != 1 || len(e.Certificates) != 1 {
		t.Errorf("%d came in, %d certificates", in, len(e.Certificates))
	}
}

// An axis that runs for longer than its certificate lasts goes on signing.
func TestTheAxisRenewsItsOwnCertificate(t *testing.T) {
	var ahead atomic.Int64
	b := newBenchAt(t, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	for _, days := range []int{0, 300, 600} {
		ahead.Store(int64(time.Duration(days) * 24 * time.Hour))
		if _, refused := b.submit("g22", b.seal(doc("H99"))); refused != axispb.ReasonCode_REASON_UNKNOWN_CODE {
			t.Errorf("after %d days: refused with %v", days, refused)
		}
	}
}
