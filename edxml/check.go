package edxml

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Report is what Check found.
type Report struct {
	// Package as it was opened, with what Open would refuse; nil where it cannot be
	// read at all.
	Package  *Package
	Findings []Finding
}

// Conforms says that there is no error among the findings.
func (r Report) Conforms() bool {
	for _, f := range r.Findings {
		if f.Severity == Error {
			return false
		}
	}
	return true
}

// Check judges a package against QCVN 102:2016 with Sửa đổi 1:2022 and against what
// readers in the field are known to refuse. It reads every content to its end. The
// error is one of reading r; whatever is wrong with the package is a finding, also
// where it cannot be read further. now dates what lies in the future.
func Check(r io.ReaderAt, size int64, limits Limits, now time.Time) (Report, error) {
	limits.Lenient = true
	p, err := Open(r, size, limits)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return Report{Findings: []Finding{found(refusal)}}, nil
	}
	if err != nil {
		return Report{}, err
	}
	c := &checker{p: p, now: now, severity: severities(), seen: make(map[string]int)}
	if err := c.contents(); err != nil {
		return Report{}, err
	}
	for _, r := range p.Refused {
		c.add(found(r))
	}
	c.tolerances(p.Tolerances)
	c.fields()
	c.together()
	return Report{Package: p, Findings: c.findings}, nil
}

func found(r *Refusal) Finding {
	return Finding{Path: r.Path, Rule: string(r.Reason), Severity: Error, Found: r.Found}
}

func severities() map[string]Severity {
	all := make(map[string]Severity)
	for _, r := range Rules() {
		all[r.ID] = r.Severity
	}
	return all
}

type checker struct {
	p        *Package
	now      time.Time
	severity map[string]Severity
	seen     map[string]int // rule to how many findings
	findings []Finding
}

func (c *checker) add(f Finding) {
	if c.seen[f.Rule]++; c.seen[f.Rule] > listed {
		return
	}
	f.Severity = c.severity[f.Rule]
	f.Found = shorten(f.Found)
	c.findings = append(c.findings, f)
}

func (c *checker) at(n *node, rule, found, allowed string) {
	if c.seen[rule] >= listed { // the path is costly where there are thousands
		return
	}
	c.add(Finding{Path: n.path(), Rule: rule, Found: found, Allowed: allowed})
}

func (c *checker) tolerances(all []Tolerance) {
	for _, t := range all {
		count := t.Count
		if count == 1 {
			count = 0
		}
		c.add(Finding{Path: t.Path, Rule: string(t.Kind), Found: t.Found, Count: count})
	}
}

// contents reads every attachment.
func (c *checker) contents() error {
	for _, a := range c.p.Attachments {
		if a.span.to == 0 {
			continue
		}
		n, tolerances, err := a.drain()
		var refusal *Refusal
		if errors.As(err, &refusal) {
			c.add(found(refusal))
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			c.add(Finding{Path: a.at, Rule: contentEmpty, Found: a.Name})
		}
		c.tolerances(tolerances)
	}
	return nil
}

func (a *Attachment) drain() (int64, []Tolerance, error) {
	content, err := a.Open()
	if err != nil {
		return 0, nil, err
	}
	n, err := io.Copy(io.Discard, content)
	return n, content.Tolerances(), err
}

// together judges what fields say with each other.
func (c *checker) together() {
	message := c.p.layout.header.child("MessageHeader")
	if message == nil {
		message = c.p.layout.header
	}
	if c.p.Status != nil {
		if to := message.child("To"); to != nil {
			c.at(to, statusWithRecipient, "", "")
		}
		return
	}
	c.recipients(message)
	c.business()
	c.manifest()
	d := c.p.Document
	if d.Signature != nil {
		c.at(signatureOf(c.p.layout.header), signatureUnverified, "", "")
	}
	c.documentID(message.child("DocumentId"))
}

// documentID compares with the custom, where what it is made of is there.
func (c *checker) documentID(n *node) {
	d := c.p.Document
	if d.ID == "" || d.From.OrganID == "" || d.Promulgation.Date == "" || d.Number.Number == "" || d.Number.Notation == "" {
		return
	}
	if want := NewDocumentID(d.From.OrganID, d.Promulgation.Date, d.Number); d.ID != want {
		c.at(n, idUnusual, d.ID, want)
	}
}

func (c *checker) recipients(message *node) {
	seen := make(map[string]bool)
	for _, k := range message.kids {
		if k.name != "To" || k.space != "" {
			continue
		}
		id := k.child("OrganId")
		if id == nil || id.text == "" {
			continue
		}
		if seen[id.text] {
			c.at(id, recipientTwice, id.text, "")
		}
		seen[id.text] = true
	}
	if message.child("To") == nil {
		c.at(message, recipientMissing, "", "")
	}
}

func (c *checker) business() {
	b := c.p.layout.header.child("TraceHeaderList").child("Bussiness")
	if b == nil {
		return
	}
	d := c.p.Document
	switch d.Business.Type {
	case Recall, Update:
		// The package's own id may be meant: samples of both customs are in use.
		if d.Business.DocumentID == "" && len(d.ResponseFor) == 0 {
			c.at(b, targetMissing, d.ID, "")
		}
	case Replace:
		if len(d.Targets()) == 0 {
			c.at(b, replacedMissing, "", "")
		}
	}
	if i := d.Business.Info; d.Business.Type == Update && i.Document != "1" && i.Receivers != "1" {
		c.at(b, updateEmpty, "", "")
	}
	if !d.Business.Type.Known() {
		c.at(b.child("BussinessDocType"), businessUnknown, string(d.Business.Type), "0, 1, 2, 3")
	}
}

func (c *checker) manifest() {
	sent := make(map[string]string)
	for _, a := range c.p.Attachments {
		sent[a.ContentID] = a.Name
	}
	for i, r := range c.p.Manifest {
		path := fmt.Sprintf("%s/edXMLManifest/Reference[%d]", c.p.layout.body.path(), i+1)
		name, ok := sent[r.ContentID]
		switch {
		case !ok:
			c.add(Finding{Path: path, Rule: referenceAlone, Found: r.ContentID})
		case r.Name != "" && name != "" && name != r.Name:
			c.add(Finding{Path: path + "/AttachmentName", Rule: namesDiffer, Found: r.Name, Allowed: name})
		}
	}
}
