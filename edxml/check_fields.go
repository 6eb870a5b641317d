package edxml

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"docaxis/agency"
)

// form is what a field must be.
type form int

const (
	anyText form = iota
	aNumber
	aDate
	aTime
	aCode
)

// wanted is a field's rule. Lengths and what is required are those of validators in
// use; the tables of QCVN 102 name the same fields.
type wanted struct {
	path     string // below the element that is judged; the last part is the field
	required bool
	length   int // in characters, 0 for no limit
	form     form
	values   string // allowed, joined by blanks
}

// party is what From and To have.
func partyFields(at string, named bool) []wanted {
	return []wanted{
		{path: at + "/OrganId", required: true, length: agency.MaxLength, form: aCode},
		{path: at + "/OrganizationInCharge", length: 500},
		{path: at + "/OrganName", required: named, length: 200},
		{path: at + "/OrganAdd", length: 500},
		{path: at + "/Email", length: 100},
		{path: at + "/Telephone", length: 20},
		{path: at + "/Fax", length: 20},
		{path: at + "/Website", length: 100},
	}
}

func documentFields() []wanted {
	const m, b = "MessageHeader", "TraceHeaderList/Bussiness"
	all := append(partyFields(m+"/From", true), partyFields(m+"/To", false)...)
	return append(all, []wanted{
		{path: m + "/DocumentId", required: true, length: 200},
		{path: m + "/Code/CodeNumber", required: true, length: 11},
		{path: m + "/Code/CodeNotation", required: true, length: 30},
		{path: m + "/PromulgationInfo/Place", length: 50},
		{path: m + "/PromulgationInfo/PromulgationDate", required: true, form: aDate},
		{path: m + "/DocumentType/Type", form: aNumber, values: "1 2"},
		{path: m + "/DocumentType/TypeDetail", form: aNumber},
		{path: m + "/DocumentType/TypeName", length: 100},
		{path: m + "/Subject", required: true, length: 500},
		{path: m + "/Content", length: 500},
		{path: m + "/SignerInfo/Competence", length: 100},
		{path: m + "/SignerInfo/Position", length: 100},
		{path: m + "/SignerInfo/FullName", length: 50},
		{path: m + "/DueDate", form: aDate},
		{path: m + "/OtherInfo/Priority", form: aNumber, values: "0 1 2 3 4"},
		{path: m + "/OtherInfo/SphereOfPromulgation", length: 100},
		{path: m + "/OtherInfo/TyperNotation", length: 10},
		{path: m + "/OtherInfo/PromulgationAmount", form: aNumber},
		{path: m + "/OtherInfo/PageAmount", form: aNumber},
		{path: m + "/ResponseFor/OrganId", length: agency.MaxLength, form: aCode},
		{path: m + "/ResponseFor/PromulgationDate", form: aDate},
		{path: m + "/SteeringType", form: aNumber, values: "0 1 2"},
		{path: m + "/ToPlaces/Place", length: 150},
		{path: b + "/Paper", form: aNumber, values: "0 1"},
		{path: b + "/BussinessDocumentInfo/DocumentInfo", form: aNumber, values: "0 1"},
		{path: b + "/BussinessDocumentInfo/DocumentReceiver", form: aNumber, values: "0 1"},
		{path: b + "/BussinessDocumentInfo/ReceiverList/Receiver/OrganId", required: true, length: agency.MaxLength, form: aCode},
		{path: b + "/BussinessDocumentInfo/ReceiverList/Receiver/ReceiverType", form: aNumber, values: "0 1"},
		{path: b + "/ReplacementInfoList/ReplacementInfo/DocumentId", required: true, length: 200},
		{path: b + "/ReplacementInfoList/ReplacementInfo/OrganIdList/OrganId", length: agency.MaxLength, form: aCode},
		{path: "TraceHeaderList/TraceHeader/OrganId", length: agency.MaxLength, form: aCode},
		{path: "TraceHeaderList/TraceHeader/Timestamp", form: aTime},
	}...)
}

func statusFields() []wanted {
	const m = "MessageHeader"
	return append(partyFields(m+"/From", true), []wanted{
		{path: m + "/ResponseFor/OrganId", required: true, length: agency.MaxLength, form: aCode},
		{path: m + "/ResponseFor/Code", required: true, length: 42},
		{path: m + "/ResponseFor/DocumentId", required: true, length: 200},
		{path: m + "/ResponseFor/PromulgationDate", required: true, form: aDate},
		{path: m + "/StatusCode", required: true},
		{path: m + "/Description", length: 500},
		{path: m + "/Timestamp", required: true, form: aTime},
	}...)
}

