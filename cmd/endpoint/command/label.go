package command

import (
	"fmt"
	"io"
	"strings"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/cli"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
)

// holdWord says that a policy about signatures keeps a document from its agency.
func holdWord(o *cli.IO, hold string) string {
	switch hold {
	case clerk.HoldLooking:
		return o.Say(" (đang kiểm tra chữ ký)", " (signatures are looked at)")
	case clerk.HoldRefused:
		return o.Say(" (chữ ký không đạt chính sách)", " (refused by the policy about signatures)")
	}
	return ""
}

// printLooks says when the files were looked at, and what follows from it.
func printLooks(w io.Writer, o *cli.IO, s clerk.Story) {
	if s.LookedMS != 0 {
		fmt.Fprintf(w, o.Say("  Chữ ký trong tệp được kiểm tra lúc %s", "  The signatures within files were checked at %s"), lang.Millis(s.LookedMS))
		if s.AgainMS != 0 {
			fmt.Fprintf(w, o.Say("; tự kiểm tra lại lúc %s", "; they are checked again at %s"), lang.Millis(s.AgainMS))
		}
		fmt.Fprintln(w)
	}
	switch s.Hold {
	case clerk.HoldLooking:
		fmt.Fprintln(w, o.Say("  Chính sách của cơ quan yêu cầu kiểm tra chữ ký trước: kiểm tra xong văn bản mới được giao.",
			"  The agency's policy asks that signatures are checked first: it gets the document once they are."))
	case clerk.HoldRefused:
		fmt.Fprintf(w, o.Say("  Chính sách của cơ quan không nhận tệp như vậy, nơi gửi đã được báo. Nếu chính sách hoặc chứng thư tin cậy đã đổi, chạy: endpoint retry %s\n",
			"  The agency's policy refuses such files, and the sender was told. Where policy or trusted certificates have changed, run: endpoint retry %s\n"), s.ID)
	}
}

// printSignatures says what of the checking of signatures asks for a person.
func printSignatures(w io.Writer, o *cli.IO, s clerk.Signatures) {
	if len(s.Unheeded) > 0 {
		fmt.Fprintf(w, o.Say("Chính sách của %s đòi chữ ký của người được tin cậy, nhưng chưa có chứng thư tin cậy. Hãy đặt chứng thư gốc vào thư mục %s rồi khởi động lại.\n",
			"The policy of %s asks for signers of known trust, and nothing says whom to trust. Put root certificates into the folder %s and start again.\n"),
			strings.Join(s.Unheeded, ", "), inspect.DefaultAnchors)
	}
	if s.Waiting > 0 {
		fmt.Fprintf(w, o.Say("%d văn bản đến đang chờ kiểm tra chữ ký rồi mới giao\n", "%d received documents wait until their signatures are checked\n"), s.Waiting)
	}
	for _, a := range s.Silent {
		fmt.Fprintf(w, o.Say("Cơ quan chứng thực %s không trả lời từ %s; sẽ hỏi lại lúc %s. Văn bản vẫn đi. %s\n",
			"Authority %s has not answered since %s and is asked again at %s. Documents keep moving. %s\n"),
			cli.Clean(a.Host), lang.Millis(a.SinceMS), lang.Millis(a.NextMS), cli.Clean(o.Say(a.Vietnamese, a.English)))
	}
}
