package agency_test

import (
	"errors"
	"strings"
	"testing"

	"docaxis/agency"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text, canonical string
		grammar         agency.Grammar
	}{
		{"H41", "H41", agency.QD20},
		{"H41.11.05", "H41.11.05", agency.QD20},
		{"H37.DN.001", "H37.DN.001", agency.QD20},
		{"G12.18", "G12.18", agency.QD20},
		{"A01." + strings.Repeat("X", 31), "A01." + strings.Repeat("X", 31), agency.QD20},
		{"000.00.00.H49", "000.00.00.H49", agency.QCVN102},
		{"000.00.01.H27", "000.00.01.H27", agency.QCVN102},
		{"000.00.00.Z99", "000.00.00.Z99", agency.QCVN102},
		{"28.22.H17", "000.28.22.H17", agency.QCVN102},
		{"00.99.H29", "000.00.99.H29", agency.QCVN102},
		{"22.H17", "000.00.22.H17", agency.QCVN102},
	}
	for _, tt := range tests {
		got, err := agency.Parse(tt.text)
		if err != nil || string(got) != tt.canonical || got.Grammar() != tt.grammar {
			t.Errorf("Parse(%q) = %q (%v), %v; want %q (%v)", tt.text, got, got.Grammar(), err, tt.canonical, tt.grammar)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		text, what string
		meant      agency.Code
	}{
		{"", "empty", ""},
		{"h41.11", "capitals", "H41.11"},
		{"H41-11-05", "'-'", "H41.11.05"},
		{" H41", "' '", "H41"},
		{"H41..05", "empty", ""},
		{"H41.", "empty", ""},
		{".H41", "empty", ""},
		{"Z41", "from A to Y", ""},
		{"H4", "from A to Y", ""},
		{"HÀ41", "'À'", ""},
		{"H41.\xff", "'\ufffd'", ""},
		{"H41.11\n", "'\\n'", "H41.11"},
		{"0000.00.00.H41", "3, 2, 2 and 3", ""},
		{"000.00.00.00.H41", "3, 2, 2 and 3", ""},
		{"000.00.0A.H41", "3, 2, 2 and 3", ""},
		{"000", "3, 2, 2 and 3", ""},
		{"000.00.00.441", "3, 2, 2 and 3", ""},
		{"A01." + strings.Repeat("X", 32), "longer than 35", ""},
		{strings.Repeat("é", 1<<20), "longer than 35", ""},
	}
	for _, tt := range tests {
		got, err := agency.Parse(tt.text)
		var syntax *agency.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("Parse(%.40q) = %q, %v; want a syntax error", tt.text, got, err)
			continue
		}
		if !strings.Contains(syntax.What, tt.what) || syntax.Meant != tt.meant || syntax.Mend == "" {
			t.Errorf("Parse(%.40q): %+v; want %q, meant %q", tt.text, syntax, tt.what, tt.meant)
		}
		if len(err.Error()) > 600 {
			t.Errorf("Parse(%.40q): the error has %d bytes", tt.text, len(err.Error()))
		}
	}
}

func TestToQD20(t *testing.T) {
	tests := []struct {
		text, want string
		ok         bool
	}{
		{"000.00.00.H41", "H41", true},
		{"000.00.01.H27", "H27.01", true},
		{"000.05.11.H41", "H41.11.05", true},
		{"001.28.22.H17", "H17.22.28.001", true},
		{"001.00.01.H27", "H27.01.00.001", true},
		{"28.22.H17", "H17.22.28", true},
		{"H41.11.05", "H41.11.05", true},
		{"000.00.00.Z99", "Z99", false},
	}
	for _, tt := range tests {
		c, err := agency.Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := c.ToQD20(); string(got) != tt.want || ok != tt.ok {
			t.Errorf("%s in the form of QĐ 20 is %q, %v; want %q, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
	if _, ok := agency.Code("").ToQD20(); ok {
		t.Error("the empty text has a code")
	}
}

func TestParent(t *testing.T) {
	tests := []struct {
		text, want string
		ok         bool
	}{
		{"H41.11.05", "H41.11", true},
		{"H41.11", "H41", true},
		{"H41", "", false},
		{"001.05.11.H41", "000.05.11.H41", true},
		{"000.05.11.H41", "000.00.11.H41", true},
		{"000.00.11.H41", "000.00.00.H41", true},
		{"000.00.00.H41", "", false},
	}
	for _, tt := range tests {
		if got, ok := agency.Code(tt.text).Parent(); string(got) != tt.want || ok != tt.ok {
			t.Errorf("above %s is %q, %v; want %q, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"H41.11.05", "000.00.00.H49", "28.22.H17", "h41", "H41..05", "000.00.00.Z99", "H41.\xff", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := agency.Parse(s)
		if err != nil {
			checkError(t, err)
			return
		}
		if again, err := agency.Parse(string(c)); err != nil || again != c {
			t.Fatalf("%q is canonical for %q, and reads as %q, %v", c, s, again, err)
		}
		if newer, ok := c.ToQD20(); ok {
			if again, err := agency.Parse(string(newer)); err != nil || again != newer || newer.Grammar() != agency.QD20 {
				t.Fatalf("%q became %q, which reads as %q, %v", c, newer, again, err)
			}
		}
		if above, ok := c.Parent(); ok {
			if _, err := agency.Parse(string(above)); err != nil {
				t.Fatalf("above %q: %v", c, err)
			}
		}
	})
}

func checkError(t *testing.T, err error) {
	var syntax *agency.SyntaxError
	if !errors.As(err, &syntax) || syntax.What == "" || syntax.Mend == "" {
		t.Fatalf("an error that does not say what to do: %v", err)
	}
	if syntax.Meant != "" {
		if again, err := agency.Parse(string(syntax.Meant)); err != nil || again != syntax.Meant {
			t.Fatalf("what was meant, %q, is no code: %v", syntax.Meant, err)
		}
	}
}
