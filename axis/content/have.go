package content

import (
	"context"

	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// maxDigests is how many chunks one request may ask about.
const maxDigests = 4096

// Have says how much of each chunk is held from this endpoint, in the order
// asked. What others uploaded is never counted. Asking renews the pins of what is
// held, so that the first chunks of a long upload outlast it.
//
// One question of an endpoint is answered at a time: each may cost thousands of
// look-ups, and the uploads of the others need the same few connections.
func (s *Store) Have(ctx context.Context, endpoint string, digests [][]byte) ([]*axispb.Held, error) {
	if len(digests) > maxDigests {
		return nil, malformed("at most %d digests, not %d", maxDigests, len(digests))
	}
	ids, err := parseIDs(digests)
	if err != nil {
		return nil, err
	}
	defer s.busy.lock(asking(endpoint))()
	rows, err := s.rows.some(ctx, endpoint, ids)
	if err != nil {
		return nil, unavailable(err)
	}
	held := make([]*axispb.Held, len(ids))
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, unavailable(err)
		}
		if held[i], err = s.have(ctx, endpoint, id, rows[id]); err != nil {
			return nil, unavailable(err)
		}
	}
	return held, nil
}

// asking is no path of a part.
func asking(endpoint string) string { return "have\x00" + endpoint }

func (s *Store) have(ctx context.Context, endpoint string, id chunk.ID, known bool) (*axispb.Held, error) {
	if known {
		r, known, err := s.claim(ctx, endpoint, id)
		if err != nil {
			return nil, err
		}
		if known && s.present(id, r) {
			return complete(r.size), nil
		}
	}
	n, err := fileSize(s.partPath(endpoint, id))
	if err != nil {
		return nil, err
	}
	return partial(n), nil
}

// claim finds an endpoint's row and renews its pin once half of it is over: what
// it finds does not lapse for half of PinFor, and its chunk stays as long. That goes
// for what accepted documents hold, too: they may have been released.
func (s *Store) claim(ctx context.Context, endpoint string, id chunk.ID) (row, bool, error) {
	r, known, err := s.rows.lookup(ctx, endpoint, id)
	now := s.cfg.Now()
	if err != nil || !known || r.pinned.Sub(now) > s.cfg.PinFor/2 {
		return r, known, err
	}
	known, err = s.rows.renew(ctx, endpoint, id, now.Add(s.cfg.PinFor))
	return r, known, err
}

func parseIDs(digests [][]byte) ([]chunk.ID, error) {
	ids := make([]chunk.ID, len(digests))
	for i, d := range digests {
		id, err := chunk.ParseID(d)
		if err != nil {
			return nil, malformed("%v", err)
		}
		ids[i] = id
	}
	return ids, nil
}
