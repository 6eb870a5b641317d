package pades_test

import (
	"bytes"
	"crypto/x509"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// world is a person and an organisation under one root.
type world struct {
	t                    testing.TB
	root, person, agency sealtest.Seal
}

func newWorld(t testing.TB) world {
	root := sealtest.Root(t, "Root")
	in := func(c *x509.Certificate) { c.Subject.Organization = []string{"Ủy ban nhân dân tỉnh Thử"} }
	return world{
		t: t, root: root,
		person: sealtest.Issue(t, root, "Nguyễn Văn Thử", sealtest.P256(t), in),
		agency: sealtest.Issue(t, root, "Ủy ban nhân dân tỉnh Thử", sealtest.P256(t), in),
	}
}

// by signs with a seal.
func (w world) by(field string, seal sealtest.Seal) padestest.Sig {
	return padestest.Sig{Field: field, Value: func(content []byte) []byte {
		der, err := signing.Sign(content, seal.Key, seal.Chain)
		if err != nil {
			w.t.Fatal(err)
		}
		return der
	}}
}

func (w world) options() signing.Options {
	return signing.Options{At: sealtest.At, Anchors: []*x509.Certificate{w.root.Certificate()}}
}

func (w world) inspect(b []byte) *pades.Document {
	w.t.Helper()
	d, err := pades.Inspect(bytes.NewReader(b), int64(len(b)), w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// signedTwice is what the law asks for: a person, then the agency.
func (w world) signedTwice(streams bool) *padestest.Doc {
	d := padestest.NewDoc()
	d.Streams = streams
	d.End()
	return d.Sign(w.by("Person", w.person)).Sign(w.by("Agency", w.agency))
}

func TestPersonThenOrganisation(t *testing.T) {
	w := newWorld(t)
	for name, streams := range map[string]bool{"tables": false, "streams": true} {
		t.Run(name, func(t *testing.T) {
			d := w.inspect(w.signedTwice(streams).B)
			if d.Label != pades.Valid || d.Revisions != 3 || len(d.Signatures) != 2 {
				t.Fatalf("%s (%s), %d revisions, %+v", d.Label, d.Trouble, d.Revisions, d.Signatures)
			}
			first, second := d.Signatures[0], d.Signatures[1]
			if first.Holder != pades.Person || second.Holder != pades.Organisation {
				t.Errorf("holders %s, %s", first.Holder, second.Holder)
			}
			if first.Revision != 2 || first.WholeFile || second.Revision != 3 || !second.WholeFile {
				t.Errorf("covers %d, %d", first.Revision, second.Revision)
			}
			if len(first.Changes) != 1 || first.Changes[0].Kind != pades.ChangeSignature || len(second.Changes) != 0 {
				t.Errorf("changes %v, %v", first.Changes, second.Changes)
			}
			if first.Field != "Person" || first.SubFilter != pades.CAdESDetached || !second.Verdict.Passed() {
				t.Errorf("%+v", first)
			}
		})
	}
}
