//go:build !race

package vxp_test

// huge is a package of more than an endpoint's memory.
const huge = 200 << 20
