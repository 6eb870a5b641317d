package envelope_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"docaxis/edxml"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

var (
	spelling = rapid.SampledFrom(append(slices.Repeat([]edxml.OrganID{
		"H41", "H41.11", "28.22.H17", "000.28.22.H17", "000.00.00.G22", "H27",
	}, 5), "", "h41"))
	anyText = rapid.StringOfN(rapid.RuneFrom([]rune("aệ\u0301 \t\r\n\x7f\x00\ufffe😀,/")), 0, 2100, -1)
	anyName = rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "c", "a\nb", "H27,2026/03/02,101/VP"}), anyText)
	anyDate = rapid.SampledFrom([]edxml.Date{"", "2026/03/02", "02-03-2026", "0000/01/01", "2026/02/30", "hôm nay"})
)

func anyPackage(t *rapid.T) *edxml.Package {
	party := func(label string) edxml.Party { return edxml.Party{OrganID: spelling.Draw(t, label)} }
	answers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) edxml.ResponseFor {
		return edxml.ResponseFor{
			OrganID: spelling.Draw(t, "code"), Code: anyName.Draw(t, "number"), DocumentID: anyName.Draw(t, "id"),
			PromulgationDate: anyDate.Draw(t, "day"),
		}
	}), 1, 4).Draw(t, "answers")
	if rapid.Bool().Draw(t, "status") {
		return &edxml.Package{Status: &edxml.Status{
			From: party("from"), ResponseFor: answers[0], Description: anyText.Draw(t, "description"),
			Code: rapid.SampledFrom([]edxml.StatusCode{"01", "02", "13", "15", "1", ""}).Draw(t, "state"),
			Time: rapid.SampledFrom([]edxml.Timestamp{"2026/03/02 01:02:03", "0001/01/01 00:00:00", ""}).Draw(t, "time"),
		}}
	}
	d := &edxml.Document{
		From: party("from"), ID: anyName.Draw(t, "id"), ResponseFor: answers,
		Number:       edxml.DocumentNumber{Number: anyText.Draw(t, "number"), Notation: anyText.Draw(t, "notation")},
		Promulgation: edxml.Promulgation{Date: anyDate.Draw(t, "day")}, Subject: anyText.Draw(t, "subject"), Content: anyText.Draw(t, "content"),
		Other: edxml.OtherInfo{Priority: rapid.SampledFrom([]edxml.Number{"", "0", "4", "5", "-1", "x"}).Draw(t, "priority")},
		Business: edxml.Business{
			Type:       rapid.SampledFrom([]edxml.BusinessType{"", "0", "1", "2", "3", "9"}).Draw(t, "type"),
			DocumentID: anyName.Draw(t, "business id"), Reason: anyText.Draw(t, "reason"),
		},
	}
	for range rapid.IntRange(0, 3).Draw(t, "recipients") {
		d.To = append(d.To, party("to"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "replaced") {
		d.Business.Replacements = append(d.Business.Replacements, edxml.Replacement{DocumentID: anyName.Draw(t, "replaced id")})
	}
	return &edxml.Package{Document: d}
}

// aboutThePackage: the sender knows its package, and nothing of document.json.
func aboutThePackage(t require, err error) {
	codes := []axispb.ReasonCode{
		axispb.ReasonCode_REASON_BAD_CODE, axispb.ReasonCode_REASON_BAD_PACKAGE,
		axispb.ReasonCode_REASON_NO_RECIPIENT, axispb.ReasonCode_REASON_UNKNOWN_TARGET,
	}
	if reason.IsTemporary(err) || !slices.Contains(codes, reason.Of(err).GetCode()) {
		t.Fatalf("%v", err)
	}
}

// Whatever a package says, it gives a document that can be sealed, of its own sender,
// or a reason that holds for good.
func TestAnyPackage(t *testing.T) {
	const other = "01932f2e-7c00-7abc-8def-0123456789ad"
	taken, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := anyPackage(t)
		r := reading(nil)
		r.Resolve = func(_, name string) (string, error) {
			switch {
			case strings.HasPrefix(name, "a"):
				return id2, nil
			case strings.HasPrefix(name, "b"), strings.HasPrefix(name, "H27,"):
				return other, nil
			}
			return "", nil
		}
		d, err := envelope.FromPackage(p, r)
		if err != nil {
			refused++
			aboutThePackage(t, err)
			return
		}
		taken++
		sealable(t, d)
		if _, about := d.Target(); about != (d.Kind != envelope.KindDocument) {
			t.Fatalf("%s: %v", d.Kind, d.References)
		}
	})
	if taken == 0 || refused == 0 {
		t.Errorf("%d taken, %d refused", taken, refused)
	}
}
