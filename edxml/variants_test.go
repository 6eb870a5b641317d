package edxml_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"docaxis/edxml"
	"docaxis/internal/vectors"
)

// march is a day on which the vectors are not in the future.
func march() time.Time { return time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC) }

func check(t testing.TB, raw []byte) edxml.Report {
	t.Helper()
	report, err := edxml.Check(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{}, march())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// rulesOf lists the rules that were found, but for the codes of the older grammar
// that every vector has.
func rulesOf(r edxml.Report) []string {
	found := []string{}
	for _, f := range r.Findings {
		if f.Rule != "code-qcvn-102" && !slices.Contains(found, f.Rule) {
			found = append(found, f.Rule)
		}
	}
	slices.Sort(found)
	return found
}

// variants says of each variant what Open refuses it for ("" opens) and what Check
// finds.
func variants() map[string]struct{ refused, found string } {
	return map[string]struct{ refused, found string }{
		"Manifest-name.edxml":                   {"", "manifest-name"},
		"bad-base64.edxml":                      {"", "bad-base64"},
		"bad-date.edxml":                        {"", "date-form"},
		"bad-priority.edxml":                    {"", "number-form"},
		"bad-steering.edxml":                    {"", "steering-type-not-a-number"},
		"bad-type.edxml":                        {"", "number-form"},
		"base.edxml":                            {"", ""},
		"bom.edxml":                             {"", "byte-order-mark"},
		"cid-mismatch.edxml":                    {"attachment-not-in-manifest", "attachment-not-in-manifest reference-without-attachment"},
		"doctype-external.edxml":                {"doctype", "doctype"},
		"doctype.edxml":                         {"doctype", "doctype"},
		"double-bom.edxml":                      {"", "several-byte-order-marks"},
		"empty-attachment.edxml":                {"", "empty-attachment reference-without-attachment"},
		"empty-steering.edxml":                  {"", "empty-element steering-type-not-a-number"},
		"format-upper.edxml":                    {"", ""},
		"iso-date.edxml":                        {"", "date-form"},
		"leading-newline.edxml":                 {"", "blank-before-declaration"},
		"manifest-missing-for-attachment.edxml": {"attachment-not-in-manifest", "attachment-not-in-manifest"},
		"no-AttachmentEncoded.edxml":            {"", "reference-without-attachment"},
		"no-AttachmentName.edxml":               {"attachment-name-missing", "attachment-name-missing"},
		"no-Bussiness.edxml":                    {"", ""},
		"no-Code.edxml":                         {"", "field-missing"},
		"no-Content.edxml":                      {"", ""},
		"no-ContentTransferEncoded.edxml":       {"attachment-without-content", "attachment-without-content"},
		"no-DocumentId.edxml":                   {"", "field-missing"},
		"no-DocumentType.edxml":                 {"", ""},
		"no-DueDate.edxml":                      {"", ""},
		"no-From.edxml":                         {"", "field-missing"},
		"no-MessageHeader.edxml":                {"", "field-missing recipient-missing"},
		"no-OtherInfo.edxml":                    {"", ""},
		"no-PromulgationInfo.edxml":             {"", "field-missing"},
		"no-SignerInfo.edxml":                   {"", ""},
		"no-SteeringType.edxml":                 {"", ""},
		"no-Subject.edxml":                      {"", "field-missing"},
		"no-To.edxml":                           {"", "recipient-missing"},
		"no-ToPlaces.edxml":                     {"", ""},
		"no-TraceHeaderList.edxml":              {"", ""},
		"no-edXMLBody.edxml":                    {"attachment-not-in-manifest", "attachment-not-in-manifest"},
		"no-edXMLHeader.edxml":                  {"no-header", "no-header"},
		"no-ns.edxml":                           {"", "no-namespace other-prefix"},
		"no-prefix.edxml":                       {"", "other-prefix"},
		"ns-http-vn.edxml":                      {"", "other-namespace"},
		"ns-other.edxml":                        {"", "other-namespace"},
		"other-prefix.edxml":                    {"", "other-prefix"},
		"reordered.edxml":                       {"", "element-order"},
		"soap-like-root.edxml":                  {"", "root-name"},
		"status-code-99.edxml":                  {"", "status-unknown"},
		"status-iso-ts.edxml":                   {"", "date-form"},
		"status-no-Description.edxml":           {"", ""},
		"status-no-From.edxml":                  {"", "field-missing"},
		"status-no-ResponseFor.edxml":           {"", "field-missing"},
		"status-no-StaffInfo.edxml":             {"", ""},
		"status-no-StatusCode.edxml":            {"", "field-missing"},
		"status-no-Timestamp.edxml":             {"", "field-missing"},
		"status-space-code.edxml":               {"", "blanks-around"},
		"trailing-newlines.edxml":               {"", ""},
		"type-xlsx-mime.edxml":                  {"", ""},
		"unbound-prefix.edxml":                  {"", "field-missing other-prefix unbound-prefix unknown-attribute"},
		"unknown-element.edxml":                 {"", "unknown-element"},
		"utf16.edxml":                           {"", "utf-16"},
		"wrapped-base64.edxml":                  {"", "wrapped-base64"},
		"zip-type-not-zip.edxml":                {"", "zip-that-is-none"},
	}
}

func TestEveryVariantIsJudged(t *testing.T) {
	all, err := vectors.Variants()
	if err != nil {
		t.Fatal(err)
	}
	want := variants()
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			w, ok := want[v.Name]
			if !ok {
				t.Fatal("not in the table")
			}
			raw := vectors.EdXML("variants/" + v.Name)
			_, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
			if got := strings.Join(reasons(err), " "); got != w.refused {
				t.Errorf("Open: %q, not %q", got, w.refused)
			}
			report := check(t, raw)
			found := strings.Fields(w.found)
			slices.Sort(found)
			if got := rulesOf(report); !slices.Equal(got, found) {
				t.Errorf("Check: %q, not %q", got, found)
			}
			if report.Conforms() && !strings.HasPrefix(v.Verdict, "ok") {
				t.Errorf("it conforms, and the reference reader says %s", v.Verdict)
			}
			if status := v.ReadAs == "status"; report.Package != nil && (report.Package.Status != nil) != status {
				t.Errorf("status %v", !status)
			}
		})
	}
	if len(all) != len(want) {
		t.Errorf("%d variants, %d in the table", len(all), len(want))
	}
}

// What is composed of a variant deviates in nothing that is a matter of form, says
// the same, and is stable.
func TestAVariantIsMendedByWritingIt(t *testing.T) {
	all, err := vectors.Variants()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		raw := vectors.EdXML("variants/" + v.Name)
		p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
		// These cannot be written, as TestWritingRefuses says.
		if err != nil || v.Name == "bad-steering.edxml" || v.Name == "bad-base64.edxml" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			written := compose(t, p)
			again := open(t, written, edxml.Limits{})
			for _, tolerance := range again.Tolerances {
				if k := tolerance.Kind; k != edxml.UnknownElement && k != edxml.UnlikeDate {
					t.Errorf("%+v", tolerance)
				}
			}
			if diff := same(p.Document, again.Document); diff != "" {
				t.Error(diff)
			}
			if diff := same(p.Status, again.Status); diff != "" {
				t.Error(diff)
			}
			for i, a := range p.Attachments {
				if !bytes.Equal(contentOf(t, a), contentOf(t, again.Attachments[i])) {
					t.Error("another content")
				}
			}
			if !bytes.Equal(written, compose(t, again)) {
				t.Error("writing it again gives other bytes")
			}
		})
	}
}
