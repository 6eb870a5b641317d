// Package fault owns the named points at which a test makes a step fail: before
// it is done, or after it was done but before anybody is told.
package fault

// Hook is called at each point that a part names in its documentation. A
// non-nil error makes the step fail there. A nil Hook never fails.
type Hook func(point string) error

// At reports what the hook says about a point.
func (h Hook) At(point string) error {
	if h == nil {
		return nil
	}
	return h(point)
}
