//go:build race

package vxp_test

// huge is a package of more than memoryBound; the race detector makes it slow.
const huge = 48 << 20
