package directory

// Heir is the code of the agency that took over from another, at once or through
// others; the agency's own code where it is open, or where several or none took over,
// and the text itself where it names no known agency.
func (d Directory) Heir(code string) (string, error) {
	for range maxSuccession {
		e, err := d.Lookup(code)
		if err != nil || e == nil {
			return code, err
		}
		code = e.GetAgency().GetCode()
		if e.GetClosedMs() == 0 || len(e.GetSuccessors()) != 1 {
			break
		}
		code = e.GetSuccessors()[0]
	}
	return code, nil
}

// Succeeds reports whether an agency is another one, or took over from it, at once or
// through others.
func (d Directory) Succeeds(agency, former string) (bool, error) {
	own, err := d.Lookup(agency)
	if err != nil {
		return false, err
	}
	for range maxSuccession {
		if agency == former {
			return true, nil
		}
		e, err := d.Lookup(former)
		switch {
		case err != nil || e == nil:
			return false, err
		case own != nil && own.GetAgency().GetCode() == e.GetAgency().GetCode():
			return true, nil
		case e.GetClosedMs() == 0 || len(e.GetSuccessors()) != 1:
			return false, nil
		}
		former = e.GetSuccessors()[0]
	}
	return false, nil
}
