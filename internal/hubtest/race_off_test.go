//go:build !race

package hubtest_test

const (
	// waitingDocuments wait for whoever comes back after months.
	waitingDocuments = 10_000
	// malformed requests for each service.
	malformed = 10_000
	// damagesAtMost are done to each file: all.
	damagesAtMost = 5
	// sample is how many documents a median is of.
	sample = 15
	// failsAgain: after failing once, each step also fails several times at random.
	failsAgain = true
)
