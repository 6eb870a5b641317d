package boltpb

import "go.etcd.io/bbolt"

// Bucket is what a bbolt.Bucket and a Lazy one have in common.
type Bucket interface {
	Get(key []byte) []byte
	Put(key, value []byte) error
	Cursor() *bbolt.Cursor
}

// Lazy is a bucket that is opened when it is first used. A transaction sees two dozen
// of them and uses three, and to open one is as dear as to find a key.
type Lazy struct {
	tx   *bbolt.Tx
	name string
	b    *bbolt.Bucket
}

// Open gives buckets of a transaction, by their names. Whoever uses one that does not
// exist panics.
func Open(tx *bbolt.Tx, names ...string) []Lazy {
	all := make([]Lazy, len(names))
	for i, name := range names {
		all[i] = Lazy{tx: tx, name: name}
	}
	return all
}

func (l *Lazy) bucket() *bbolt.Bucket {
	if l.b == nil {
		l.b = l.tx.Bucket([]byte(l.name))
	}
	return l.b
}

// Get is bbolt's.
func (l *Lazy) Get(key []byte) []byte { return l.bucket().Get(key) }

// Put is bbolt's.
func (l *Lazy) Put(key, value []byte) error { return l.bucket().Put(key, value) }

// Delete is bbolt's.
func (l *Lazy) Delete(key []byte) error { return l.bucket().Delete(key) }

// Cursor is bbolt's.
func (l *Lazy) Cursor() *bbolt.Cursor { return l.bucket().Cursor() }

// ForEach is bbolt's.
func (l *Lazy) ForEach(f func(key, value []byte) error) error { return l.bucket().ForEach(f) }

// Stats is bbolt's.
func (l *Lazy) Stats() bbolt.BucketStats { return l.bucket().Stats() }
