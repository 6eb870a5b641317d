package cli

import (
	"fmt"
	"io"

	"docaxis/internal/admin"
)

// Label is a word of labels as people read it; empty for none.
func (o *IO) Label(word string) string {
	switch word {
	case "":
		return ""
	case admin.LabelValid:
		return o.Say("đã ký, hợp lệ", "signed, valid")
	case admin.LabelProblem:
		return o.Say("đã ký, có vấn đề", "signed, problem")
	case admin.LabelUnsigned:
		return o.Say("không có chữ ký số (để tham khảo)", "unsigned (for information)")
	case admin.LabelUnreadable:
		return o.Say("không đọc được", "unreadable")
	}
	return o.Say("chưa xem", "not looked at")
}

// LabelShort is Label for a list.
func (o *IO) LabelShort(word string) string {
	if word == admin.LabelUnsigned {
		return o.Say("không có chữ ký số", "unsigned")
	}
	return o.Label(word)
}

// PrintFileLabel writes a file's name and what is known of it, and of the files within.
func (o *IO) PrintFileLabel(w io.Writer, indent string, f admin.FileLabel) {
	fmt.Fprintf(w, o.Say("%sTệp %s: ", "%sFile %s: "), indent, Clean(f.Name))
	o.label(w, indent, f)
}

// PrintLabel is PrintFileLabel where the name was written before.
func (o *IO) PrintLabel(w io.Writer, indent string, f admin.FileLabel) {
	fmt.Fprint(w, indent)
	o.label(w, indent, f)
}

func (o *IO) label(w io.Writer, indent string, f admin.FileLabel) {
	fmt.Fprintf(w, "%s. %s\n", o.Label(f.Label), Clean(o.Say(f.Vietnamese, f.English)))
	for _, s := range f.Signatures {
		verdict := s.Indication
		if s.SubIndication != "" {
			verdict += " (" + s.SubIndication + ")"
		}
		fmt.Fprintf(w, "%s  - %s: %s. %s\n", indent, o.signer(s), verdict, Clean(o.Say(s.Vietnamese, s.English)))
	}
	for _, in := range f.Within {
		o.PrintFileLabel(w, indent+"  ", in)
	}
	if f.Left > 0 {
		fmt.Fprintf(w, o.Say("%s  và %d tệp nữa không được xem\n", "%s  and %d more files, which were not looked at\n"), indent, f.Left)
	}
}

// signer names who signed, and for what.
func (o *IO) signer(s admin.SignatureLabel) string {
	name := Clean(s.Signer)
	if name == "" {
		name = o.Say("không rõ người ký", "unknown signer")
	}
	switch s.Holder {
	case "person":
		return name + o.Say(" (cá nhân)", " (person)")
	case "organisation":
		return name + o.Say(" (cơ quan, tổ chức)", " (organisation)")
	}
	return name
}
