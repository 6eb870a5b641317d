//go:build race

package edxml_test

// largeContent is smaller where the race detector makes every byte cost ten times as
// much; memory that grew with it would show all the same.
const largeContent = 48 << 20
