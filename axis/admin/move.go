package admin

// Move gives codes to another endpoint.
type Move struct {
	Why
	Codes    []string `json:"codes"`
	Endpoint string   `json:"endpoint"`
}

// Close ends an agency.
type Close struct {
	Why
	Code string `json:"code"`
	// Successors take over: one is routed to, several are named to senders.
	Successors []string `json:"successors,omitempty"`
}
