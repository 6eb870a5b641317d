package main

import "math"

// Row is one line of the table: a figure that a user would ask for, the bare limit that
// was taken beside it in the same run, and the aim.
type Row struct {
	// Name of the row, and of the measurement that it is of.
	Name        string `json:"name"`
	Measurement string `json:"measurement"`
	What        words  `json:"what"`
	// Size of what was measured, in words: other sizes give other figures.
	Size     words  `json:"size"`
	Unit     string `json:"unit"`
	Measured Spread `json:"measured"`
	Limit    *Limit `json:"limit,omitempty"`
	Aim      Aim    `json:"aim"`
	// OfLimit is measured over limit, 0 where there is none; Of Aim how far the aim is
	// reached: 1 is just so, more is better.
	OfLimit float64 `json:"of_limit,omitempty"`
	OfAim   float64 `json:"of_aim,omitempty"`
}

// Limit is what the machine does of the bare minimum that a figure is made of.
type Limit struct {
	What  words  `json:"what"`
	Value Spread `json:"value"` // in the row's unit
}

// Aim says what a figure should be; at most one of these. The zero Aim: nothing.
type Aim struct {
	OfLimit float64 `json:"of_limit,omitempty"` // at least this part of the limit
	AtLeast float64 `json:"at_least,omitempty"` // in the row's unit
	AtMost  float64 `json:"at_most,omitempty"`
}

// words is a text in both languages of the table; JSON has the English one.
type words struct{ VI, EN string }

// MarshalText implements encoding.TextMarshaler.
func (w words) MarshalText() ([]byte, error) { return []byte(w.EN), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *words) UnmarshalText(text []byte) error {
	w.VI, w.EN = string(text), string(text)
	return nil
}

// judged fills in how the figure stands to its limit and its aim.
func (r Row) judged() Row {
	if r.Limit != nil && r.Limit.Value.Median > 0 {
		r.OfLimit = r.Measured.Median / r.Limit.Value.Median
	}
	switch {
	case r.Aim.OfLimit > 0:
		r.OfAim = r.OfLimit / r.Aim.OfLimit
	case r.Aim.AtLeast > 0:
		r.OfAim = r.Measured.Median / r.Aim.AtLeast
	case r.Aim.AtMost > 0:
		// What costs nothing is far better than any aim, but JSON has no infinity.
		r.OfAim = r.Aim.AtMost / math.Max(r.Measured.Median, r.Aim.AtMost/1000)
	}
	return r
}

// one is a figure that was taken once.
func one(v float64) Spread { return Spread{Median: v, Min: v, Max: v, Runs: []float64{v}} }

// rows is the table: what was measured, in the order of the plan.
func (r *Result) rows() []Row {
	all := []Row{}
	add := func(measurement string, rows []Row) {
		for _, row := range rows {
			row.Measurement = measurement
			all = append(all, row.judged())
		}
	}
	if r.Throughput != nil {
		add("throughput", r.Throughput.rows("documents", p256Words(), 0.4))
	}
	if r.RSA != nil {
		add("rsa", r.RSA.rows("documents-rsa", rsaWords(), 0.5))
	}
	for _, m := range []struct {
		name string
		of   interface{ rows() []Row }
		have bool
	}{
		{"accept", r.Accept, r.Accept != nil},
		{"fanout", r.Fanout, r.Fanout != nil},
		{"memory", r.Memory, r.Memory != nil},
		{"latency", r.Latency, r.Latency != nil},
		{"fleet", r.Fleet, r.Fleet != nil},
		{"history", r.History, r.History != nil},
		{"return", r.Return, r.Return != nil},
		{"agent", r.Agent, r.Agent != nil},
		{"systems", r.Systems, r.Systems != nil},
	} {
		if m.have {
			add(m.name, m.of.rows())
		}
	}
	return all
}
