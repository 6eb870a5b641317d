package store

import (
	"encoding/binary"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

const (
	registryBucket = "registry"
	recoveryKey    = "recovery"
)

// PastKey orders records of every epoch as they were journaled.
func PastKey(epoch, leaf uint64) []byte { return append(boltpb.Uint64(epoch), boltpb.Uint64(leaf)...) }

// KeepRegistry keeps a registry record as it was pulled, so that an axis which lost
// it can be given it back.
func KeepRegistry(tx *bbolt.Tx, at *axispb.RecordRef, e *axispb.RegistryEntry) error {
	e.Version = 1
	return boltpb.Put(tx.Bucket([]byte(registryBucket)), PastKey(at.GetEpoch(), at.GetLeafIndex()), e)
}

// EachRegistry calls f for every kept registry record, oldest first, until it
// returns an error.
func EachRegistry(tx *bbolt.Tx, f func(at *axispb.RecordRef, e *axispb.RegistryEntry) error) error {
	return boltpb.Each[axispb.RegistryEntry](tx.Bucket([]byte(registryBucket)), nil,
		func(k []byte, e *axispb.RegistryEntry) (bool, error) {
			at := &axispb.RecordRef{Epoch: binary.BigEndian.Uint64(k), LeafIndex: binary.BigEndian.Uint64(k[8:])}
			return true, f(at, e)
		})
}

// ForgetRegistry removes kept registry records of a journal time before then, at
// most so many at once: records are kept in the order of their time.
func ForgetRegistry(tx *bbolt.Tx, before int64, atMost int) error {
	b := tx.Bucket([]byte(registryBucket))
	var old [][]byte
	err := boltpb.Each[axispb.RegistryEntry](b, nil, func(k []byte, e *axispb.RegistryEntry) (bool, error) {
		h := new(axispb.RecordHeader)
		if err := proto.Unmarshal(e.GetRecord().GetHeader(), h); err != nil || h.TimeMs >= before || len(old) >= atMost {
			return false, err
		}
		old = append(old, append([]byte(nil), k...))
		return true, nil
	})
	for _, k := range old {
		if err == nil {
			err = b.Delete(k)
		}
	}
	return err
}

// Recovery is how far the endpoint has given back what an epoch lost; nil where it
// never had to.
func Recovery(tx *bbolt.Tx) (*axispb.RecoveryEntry, error) {
	return boltpb.Get[axispb.RecoveryEntry](tx.Bucket([]byte(metaBucket)), []byte(recoveryKey))
}

// PutRecovery says how far it is now.
func PutRecovery(tx *bbolt.Tx, e *axispb.RecoveryEntry) error {
	e.Version = 1
	return boltpb.Put(tx.Bucket([]byte(metaBucket)), []byte(recoveryKey), e)
}
