//go:build !race

package hubtest_test

// raceEnabled is set where the race detector runs.
const raceEnabled = false
