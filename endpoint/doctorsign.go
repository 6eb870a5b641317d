package endpoint

import (
	"strings"

	"docaxis/internal/doctor"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
)

// signatures looks at how signatures within files are checked: whom to trust, and which
// authorities do not answer.
func (p *patient) signatures(s Settings) {
	c := p.report.Check("signatures", "Chữ ký trong tệp (signatures)", "Signatures within files (signatures)")
	st := p.signed
	if st == nil {
		found, err := inspect.Look(p.dir, s.Signatures)
		if err != nil {
			c.Wrong(doctor.Said(err), doctor.Textf("Sửa %s hoặc thư mục chứng thư tin cậy.", "Mend %s, or the folder of trusted certificates.", SettingsFile))
			return
		}
		resting := signaturesOf(found)
		if resting.Anchors == 0 {
			resting.Unheeded = p.unheeded
		}
		st = &resting
	}
	bad := false
	if len(st.Unheeded) > 0 {
		bad = true
		c.Warn(doctor.Textf("chính sách của %s đòi chữ ký của người được tin cậy, nhưng chưa có chứng thư tin cậy nào nên không từ chối được tệp chưa ký",
			"the policy of %s asks for signers of known trust, and nothing says whom to trust, so that no unsigned file is refused", strings.Join(st.Unheeded, ", ")),
			doctor.Textf("Đặt chứng thư gốc của các cơ quan chứng thực vào thư mục %s rồi khởi động lại.", "Put the root certificates of the authorities into the folder %s, and start again.", inspect.DefaultAnchors))
	}
	if n := len(st.Silent); n > 0 {
		bad = true
		first := st.Silent[0]
		c.Warn(doctor.Textf("%d cơ quan chứng thực không trả lời, như %s từ %s; văn bản vẫn đi, chữ ký được kiểm tra lại sau",
			"%d authorities do not answer, as %s since %s; documents keep moving, and signatures are checked again later", n, first.Host, lang.Millis(first.SinceMS)),
			doctor.Textf("Xem mạng ra ngoài, signatures.proxy và signatures.allow trong %s.", "See to the way out, and to signatures.proxy and signatures.allow in %s.", SettingsFile))
	}
	if bad {
		return
	}
	if st.Anchors == 0 {
		c.Well("chưa có chứng thư tin cậy: chữ ký trong tệp đều hiện là có vấn đề; đặt chứng thư gốc vào thư mục %s nếu cần",
			"nobody is trusted: every signature within a file is shown as a problem; put root certificates into the folder %s if that matters", inspect.DefaultAnchors)
		return
	}
	c.Well("%d chứng thư tin cậy; không cơ quan chứng thực nào im lặng", "%d trusted certificates; no authority is silent", st.Anchors)
}
