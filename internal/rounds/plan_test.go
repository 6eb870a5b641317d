package rounds_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// plan is what happens in a round. It is a function of the seed and the round's
// number; only how the processes are scheduled is not.
type plan struct {
	seed, round uint64
	kind        string
	letters     []letter
	blows       []blow
	// under is what a process runs under the first time, by name.
	under map[string]inject
	// endKilled: when all is settled everything is killed, else told to stop.
	endKilled bool
}

// letter is a document to send.
type letter struct {
	subject  string // no other document has it
	from     string
	to       []string
	groups   []string
	priority int
	sizes    []int
	refused  bool // nobody serves the only recipient
	// after the one before it from the same sender.
	pause time.Duration
}

// blow kills a process, some time after the round began.
type blow struct {
	at  time.Duration
	who string
}

// inject makes a system call of a process fail, or kills it there (strace).
type inject struct {
	calls string // of strace's -e inject=
	how   string
}

func (p plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "round %d of seed %d: %s\n", p.round, p.seed, p.kind)
	for _, l := range p.letters {
		fmt.Fprintf(&b, "  %s after %v: from %s to %v %v, priority %d, files %v\n", l.subject, l.pause, l.from, l.to, l.groups, l.priority, l.sizes)
	}
	for _, x := range p.blows {
		fmt.Fprintf(&b, "  at %v: kill %s\n", x.at, x.who)
	}
	for who, i := range p.under {
		fmt.Fprintf(&b, "  %s runs under: %s:%s\n", who, i.calls, i.how)
	}
	return b.String()
}

// kind is a kind of round: it says who is hit, how and when.
type kind struct {
	name string
	hit  func(p *plan, r *rand.Rand)
}

// kindsAnywhere need nothing but Go.
func kindsAnywhere() []kind {
	return []kind{
		{"the axis is killed", func(p *plan, r *rand.Rand) { p.kill(r, "axis") }},
		{"an endpoint is killed", func(p *plan, r *rand.Rand) { p.kill(r, someEnd(r)) }},
		{"axis and endpoint are killed", func(p *plan, r *rand.Rand) { p.kill(r, "axis"); p.kill(r, someEnd(r)) }},
		{"everything is killed at once", func(p *plan, r *rand.Rand) {
			at := moment(r)
			p.blows = append(p.blows, blow{at, "axis"})
			for _, c := range codes {
				p.blows = append(p.blows, blow{at, c[0]})
			}
		}},
		{"killed again while it starts", func(p *plan, r *rand.Rand) {
			who, at := []string{"axis", someEnd(r)}[r.IntN(2)], moment(r)
			p.blows = append(p.blows, blow{at, who}, blow{at + restartPause + time.Duration(10+r.IntN(250))*time.Millisecond, who})
		}},
	}
}

// moment is when a blow falls: while the processes start, or under load.
func moment(r *rand.Rand) time.Duration { return time.Duration(20+r.IntN(1500)) * time.Millisecond }

func (p *plan) kill(r *rand.Rand, who string) { p.blows = append(p.blows, blow{moment(r), who}) }

func someEnd(r *rand.Rand) string { return codes[r.IntN(len(codes))][0] }

// newPlan makes the plan of a round.
func newPlan(seed, round uint64, kinds []kind) plan {
	r := rand.New(rand.NewPCG(seed, round))
	k := kinds[round%uint64(len(kinds))]
	p := plan{seed: seed, round: round, kind: k.name, under: map[string]inject{}, endKilled: r.IntN(2) == 0}
	for n := range 9 + r.IntN(5) {
		p.letters = append(p.letters, newLetter(r, fmt.Sprintf("Công văn %d/%d", round, n)))
	}
	k.hit(&p, r)
	return p
}

func newLetter(r *rand.Rand, subject string) letter {
	l := letter{
		subject: subject, from: []string{"G22", "G22", "H41", "H41.11", "H41.11.05"}[r.IntN(5)],
		sizes: []int{r.IntN(30_000)}, pause: time.Duration(r.IntN(300)) * time.Millisecond,
	}
	if r.IntN(3) == 0 {
		l.priority = 1 + r.IntN(4)
	}
	switch r.IntN(8) {
	case 0:
		l.sizes = append(l.sizes, 1<<20+r.IntN(2<<20))
	case 1:
		l.sizes = append(l.sizes, 0, r.IntN(200_000))
	}
	switch r.IntN(6) {
	case 0:
		l.from, l.groups = "G22", []string{"H41/commune"} // a sender is not of its own group
	case 1:
		l.to = []string{"G01"} // nobody serves it
		l.refused = true
	case 2:
		l.to = []string{"H41.01", "G01", "H41.11.05"}
	default:
		l.to = [][]string{{"H41.11"}, {"H41", "H41.11"}, {"G22"}, {"G22", "H41.01", "H41.11.05"}}[r.IntN(4)]
	}
	return l
}

// content of a letter's n-th file; it follows from the subject.
func (l letter) content(n int) []byte {
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%s %d", l.subject, n))
	data := make([]byte, l.sizes[n])
	rand.NewChaCha8(seed).Read(data) //nolint:errcheck // it never fails
	return data
}

// verdict is what an agency does with a document that came for it.
type verdict int

const (
	take verdict = iota
	refuse
	leave
)

// judge follows from the plan's seed, the document and who received it.
func judge(subject, code string) verdict {
	var seed [32]byte
	copy(seed[:], code+subject)
	switch n := rand.New(rand.NewChaCha8(seed)).IntN(6); {
	case n < 3:
		return take
	case n == 3:
		return refuse
	}
	return leave
}
