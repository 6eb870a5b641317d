package auditor

import (
	"time"

	"docaxis/signing"
)

// ReportVersion is the version of a Report's form. It grows where a member is taken
// away or gets another meaning; members may be added without.
const ReportVersion = 1

// Result is the answer about a file, or about all.
type Result string

// The results, best first. Worst says which counts among several.
const (
	// Passed: everything in it is covered by a signature or proof that passed.
	Passed Result = "passed"
	// Indeterminate: nothing failed, and something is not proven.
	Indeterminate Result = "indeterminate"
	// Unusable: it cannot be read, or is nothing that can be judged.
	Unusable Result = "unusable"
	// Failed: something is proven to be wrong, whatever becomes known later.
	Failed Result = "failed"
)

func (r Result) rank() int {
	switch r {
	case Failed:
		return 4
	case Unusable:
		return 3
	case Indeterminate:
		return 2
	case Passed:
		return 1
	}
	return 0
}

// Worst is the result that counts among several: failed, then unusable, then
// indeterminate. The empty one is none yet.
func Worst(all ...Result) (worst Result) {
	for _, r := range all {
		if r.rank() > worst.rank() {
			worst = r
		}
	}
	return worst
}

// Report is the answer about all files. Its JSON is documented in docs/auditor.md.
type Report struct {
	Version int `json:"version"`
	// At is the moment that was judged at, where nothing proves an earlier one.
	At time.Time `json:"at"`
	// Anchors is how many certificates were trusted.
	Anchors int    `json:"anchors"`
	Result  Result `json:"result"`
	Files   []File `json:"files"`
	// NotFetched is what authorities were asked for and did not give.
	NotFetched []NotFetched `json:"not_fetched,omitempty"`
}

// Kind is what a file is, by its content.
type Kind string

// The kinds.
const (
	KindCMS     Kind = "cms"
	KindPDF     Kind = "pdf"
	KindPackage Kind = "edxml"
	KindRecord  Kind = "record"
	KindEpoch   Kind = "epoch"
	KindFolder  Kind = "folder"
	KindOther   Kind = "other"
)

// File is the answer about one file, a folder, or a file within a package.
type File struct {
	File   string `json:"file"`
	Kind   Kind   `json:"kind"`
	Result Result `json:"result"`
	// Sentence says it to a person, in the language that was asked for.
	Sentence string `json:"sentence"`
	// Signatures are the signatures and proofs in it.
	Signatures []Signature `json:"signatures"`
	// Within are the files of a package or folder.
	Within []File `json:"within,omitempty"`
	// PassedOver are files of a folder that carry nothing to judge.
	PassedOver []string `json:"passed_over,omitempty"`
}

// What a Signature is for, beside the kinds of package pades.
const (
	ForContent   = "content"
	ForSeal      = "seal"
	ForStatement = "statement"
	ForReceipt   = "receipt"
	ForEpoch     = "epoch"
	ForTime      = "time"
	ForXMLDSig   = "xml-dsig"
)

// Signature is the answer about one signature or proof.
type Signature struct {
	// Name is the field of a PDF; empty for others.
	Name string `json:"name,omitempty"`
	// For is what it is for: approval, certification, timestamp (in PDF files),
	// content, seal, statement, receipt, epoch, time, xml-dsig.
	For           string                `json:"for"`
	Form          string                `json:"form,omitempty"`
	Indication    signing.Indication    `json:"indication"`
	SubIndication signing.SubIndication `json:"sub_indication,omitempty"`
	Sentence      string                `json:"sentence"`
	// Detail says in English what was found wrong, for experts.
	Detail string       `json:"detail,omitempty"`
	Signer *Certificate `json:"signer,omitempty"`
	// Holder is person, organisation or unknown: a heuristic.
	Holder string `json:"holder,omitempty"`
	// Chain leads from the signer to the anchor.
	Chain []Certificate `json:"chain,omitempty"`
	// Time is what was relied on, and TimeSource why: given, now, checkpoint,
	// timestamp.
	Time       *time.Time         `json:"time,omitempty"`
	TimeSource signing.TimeSource `json:"time_source,omitempty"`
	// ClaimedTime is the signer's own word.
	ClaimedTime *time.Time   `json:"claimed_time,omitempty"`
	Covers      Covers       `json:"covers"`
	Changes     []Change     `json:"changes,omitempty"`
	Timestamps  []Signature  `json:"timestamps,omitempty"`
	Revocation  []Revocation `json:"revocation,omitempty"`
	// Placeholder: it is none, and was never meant to be checked.
	Placeholder bool `json:"placeholder,omitempty"`
}

// Certificate is what people and scripts know one by.
type Certificate struct {
	Name string `json:"name"`
	// Serial and SHA256 are lower-case hex.
	Serial    string    `json:"serial"`
	SHA256    string    `json:"sha256"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// Covers is what was signed.
type Covers struct {
	Sentence string `json:"sentence"`
	// File is what a detached signature is over.
	File string `json:"file,omitempty"`
	// Revision of Revisions, and how many bytes of the file it has.
	Revision  int   `json:"revision,omitempty"`
	Revisions int   `json:"revisions,omitempty"`
	Bytes     int64 `json:"bytes,omitempty"`
	// Record of the journal.
	Record *Record `json:"record,omitempty"`
}

// Record is a place in an axis's journal.
type Record struct {
	Origin    string `json:"origin"`
	Epoch     uint64 `json:"epoch"`
	LeafIndex uint64 `json:"leaf_index"`
	Kind      string `json:"kind"`
}

// Change is what was done to a PDF after signing.
type Change struct {
	Kind     string `json:"kind"`
	Revision int    `json:"revision"`
	Sentence string `json:"sentence"`
	Detail   string `json:"detail,omitempty"`
}

// Revocation is what was found about one certificate, wherever it came from.
type Revocation struct {
	Certificate string     `json:"certificate"`
	Source      string     `json:"source"`
	ThisUpdate  time.Time  `json:"this_update"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`
}

func (s Signature) result() Result {
	switch {
	case s.Placeholder:
		return ""
	case s.Indication == signing.TotalPassed:
		return Passed
	case s.Indication == signing.TotalFailed:
		return Failed
	}
	return Indeterminate
}

// settle gives a file the worst result of what is in it. Where nothing is signed,
// nothing passed.
func (f *File) settle() {
	if f.Signatures == nil {
		f.Signatures = []Signature{}
	}
	for _, s := range f.Signatures {
		f.Result = Worst(f.Result, s.result())
	}
	for _, w := range f.Within {
		f.Result = Worst(f.Result, w.Result)
	}
	if f.Result == "" {
		f.Result = Indeterminate
	}
}
