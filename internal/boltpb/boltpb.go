// Package boltpb owns how a protobuf message is a value in a bbolt bucket.
//
// Stored messages are read back to be used, never to be signed or compared: what
// must keep its exact bytes is a bytes field inside them.
package boltpb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
)

// Message is a pointer to a generated message.
type Message[T any] interface {
	*T
	proto.Message
}

// Get reads the value of a key; nil where there is none. An error means that the
// file was damaged or is of a version this program does not know.
func Get[T any, M Message[T]](b Bucket, key []byte) (M, error) {
	raw := b.Get(key)
	if raw == nil {
		return nil, nil
	}
	return Decode[T, M](raw)
}

// Decode reads a value.
func Decode[T any, M Message[T]](raw []byte) (M, error) {
	m := M(new(T))
	if err := proto.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("read stored %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return m, nil
}

// Put stores the value of a key.
func Put(b Bucket, key []byte, m proto.Message) error {
	raw, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("store %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return b.Put(key, raw)
}

// Each calls f for every key with the prefix, in order, until it returns false or
// an error. f must not change the bucket.
func Each[T any, M Message[T]](b Bucket, prefix []byte, f func(key []byte, m M) (more bool, err error)) error {
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		m, err := Decode[T, M](v)
		if err != nil {
			return err
		}
		if more, err := f(k, m); err != nil || !more {
			return err
		}
	}
	return nil
}

// Keys lists the keys with a prefix, as copies.
func Keys(b Bucket, prefix []byte) [][]byte {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// LastKeys lists the last keys with a prefix, in order, as copies, at most limit. The
// prefix ends in a zero byte.
func LastKeys(b Bucket, prefix []byte, limit int) [][]byte {
	beyond := bytes.Clone(prefix)
	beyond[len(beyond)-1]++
	c := b.Cursor()
	k, _ := c.Seek(beyond)
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	var keys [][]byte
	for ; k != nil && bytes.HasPrefix(k, prefix) && len(keys) < limit; k, _ = c.Prev() {
		keys = append(keys, bytes.Clone(k))
	}
	slices.Reverse(keys)
	return keys
}

// Create makes buckets that are missing. Where none is, it does not write: the
// transaction may then be one that only reads.
func Create(tx *bbolt.Tx, names ...string) error {
	for _, name := range names {
		if tx.Bucket([]byte(name)) != nil {
			continue
		}
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return fmt.Errorf("make bucket %s: %w", name, err)
		}
	}
	return nil
}

// Uint64 is a number as a key that sorts by value.
func Uint64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
