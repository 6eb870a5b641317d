package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/cli/clitest"
)

// play runs the demo to its end and gives what it printed.
func playOnce(t *testing.T, language string, spoil func(*clerk.Story)) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var o, e bytes.Buffer
	var g grammar
	g.spoil = spoil
	code = program(&g).Run(ctx, []string{"--once", "--lang", language, "--dir", t.TempDir()}, &o, &e)
	return code, o.String(), e.String()
}

func TestDemoProvesEverythingInBothLanguages(t *testing.T) {
	for language, want := range map[string]struct{ holds, count, proved, time string }{
		"en": {" holds; record ", `(?m)^18 documents, 60 proofs checked, 0 problems\.$`, "Proved: each step above is signed", "The auditor concludes: PASSED."},
		"vi": {" đúng; bản ghi ", `(?m)^18 văn bản, 60 bằng chứng đã kiểm, 0 vấn đề\.$`, "Đã chứng minh: mỗi bước trên", "kết luận: ĐẠT."},
	} {
		t.Run(language, func(t *testing.T) {
			code, out, errs := playOnce(t, language, nil)
			if code != 0 || errs != "" {
				t.Errorf("exit code %d, errors %q", code, errs)
			}
			events := 0
			for line := range strings.Lines(out) {
				if !regexp.MustCompile(`Submission|Content[CHW]`).MatchString(line) {
					continue
				}
				events++
				if !strings.Contains(line, want.holds) {
					t.Errorf("names an event and does not say that it holds: %s", line)
				}
			}
			if events < 25 {
				t.Errorf("only %d lines name an event", events)
			}
			if !regexp.MustCompile(want.count).MatchString(out) || !strings.Contains(out, want.proved) {
				t.Errorf("it does not end as it should:\n%s", out)
			}
			if !strings.Contains(out, want.time) {
				t.Errorf("no authority of time vouches for every record:\n%s", out)
			}
			if regexp.MustCompile(`HANDED_OVER|CONSIGNED|%!`).MatchString(out) {
				t.Errorf("not words for people:\n%s", out)
			}
		})
	}
}

// One spoilt byte of one proof, in a receipt or in a statement, is found.
func TestDemoFindsATamperedProof(t *testing.T) {
	for name, part := range map[string]func(*clerk.Step) []byte{
		"receipt":   func(s *clerk.Step) []byte { return s.Receipt },
		"statement": func(s *clerk.Step) []byte { return s.Evidence },
	} {
		t.Run(name, func(t *testing.T) {
			spoil := func(s *clerk.Story) {
				for i := range s.Steps {
					if proof := part(&s.Steps[i]); s.Subject == unwanted && s.Steps[i].Event == "ContentHandoverFailure" && len(proof) > 0 {
						proof[len(proof)/2] ^= 1
					}
				}
			}
			code, out, errs := playOnce(t, "en", spoil)
			if code != 1 || !strings.Contains(errs, "Not everything could be proved") {
				t.Errorf("exit code %d, errors %q", code, errs)
			}
			if !regexp.MustCompile(`ContentHandoverFailure +DOES NOT HOLD: `).MatchString(out) || !strings.Contains(out, "NOT everything could be proved") {
				t.Errorf("it does not say what does not hold:\n%s", out)
			}
			if !strings.Contains(out, " 59 proofs checked") {
				t.Errorf("the others are not proved:\n%s", out)
			}
		})
	}
}

func TestHelpIsInBothLanguages(t *testing.T) { clitest.Help(t, program(new(grammar))) }
