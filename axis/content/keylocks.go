package content

import "sync"

// keyLocks is a lock per key, for one or to be shared, held in memory only while somebody wants it.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]*keyLock
}

type keyLock struct {
	mu    sync.RWMutex
	users int // guarded by keyLocks.mu
}

// lock waits for the key and returns what gives it back.
func (k *keyLocks) lock(key string) (unlock func()) {
	l := k.join(key)
	l.mu.Lock()
	return func() {
		l.mu.Unlock()
		k.leave(key, l)
	}
}

// share waits for the key only as long as somebody has it for itself.
func (k *keyLocks) share(key string) (unlock func()) {
	l := k.join(key)
	l.mu.RLock()
	return func() {
		l.mu.RUnlock()
		k.leave(key, l)
	}
}

func (k *keyLocks) join(key string) *keyLock {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil {
		k.held = map[string]*keyLock{}
	}
	l := k.held[key]
	if l == nil {
		l = &keyLock{}
		k.held[key] = l
	}
	l.users++
	return l
}

func (k *keyLocks) leave(key string, l *keyLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(k.held, key)
	}
}
