package cli

import (
	"os"
	"runtime/debug"
)

const (
	// collectPercent and memoryLimit suit a process whose live heap is a few MiB. By
	// default it would be collected every 4 MiB, some forty times for a file of 50 MiB;
	// so it is four times less often, and an idle one holds as much as before.
	collectPercent = 300
	// memoryLimit keeps the process below 64 MiB resident together with its code and
	// the mapped pages of its store: near it, collections become as frequent as needed.
	memoryLimit = 40 << 20
)

// CollectSeldom has the garbage of a small, long-running process collected less often,
// unless the environment (GOGC, GOMEMLIMIT) says something else. Its main calls it, once.
func CollectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
