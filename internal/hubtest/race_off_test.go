//go:build !race

package hubtest_test

const (
	// waitingDocuments wait for whoever comes back after months.
	waitingDocuments = 10_000
	// malformed requests for each service.
	malformed = 10_000
	// damagesAtMost are done to each file: all.
	damagesAtMost = 5
)
