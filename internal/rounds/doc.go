// Package rounds owns what is tried with the real programs: its tests start an axis
// and endpoints as processes, put load on them, kill them or make their system calls
// fail, start them again, and let the checker of internal/hubtest judge what is there
// then. It has no code of its own.
package rounds
