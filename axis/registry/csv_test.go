package registry_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"docaxis/axis/registry"
	"docaxis/proto/axispb"
)

func TestParseCSV(t *testing.T) {
	july := time.Date(2021, 6, 30, 17, 0, 0, 0, time.UTC).UnixMilli()
	want := []*axispb.Agency{
		{Code: "H41", Name: "Ủy ban nhân dân tỉnh Nghệ An", Aliases: []string{"000.00.00.H41", "000.01.00.H41"}, Level: province, ValidFromMs: july},
		{Code: "H41.11", Name: "Bộ Văn hóa, Thể thao", Parent: "H41", Level: district},
	}
	tests := map[string]string{
		"commas": "code,name,aliases,parent,level,valid_from,note\n" +
			"H41,Ủy ban nhân dân tỉnh Nghệ An,000.00.00.H41 000.01.00.H41,,province,2021-07-01,x\n" +
			"H41.11,\"Bộ Văn hóa, Thể thao\",,H41,district,,\n",
		"as Excel saves it, with a mark, semicolons and CRLF": "\uFEFFcode;name;aliases;parent;level;valid_from;note\r\n" +
			"H41;Ủy ban nhân dân tỉnh Nghệ An;\"000.00.00.H41; 01.00.H41\";;Province;01/07/2021;\r\n" +
			"\r\n;;;;;;\r\n" +
			"H41.11; Bộ Văn hóa, Thể thao ;;H41;district;;\r\n",
		"other order, no optional columns, not in NFC": "Level,Name,Code,parent,valid_from,aliases\n" +
			"province,U\u0309y ban nhân dân tỉnh Nghe\u0323\u0302 An,H41,,1/7/2021,000.00.00.H41 000.01.00.H41\n" +
			"district,\"Bộ Văn hóa, Thể thao\",H41.11,H41",
	}
	for name, text := range tests {
		got, err := registry.ParseCSV(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParseCSVSaysWhereAndHow(t *testing.T) {
	const head = "code,name,level,aliases,parent,valid_from\n"
	tests := []struct {
		name, text   string
		line, column int
		what         string
	}{
		{"nothing", "", 1, 0, "names the columns"},
		{"no header", "H41,Nghệ An,province\n", 1, 1, "the columns are"},
		{"a column missing", "code,name\nH41,Nghệ An\n", 1, 0, "level is missing"},
		{"a column twice", "code,name,level,code\n", 1, 4, "twice"},
		{"a small letter", head + "h41,A,province\n", 2, 1, "write H41"},
		{"no code", head + ",A,province\n", 2, 1, "empty"},
		{"no name", head + "H41,,province\n", 2, 2, "give its name"},
		{"a name of two lines", head + "H41,\"A\nB\",province\n", 2, 2, "line break"},
		{"no level", head + "H41,A,tỉnh\n", 2, 3, "write ministry"},
		{"a short row", head + "H41,A\n", 2, 3, "write ministry"},
		{"a bad alias", head + "H41,A,province,000.00.00.H41 cũ\n", 2, 4, "no agency code"},
		{"a bad parent", head + "H41,A,province,,Nghệ An\n", 2, 5, "no agency code"},
		{"its own parent", head + "H41,A,province,,H41\n", 2, 5, "its own parent"},
		{"a bad day", head + "H41,A,province,,,2021-02-30\n", 2, 6, "2021-07-01"},
		{"a code twice", head + "H41,A,province\n\nH41,B,province\n", 4, 1, "line 2"},
		{"an alias that is another's code", head + "H41,A,province\nH42,B,province,H41\n", 3, 4, "line 2"},
		{"an open quote", head + "H41,\"A,province\n", 2, 0, "quotes"},
		{"not UTF-8", head + "H41,Ngh\xea An,province\n", 2, 0, "UTF-8"},
	}
	for _, tt := range tests {
		got, err := registry.ParseCSV(strings.NewReader(tt.text))
		var fault *registry.CSVError
		if !errors.As(err, &fault) {
			t.Errorf("%s: %v, %v; want a fault", tt.name, got, err)
			continue
		}
		if fault.Line != tt.line || fault.Column != tt.column || !strings.Contains(fault.What, tt.what) {
			t.Errorf("%s: %v; want line %d, column %d, %q", tt.name, fault, tt.line, tt.column, tt.what)
		}
	}
}

func TestParseCSVNamesSeveralFaults(t *testing.T) {
	text := "code,name,level\n" + strings.Repeat("h41,,x\n", 500)
	_, err := registry.ParseCSV(strings.NewReader(text))
	if n := strings.Count(err.Error(), "line "); n < 20 || n > 25 {
		t.Errorf("%d faults are named", n)
	}
}

func FuzzParseCSV(f *testing.F) {
	f.Add([]byte("code,name,level\nH41,A,province\n"))
	f.Add([]byte("\uFEFFcode;name;level;aliases\r\nH41;\"A\"\"\";unit;000.00.00.H41\r\n"))
	f.Add([]byte("code,name,level\n\"H41"))
	f.Fuzz(func(t *testing.T, data []byte) {
		agencies, err := registry.ParseCSV(bytes.NewReader(data))
		if err != nil {
			return
		}
		s := registry.NewState()
		for _, a := range agencies {
			a.Parent = "" // which may be in the registry already
		}
		for _, c := range registry.Batches(agencies, "op", "") {
			if err := s.Check(c, noon); err != nil {
				t.Fatalf("the list is taken, the registry refuses it: %v", err)
			}
			s.Apply(1, noon, c)
		}
	})
}

func TestBatches(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 3000).Draw(rt, "agencies")
		var list []*axispb.Agency
		for i := range n {
			a := &axispb.Agency{Code: fmt.Sprintf("H41.%d", i), Name: strings.Repeat("ệ", rapid.IntRange(1, 300).Draw(rt, "name")), Level: commune}
			if i > 0 && rapid.Bool().Draw(rt, "has parent") {
				a.Parent = fmt.Sprintf("H41.%d", max(0, i-rapid.IntRange(1, 9).Draw(rt, "above")))
			}
			list = append(list, a)
		}
		shuffled := rapid.Permutation(list).Draw(rt, "order")
		s, total := registry.NewState(), 0
		for _, c := range registry.Batches(shuffled, "op", "import") {
			if size := proto.Size(c); size > registry.MaxChange {
				rt.Fatalf("a change of %d bytes", size)
			}
			for _, step := range c.GetChanges() {
				a := step.GetPutAgency()
				if _, known := s.Agency(a.GetParent()); a.GetParent() != "" && !known {
					rt.Fatalf("%s comes before %s", a.GetCode(), a.GetParent())
				}
				s.Apply(1, noon, change(step))
				total++
			}
		}
		if total != n {
			rt.Fatalf("%d of %d agencies", total, n)
		}
	})
}