// fields judges every field by itself.
func (c *checker) fields() {
	all := documentFields()
	if c.p.Status != nil {
		all = statusFields()
	}
	for _, w := range all {
		c.judge(c.p.layout.header, w.path, w)
	}
	if s := c.p.Status; s != nil && s.Code != "" && !s.Code.Known() {
		c.at(c.p.layout.header.child("MessageHeader").child("StatusCode"), statusUnknown, string(s.Code), "01–06, 13, 15, 16")
	}
	for _, a := range c.p.Attachments {
		if n := characters(a.Name); n > 500 {
			c.add(Finding{Path: a.at + "/AttachmentName", Rule: fieldTooLong, Found: fmt.Sprint(n), Allowed: "<= 500"})
		}
	}
}

// judge goes down the path to every element it leads to.
func (c *checker) judge(n *node, path string, w wanted) {
	name, rest, more := strings.Cut(path, "/")
	met := false
	for _, k := range n.kids {
		if k.name != name || k.space != "" {
			continue
		}
		if more {
			met = true
			c.judge(k, rest, w)
			continue
		}
		if k.text != "" {
			met = true
		}
		c.value(k, w)
	}
	if !met && w.required && c.expected(path) && c.seen[fieldMissing] < listed {
		c.add(Finding{Path: n.path() + "/" + path, Rule: fieldMissing})
	}
}

// expected says whether a required field is missed where its element is absent, too:
// lists may be empty, and a missing To is a finding of its own.
func (c *checker) expected(path string) bool {
	for _, list := range []string{"MessageHeader/To/", "To/", "BussinessDocumentInfo/", "ReceiverList/", "Receiver/", "ReplacementInfoList/", "ReplacementInfo/", "TraceHeaderList/", "Bussiness/"} {
		if strings.HasPrefix(path, list) {
			return false
		}
	}
	return true
}

func (c *checker) value(k *node, w wanted) {
	if k.text == "" {
		if w.path == "MessageHeader/SteeringType" {
			c.at(k, string(SteeringNotANumber), "", "0, 1, 2")
		}
		return
	}
	if n := characters(k.text); w.length > 0 && n > w.length {
		c.at(k, fieldTooLong, fmt.Sprint(n), fmt.Sprintf("<= %d", w.length))
	}
	switch w.form {
	case aNumber:
		c.number(k, w)
	case aDate:
		c.date(k, w)
	case aTime:
		if _, err := Timestamp(k.text).Time(); err != nil {
			c.at(k, dateUnreadable, k.text, "yyyy/MM/dd HH:mm:ss")
		}
	case aCode:
		c.code(k)
	}
}

func (c *checker) number(k *node, w wanted) {
	_, ok := Number(k.text).Int()
	allowed := strings.ReplaceAll(w.values, " ", ", ")
	switch {
	case !ok && k.name == "SteeringType":
		c.at(k, string(SteeringNotANumber), k.text, allowed)
	case !ok:
		c.at(k, numberForm, k.text, allowed)
	case w.values != "" && !strings.Contains(" "+w.values+" ", " "+k.text+" "):
		c.at(k, valueUnknown, k.text, allowed)
	}
}

func (c *checker) date(k *node, w wanted) {
	t, err := Date(k.text).Time()
	switch {
	case err != nil:
		c.at(k, dateUnreadable, k.text, "yyyy/MM/dd")
	case w.path == "MessageHeader/PromulgationInfo/PromulgationDate" && t.After(c.now):
		c.at(k, dateInFuture, k.text, "<= "+string(NewDate(c.now)))
	}
}

func (c *checker) code(k *node) {
	code, err := OrganID(k.text).Agency()
	switch {
	case err != nil:
		c.at(k, codeUnreadable, k.text, "")
	case code.Grammar() == agency.QCVN102 && string(code) == k.text:
		c.at(k, codeOfOldGrammar, k.text, "")
	}
}

// characters counts what a person would: a letter with its accents is one.
func characters(s string) int { return utf8.RuneCountInString(norm.NFC.String(s)) }
