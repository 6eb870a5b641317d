package lang_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"docaxis/internal/lang"
	"docaxis/proto/axispb"
)

func TestChoose(t *testing.T) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "")
	}
	tests := []struct {
		flag, all, messages, lang string
		want                      lang.Language
	}{
		{want: lang.English},
		{lang: "vi_VN.UTF-8", want: lang.Vietnamese},
		{lang: "en_US.UTF-8", want: lang.English},
		{lang: "C", want: lang.English},
		{messages: "vi_VN.UTF-8", lang: "en_US.UTF-8", want: lang.Vietnamese},
		{all: "en_US.UTF-8", messages: "vi_VN", lang: "vi_VN", want: lang.English},
		{flag: "vi", all: "en_US.UTF-8", want: lang.Vietnamese},
		{flag: "en", all: "vi_VN.UTF-8", want: lang.English},
	}
	for _, tt := range tests {
		t.Setenv("LC_ALL", tt.all)
		t.Setenv("LC_MESSAGES", tt.messages)
		t.Setenv("LANG", tt.lang)
		if got := lang.Choose(tt.flag); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// Every state of the protocol has a word in each language; no two share one.
func TestEveryStateHasItsWords(t *testing.T) {
	seen := map[string]string{}
	for number, name := range axispb.State_name {
		name = strings.TrimPrefix(name, "STATE_")
		for _, l := range []lang.Language{lang.Vietnamese, lang.English} {
			word := lang.State(name, l)
			if number == 0 {
				if word != "" {
					t.Errorf("no state is %q", word)
				}
				continue
			}
			if word == "" || strings.ContainsAny(word, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				t.Errorf("%s in %s: %q is no word for people", name, l, word)
			}
			if other, twice := seen[word]; twice {
				t.Errorf("%s and %s are both %q", name, other, word)
			}
			seen[word] = name
		}
	}
	if got := lang.State("LATER", lang.Vietnamese); got != "LATER" {
		t.Errorf("an unknown state is %q", got)
	}
}

func TestErrorSaysBoth(t *testing.T) {
	inner := lang.Errorf("không có tệp %s", "there is no file %s", "a.pdf").Because(fs.ErrNotExist)
	outer := fmt.Errorf("open: %w", lang.Errorf("Con dấu: %v.", "Seal: %v.", inner).Because(inner))
	for l, want := range map[lang.Language]string{
		lang.Vietnamese: "Con dấu: không có tệp a.pdf.",
		lang.English:    "Seal: there is no file a.pdf.",
	} {
		if got := lang.Say(outer, l); got != want {
			t.Errorf("%s: %q", l, got)
		}
	}
	if !errors.Is(outer, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if got := outer.Error(); got != "open: Seal: there is no file a.pdf.: there is no file a.pdf: file does not exist" {
		t.Errorf("for logs: %q", got)
	}
}

func TestSeveralErrorsAreSaidEach(t *testing.T) {
	both := errors.Join(lang.Errorf("một", "one"), errors.New("plain"))
	if got := lang.Say(both, lang.Vietnamese); got != "một\nplain" {
		t.Errorf("%q", got)
	}
	if got := lang.Say(lang.Errorf("sai: %v", "wrong: %v", both), lang.English); got != "wrong: one; plain" {
		t.Errorf("%q", got)
	}
}

func TestTimesAreVietNams(t *testing.T) {
	at := time.Date(2025, 6, 30, 17, 0, 1, 0, time.UTC)
	if got := lang.Time(at); got != "2025-07-01 00:00:01" {
		t.Errorf("%q", got)
	}
	if got := lang.Millis(at.UnixMilli()); got != lang.Time(at) {
		t.Errorf("%q", got)
	}
}
