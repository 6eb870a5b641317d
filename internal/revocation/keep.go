package revocation

import (
	"crypto/x509"
	"errors"
	"os"
	"slices"
	"time"
)

// want takes in a note: what is new is due at once.
func (k *keeper) want(chain []*x509.Certificate) {
	now := k.cfg.Now()
	links(chain, func(cert, issuer *x509.Certificate) {
		for _, t := range targetsOf(cert, issuer) {
			key := t.key()
			st := k.targets[key]
			if st == nil {
				st = k.add(key, t, now)
			}
			st.wanted = now
		}
	})
}

func (k *keeper) add(key string, t target, now time.Time) *state {
	st := &state{shown: shown{target: t, next: now}, key: key, wanted: now}
	if t.refused != nil {
		st.err, st.since = t.refused, now
	}
	k.targets[key] = st
	k.makeRoom(st, 0)
	if len(st.urls) > 0 {
		k.queue(st)
	}
	k.show(st)
	return st
}

// keep makes what was received the answer for its target, on the disk first.
func (k *keeper) keep(st *state, r *received) error {
	d := &description{
		Kind: st.kind, Issuer: st.issuer.Raw, Serial: st.serial, URLs: st.urls, URL: r.url,
		Obtained: k.cfg.Now().UTC(), Wanted: st.wanted.UTC(), Digest: r.digest(), Answer: *r.answer,
	}
	text, err := d.encode()
	if err == nil {
		err = k.cfg.Fault.At("revocation.keep.before")
	}
	size := r.sizeWith(text)
	if err == nil && !k.makeRoom(st, size) {
		err = tooLarge(k.cfg.MaxBytes)
	}
	if err != nil {
		r.discard()
		return err
	}
	if err := r.keep(k.store.path(st.key), text); err != nil {
		return onDisk(err)
	}
	if err := k.cfg.Fault.At("revocation.keep.after"); err != nil {
		return err
	}
	k.bytes += size - st.size
	st.kept, st.size = d, size
	k.show(st)
	return nil
}

// makeRoom drops other targets until the bounds hold with so many bytes for one. It
// reports whether they do. Over the bound of entries a sixteenth goes at once, so
// that a flood of notes does not look for the oldest each time.
func (k *keeper) makeRoom(st *state, size int64) bool {
	if size > k.cfg.MaxBytes {
		return false
	}
	if st != nil {
		size -= st.size
	}
	most := k.cfg.MaxEntries
	fits := func() bool { return len(k.targets) <= most && k.bytes+size <= k.cfg.MaxBytes }
	if fits() {
		return true
	}
	if len(k.targets) > most {
		most -= most / 16
	}
	for _, other := range k.oldest() {
		if other != st && !other.running {
			k.drop(other)
		}
		if fits() {
			return true
		}
	}
	return false
}

// drop forgets a target and its file. A file that stays is taken up by the next
// Open, and goes again.
func (k *keeper) drop(st *state) {
	delete(k.targets, st.key)
	k.store.shown.Delete(st.key)
	k.bytes -= st.size
	k.ready = slices.DeleteFunc(k.ready, func(r *state) bool { return r == st })
	if st.kept != nil {
		_ = os.Remove(k.store.path(st.key))
	}
}

// dropDamaged looks at a file that somebody could not read, and has it fetched
// again.
func (k *keeper) dropDamaged(key string) {
	st := k.targets[key]
	if st == nil || st.kept == nil || st.running {
		return
	}
	if _, _, err := readFile(k.store.path(key), k.cfg.MaxCRL); !errors.Is(err, errDamaged) {
		return
	}
	_ = os.Remove(k.store.path(key))
	k.bytes -= st.size
	st.kept, st.size, st.next = nil, 0, k.cfg.Now()
	k.show(st)
}
