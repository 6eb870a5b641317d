package intake

import (
	"context"
	"errors"
	"sync"
	"time"

	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Files judges what is within the files of a document, for senders whose policy asks
// for it. Nothing is looked at for others.
type Files interface {
	// Asks is what a sender's policy asks, as of the tail.
	Asks(sender string) axispb.FilePolicy
	// Refuses says why a policy refuses a document's files; nil where it does not. It
	// asks nobody outside. An error is about the reading, not about the files: it is
	// tried again. At most MostLooks calls run at once.
	Refuses(ctx context.Context, p axispb.FilePolicy, e *envelope.Envelope) (*axispb.Reason, error)
}

const (
	// largeFiles is from how many bytes on the files of a document are judged behind
	// other large ones: what a signature covers is hashed for each signature.
	largeFiles = 4 << 20
	// looksAtOnce is how many documents with large files are judged at once, and how many
	// with small ones; of one endpoint one each.
	looksAtOnce = 2
	// MostLooks is how many are judged at once in all.
	MostLooks = 2 * looksAtOnce
	// judgedFor is how long one look may take, and for how long its outcome is known to
	// a submission that is repeated: a request ends after a minute, and what it began
	// must not begin anew for ever.
	judgedFor = 10 * time.Minute
	// mostJudged bounds the outcomes that are remembered.
	mostJudged = 1000
	// mostLooks bounds the looks of one endpoint that have not ended: more than it can ask
	// for at once, should nothing end within a minute.
	mostLooks = 16
)

var errLooks = errors.New("too many of this endpoint's documents are being looked at")

// judging looks at files before their document is accepted. A look goes on when the
// request that began it has ended, for the one that repeats it.
type judging struct {
	files        Files // nil: no policy asks for anything
	small, large *turns
	ended        <-chan struct{}
	now          func() time.Time

	mu    sync.Mutex // guards what follows
	looks map[lookAt]*looking
	open  map[string]int // looks of each endpoint that have not ended
}

// lookAt is what is looked at, by what, and for whom.
type lookAt struct {
	endpoint string
	manifest [32]byte
	policy   axispb.FilePolicy
}

// looking is a look; what done guards is set when it is closed.
type looking struct {
	begun   time.Time
	done    chan struct{}
	refused *axispb.Reason
	err     error
}

func newJudging(files Files, now func() time.Time, ended <-chan struct{}) *judging {
	return &judging{
		files: files, small: newTurns(looksAtOnce, 1), large: newTurns(looksAtOnce, 1), ended: ended, now: now,
		looks: map[lookAt]*looking{}, open: map[string]int{},
	}
}

// asks is what a policy asks of a sender's files; false where that is nothing.
func (j *judging) asks(sender string) (axispb.FilePolicy, bool) {
	if j.files == nil {
		return 0, false
	}
	p := j.files.Asks(sender)
	return p, p > axispb.FilePolicy_FILE_POLICY_LABEL
}

// examineFiles refuses a submission whose files the sender's policy refuses. Small ones
// wait for small ones, large ones for large ones, and no endpoint's for more than one of
// another's.
func (in *Intake) examineFiles(ctx context.Context, s *submission, total uint64) error {
	p, asked := in.judging.asks(s.envelope.Document.Sender)
	if !asked {
		return nil
	}
	why, err := in.judging.look(ctx, s, p, total >= largeFiles)
	if err != nil {
		return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the files are still being looked at").Because(err)
	}
	if why != nil {
		return reason.Permanent(why.GetCode(), why.GetArgs()...)
	}
	s.policy = p
	return nil
}

// checkFiles asks for another try where the policy has come to ask for more than what
// the files were judged by: from its record on, it holds.
func (in *Intake) checkFiles(s *submission) error {
	if p, asked := in.judging.asks(s.envelope.Document.Sender); asked && p > s.policy {
		return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the policy on files has just changed")
	}
	return nil
}

// look waits for the look at a submission's files, which it begins where nobody did.
func (j *judging) look(ctx context.Context, s *submission, p axispb.FilePolicy, large bool) (*axispb.Reason, error) {
	l := j.join(ctx, s, p, large)
	if l == nil {
		return nil, errLooks
	}
	select {
	case <-l.done:
		return l.refused, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join finds the look at a submission's files, or begins it; nil where its endpoint has
// too many.
func (j *judging) join(ctx context.Context, s *submission, p axispb.FilePolicy, large bool) *looking {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget()
	key := lookAt{s.endpoint, s.envelope.ManifestDigest, p}
	if l := j.looks[key]; l != nil && !l.failed() {
		return l
	}
	if j.open[s.endpoint] >= mostLooks {
		return nil
	}
	l := &looking{begun: j.now(), done: make(chan struct{})}
	j.looks[key], j.open[s.endpoint] = l, j.open[s.endpoint]+1
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), judgedFor)
	go func() {
		select {
		case <-j.ended:
		case <-l.done:
		}
		cancel()
	}()
	go func() {
		l.refused, l.err = j.run(ctx, s, p, large)
		j.close(s.endpoint)
		close(l.done)
	}()
	return l
}

func (j *judging) close(endpoint string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.open[endpoint]--; j.open[endpoint] == 0 {
		delete(j.open, endpoint)
	}
}

// failed reports whether a look has ended without an outcome.
func (l *looking) failed() bool {
	select {
	case <-l.done:
		return l.err != nil
	default:
		return false
	}
}

// forget drops what nobody will ask for any more; mu is held.
func (j *judging) forget() {
	now := j.now()
	for key, l := range j.looks {
		select {
		case <-l.done:
			if len(j.looks) >= mostJudged || now.Sub(l.begun).Abs() >= judgedFor {
				delete(j.looks, key)
			}
		default:
		}
	}
}

func (j *judging) run(ctx context.Context, s *submission, p axispb.FilePolicy, large bool) (*axispb.Reason, error) {
	places := j.small
	if large {
		places = j.large
	}
	leave, err := places.take(ctx, s.endpoint)
	if err != nil {
		return nil, err
	}
	defer leave()
	return j.files.Refuses(ctx, p, s.envelope)
}
