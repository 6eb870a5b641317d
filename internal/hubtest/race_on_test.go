//go:build race

package hubtest_test

// raceEnabled: the race detector takes ten times the time, and finds what it finds
// in a tenth of the documents.
const raceEnabled = true
