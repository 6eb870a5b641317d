package revocation

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"net/http"
	"time"

	"docaxis/internal/fault"
)

const (
	// maxOCSP is the largest answer that is read, in bytes; usual ones have 2,000.
	maxOCSP = 64 << 10
	// skew is how far in the future an authority's clock may be.
	skew = 10 * time.Minute
)

// Config says what a Store works with. The zero value will do.
type Config struct {
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Random spreads the times of requests; crypto/rand where nil.
	Random io.Reader
	// Fault fails steps in tests: revocation.keep.before, revocation.keep.after.
	Fault fault.Hook

	// Network says which addresses may be asked.
	Network Network
	// Transport replaces the one that NewTransport makes of Network. It must then
	// refuse addresses by itself: a name is resolved only where it is dialled.
	Transport http.RoundTripper
	// Parallel is how many requests run at once, never two to one authority; 4
	// where zero.
	Parallel int
	// CRLTimeout and OCSPTimeout end a request; 5 minutes and 30 seconds where zero.
	CRLTimeout, OCSPTimeout time.Duration

	// MaxCRL is the largest list that is fetched, in bytes; 64 MiB where zero.
	// Reading one takes as much memory, one at a time.
	MaxCRL int64
	// MaxEntries and MaxBytes bound what is kept; 20,000 and 1 GiB where zero. Over
	// them goes first what was never obtained, then what was not wanted for longest.
	MaxEntries int
	MaxBytes   int64
	// Forget is after how long without Want a certificate is no longer looked
	// after; 90 days where zero.
	Forget time.Duration
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Transport == nil {
		c.Transport = NewTransport(c.Network)
	}
	orElse(&c.Parallel, 4)
	orElse(&c.CRLTimeout, 5*time.Minute)
	orElse(&c.OCSPTimeout, 30*time.Second)
	orElse(&c.MaxCRL, 64<<20)
	orElse(&c.MaxEntries, 20_000)
	orElse(&c.MaxBytes, 1<<30)
	orElse(&c.Forget, 90*24*time.Hour)
	return c
}

func orElse[T int | int64 | time.Duration](value *T, usual T) {
	if *value == 0 {
		*value = usual
	}
}

const (
	soonest = time.Minute
	latest  = 24 * time.Hour
	// retryAtMost bounds the back-off: after an outage of days everything is back
	// within this.
	retryAtMost = 6 * time.Hour
	// answerHoldsFor is how long an answer that names no next update is relied on
	// (package signing).
	answerHoldsFor = time.Hour
)

// refreshIn is how long to wait after a good answer: half of the time for which it
// still holds. So it is asked for again several times before it ends, and a list
// that was published early is noticed.
func (c *Config) refreshIn(thisUpdate, nextUpdate, now time.Time) time.Duration {
	if nextUpdate.IsZero() {
		nextUpdate = thisUpdate.Add(answerHoldsFor)
	}
	d := min(max(nextUpdate.Sub(now)/2, soonest), latest)
	return d - time.Duration(c.fraction()*float64(d)/5)
}

// retryIn is the back-off after so many failures in a row.
func (c *Config) retryIn(failures int) time.Duration {
	d := min(soonest<<min(failures-1, 16), retryAtMost)
	return d + time.Duration(c.fraction()*float64(d)/4)
}

// fraction is a random number in [0, 1). A source that fails gives no jitter,
// which is no reason not to work.
func (c *Config) fraction() float64 {
	var b [4]byte
	if _, err := io.ReadFull(c.Random, b[:]); err != nil {
		return 0
	}
	return float64(binary.BigEndian.Uint32(b[:])) / (1 << 32)
}
