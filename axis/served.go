package axis

import "docaxis/internal/bus"

// Served counts the requests of endpoints since the start, also those that were
// refused. A panic among them is a fault of this program.
func (h *Hub) Served() bus.Stats { return h.server.Stats() }
