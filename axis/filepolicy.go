package axis

import (
	operator "docaxis/axis/admin"
	"docaxis/proto/axispb"
)

// filesWord is what a policy asks of files, as operators write it.
func filesWord(p axispb.FilePolicy) string {
	switch p {
	case axispb.FilePolicy_FILE_POLICY_LABEL:
		return "label"
	case axispb.FilePolicy_FILE_POLICY_SOUND:
		return "sound"
	case axispb.FilePolicy_FILE_POLICY_SIGNED:
		return "signed"
	}
	return "inherit"
}

// nextFiles says of files what a request to set a policy does.
func nextFiles(p *axispb.Policy, req operator.SetPolicy) error {
	for _, f := range []struct {
		asked *string
		into  *axispb.FilePolicy
	}{{req.SentFiles, &p.SentFiles}, {req.ReceivedFiles, &p.ReceivedFiles}} {
		if f.asked == nil {
			continue
		}
		said, known := filePolicy(*f.asked)
		if !known {
			return conflictf("files: write label, sound, signed or inherit")
		}
		*f.into = said
	}
	return nil
}

// filePolicy reads what an operator wrote.
func filePolicy(word string) (axispb.FilePolicy, bool) {
	for n := range axispb.FilePolicy_name {
		if p := axispb.FilePolicy(n); filesWord(p) == word {
			return p, true
		}
	}
	return 0, false
}
