package hubtest_test

import (
	"slices"
	"testing"

	"docaxis/endpoint"
	"docaxis/internal/hubtest"
)

// The table of failures over the commit path. Every step fails both ways, "before":
// it is not done, and "after": it was done but is reported failed; once, and then
// several times at random. Whoever cannot go on starts again over its folder. When
// everything has settled, the checker proves promises 1 to 3 over the whole world.

// From the sealing of a document to its receipt, and back from the mailbox to the
// evidence: every step of the endpoint.
func TestFailuresAtTheEndpoint(t *testing.T) {
	t.Parallel()
	runRows(t, hubtest.Config{}, both("endpoint",
		"seal", "outbox.add", "attempt", "put", "submit", "receipt.store",
		"pull", "t1", "fetch", "t2", "evidence.send", "evidence.store"))
}

// The line loses a request, or the answer to one that was carried out.
func TestFailuresOnTheLine(t *testing.T) {
	t.Parallel()
	runRows(t, hubtest.Config{}, both("endpoint", "call.submit", "call.evidence", "call.pull", "call.put", "call.get"))
	// What is held is asked after an upload of which nothing got through: a small one.
	runRows(t, hubtest.Config{AdjustEndpoint: uploadAll}, slices.Concat(
		both("endpoint", "call.put"), needing("endpoint call.put.after", both("endpoint", "call.have"))))
}

// The axis writes a block: sent, settled when it is not known whether it was
// stored, signed, remembered by the guard, applied to the ledger.
func TestFailuresOfTheCommit(t *testing.T) {
	t.Parallel()
	runRows(t, hubtest.Config{}, slices.Concat(
		both("axis", "append"),
		needing("axis append.before", both("axis", "settle.send")),
		needing("axis append.after", both("axis", "settle.read")),
		stopping([]row{{point: "axis sign.before"}}),
		stopping(both("axis", "guard", "apply")),
	))
}

// The axis stores content: all of it is uploaded, or what is small comes inside the
// submissions.
func TestFailuresOfTheContentStore(t *testing.T) {
	t.Parallel()
	steps := []string{"put", "sync", "rename", "folder", "row"}
	t.Run("uploads", func(t *testing.T) {
		t.Parallel()
		runRows(t, hubtest.Config{AdjustEndpoint: uploadAll}, both("axis", steps...))
	})
	t.Run("submissions", func(t *testing.T) {
		t.Parallel()
		runRows(t, hubtest.Config{}, both("axis", append(steps, "aboard")...))
	})
}

// uploadAll has an endpoint send no content inside submissions.
func uploadAll(_ string, c *endpoint.Config) { c.Aboard = -1 }

// The journal goes over to its next stream, with streams so small that it does so
// every few blocks.
func TestFailuresOfTheRotation(t *testing.T) {
	t.Parallel()
	runRows(t, hubtest.Config{MaxStreamBytes: 8 << 10},
		stopping(both("axis", "rotate.closing", "rotate.create", "rotate.seal")))
}
