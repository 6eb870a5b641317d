package command

import (
	"fmt"
	"io"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// byFlag names who acts.
type byFlag struct {
	By string `help:"Who acts; by default the user of this machine.|Người thực hiện; mặc định là người dùng của máy này."`
}

func (b byFlag) actor() string {
	if b.By != "" {
		return b.By
	}
	return cli.Actor()
}

// whyFlags name who acts and why, where a reason may be left out.
type whyFlags struct {
	byFlag
	Reason string `help:"Why; it is journaled.|Lý do; được ghi sổ."`
}

func (f whyFlags) why() operator.Why { return operator.Why{Actor: f.actor(), Reason: f.Reason} }

// reasonFlags name who acts and why, where people will ask for the reason one day.
type reasonFlags struct {
	byFlag
	Reason string `required:"" help:"Why; it is journaled.|Lý do; được ghi sổ."`
}

func (f reasonFlags) why() operator.Why { return operator.Why{Actor: f.actor(), Reason: f.Reason} }

// history prints who did what, newest first.
func history(w io.Writer, o *cli.IO, deeds []operator.Deed) {
	rows := make([][]string, 0, len(deeds))
	for _, d := range deeds {
		rows = append(rows, []string{lang.Millis(d.TimeMS), d.Actor, deed(o, d), d.Reason, fmt.Sprint(d.LeafIndex)})
	}
	cli.Table(w, []string{o.Say("LÚC", "TIME"), o.Say("AI", "WHO"), o.Say("VIỆC", "WHAT"), o.Say("LÝ DO", "WHY"), o.Say("BẢN GHI", "RECORD")}, rows)
}

// stepsTold is how many steps of a deed one line tells.
const stepsTold = 3

// deed says what was done, in words.
func deed(o *cli.IO, d operator.Deed) string {
	var words []string
	for i, s := range d.Steps {
		if i == stepsTold {
			break
		}
		words = append(words, step(o, s))
	}
	if more := len(d.Steps) + d.More - len(words); more > 0 {
		words = append(words, fmt.Sprintf(o.Say("và %d việc nữa", "and %d more"), more))
	}
	return strings.Join(words, "; ")
}

func step(o *cli.IO, s operator.Step) string {
	codes := strings.Join(s.Codes, " ")
	switch s.What {
	case "put_agency":
		return o.Say("ghi cơ quan ", "agency ") + s.Code + " (" + s.Name + ")"
	case "close_agency":
		if codes == "" {
			return o.Say("đóng ", "closed ") + s.Code
		}
		return o.Say("đóng ", "closed ") + s.Code + o.Say(", kế thừa: ", ", taken over by ") + codes
	case "serve_code":
		if s.Endpoint == "" {
			return s.Code + o.Say(": không còn điểm kết nối", ": no endpoint any more")
		}
		return s.Code + " → " + s.Endpoint
	case "admit_seal":
		return o.Say("chấp nhận con dấu số của ", "admitted a seal of ") + s.Code + " " + short(s.Digest)
	case "retire_seal":
		return o.Say("ngừng con dấu số của ", "retired a seal of ") + s.Code + " " + short(s.Digest)
	case "put_policy":
		return o.Say("chính sách của ", "policy of ") + everybody(o, s.Code) + ": " + s.Detail
	case "request_agency":
		return o.Say("đề nghị về ", "asked about ") + s.Code + o.Say(", yêu cầu ", ", request ") + short(s.Detail)
	case "settle_request":
		if id, refused := strings.CutPrefix(s.Detail, "refused "); refused {
			return o.Say("từ chối yêu cầu ", "refused request ") + short(id)
		}
		return o.Say("duyệt yêu cầu ", "approved request ") + short(strings.TrimPrefix(s.Detail, "approved "))
	}
	return endpointStep(o, s, codes)
}

func endpointStep(o *cli.IO, s operator.Step, codes string) string {
	switch s.What {
	case "invite":
		if s.Reissue {
			return o.Say("mời cấp lại ", "invited to re-issue ") + s.Endpoint
		}
		return o.Say("mời ", "invited ") + s.Endpoint + " (" + codes + ")"
	case "use_invitation":
		return o.Say("dùng lời mời", "used an invitation")
	case "put_endpoint":
		if s.Reissue {
			return o.Say("cấp lại ", "re-issued ") + s.Endpoint + " " + short(s.Digest)
		}
		return o.Say("cấp chứng thư cho ", "certificate for ") + s.Endpoint + " " + short(s.Digest)
	case "revoke_endpoint":
		return o.Say("thu hồi ", "revoked ") + s.Endpoint
	case "clock_confirmed":
		return o.Say("xác nhận đồng hồ ", "confirmed the clock ") + s.Detail
	case "content_released":
		return o.Say("giải phóng nội dung của số văn bản: ", "released the content of documents: ") + s.Detail
	case "log_was_longer":
		return o.Say("sổ từng dài hơn, theo ", "the log was longer, as shown by ") + s.Endpoint + ": " + s.Detail
	}
	return s.What
}

// short is enough of a digest to tell it from others.
func short(digest string) string {
	const enough = 12
	if len(digest) > enough {
		return digest[:enough]
	}
	return digest
}

func everybody(o *cli.IO, code string) string {
	if code == "" {
		return o.Say("mọi cơ quan", "everybody")
	}
	return code
}

// sinceText shows a time, or a dash.
func sinceText(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return lang.Millis(ms)
}

// some lists a few texts and counts the others.
func some(all []string) string {
	const enough = 4
	if len(all) > enough {
		return fmt.Sprintf("%s +%d", strings.Join(all[:enough], " "), len(all)-enough)
	}
	return strings.Join(all, " ")
}

// before is the time that lies so long in the past, in milliseconds; 0 for no length.
func before(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return time.Now().Add(-d).UnixMilli()
}
