package tlog

import (
	"os"
	"syscall"
)

// syncData makes written bytes durable. The file never grows, so its times are
// all that fsync would add.
func syncData(f *os.File) error { return control(f, syscall.Fdatasync) }
