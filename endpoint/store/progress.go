package store

import (
	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

const (
	metaBucket  = "meta"
	epochBucket = "epoch"
	formatKey   = "format"
	progressKey = "progress"
	parkedKey   = "parked"
)

// Progress is where the endpoint is; for a new store, at the beginning.
func Progress(tx *bbolt.Tx) (*axispb.Progress, error) {
	p, err := boltpb.Get[axispb.Progress](tx.Bucket([]byte(metaBucket)), []byte(progressKey))
	if p == nil && err == nil {
		p = &axispb.Progress{Version: 1}
	}
	return p, err
}

// PutProgress says where the endpoint is now.
func PutProgress(tx *bbolt.Tx, p *axispb.Progress) error {
	return boltpb.Put(tx.Bucket([]byte(metaBucket)), []byte(progressKey), p)
}

// Epochs gives the signed epochs learned since enrolment, oldest first: exact
// bytes of SignedEpoch.
func Epochs(tx *bbolt.Tx) [][]byte {
	var all [][]byte
	c := tx.Bucket([]byte(epochBucket)).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		all = append(all, append([]byte(nil), v...))
	}
	return all
}

// AddEpoch keeps a verified epoch.
func AddEpoch(tx *bbolt.Tx, number uint64, signed []byte) error {
	return tx.Bucket([]byte(epochBucket)).Put(boltpb.Uint64(number), signed)
}

// Parked says why the endpoint does not talk to the axis any more; nil where it
// does.
func Parked(tx *bbolt.Tx) (*axispb.Trouble, error) {
	return boltpb.Get[axispb.Trouble](tx.Bucket([]byte(metaBucket)), []byte(parkedKey))
}

// Park makes the endpoint stay away from the axis until a person decides.
func Park(tx *bbolt.Tx, why *axispb.Trouble) error {
	return boltpb.Put(tx.Bucket([]byte(metaBucket)), []byte(parkedKey), why)
}

// Unpark is that person's decision.
func Unpark(tx *bbolt.Tx) error {
	return tx.Bucket([]byte(metaBucket)).Delete([]byte(parkedKey))
}
