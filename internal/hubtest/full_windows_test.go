package hubtest_test

import "errors"

func fillDisk() error { return errors.New("this system has no bound on the size of files") }
