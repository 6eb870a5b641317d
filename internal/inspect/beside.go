package inspect

// Beside is the same judge with a place of its own: who asks it does not wait for
// those who ask j. It is not run, and not closed.
func (j *Judge) Beside() *Judge {
	other := *j
	other.turn = make(chan struct{}, 1)
	return &other
}
