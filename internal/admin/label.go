package admin

import "docaxis/proto/axispb"

// Words of labels. Scripts know them; cli.IO.Label has those for people.
const (
	LabelValid      = "valid"
	LabelProblem    = "problem"
	LabelUnsigned   = "unsigned"
	LabelUnreadable = "unreadable"
	LabelUnknown    = "unknown" // not looked at
)

// FileLabel is what is known of the signatures within a file, and of its own soundness.
// It proves nothing to others.
type FileLabel struct {
	Name string `json:"name"`
	Kind string `json:"kind,omitempty"` // pdf, edxml or other
	// Label is one of the words of labels.
	Label      string `json:"label"`
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
	// Failed: something in the file itself is wrong, which nothing mends.
	Failed     bool             `json:"failed,omitempty"`
	Signatures []SignatureLabel `json:"signatures,omitempty"`
	// Within are the files of a package; Left counts those that were not looked at.
	Within []FileLabel `json:"within,omitempty"`
	Left   uint32      `json:"left,omitempty"`
}

// SignatureLabel is the verdict on one signature, in the words of ETSI EN 319 102-1.
type SignatureLabel struct {
	Signer string `json:"signer,omitempty"`
	// Holder is person or organisation; empty where that is not known.
	Holder        string `json:"holder,omitempty"`
	Indication    string `json:"indication"`
	SubIndication string `json:"sub_indication,omitempty"`
	// TimeMS is the time relied on, and TimeSource why: timestamp, checkpoint or now.
	TimeMS     int64  `json:"time_ms,omitempty"`
	TimeSource string `json:"time_source,omitempty"`
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
}

// LabelWord is the word of a label.
func LabelWord(l axispb.Label) string {
	switch l {
	case axispb.Label_LABEL_VALID:
		return LabelValid
	case axispb.Label_LABEL_PROBLEM:
		return LabelProblem
	case axispb.Label_LABEL_UNSIGNED:
		return LabelUnsigned
	case axispb.Label_LABEL_UNREADABLE:
		return LabelUnreadable
	}
	return LabelUnknown
}

// FileLabels are labels as they are shown; nil for none.
func FileLabels(known []*axispb.FileLabel) (all []FileLabel) {
	for _, f := range known {
		l := FileLabel{
			Name: f.Name, Kind: f.Kind, Label: LabelWord(f.Label), Vietnamese: f.SentenceVi, English: f.SentenceEn,
			Failed: f.Failed, Within: FileLabels(f.Within), Left: f.Left,
		}
		for _, s := range f.Signatures {
			l.Signatures = append(l.Signatures, SignatureLabel{
				Signer: s.Signer, Holder: s.Holder, Indication: s.Indication, SubIndication: s.SubIndication,
				TimeMS: s.TimeMs, TimeSource: s.TimeSource, Vietnamese: s.SentenceVi, English: s.SentenceEn,
			})
		}
		all = append(all, l)
	}
	return all
}
