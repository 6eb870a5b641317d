//go:build !linux

package tlog

import "os"

// syncData makes written bytes durable.
func syncData(f *os.File) error { return f.Sync() }
