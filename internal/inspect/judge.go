package inspect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docaxis/internal/revocation"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/pades"
)

const (
	// RevocationFolder, in the program's folder, has what was fetched from authorities;
	// LookingFolder has files of packages while they are looked at. Both may be deleted
	// while the program does not run.
	RevocationFolder = "revocation"
	LookingFolder    = "looking"

	// Bounds of what is kept from authorities: a list of 8 MiB is the largest that is
	// judged, so nothing larger is fetched.
	maxRevocation  = 256 << 20
	maxAuthorities = 2

	// atOnce is how many files are looked at at the same time: one in the background, and
	// one for which somebody waits.
	atOnce = 2
)

// Config is what a Judge works with. Only Folder must be given.
type Config struct {
	// Folder is the program's.
	Folder   string
	Settings Settings
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Random spreads the times of requests; crypto/rand where nil.
	Random io.Reader
	// Transport replaces the one that the settings describe.
	Transport http.RoundTripper
}

// Judge labels files: by the anchors of the settings, and by what is known of revoked
// certificates, which it fetches in the background. It is opened once in a program. Its
// methods may be used by several goroutines; two files are looked at at a time, so that
// who looks in the background, one by one, leaves room for who is waited for.
type Judge struct {
	now     func() time.Time
	trust   *signing.Trust
	anchors int
	basis   string
	looking string
	store   *revocation.Store // nil: nobody is asked

	// turn is held by whoever looks at a file.
	turn chan struct{}
}

// Status is how things stand, for pages and doctors.
type Status struct {
	// Anchors are trusted certificates; with none no signature is valid, and a policy
	// that asks for signatures refuses nothing.
	Anchors int
	// Asks: authorities are asked, and Revocation says how that goes.
	Asks       bool
	Revocation revocation.Status
}

// Open reads the anchors and takes up the folder of revocation data. The error is
// about settings, certificates or folders, and says what to mend.
func Open(c Config) (*Judge, error) {
	network, err := c.Settings.Network()
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	j := &Judge{now: c.Now, looking: filepath.Join(c.Folder, LookingFolder), turn: make(chan struct{}, atOnce)}
	var digests []string
	if j.trust, digests, err = c.Settings.trust(c.Folder); err != nil {
		return nil, err
	}
	j.anchors, j.basis = len(digests), basis(digests, c.Settings.Asks())
	// What a crash left behind is nobody's.
	if err := errors.Join(os.RemoveAll(j.looking), os.MkdirAll(j.looking, 0o700)); err != nil {
		return nil, fmt.Errorf("make the folder for looking at packages: %w", err)
	}
	if !c.Settings.Asks() {
		return j, nil
	}
	j.store, err = revocation.Open(filepath.Join(c.Folder, RevocationFolder), revocation.Config{
		Now: c.Now, Random: c.Random, Transport: c.Transport, Network: network,
		Parallel: maxAuthorities, MaxCRL: signing.MaxCRL, MaxBytes: maxRevocation,
	})
	return j, err
}

// Look says what a Judge would be opened with, and opens nothing: for a doctor. The
// error is Open's.
func Look(folder string, s Settings) (Status, error) {
	if err := s.Validate(); err != nil {
		return Status{}, err
	}
	_, anchors, err := s.trust(folder)
	return Status{Anchors: len(anchors), Asks: s.Asks()}, err
}

// Run fetches revocation data until ctx ends, then returns nil.
func (j *Judge) Run(ctx context.Context) error {
	if j.store == nil {
		<-ctx.Done()
		return nil
	}
	return j.store.Run(ctx)
}

// Status looks at what is known; it asks nobody.
func (j *Judge) Status() Status {
	s := Status{Anchors: j.anchors, Asks: j.store != nil}
	if j.store != nil {
		s.Revocation = j.store.Status()
	}
	return s
}

// Basis names what labels rest on beside the files: where it is another than it was,
// every label is worth another look.
func (j *Judge) Basis() string { return j.basis }

// Label looks at one file. at is the best proven time at which it existed, the
// journal time of its document's acceptance; zero means that there is none, and that
// now counts. retry is when another look is worth while, given to Again by who keeps
// the label; zero means never. It waits for its turn, or until ctx ends. The error is
// about the call, the reader or the folder: try again; never about the file.
func (j *Judge) Label(ctx context.Context, name, mediaType string, r io.ReaderAt, size int64, at time.Time) (_ *axispb.FileLabel, retry time.Time, _ error) {
	select {
	case j.turn <- struct{}{}:
		defer func() { <-j.turn }()
	case <-ctx.Done():
		return nil, retry, ctx.Err()
	}
	l := &look{judge: j, now: j.now(), at: at, source: signing.TimeCheckpoint, meter: newMeter(ctx, size)}
	if at.IsZero() {
		l.at, l.source = l.now, signing.TimeNow
	}
	l.file = func(o signing.Options) (Finding, error) {
		return File(name, mediaType, r, size, Options{Signing: o, Folder: j.looking, meter: l.meter})
	}
	found, err := l.find()
	if errors.Is(err, errWork) {
		return tooMuchWork(name, found.Kind), retry, nil
	}
	if err != nil {
		return nil, retry, err
	}
	label := l.label(found)
	return label, l.retry, nil
}

