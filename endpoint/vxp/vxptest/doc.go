// Package vxptest owns a client of the axis's HTTP protocol that behaves as SDKVXP
// 2.0.0 and 2.0.1 do, quirks included: parameters of earlier calls linger, the
// timestamp is that of the object's making, hashes lack zeros, answers are read as the
// SDK reads them. It also replays the recorded exchanges of internal/vectors against
// anything that serves the protocol.
package vxptest
