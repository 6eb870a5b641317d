// Package journal owns the one ordered, append-only journal of the axis: blocks
// in a chain of JetStream streams, written under a fence and read back verified.
//
// One stream message is one block ([axispb.Block]), marshalled once; its digest is
// the SHA-256 of the stored bytes. Blocks are numbered from 0 over the whole chain,
// each names the digest of the one before, and each starts at the leaf where the one
// before ended. A stream that has reached [Config.MaxStreamBytes] ends with a closing
// block, a block like any other except that it holds no records and names the next
// stream. No stream is ever created that a durable closing block does not name (save
// the first).
//
// # What each call guarantees
//
//   - [Journal.Append] returning nil: the block is stored and synced at its location
//     (the server must run with SyncAlways), nothing else ever will be, and no block
//     of another writer came between it and the tail that it was built on.
//   - ErrFenced: the block is not in the journal and never will be. Another writer's
//     is. Refresh, and decide every pending record again.
//   - ErrUnclear: whether the block is stored is not known. Nobody may be given an
//     answer, and no other block is taken, until Settle, or Append of the same block,
//     returns nil or ErrFenced. Where the process dies first, Open finds what is there.
//   - any other error of Append: nothing was sent.
//   - [Journal.Blocks] and [Journal.Get] yield only blocks up to the tail as this
//     Journal knows it, so never one whose append is unclear.
//   - [Open]: the last blocks were read and verified; a stream's counters alone are
//     believed nowhere. An empty JetStream folder opens as an empty journal: that
//     something was there before, only the guard can know (docs/design.md D5).
//
// # Rotation
//
// The journal never writes a closing block behind the caller's back, because a block
// carries the number and digest that follow from the tail, and the caller's guard and
// ledger must see the closing block as they see any other. Append refuses with ErrFull
// what does not fit; the caller then calls [Journal.Rotate], feeds the closing block on,
// and builds its block again on the new tail (the records and root are the same: a closing
// block adds no leaf). NeedsRotation tells it beforehand, to save building twice.
//
// # Reading
//
// Blocks are read by Direct Get, in batches where order allows. With one replica it
// is coherent with the append, because the server stores before it acknowledges and
// answers from the same store. With three, a replica may lag, but holds only what the
// cluster committed: found is therefore conclusive, and whatever is not found is asked again of
// the stream's leader before anything follows from its absence. No consumers are used.
//
// # Fault points
//
// append.before, append.after (sent and stored, reported failed), settle.send.before,
// settle.send.after, settle.read.before, settle.read.after, rotate.closing.before,
// rotate.closing.after, rotate.create.before, rotate.create.after, rotate.seal.before,
// rotate.seal.after. A failure in an append or settle point is an attempt with an unknown
// end; one in a rotate point ends the call there. The closing block passes the append and
// settle points too.
package journal