// look is one look at one file.
type look struct {
	judge   *Judge
	now, at time.Time
	source  signing.TimeSource
	meter   *meter
	file    func(signing.Options) (Finding, error)
	// anchored are the PDF files with a signer that leads to an anchor, by place.
	anchored map[string]bool
	retry    time.Time
}

// find judges without asking about revocation, and then with what is known of the
// chains that hold otherwise: only so are they found, and only those authorities are
// asked, because anybody can make others.
func (l *look) find() (Finding, error) {
	o := signing.Options{At: l.at, Source: l.source, Trust: l.judge.trust, Timestamping: l.judge.trust}
	found, err := l.file(o)
	if err != nil {
		return found, err
	}
	l.anchored = map[string]bool{}
	l.anchors(found)
	if err := l.ended(found, o); err != nil {
		return found, err
	}
	var chains [][]*x509.Certificate
	found.each("", func(_ string, d *pades.Document) {
		if len(chains) < maxChains {
			chains = append(chains, revocation.Chains(verdicts(d))...)
		}
	})
	chains = append(chains, revocation.Chains(found.xmlVerdicts())...)
	store := l.judge.store
	if store == nil || len(chains) == 0 {
		return found, nil
	}
	for _, c := range chains {
		store.Want(c)
	}
	o.Revocation = store.Revocation(chains...)
	return l.file(o)
}

// ended looks where those whose certificates have ended lead to: whether they signed in
// time is one question, whether they are strangers another.
func (l *look) ended(found Finding, o signing.Options) error {
	var at time.Time
	found.each("", func(place string, d *pades.Document) {
		for _, s := range d.Signatures {
			v := &s.Verdict
			if v.SubIndication == signing.OutOfBoundsNoPOE && v.Signer != nil && !l.anchored[place] && (at.IsZero() || v.Signer.NotAfter.Before(at)) {
				at = v.Signer.NotAfter
			}
		}
	})
	if at.IsZero() || !at.Before(l.at) {
		return nil
	}
	o.At = at
	then, err := l.file(o)
	if err == nil {
		l.anchors(then)
	}
	return err
}

func (l *look) anchors(found Finding) {
	found.each("", func(place string, d *pades.Document) {
		l.anchored[place] = l.anchored[place] || anchored(d)
	})
}

// maxChains bounds the authorities that one file asks for.
const maxChains = 256

// each goes through the PDF files of a finding; place is its way within packages.
func (f Finding) each(place string, do func(place string, d *pades.Document)) {
	if f.PDF != nil {
		do(place, f.PDF)
	}
	for i, w := range f.Within {
		w.each(fmt.Sprintf("%s/%d", place, i), do)
	}
}

func verdicts(d *pades.Document) (all []signing.Verdict) {
	for _, s := range d.Signatures {
		all = append(all, s.Verdict)
	}
	return all
}

// anchored reports whether a signer of the document leads to an anchor. A chain is
// found only where the signature is genuine; what was changed later is another matter.
func anchored(d *pades.Document) bool {
	return slices.ContainsFunc(d.Signatures, func(s pades.Signature) bool {
		return s.Kind != pades.Timestamp && len(s.Verdict.Chain) > 0
	})
}

// digest names a certificate.
func digest(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

func basis(anchors []string, asks bool) string {
	all := slices.Compact(slices.Sorted(slices.Values(anchors)))
	sum := sha256.Sum256(fmt.Append(nil, strings.Join(all, " "), asks))
	return hex.EncodeToString(sum[:])
}

// Again is when a label is made again after so many looks (the one just made
// included): not before retry, which Label gave, soon at first, and at most once a day
// for as long as an authority does not answer. Zero means never.
func Again(retry, now time.Time, looks uint32) time.Time {
	if retry.IsZero() {
		return retry
	}
	wait := min(firstAgain<<(2*min(cmp.Or(looks, 1)-1, 8)), latestAgain)
	return later(retry, now.Add(wait))
}

const (
	firstAgain  = 15 * time.Second
	latestAgain = 24 * time.Hour
)

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