func TestBatchesOfALoop(t *testing.T) {
	list := []*axispb.Agency{
		{Code: "H41.1", Name: "A", Parent: "H41.2", Level: unit},
		{Code: "H41.2", Name: "B", Parent: "H41.1", Level: unit},
		{Code: "H42", Name: "C", Level: province},
	}
	batches := registry.Batches(list, "op", "import")
	if len(batches) != 1 || len(batches[0].Changes) != 3 {
		t.Fatalf("%v", batches)
	}
	if registry.NewState().Check(batches[0], noon) == nil {
		t.Error("a loop passes")
	}
}

const unit = axispb.Level_LEVEL_UNIT

// TestAgenciesOfTheCountry checks the list that comes with the axis.
func TestAgenciesOfTheCountry(t *testing.T) {
	raw, err := os.ReadFile("../../deploy/agencies.csv")
	if err != nil {
		t.Fatal(err)
	}
	agencies, err := registry.ParseCSV(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	s := registry.NewState()
	for _, c := range registry.Batches(agencies, "op", "import") {
		if err := s.Check(c, noon); err != nil {
			t.Fatal(err)
		}
		s.Apply(1, noon, c)
	}
	if err := s.Invariants(); err != nil {
		t.Fatal(err)
	}
	levels := map[axispb.Level]int{}
	for _, a := range s.Agencies() {
		levels[a.Level]++
		if len(a.Aliases) != 1 || a.ValidFrom != (time.Time{}) {
			t.Errorf("%s: %+v", a.Code, a)
		}
	}
	want := map[axispb.Level]int{axispb.Level_LEVEL_MINISTRY: 34, province: 63, district: 5, commune: 10, unit: 3}
	if !cmp.Equal(levels, want) {
		t.Errorf("levels: %s", cmp.Diff(want, levels))
	}
	for code, name := range map[string]string{
		"000.00.00.H41": "Ủy ban nhân dân tỉnh Nghệ An", "H26": "Ủy ban nhân dân thành phố Hà Nội", "000.05.11.H41": "Ủy ban nhân dân xã Kim Liên",
		"H29": "Ủy ban nhân dân thành phố Hồ Chí Minh", "G22": "Văn phòng Chính phủ", "000.00.18.G12": "Tổng cục Thuế", "H57": "Ủy ban nhân dân tỉnh Thừa Thiên Huế",
	} {
		if a, ok := s.Agency(code); !ok || a.Name != name {
			t.Errorf("%s is %q", code, a.Name)
		}
	}
	checkNotes(t, raw)
}

// checkNotes holds the list to saying of each code how well it is established.
func checkNotes(t *testing.T, raw []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, row := range rows[1:] {
		_, note, _ := strings.Cut(row[6], " / ")
		word, _, _ := strings.Cut(note, " ")
		counts[strings.TrimSuffix(word, ",")]++
	}
	want := map[string]int{"found": 28 + 3 + 12, "recalled": 6 + 51, "code": 15}
	if !cmp.Equal(counts, want) {
		t.Errorf("notes: %s", cmp.Diff(want, counts))
	}
}
