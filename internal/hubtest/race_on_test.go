//go:build race

package hubtest_test

// The race detector takes several times as long for each, and finds what it finds in
// far fewer.
const (
	// waitingDocuments wait for whoever comes back after months.
	waitingDocuments = 300
	// malformed requests for each service.
	malformed = 300
	// damagesAtMost are done to each file: it is gone.
	damagesAtMost = 1
	// sample is how many documents a median is of.
	sample = 3
	// failsAgain: after failing once, each step also fails several times at random.
	failsAgain = false
)
