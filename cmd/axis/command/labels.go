package command

import (
	"fmt"
	"io"
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// printLabels writes what is known of the signatures within a document's files.
func printLabels(w io.Writer, o *cli.IO, d operator.Document) {
	switch {
	case d.Files == 0:
		return
	case d.Labels == nil:
		fmt.Fprintf(w, o.Say("%d tệp; chữ ký trong tệp chưa được xem\n", "%d files; the signatures within them were not looked at yet\n"), d.Files)
		return
	case len(d.Labels.Files) == 0:
		fmt.Fprintf(w, o.Say("%d tệp; chưa xem được chữ ký: trục không còn, hoặc hiện chưa có, nội dung\n", "%d files; their signatures could not be looked at: the axis has not, or not yet, their content\n"), d.Files)
	}
	for _, f := range d.Labels.Files {
		o.PrintFileLabel(w, "", f)
	}
	if d.Labels.AgainMS > 0 {
		fmt.Fprintf(w, o.Say("Được xem lại lúc %s\n", "Looked at again at %s\n"), lang.Millis(d.Labels.AgainMS))
	}
	fmt.Fprintln(w)
}

// printSignatures writes how the looking at signatures stands, where somebody may want
// to know.
func printSignatures(w io.Writer, o *cli.IO, s *operator.Signatures) {
	if s == nil {
		return
	}
	fmt.Fprintf(w, o.Say("Chữ ký trong tệp: %d chứng thư số tin cậy; %d văn bản chưa xem, %d sẽ xem lại\n",
		"Signatures within files: %d trusted certificates; %d documents not looked at yet, %d to be looked at again\n"), s.Anchors, s.Backlog, s.Again)
	if s.PolicyWithoutAnchors {
		fmt.Fprintln(w, o.Say("  CHÍNH SÁCH yêu cầu tệp phải ký số nhưng không có chứng thư số tin cậy nào: đặt chúng vào thư mục trust rồi khởi động lại.",
			"  A POLICY asks for signed files, and there is no trusted certificate: put the roots into the folder trust, then start again."))
	}
	if s.Trouble != "" {
		fmt.Fprintf(w, o.Say("  KHÔNG XEM ĐƯỢC TỆP từ %s: %s\n", "  NO FILE CAN BE LOOKED AT since %s: %s\n"), lang.Millis(s.TroubleMS), o.Say(s.TroubleVI, s.Trouble))
	}
	for i, a := range s.Unreachable {
		if i == shownAuthorities {
			fmt.Fprintf(w, o.Say("  và %d nơi nữa\n", "  and %d more\n"), len(s.Unreachable)-i)
			break
		}
		fmt.Fprintf(w, o.Say("  %s không trả lời từ %s (hỏi lại lúc %s): %s\n", "  %s does not answer since %s (asked again at %s): %s\n"),
			cli.Clean(a.Host), lang.Millis(a.SinceMS), lang.Millis(a.NextMS), strings.TrimSpace(cli.Clean(o.Say(a.WhyVI, a.Why))))
	}
}

const shownAuthorities = 5
