package axis

import (
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/internal/doctor"
	"docaxis/internal/lang"
)

// longBacklog is from how many documents without a look on somebody is told: what a busy
// hour brings.
const longBacklog = 10_000

// signatures looks at what the signatures within files are judged by, and at those who
// are asked. Whatever it finds, documents move.
func (p *patient) signatures() {
	c := p.report.Check("signatures", "Chữ ký trong tệp", "Signatures within files")
	s := p.cfg.Status
	if s == nil || s.Signatures == nil {
		c.Well("biết được khi trục chạy", "known while the axis runs")
		return
	}
	switch k := s.Signatures; {
	case k.Trouble != "":
		c.Warn(doctor.Text{
			Vietnamese: "không xem được tệp nào từ " + lang.Millis(k.TroubleMS) + ": " + k.TroubleVI,
			English:    "no file can be looked at since " + lang.Millis(k.TroubleMS) + ": " + k.Trouble,
		}, doctor.Textf("Xem chỗ trống trên đĩa và nhật ký của trục. Nếu labels.db hỏng: dừng trục, xóa tệp này rồi khởi động lại; nhãn được làm lại.",
			"See the room on the disk, and the axis's log. Where labels.db is damaged: stop the axis, delete the file and start again; labels are made again."))
	case k.Anchors == 0:
		p.withoutAnchors(c, k)
	case len(k.Unreachable) > 0:
		c.Warn(doctor.Textf("%d tổ chức chứng thực không trả lời: %s", "%d authorities do not answer: %s", len(k.Unreachable), hosts(k.Unreachable)),
			doctor.Textf("Mở tường lửa cho các máy đó, hoặc ghi signatures.allow, signatures.proxy trong %s. Văn bản vẫn đi; chữ ký chưa biết có bị thu hồi hay không được xem lại sau.",
				"Let the firewall pass those hosts, or set signatures.allow or signatures.proxy in %s. Documents move all the same; signatures that may be revoked are looked at again.", FileName))
	case k.Backlog > longBacklog:
		c.Warn(doctor.Textf("%d văn bản chưa được xem", "%d documents were not looked at yet", k.Backlog),
			doctor.Textf("Nếu labels.db vừa được làm lại thì chỉ cần chờ; nếu không, xem đĩa của trục có quá chậm không.",
				"Where labels.db was just made anew, wait; else see whether the axis's disk is too slow."))
	default:
		c.Well("%d chứng thư số tin cậy; %d văn bản chưa xem, %d sẽ xem lại", "%d trusted certificates; %d documents not looked at yet, %d to be looked at again",
			k.Anchors, k.Backlog, k.Again)
	}
}

func (p *patient) withoutAnchors(c doctor.Check, k *operator.Signatures) {
	do := doctor.Textf("Đặt chứng thư số gốc của các tổ chức chứng thực vào thư mục trust (hoặc ghi signatures.anchors trong %s), rồi khởi động lại trục.",
		"Put the roots of the certification services into the folder trust, or name them as signatures.anchors in %s, then start the axis again.", FileName)
	if k.PolicyWithoutAnchors {
		c.Warn(doctor.Textf("chính sách yêu cầu tệp phải ký số nhưng không có chứng thư số tin cậy nào: trục chỉ từ chối được tệp có chữ ký sai",
			"a policy asks for signed files, and there is no trusted certificate: only files with a failed signature are refused"), do)
		return
	}
	c.Warn(doctor.Textf("không có chứng thư số tin cậy nào: mọi chữ ký đều hiện là có vấn đề", "there is no trusted certificate: every signature is shown as a problem"), do)
}

// hosts names some authorities.
func hosts(all []operator.Authority) string {
	const most = 5
	var names []string
	for i, a := range all {
		if i == most {
			names = append(names, "…")
			break
		}
		names = append(names, a.Host+" ("+lang.Millis(a.SinceMS)+")")
	}
	return strings.Join(names, ", ")
}
