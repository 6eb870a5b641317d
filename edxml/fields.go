package edxml

// The functions here say which element a field is, in the order of writing
// (QCVN 102:2016, as the systems in the field write it).

func (d *Document) message(m *mapper) {
	m.group("From", d.From.fields)
	list(m, "To", &d.To, (*Party).fields)
	field(m, "DocumentId", &d.ID)
	m.group("Code", d.Number.fields)
	m.group("PromulgationInfo", d.Promulgation.fields)
	m.group("DocumentType", d.Type.fields)
	field(m, "Subject", &d.Subject)
	field(m, "Content", &d.Content)
	m.group("SignerInfo", d.Signer.fields)
	field(m, "DueDate", &d.DueDate)
	m.group("OtherInfo", d.Other.fields)
	list(m, "ResponseFor", &d.ResponseFor, (*ResponseFor).fields)
	field(m, "SteeringType", &d.Steering)
	m.group("ResponseForTask", func(m *mapper) {
		texts(m, "TaskCode", &d.Tasks)
		m.extra(&d.TasksExtra)
	})
	field(m, "ApplicationType", &d.ApplicationType)
	m.group("ToPlaces", func(m *mapper) {
		texts(m, "Place", &d.Places)
		m.extra(&d.PlacesExtra)
	})
	m.extra(&d.Extra)
}

func (d *Document) trace(m *mapper) {
	m.group("Bussiness", d.Business.fields)
	list(m, "TraceHeader", &d.Trace, (*TraceHeader).fields)
	m.extra(&d.Outside.Trace)
}

func (s *Status) message(m *mapper) {
	m.group("From", s.From.fields)
	m.group("ResponseFor", s.ResponseFor.fields)
	m.group("StaffInfo", s.Staff.fields)
	field(m, "StatusCode", &s.Code)
	field(m, "Description", &s.Description)
	field(m, "Timestamp", &s.Time)
	m.extra(&s.Extra)
}

func (p *Party) fields(m *mapper) {
	field(m, "OrganId", &p.OrganID)
	field(m, "OrganizationInCharge", &p.InCharge)
	field(m, "OrganName", &p.Name)
	field(m, "OrganAdd", &p.Address)
	field(m, "Email", &p.Email)
	field(m, "Telephone", &p.Telephone)
	field(m, "Fax", &p.Fax)
	field(m, "Website", &p.Website)
	m.extra(&p.Extra)
}

func (n *DocumentNumber) fields(m *mapper) {
	field(m, "CodeNumber", &n.Number)
	field(m, "CodeNotation", &n.Notation)
	m.extra(&n.Extra)
}

func (p *Promulgation) fields(m *mapper) {
	field(m, "Place", &p.Place)
	field(m, "PromulgationDate", &p.Date)
	m.extra(&p.Extra)
}

func (t *DocumentType) fields(m *mapper) {
	field(m, "Type", &t.Type)
	field(m, "TypeDetail", &t.Detail)
	field(m, "TypeName", &t.Name)
	m.extra(&t.Extra)
}

func (s *Signer) fields(m *mapper) {
	field(m, "Competence", &s.Competence)
	field(m, "Position", &s.Position)
	field(m, "FullName", &s.FullName)
	m.extra(&s.Extra)
}

func (o *OtherInfo) fields(m *mapper) {
	field(m, "Priority", &o.Priority)
	field(m, "SphereOfPromulgation", &o.Sphere)
	field(m, "TyperNotation", &o.TyperNotation)
	field(m, "PromulgationAmount", &o.PromulgationAmount)
	field(m, "PageAmount", &o.PageAmount)
	field(m, "Direction", &o.Direction)
	m.group("Appendixes", func(m *mapper) {
		texts(m, "Appendix", &o.Appendixes)
		m.extra(&o.AppendixesExtra)
	})
	m.extra(&o.Extra)
}

func (r *ResponseFor) fields(m *mapper) {
	field(m, "OrganId", &r.OrganID)
	field(m, "Code", &r.Code)
	field(m, "DocumentId", &r.DocumentID)
	field(m, "PromulgationDate", &r.PromulgationDate)
	m.extra(&r.Extra)
}

func (t *TraceHeader) fields(m *mapper) {
	field(m, "OrganId", &t.OrganID)
	field(m, "Timestamp", &t.Time)
	m.extra(&t.Extra)
}

func (b *Business) fields(m *mapper) {
	field(m, "DocumentId", &b.DocumentID)
	field(m, "BussinessDocType", &b.Type)
	field(m, "BussinessDocReason", &b.Reason)
	field(m, "Paper", &b.Paper)
	m.group("BussinessDocumentInfo", b.Info.fields)
	m.group("ReplacementInfoList", func(m *mapper) {
		list(m, "ReplacementInfo", &b.Replacements, (*Replacement).fields)
		m.extra(&b.ReplacementsExtra)
	})
	m.group("StaffInfo", b.Staff.fields)
	m.extra(&b.Extra)
}

func (i *BusinessInfo) fields(m *mapper) {
	field(m, "DocumentInfo", &i.Document)
	field(m, "DocumentReceiver", &i.Receivers)
	m.group("ReceiverList", func(m *mapper) {
		list(m, "Receiver", &i.List, (*Receiver).fields)
		m.extra(&i.ListExtra)
	})
	m.extra(&i.Extra)
}

func (r *Receiver) fields(m *mapper) {
	field(m, "OrganId", &r.OrganID)
	field(m, "ReceiverType", &r.Type)
	m.extra(&r.Extra)
}

func (r *Replacement) fields(m *mapper) {
	field(m, "DocumentId", &r.DocumentID)
	m.group("OrganIdList", func(m *mapper) {
		texts(m, "OrganId", &r.OrganIDs)
		m.extra(&r.OrgansExtra)
	})
	m.extra(&r.Extra)
}

func (s *Staff) fields(m *mapper) {
	field(m, "Department", &s.Department)
	field(m, "DepartmentId", &s.DepartmentID)
	field(m, "Staff", &s.Staff)
	field(m, "StaffId", &s.StaffID)
	field(m, "Email", &s.Email)
	field(m, "Mobile", &s.Mobile)
	m.extra(&s.Extra)
}

func (r *Reference) fields(m *mapper) {
	id := cidPrefix + r.ContentID
	if m.in != nil || r.ContentID == "" {
		id = ""
	}
	field(m, "ContentId", &id)
	if m.in != nil {
		r.ContentID = stripCID(m, id)
	}
	field(m, "ContentType", &r.ContentType)
	field(m, "Description", &r.Description)
	field(m, "AttachmentName", &r.Name)
	m.extra(&r.Extra)
}
