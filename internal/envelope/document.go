package envelope

import (
	"slices"
	"strings"
	"time"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Limits of document.json. Lengths are in runes; the limits of edXML (QCVN
// 102:2016) stay below them.
const (
	MaxRecipients = 2000
	MaxGroups     = 16
	MaxFiles      = 999
	MaxReferences = 100
	MaxSubject    = 500
	MaxTitle      = 500
	MaxNumber     = 50
	MaxNotation   = 100
	MaxText       = 2000
	maxType       = 127
	MaxDocumentID = 200
	// maxBytes is the largest file size that every reader of JSON can hold.
	maxBytes = 1<<53 - 1
)

// Kind says what a document is for. All but KindDocument are changes: documents
// about a document.
type Kind string

// The kinds.
const (
	KindDocument    Kind = "document"
	KindRecall      Kind = "recall"
	KindUpdate      Kind = "update"
	KindReplacement Kind = "replacement"
	KindStatus      Kind = "status"
	KindReply       Kind = "reply"
)

func kinds() []Kind {
	return []Kind{KindDocument, KindRecall, KindUpdate, KindReplacement, KindStatus, KindReply}
}

// Security levels, lowest first. All above ordinary are state secrets in the
// sense of Luật Bảo vệ bí mật nhà nước 29/2018/QH14 (mật, tối mật, tuyệt mật).
const (
	SecurityOrdinary     = "ordinary"
	SecurityConfidential = "confidential"
	SecuritySecret       = "secret"
	SecurityTopSecret    = "top-secret"
)

func securityLevels() []string {
	return []string{SecurityOrdinary, SecurityConfidential, SecuritySecret, SecurityTopSecret}
}

// BodyEdXML says that the first file is an edXML package (QCVN 102:2016) that is the
// document itself: its attachments are the document's, and the members of
// document.json repeat what it says.
const BodyEdXML = "edxml"

// statuses are the business states that travel, by their codes on the national
// axis (Quyết định 28/2018/QĐ-TTg article 10 names them).
func statuses() []string {
	return []string{"01", "02", "03", "04", "05", "06", "13", "15", "16"}
}

// Document is document.json: what routes is what is signed. Texts are Unicode as
// the sender wrote them; they are not normalised.
type Document struct {
	// Version of the format; 1.
	Version int `json:"version"`
	// ID is the sender's id of the submission, a UUIDv7 in lower case.
	ID string `json:"id"`
	// Sender is the code of the sending agency, in canonical form.
	Sender string `json:"sender"`
	// To are the codes of recipients, each once.
	To []string `json:"to,omitempty"`
	// Groups are recipients that the registry resolves.
	Groups []Group `json:"groups,omitempty"`
	Kind   Kind    `json:"kind"`
	// Priority as in edXML: 0 ordinary, 1 to 4 urgent.
	Priority int `json:"priority"`
	// Security is the level of secrecy; empty means ordinary.
	Security string `json:"security"`
	// Subject is what it is about (trích yếu), on one line.
	Subject string `json:"subject,omitempty"`
	// Number and Notation name it in the sender's register: 7816 and VPCP-TTĐT.
	Number   string `json:"number,omitempty"`
	Notation string `json:"notation,omitempty"`
	// Issued is the day of issue as YYYY-MM-DD, or empty.
	Issued string `json:"issued,omitempty"`
	// DocumentID is what the sending agency calls it (DocumentId of edXML): opaque,
	// compared exactly; may be empty.
	DocumentID string `json:"document_id,omitempty"`
	// Body says what the first file is: BodyEdXML, or empty where files are files.
	Body string `json:"body,omitempty"`
	// Created is when the document was submitted, as the sender claims.
	Created time.Time `json:"created"`
	// References are documents that this one is about or mentions.
	References []Reference `json:"references,omitempty"`
	// Deadline is when delivery must have happened; zero for none.
	Deadline time.Time `json:"deadline,omitzero"`
	// Status is the business state, of KindStatus only: 01 02 03 04 05 06 13 15 16.
	Status string `json:"status,omitempty"`
	// Reason and Comment are the sender's words about a change.
	Reason  string     `json:"reason,omitempty"`
	Comment string     `json:"comment,omitempty"`
	Files   []FileInfo `json:"files,omitempty"`
}

// Group is every agency under one, at one level.
type Group struct {
	// Under is the code of the agency above; empty for all agencies.
	Under string `json:"under,omitempty"`
	// Level is ministry, province, district, commune or unit; empty for any.
	Level string `json:"level,omitempty"`
}

// AxisLevel is the level as the registry has it. It reports false where the word
// is none.
func (g Group) AxisLevel() (axispb.Level, bool) {
	switch g.Level {
	case "":
		return axispb.Level_LEVEL_UNSPECIFIED, true
	case "ministry":
		return axispb.Level_LEVEL_MINISTRY, true
	case "province":
		return axispb.Level_LEVEL_PROVINCE, true
	case "district":
		return axispb.Level_LEVEL_DISTRICT, true
	case "commune":
		return axispb.Level_LEVEL_COMMUNE, true
	case "unit":
		return axispb.Level_LEVEL_UNIT, true
	}
	return axispb.Level_LEVEL_UNSPECIFIED, false
}

// Reference names another document by its sender and id.
type Reference struct {
	Sender   string   `json:"sender"`
	ID       string   `json:"id"`
	Relation Relation `json:"relation"`
}

// Relation says what the other document is to this one.
type Relation string

// The relations.
const (
	// RelationTarget: the document that a change is about; every change has one.
	RelationTarget Relation = "target"
	// RelationReplaces: a further document that a replacement replaces.
	RelationReplaces Relation = "replaces"
	// RelationRelated: only mentioned. Its id may be one that another system gave.
	RelationRelated Relation = "related"
)

func relations() []Relation {
	return []Relation{RelationTarget, RelationReplaces, RelationRelated}
}

// FileInfo is a file of the document.
type FileInfo struct {
	// Name is its name in the manifest: files/001.pdf for the first.
	Name string `json:"name"`
	// Title is its true name. It may hold anything printable: never use it as a
	// path.
	Title string `json:"title"`
	// Type is its MIME type, or empty.
	Type string `json:"type,omitempty"`
	// Size in bytes.
	Size uint64 `json:"size"`
}

// Name is what the sending agency calls the document: DocumentID or, where that is
// empty, agency, day of issue, number and notation as systems in the field write them
// (000.00.00.G22,2015/09/30,7816/VPCP-TTĐT), or, where one of these is missing, ID.
// Changes about a document name it so.
func (d *Document) Name() string {
	switch {
	case d.DocumentID != "":
		return d.DocumentID
	case d.Number != "" && d.Notation != "" && d.Issued != "":
		return d.Sender + "," + strings.ReplaceAll(d.Issued, "-", "/") + "," + d.Number + "/" + d.Notation
	}
	return d.ID
}

// Target is the document that a change is about; false where it is no change.
func (d *Document) Target() (Reference, bool) {
	i := slices.IndexFunc(d.References, func(r Reference) bool { return r.Relation == RelationTarget })
	if i < 0 {
		return Reference{}, false
	}
	return d.References[i], true
}

// Lane is the lane that the document's own priority asks for. A change may travel
// faster, with its target.
func (d *Document) Lane() axispb.Lane {
	if d.Priority >= 1 {
		return axispb.Lane_LANE_URGENT
	}
	return axispb.Lane_LANE_NORMAL
}

// CheckSecurity refuses a document whose level is above the highest allowed one
// (empty, or no level: ordinary). The error is a permanent *reason.Error.
func (d *Document) CheckSecurity(allowed string) error {
	if slices.Index(securityLevels(), orOrdinary(d.Security)) <= max(0, slices.Index(securityLevels(), allowed)) {
		return nil
	}
	return reason.Permanent(axispb.ReasonCode_REASON_SECURITY_LEVEL, d.Security)
}

func orOrdinary(level string) string {
	if level == "" {
		return SecurityOrdinary
	}
	return level
}
