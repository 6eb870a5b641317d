package reason_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// documented reads from proto/reason.proto how many arguments each code has: the
// comment above the code ends in them, in brackets.
func documented(t *testing.T) map[axispb.ReasonCode]int {
	t.Helper()
	raw, err := os.ReadFile("../../proto/reason.proto")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[axispb.ReasonCode]int{}
	value := regexp.MustCompile(`(?m)((?:^  //.*\n)*)^  (REASON_\w+) = `)
	args := regexp.MustCompile(`\[([^\]]+)\]`)
	for _, m := range value.FindAllStringSubmatch(string(raw), -1) {
		code := axispb.ReasonCode(axispb.ReasonCode_value[m[2]])
		counts[code] = 0
		if a := args.FindStringSubmatch(m[1]); a != nil {
			counts[code] = 1 + strings.Count(a[1], ",")
		}
	}
	return counts
}

func TestEveryReasonHasItsSentences(t *testing.T) {
	counts := documented(t)
	for number, name := range axispb.ReasonCode_name {
		code := axispb.ReasonCode(number)
		n, found := counts[code]
		if !found {
			t.Errorf("%s is not in reason.proto as this test reads it", name)
		}
		var args []string
		for i := range n {
			args = append(args, fmt.Sprintf("<argument%d>", i+1))
		}
		r := &axispb.Reason{Code: code, Args: args}
		vi, en := reason.Sentence(r, reason.Vietnamese), reason.Sentence(r, reason.English)
		checkSentence(t, name, vi, args, []string{"ãy ", "Không cần"}, "(không nêu rõ)")
		checkSentence(t, name, en, args, []string{
			"Ask", "ask ", "Send", "send ", "Check", "check ", "Contact", "Update", "Mend", "Write", "Nothing needs", "Keep",
		}, "(not stated)")
		if vi == en || !strings.ContainsAny(vi, "ạảãấầậộốồệếềịứừựưđăâơôê") {
			t.Errorf("%s: the Vietnamese sentence is not Vietnamese: %s", name, vi)
		}
	}
}

// checkSentence looks for the two halves: what is wrong, and what to do.
func checkSentence(t *testing.T, name, sentence string, args, todo []string, missing string) {
	t.Helper()
	if strings.Contains(sentence, name) || strings.ContainsAny(sentence, "{}") || strings.Contains(sentence, missing) {
		t.Errorf("%s: the sentence is not finished: %s", name, sentence)
	}
	if !norm.NFC.IsNormalString(sentence) || !strings.HasSuffix(sentence, ".") || strings.Count(sentence, ". ") != 1 {
		t.Errorf("%s: not what is wrong and then what to do, in NFC: %s", name, sentence)
	}
	_, action, _ := strings.Cut(sentence, ". ")
	if !containsAny(action, todo) {
		t.Errorf("%s: does not say what to do: %s", name, sentence)
	}
	for _, a := range args {
		if !strings.Contains(sentence, a) {
			t.Errorf("%s: does not say %s: %s", name, a, sentence)
		}
	}
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func TestSentenceTakesWhatIsMissingOrHostile(t *testing.T) {
	hostile := []string{"", "\xff\xfe", "a\nb\x1b[31m\u202e", strings.Repeat("ệ", 1<<20), "{1}{2}{9:time}", "{"}
	for number := range axispb.ReasonCode_name {
		for n := range len(hostile) {
			for _, lang := range []reason.Language{reason.Vietnamese, reason.English, ""} {
				got := reason.Sentence(&axispb.Reason{Code: axispb.ReasonCode(number), Args: hostile[n:]}, lang)
				if len(got) > 8000 || got == "" || strings.ContainsAny(got, "\n\x1b\u202e") || !norm.NFC.IsNormalString(got) {
					t.Errorf("code %d, arguments from %d on: %d bytes: %.200q", number, n, len(got), got)
				}
			}
		}
	}
	if got := reason.Sentence(nil, reason.English); !strings.Contains(got, "No reason was given") {
		t.Errorf("no reason at all: %q", got)
	}
	if got := reason.Sentence(&axispb.Reason{Code: axispb.ReasonCode_REASON_BAD_CODE}, reason.English); !strings.HasPrefix(got, "“(not stated)”") {
		t.Errorf("a missing argument: %q", got)
	}
}

func TestSentenceOfANewerCode(t *testing.T) {
	r := &axispb.Reason{Code: 9999, Args: []string{"H41", "later"}}
	for _, lang := range []reason.Language{reason.Vietnamese, reason.English} {
		if got := reason.Sentence(r, lang); !strings.Contains(got, "9999") || !strings.Contains(got, "H41, later") {
			t.Errorf("%s: %q", lang, got)
		}
	}
}

func TestFormsOfArguments(t *testing.T) {
	when := reason.Time(time.Date(2025, 6, 30, 17, 0, 0, 0, time.UTC))
	tests := []struct {
		code   axispb.ReasonCode
		args   []string
		vi, en string
	}{
		{axispb.ReasonCode_REASON_DEADLINE, []string{when}, "00:00 ngày 01/07/2025", "2025-07-01 00:00 (UTC+7)"},
		{axispb.ReasonCode_REASON_DEADLINE, []string{"mai"}, "thời hạn mai mà", "deadline of mai passed"},
		{axispb.ReasonCode_REASON_FILE_TOO_LARGE, []string{"a.pdf", "1572864", "1048576"}, "1,5 MB, vượt giới hạn 1 MB", "1.5 MB, over the limit of 1 MB"},
		{axispb.ReasonCode_REASON_FILE_TOO_LARGE, []string{"a.pdf", "999", "1024"}, "999 B, vượt giới hạn 1 KB", "999 B, over the limit of 1 KB"},
		{axispb.ReasonCode_REASON_FILE_TOO_LARGE, []string{"a.pdf", "200 MB", "1"}, "200 MB, vượt", "200 MB, over"},
		{axispb.ReasonCode_REASON_REFUSED_BY_DMS, []string{"Thiếu phụ lục."}, "Thiếu phụ lục. Hãy", "Thiếu phụ lục. Mend"},
	}
	for _, tt := range tests {
		r := &axispb.Reason{Code: tt.code, Args: tt.args}
		if got := reason.Sentence(r, reason.Vietnamese); !strings.Contains(got, tt.vi) {
			t.Errorf("%q lacks %q", got, tt.vi)
		}
		if got := reason.Sentence(r, reason.English); !strings.Contains(got, tt.en) {
			t.Errorf("%q lacks %q", got, tt.en)
		}
	}
}

func TestTheRuleThatAPackageBreaks(t *testing.T) {
	r := &axispb.Reason{Code: axispb.ReasonCode_REASON_BAD_PACKAGE, Args: []string{"edXML", "doctype: <!DOCTYPE x>"}}
	for lang, want := range map[reason.Language]string{
		reason.Vietnamese: "Gói edXML sai ở edXML: Gói tin có khai báo DOCTYPE (<!DOCTYPE x>). ",
		reason.English:    "The edXML package is wrong at edXML: The package has a DOCTYPE (<!DOCTYPE x>). ",
	} {
		if got := reason.Sentence(r, lang); !strings.HasPrefix(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
	}
	r.Args[1] = "must be one of 01, 02"
	if got := reason.Sentence(r, reason.Vietnamese); !strings.Contains(got, "ở edXML: phải là một trong 01, 02. ") {
		t.Error(got)
	}
}
