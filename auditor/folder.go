package auditor

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"docaxis/internal/lang"
)

// A folder is judged whole, and its proofs are held in memory meanwhile.
const (
	maxFiles  = 20_000
	maxProofs = 256 << 20
)

// folder judges the files in a folder, its proofs together; folders below it are not
// looked at.
func (a *audit) folder(path string) File {
	f := File{File: path, Kind: KindFolder}
	members, err := a.members(path, &f)
	if err != nil {
		return a.unusable(path, KindFolder, unreadable(path, err))
	}
	p := a.newProofs(members)
	f.Within = append(f.Within, p.all(members)...)
	if len(f.Within) == 0 {
		return a.unusable(path, KindFolder, lang.Errorf("Thư mục %s không có tệp nào để kiểm tra. Hãy nêu đúng thư mục bằng chứng, hoặc từng tệp.",
			"Folder %s has no file to judge. Name the folder of proofs, or the files.", path))
	}
	f.Sentence = a.say("Các tệp trong thư mục; nếu thiếu tệp nào thì không thể biết được từ thư mục này.",
		"The files in the folder; whether one is missing cannot be seen from the folder.")
	f.settle()
	return f
}

// all is the answer about proofs that belong together.
func (p *proofs) all(members []*member) (files []File) {
	for _, m := range members {
		if _, ok := m.what.(*epochProof); ok {
			files = append(files, p.epochFile(m))
		}
	}
	records := paired(members)
	p.know(records)
	bodies := map[*member]bool{}
	for _, r := range records {
		files = append(files, p.judge(r))
		bodies[r.body] = true
	}
	for _, m := range members {
		if m.what == nil && !bodies[m] {
			files = append(files, p.unusable(m.name, KindOther, lang.Errorf("Tệp không phải là gì có thể kiểm tra, hoặc đã hỏng. Hãy lấy lại tệp, hoặc để nó ra ngoài thư mục.",
				"The file is nothing that can be judged, or is damaged. Get it again, or take it out of the folder.")))
		}
	}
	return files
}

// members are the files that may be proofs; the others are judged by themselves.
func (a *audit) members(path string, f *File) ([]*member, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	if len(entries) > maxFiles {
		return nil, lang.Errorf("%s có %d tệp, quá giới hạn %d. Hãy nêu từng tệp.", "%s has %d files, more than %d. Name the files.", path, len(entries), maxFiles)
	}
	var members []*member
	held := 0
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		m := a.member(path, e.Name(), f)
		if m == nil {
			continue
		}
		if held += len(m.raw); held > maxProofs {
			return nil, lang.Errorf("Các bằng chứng trong %s quá lớn. Hãy nêu từng tệp.", "The proofs in %s are too large together. Name the files.", path)
		}
		members = append(members, m)
	}
	return members, nil
}

// member reads one file of a folder, and judges it where it is no proof; it is nil
// then.
func (a *audit) member(dir, name string, f *File) *member {
	s, err := open(filepath.Join(dir, name))
	if err != nil {
		f.Within = append(f.Within, a.unusable(name, KindOther, err))
		return nil
	}
	defer s.Close()
	kind, err := kindOf(s)
	if err == nil && (kind == KindEpoch || kind == KindRecord || s.size <= maxProof && beside(s.path+receiptSuffix)) {
		var raw []byte
		if raw, err = s.whole(maxProof); err == nil {
			return &member{name, raw, proofOf(raw)}
		}
	}
	quiet := false
	if err == nil && kind == KindOther {
		quiet, err = harmless(s)
	}
	switch {
	case err != nil:
		f.Within = append(f.Within, a.unusable(name, kind, err))
	case quiet:
		f.PassedOver = append(f.PassedOver, name)
	default:
		one := a.file(s)
		one.File = name
		f.Within = append(f.Within, one)
	}
	return nil
}

// These end the names of receipts and time proofs that an axis wrote: what stands
// before it is the record's.
const (
	receiptSuffix = ".receipt"
	timeSuffix    = ".time"
)

func withoutSuffix(name string) string {
	for _, suffix := range []string{receiptSuffix, timeSuffix} {
		if short, ok := strings.CutSuffix(name, suffix); ok {
			return short
		}
	}
	return "" // no file's name
}

func beside(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// proofFile judges a proof by itself, with what lies beside it: record, receipt, time
// proof, and the epochs.
func (a *audit) proofFile(s *source, f *File) error {
	body := cmp.Or(withoutSuffix(s.path), s.path)
	names := []string{s.path}
	for _, path := range []string{body, body + receiptSuffix, body + timeSuffix} {
		if path != s.path {
			names = append(names, path)
		}
	}
	epochs, err := filepath.Glob(filepath.Join(globbed(filepath.Dir(s.path)), "epoch*"))
	if err != nil {
		return err
	}
	for _, path := range epochs[:min(len(epochs), maxFiles)] {
		if path != s.path {
			names = append(names, path)
		}
	}
	var members []*member
	for _, path := range names {
		m, err := companion(path)
		if err != nil {
			return err
		}
		if m != nil {
			members = append(members, m)
		}
	}
	return a.alone(members, f)
}

// alone takes the answer about the first member out of those about all.
func (a *audit) alone(members []*member, f *File) error {
	if len(members) == 0 {
		return errors.New("no proof")
	}
	p := a.newProofs(members)
	if _, ok := members[0].what.(*epochProof); ok {
		f.take(p.epochFile(members[0]))
		return nil
	}
	records := paired(members)
	p.know(records)
	for _, r := range records {
		if r.body == members[0] || r.receipt == members[0] || slices.Contains(r.times, members[0]) {
			f.take(p.judge(r))
			return nil
		}
	}
	return nil
}

func (f *File) take(other File) {
	other.File = f.File
	*f = other
}

// companion reads a file that may lie beside a proof; nil where it does not.
func companion(path string) (*member, error) {
	if !beside(path) {
		return nil, nil
	}
	s, err := open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.size > maxProof {
		return nil, nil
	}
	raw, err := s.whole(maxProof)
	if err != nil {
		return nil, err
	}
	return &member{path, raw, proofOf(raw)}, nil
}

// globbed is a path in which nothing stands for other names.
func globbed(path string) string {
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
