package envelope

import (
	"fmt"

	"docaxis/edxml"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// mostMentions of other documents are looked up; no package has as many.
const mostMentions = 10 * MaxReferences

// mention is a place where a package names a document.
type mention struct {
	path, sender string
	// names are what it may be called, the likeliest first.
	names []string
	// self: it is the package's own id, so that it names another document only where
	// one is known by it.
	self bool
	id   string // once it is known
}

// refer makes the references, and says what kind of document it is: an update or a
// replacement of something that is not known here is a document like any other.
func (m *mapping) refer(in *edxml.Document) error {
	m.d.Kind = m.kind(in.Business.Type)
	changed, others := m.mentions(in)
	for _, list := range [][]mention{changed, others} {
		if err := m.resolve(list); err != nil {
			return err
		}
	}
	m.changes(changed)
	if _, found := m.d.Target(); !found && m.d.Kind != KindDocument {
		if m.d.Kind == KindRecall {
			return m.unknownTarget(changed)
		}
		m.note("TraceHeaderList/Bussiness", "is about a document that is not known here; it goes as a new document")
		m.d.Kind = KindDocument
	}
	for _, list := range [][]mention{changed, others} {
		for _, c := range list {
			m.add(c, RelationRelated)
		}
	}
	return nil
}

func (m *mapping) kind(t edxml.BusinessType) Kind {
	switch t {
	case edxml.Recall:
		return KindRecall
	case edxml.Update:
		return KindUpdate
	case edxml.Replace:
		return KindReplacement
	}
	if !t.Known() {
		m.note("TraceHeaderList/Bussiness/BussinessDocType", "is no kind of business; it goes as a new document")
	}
	return KindDocument
}

// mentions lists the documents that a change may be about, in the order in which the
// systems in the field are to be understood, and those only mentioned.
func (m *mapping) mentions(in *edxml.Document) (changed, others []mention) {
	own := func(path, name string) mention { return mention{path: path, sender: m.d.Sender, names: named(name)} }
	self := own("MessageHeader/DocumentId", in.ID)
	self.self = true
	business := own("TraceHeaderList/Bussiness/DocumentId", in.Business.DocumentID)
	switch in.Business.Type {
	case edxml.Recall:
		changed = append(changed, self, business)
	case edxml.Update:
		changed = append(changed, business, self)
	case edxml.Replace:
		for i, r := range in.Business.Replacements {
			changed = append(changed, own(fmt.Sprintf("TraceHeaderList/Bussiness/ReplacementInfoList/ReplacementInfo[%d]", i+1), r.DocumentID))
		}
	}
	for i, r := range in.ResponseFor {
		path := fmt.Sprintf("MessageHeader/ResponseFor[%d]", i+1)
		if in.Business.Type == edxml.Recall { // the code there is a recipient's
			changed = append(changed, mention{path: path, sender: m.d.Sender, names: namesOf(r, m.d.Sender)})
			continue
		}
		code, _ := canonical(r.OrganID) // an answer to nobody known is no reason to refuse
		others = append(others, mention{path: path, sender: code, names: namesOf(r, code)})
	}
	changed = changed[:min(len(changed), mostMentions)]
	return changed, others[:min(len(others), mostMentions)]
}

// namesOf is what the document may be called that a package answers: some systems
// leave out its id and give what stands on the paper.
func namesOf(r edxml.ResponseFor, owner string) []string {
	names := named(r.DocumentID)
	if day := isoDay(r.PromulgationDate); day != "" && r.Code != "" {
		names = append(names, owner+","+slashed(day)+","+r.Code)
	}
	return names
}

func named(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

func (m *mapping) resolve(list []mention) error {
	for i, c := range list {
		if c.sender == "" {
			continue
		}
		for _, name := range c.names {
			id, err := m.Resolve(c.sender, name)
			if err != nil {
				return fmt.Errorf("look for %s of %s: %w", shorten(name), c.sender, err)
			}
			if id != "" {
				list[i].id = id
				break
			}
		}
	}
	return nil
}

// changes refers to what is changed: the first one known is the target.
func (m *mapping) changes(list []mention) {
	relation := RelationTarget
	for _, c := range list {
		if c.id == "" {
			continue
		}
		m.add(c, relation)
		if relation = RelationRelated; m.d.Kind == KindReplacement {
			relation = RelationReplaces
		}
	}
}

// add refers to a document once, by its id here or else by its name.
func (m *mapping) add(c mention, relation Relation) {
	if c.self && c.id == "" || len(c.names) == 0 {
		return
	}
	id := c.id
	if id == "" {
		id = c.names[0]
	}
	for _, r := range m.d.References {
		if r.Sender == c.sender && r.ID == id {
			return
		}
	}
	if c.sender == "" || !isName(id) || len(m.d.References) == MaxReferences {
		m.note(c.path, "cannot be referred to; it is left out")
		return
	}
	m.d.References = append(m.d.References, Reference{Sender: c.sender, ID: id, Relation: relation})
}

// unknownTarget names the document as the sender did; its own id only where it named
// no other.
func (m *mapping) unknownTarget(list []mention) error {
	name := ""
	for _, c := range list {
		if len(c.names) > 0 && (name == "" || c.names[0] != m.d.DocumentID) {
			name = c.names[0]
			if !c.self {
				break
			}
		}
	}
	if name == "" {
		return badPackage("TraceHeaderList/Bussiness/DocumentId", "is missing")
	}
	return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_TARGET, m.d.Sender, shortName(name))
}

// about finds the document of a status message: its recipient's, and where it is
// taken back, its sender's own.
func (m *mapping) about(in *edxml.Status) error {
	owner := m.d.To[0]
	if in.Code == edxml.TakeBack {
		owner = m.d.Sender
	}
	one := []mention{{path: "MessageHeader/ResponseFor", sender: owner, names: namesOf(in.ResponseFor, owner)}}
	if len(one[0].names) == 0 {
		return badPackage("MessageHeader/ResponseFor/DocumentId", "is missing")
	}
	if err := m.resolve(one); err != nil {
		return err
	}
	if one[0].id == "" {
		return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_TARGET, owner, shortName(one[0].names[0]))
	}
	m.changes(one)
	return nil
}
