package envelope

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"docaxis/agency"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
	"docaxis/signing/asic"
)

// validator keeps the first thing found wrong.
type validator struct{ err *reason.Error }

func (v *validator) fail(path, format string, args ...any) {
	v.refuse(badDocument(path, fmt.Sprintf(format, args...)))
}

func (v *validator) refuse(err *reason.Error) {
	if v.err == nil {
		v.err = err
	}
}

// validate holds for what is written and for what is read.
func validate(d *Document) *reason.Error {
	v := &validator{}
	if d.Version != version {
		v.fail("version", "must be %d", version)
	}
	v.id("id", d.ID)
	v.code("sender", d.Sender)
	v.recipients(d)
	v.handling(d)
	v.words(d)
	v.references(d)
	v.files(d.Files, d.Body)
	return v.err
}

func (v *validator) recipients(d *Document) {
	if len(d.To)+len(d.Groups) == 0 {
		v.refuse(reason.Permanent(axispb.ReasonCode_REASON_NO_RECIPIENT))
	}
	if len(d.To) > MaxRecipients {
		v.fail("to", "more than %d", MaxRecipients)
		return
	}
	seen := make(map[string]bool, len(d.To))
	for i, code := range d.To {
		v.code(fmt.Sprintf("to[%d]", i), code)
		if seen[code] {
			v.refuse(reason.Permanent(axispb.ReasonCode_REASON_DUPLICATE_CODE, code))
		}
		seen[code] = true
	}
	v.groups(d.Groups)
}

func (v *validator) groups(groups []Group) {
	if len(groups) > MaxGroups {
		v.fail("groups", "more than %d", MaxGroups)
		return
	}
	for i, g := range groups {
		path := fmt.Sprintf("groups[%d]", i)
		if g.Under != "" {
			v.code(path+".under", g.Under)
		}
		if _, ok := g.AxisLevel(); !ok {
			v.fail(path+".level", "no level of agencies")
		}
		if slices.Contains(groups[:i], g) {
			v.fail(path, "is named twice")
		}
	}
}

func (v *validator) handling(d *Document) {
	if !slices.Contains(kinds(), d.Kind) {
		v.fail("kind", "is not known")
	}
	if d.Priority < 0 || d.Priority > 4 {
		v.fail("priority", "must be 0 to 4")
	}
	if !slices.Contains(securityLevels(), orOrdinary(d.Security)) {
		v.fail("security", "is not known")
	}
	isStatus := d.Kind == KindStatus
	switch {
	case isStatus && !slices.Contains(statuses(), d.Status):
		v.fail("status", "must be one of %s", strings.Join(statuses(), ", "))
	case !isStatus && d.Status != "":
		v.fail("status", "is for documents of kind status")
	}
	if d.Created.IsZero() {
		v.fail("created", "is missing")
	}
	v.time("created", d.Created)
	v.time("deadline", d.Deadline)
}

// time refuses what RFC 3339 cannot write.
func (v *validator) time(path string, t time.Time) {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		v.fail(path, "has no year of four digits")
	}
}

func (v *validator) words(d *Document) {
	if d.Subject == "" && d.Kind != KindStatus && d.Kind != KindRecall {
		v.fail("subject", "is missing")
	}
	v.line("subject", d.Subject, MaxSubject)
	v.line("number", d.Number, MaxNumber)
	v.line("notation", d.Notation, MaxNotation)
	v.line("document_id", d.DocumentID, MaxDocumentID)
	v.text("reason", d.Reason, MaxText)
	v.text("comment", d.Comment, MaxText)
	if _, err := time.Parse(time.DateOnly, d.Issued); err != nil && d.Issued != "" {
		v.fail("issued", "is no day as YYYY-MM-DD")
	}
}

