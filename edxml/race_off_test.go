//go:build !race

package edxml_test

// largeContent is that of the largest package that an existing system takes.
const largeContent = 500 << 20
