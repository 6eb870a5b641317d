//go:build crosscheck

package rounds_test

import (
	"fmt"
	"math/rand/v2"
)

// kinds has also those that need strace: it kills a process at one of its system
// calls, or makes one fail, in the program as it is.
func kinds() []kind {
	return append(kindsAnywhere(),
		kind{"the axis is killed at a system call", func(p *plan, r *rand.Rand) { p.under["axis"] = killAt(r) }},
		kind{"an endpoint is killed at a system call", func(p *plan, r *rand.Rand) { p.under[someEnd(r)] = killAt(r) }},
		kind{"system calls of the axis fail", func(p *plan, r *rand.Rand) { p.under["axis"] = fails(r) }},
		kind{"system calls of an endpoint fail", func(p *plan, r *rand.Rand) { p.under[someEnd(r)] = fails(r) }},
	)
}

// calls are those that reach a disk or a line, with how many of each are made
// in a thread, about, starting included: strace counts them by threads.
var calls = []struct {
	name string
	many int
	disk bool // only ever of files
}{
	{"fsync", 5, true},
	{"fdatasync", 4, true},
	{"pwrite64", 15, true},
	{"renameat", 3, true},
	{"ftruncate", 1, true},
	{"unlinkat", 3, true},
	{"write", 30, false},
	{"openat", 20, true},
}

// killAt kills at some system call.
func killAt(r *rand.Rand) inject {
	c := calls[r.IntN(len(calls))]
	return inject{c.name, fmt.Sprintf("signal=KILL:when=%d", 1+r.IntN(1+r.IntN(c.many)))}
}

// fails has some system call fail: once, for a while, or from then on.
func fails(r *rand.Rand) inject {
	c := calls[r.IntN(len(calls))]
	for !c.disk {
		c = calls[r.IntN(len(calls))]
	}
	first := 1 + r.IntN(1+r.IntN(c.many))
	when := []string{fmt.Sprint(first), fmt.Sprintf("%d..%d", first, first+r.IntN(10)), fmt.Sprintf("%d+", first)}[r.IntN(3)]
	return inject{c.name, fmt.Sprintf("error=%s:when=%s", []string{"EIO", "ENOSPC"}[r.IntN(2)], when)}
}

// command is what a process runs under. The tracer is a child, so that a signal to
// the process is to the program.
func (i inject) command(log string) []string {
	if i.calls == "" {
		return nil
	}
	return []string{
		"strace", "-D", "-f", "--seccomp-bpf", "-q", "-o", log,
		"-e", "trace=" + i.calls, "-e", "inject=" + i.calls + ":" + i.how,
	}
}
