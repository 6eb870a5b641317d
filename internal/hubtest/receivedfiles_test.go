package hubtest_test

import (
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/hubtest"
	"docaxis/internal/inspect"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// shown is a file's label at an endpoint; nil where it was not looked at.
func shown(t *testing.T, m *hubtest.Member, id string) *admin.FileLabel {
	t.Helper()
	all, err := endpoint.Clerk(m.Agent()).Show(t.Context(), id)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d stories: %v", len(all), err)
	}
	return all[0].Files[0].Label
}

// What an agency's policy asks of the files that it gets is kept to by its endpoint: what
// fails it never reaches the DMS, and its sender has the evidence and the reason, though
// no authority answers. What passes is taken, and both ends show what is known of it.
func TestThePolicyOnReceivedFilesRefuses(t *testing.T) {
	t.Parallel()
	c := newCA(t)
	path := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.root.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	w := world(t, hubtest.Config{Retry: quick, AdjustEndpoint: func(_ string, e *endpoint.Config) {
		e.Settings.Signatures = inspect.Settings{Anchors: []string{path}, Allow: []string{"127.0.0.0/8"}}
	}}, "G22", "H41")
	from, to := w.Member("G22"), w.Member("H41")
	signed := "signed"
	set(t, w, operator.SetPolicy{Code: "H41", ReceivedFiles: &signed})

	refused := sendNamed(t, from, "H41", named{"thường.pdf", unsignedPDF()})
	good := sendNamed(t, from, "H41", named{"ký.pdf", c.signed()})
	wait(t, from, refused, axispb.State_STATE_HANDOVER_FAILED)
	story, err := from.Agent().Show(refused)
	if err != nil || len(story.Recipients) != 1 {
		t.Fatalf("%+v, %v", story, err)
	}
	steps := story.Recipients[0].Steps
	last := steps[len(steps)-1]
	if vi := reason.Sentence(last.Reason, reason.Vietnamese); last.Reason.GetCode() != axispb.ReasonCode_REASON_FILE_UNSIGNED || !last.Verified || !strings.Contains(vi, "thường.pdf") {
		t.Errorf("the sender sees %+v, %q", last, vi)
	}
	if _, err := endpoint.Clerk(to.Agent()).Content(t.Context(), refused, "", 0); !reason.Is(err, axispb.ReasonCode_REASON_FILE_UNSIGNED) {
		t.Errorf("its content is given: %v", err)
	}

	eventually(t, "what passes can be taken", func() error {
		f, err := endpoint.Clerk(to.Agent()).Content(t.Context(), good, "", 0)
		if err != nil {
			return err
		}
		return f.Close()
	})
	if _, err := endpoint.Clerk(to.Agent()).Confirm(t.Context(), clerk.Confirm{ID: good}); err != nil {
		t.Fatal(err)
	}
	wait(t, from, good, axispb.State_STATE_HANDED_OVER)
	for _, m := range []*hubtest.Member{from, to} {
		eventually(t, "its label", func() error {
			l := shown(t, m, good)
			if l == nil || len(l.Signatures) != 1 || l.Signatures[0].SubIndication != "TRY_LATER" || l.Signatures[0].TimeSource != "checkpoint" && m == to {
				return errors.New("it is not that")
			}
			return nil
		})
	}
	checked(t, w)
}
