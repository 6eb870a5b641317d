package edxml

// Document is a package with a document in it: a new one, or a recall, an update or a
// replacement of others (Business.Type says which).
type Document struct {
	From Party
	// To are the recipients; the message goes to each.
	To []Party
	// ID is opaque: agency, date and number by custom, but also a UUID or anything
	// else. It is compared exactly.
	ID           string
	Number       DocumentNumber
	Promulgation Promulgation
	Type         DocumentType
	// Subject is the trích yếu; Content says more.
	Subject, Content string
	Signer           Signer
	// DueDate by which it is to be handled.
	DueDate Date
	Other   OtherInfo
	// ResponseFor are the documents that this one answers; in a recall, those that
	// are recalled.
	ResponseFor []ResponseFor
	// Steering is 0 none, 1 steering, 2 steering with a report back. Readers refuse
	// anything but an integer.
	Steering Number
	// Tasks that it answers.
	Tasks           []string
	ApplicationType string
	// Places are those named at the foot of the paper.
	Places []string
	// Extra stood in MessageHeader; the others in ResponseForTask and ToPlaces.
	Extra, TasksExtra, PlacesExtra []Element

	Business Business
	// Trace is where the document has been.
	Trace []TraceHeader
	// Signature is carried and not verified here (signing/xmldsig does): the field's own
	// are placeholders. The signatures that count are in the attachments.
	Signature *Element
	Outside   Outside
}

// Outside is what stood elsewhere than in MessageHeader and has no field.
type Outside struct{ Root, Envelope, Header, Trace, Body, Manifest, Attachments []Element }

// Status says what became of a document. It has no recipients of its own: it goes to
// ResponseFor.OrganID.
type Status struct {
	// From is who reports.
	From        Party
	ResponseFor ResponseFor
	Staff       Staff
	Code        StatusCode
	// Description in words; the reason where the code is a refusal.
	Description string
	Time        Timestamp
	Extra       []Element
	Outside     Outside
}

// Party is a sender or recipient; InCharge is the body above it.
type Party struct {
	OrganID                                                 OrganID
	InCharge, Name, Address, Email, Telephone, Fax, Website string
	Extra                                                   []Element
}

// DocumentNumber is the number and notation on the paper: 101 and CQA-VP.
type DocumentNumber struct {
	Number, Notation string
	Extra            []Element
}

// Promulgation is where and when the document was issued.
type Promulgation struct {
	Place string
	Date  Date
	Extra []Element
}

// DocumentType says what kind of document it is; systems do not apply Type alike.
type DocumentType struct {
	Type, Detail Number
	Name         string
	Extra        []Element
}

// Signer of the paper. Competence says in whose name: TL. THỦ TRƯỞNG.
type Signer struct {
	Competence, Position, FullName string
	Extra                          []Element
}

// OtherInfo is what else the paper says.
type OtherInfo struct {
	// Priority is 0 ordinary, 1 to 4 urgent.
	Priority Number
	// Sphere is the field that it belongs to; TyperNotation are the typist's initials.
	Sphere, TyperNotation string
	// PromulgationAmount is how many copies were issued, PageAmount how many pages each has.
	PromulgationAmount     Number
	PageAmount             Number
	Direction              string
	Appendixes             []string
	AppendixesExtra, Extra []Element
}

// ResponseFor names another document.
type ResponseFor struct {
	OrganID          OrganID
	Code             string
	DocumentID       string
	PromulgationDate Date
	Extra            []Element
}

// TraceHeader is a place where the document has been.
type TraceHeader struct {
	OrganID OrganID
	Time    Timestamp
	Extra   []Element
}

// Business says what a package is for.
type Business struct {
	// DocumentID of the document updated or recalled.
	DocumentID string
	Type       BusinessType
	Reason     string
	// Paper is 1 where paper follows.
	Paper Number
	// Info is in an update.
	Info BusinessInfo
	// Replacements are in a replacement.
	Replacements      []Replacement
	Staff             Staff
	Extra             []Element
	ReplacementsExtra []Element
}

// BusinessInfo says what an update changes.
type BusinessInfo struct {
	// Document and Receivers are 1 where the content, or the recipients, changed.
	Document, Receivers Number
	List                []Receiver
	ListExtra, Extra    []Element
}

// Receiver is a recipient added or taken away; which of 0 and 1 is which is not
// written down anywhere.
type Receiver struct {
	OrganID OrganID
	Type    Number
	Extra   []Element
}

// Replacement names a document that is replaced, and for whom.
type Replacement struct {
	DocumentID         string
	OrganIDs           []OrganID
	OrgansExtra, Extra []Element
}

// Staff is who can be asked.
type Staff struct {
	Department, DepartmentID, Staff, StaffID, Email, Mobile string
	Extra                                                   []Element
}

// Reference is what the manifest says of an attachment.
type Reference struct {
	// ContentID without cid:.
	ContentID                      string
	ContentType, Description, Name string
	Extra                          []Element
}