func (v *validator) references(d *Document) {
	if len(d.References) > MaxReferences {
		v.fail("references", "more than %d", MaxReferences)
		return
	}
	targets := 0
	for i, r := range d.References {
		v.reference(fmt.Sprintf("references[%d]", i), r, d.Kind)
		if slices.Contains(d.References[:i], r) {
			v.fail(fmt.Sprintf("references[%d]", i), "is named twice")
		}
		if r.Relation == RelationTarget {
			targets++
		}
	}
	switch {
	case d.Kind == KindDocument && targets > 0:
		v.fail("references", "a new document has no target")
	case d.Kind != KindDocument && targets != 1:
		v.fail("references", "a change has one target, not %d", targets)
	}
}

func (v *validator) reference(path string, r Reference, kind Kind) {
	v.code(path+".sender", r.Sender)
	switch r.Relation {
	case RelationRelated:
		v.line(path+".id", r.ID, MaxDocumentID)
		if r.ID == "" {
			v.fail(path+".id", "is missing")
		}
		return
	case RelationReplaces:
		if kind != KindReplacement {
			v.fail(path+".relation", "is for replacements")
		}
	case RelationTarget:
	default:
		v.fail(path+".relation", "must be one of %v", relations())
	}
	v.id(path+".id", r.ID)
}

// files asks for names in the order of the files. Which extension suits a file is
// its sender's affair.
func (v *validator) files(files []FileInfo, body string) {
	if body != "" && body != BodyEdXML {
		v.fail("body", "is not known")
	}
	if body != "" && len(files) == 0 {
		v.fail("body", "has no file")
	}
	if len(files) > MaxFiles {
		v.fail("files", "more than %d", MaxFiles)
		return
	}
	for i, f := range files {
		path := fmt.Sprintf("files[%d]", i)
		if !asic.IsFileName(i+1, f.Name) {
			v.fail(path+".name", "must be files/%03d and an extension", i+1)
		}
		if f.Title == "" {
			v.fail(path+".title", "is missing")
		}
		v.line(path+".title", f.Title, MaxTitle)
		if f.Type != "" && !isMimeType(f.Type) {
			v.fail(path+".type", "is no MIME type")
		}
		if f.Size > maxBytes {
			v.fail(path+".size", "is over %d", uint64(maxBytes))
		}
	}
}

// isMimeType takes type/subtype with parameters (RFC 6838 section 4.2), without
// quotes.
func isMimeType(s string) bool {
	const others = "!#$^_.+-/;= "
	kind, sub, _ := strings.Cut(s, "/")
	return kind != "" && sub != "" && len(s) <= maxType && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(others, r))
	}) < 0
}

// id asks for the one spelling of a UUIDv7 (RFC 9562 section 5.7).
func (v *validator) id(path, s string) {
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		v.fail(path, "is no UUIDv7 in lower case")
	}
}

// code asks for the one spelling of an agency code: another spelling would hide
// that a recipient is named twice.
func (v *validator) code(path, s string) {
	code, err := agency.Parse(s)
	switch {
	case err != nil:
		v.refuse(reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, shorten(s)).Because(err))
	case string(code) != s:
		v.fail(path, "must be written %s", code)
	}
}

// line is a text without line breaks.
func (v *validator) line(path, s string, limit int) {
	if strings.ContainsAny(s, "\t\r\n") {
		v.fail(path, "has a tab or a line break")
	}
	v.text(path, s, limit)
}

// text refuses what XML 1.0 cannot hold (section 2.2), since a document must be
// able to go on as edXML.
func (v *validator) text(path, s string, limit int) {
	if !utf8.ValidString(s) {
		v.fail(path, "is no UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > limit {
		v.fail(path, "has %d characters; at most %d", n, limit)
	}
	if strings.ContainsFunc(s, isControl) {
		v.fail(path, "has a control character")
	}
}

func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f || r == 0xfffe || r == 0xffff
}

// shorten keeps a hostile text from filling a refusal.
func shorten(s string) string {
	const limit = 64
	if len(s) <= limit {
		return strings.ToValidUTF8(s, "?")
	}
	return strings.ToValidUTF8(s[:limit], "?") + "…"
}
