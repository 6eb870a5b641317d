package store

import (
	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// NewestRegistry is the registry record that was journaled last of those that are
// kept; nil for none.
func NewestRegistry(tx *bbolt.Tx) (*axispb.RegistryEntry, error) {
	k, v := tx.Bucket([]byte(registryBucket)).Cursor().Last()
	if k == nil {
		return nil, nil //nolint:nilnil // as Parked and Progress do
	}
	return boltpb.Decode[axispb.RegistryEntry](v)
}
