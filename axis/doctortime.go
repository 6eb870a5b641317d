package axis

import (
	"docaxis/internal/doctor"
	"docaxis/internal/lang"
)

// timestamps looks at whether an authority outside says when the log was as it is.
func (p *patient) timestamps() {
	c := p.report.Check("timestamps", "Dấu thời gian cho sổ", "Timestamps of the log")
	configured := p.file != nil && len(p.file.Timestamps.Authorities) > 0
	s := p.cfg.Status
	if s != nil {
		configured = s.Timestamps.Authorities > 0
	}
	switch {
	case p.file == nil && s == nil:
		c.Warn(doctor.Textf("không biết, vì chưa đọc được cấu hình", "not known, since the settings cannot be read"), doctor.Textf("Sửa %s trước.", "Mend %s first.", FileName))
	case !configured:
		c.Warn(doctor.Textf("chưa nêu đơn vị cấp dấu thời gian: thời điểm của bản ghi chỉ do trục và các điểm kết nối chứng minh", "no authority is configured: when a record was there is proven by axis and endpoints alone"),
			doctor.Textf("Nêu ít nhất một đơn vị ở [timestamps] authorities trong %s, đặt chứng thư của họ vào %s, rồi khởi động lại trục.",
				"Name at least one in [timestamps] authorities of %s, put its certificates into %s, then start the axis again.", FileName, anchorsOfTime))
	case s == nil && p.unreadable() != nil:
		c.Warn(doctor.Textf("%v", "%v", p.unreadable()), doctor.Textf("Đặt lại các tệp, như sau khi khôi phục từ bản sao lưu: trục khởi động được, nhưng không lấy được dấu thời gian.",
			"Put the files there, as after a restore: the axis starts, and gets no timestamps."))
	case s == nil:
		c.Well("có nêu %d đơn vị; kết quả biết được khi trục chạy", "%d authorities are configured; how it goes is known while the axis runs", len(p.file.Timestamps.Authorities))
	case s.Timestamps.FailingMS != 0:
		c.Warn(doctor.Textf("không lấy được từ %s: %v", "none to be had since %s: %v", lang.Millis(s.Timestamps.FailingMS),
			&lang.Error{Vietnamese: s.Timestamps.ProblemVI, English: s.Timestamps.Problem}),
			doctor.Textf("Văn bản vẫn đi. Kiểm tra đường mạng tới các địa chỉ ở [timestamps] authorities và chứng thư của họ; dấu thời gian đầu tiên sau đó bao gồm mọi bản ghi đến lúc ấy.",
				"Documents go on. Check the way to the addresses in [timestamps] authorities, and their certificates; the first timestamp after that covers every record up to then."))
	case s.Timestamps.LastMS == 0:
		c.Well("có nêu %d đơn vị; chưa cần đến dấu nào", "%d authorities are configured; none was needed yet", s.Timestamps.Authorities)
	default:
		c.Well("dấu mới nhất lúc %s, cho mọi bản ghi trước %d", "the newest is of %s, over every record before %d", lang.Millis(s.Timestamps.LastMS), s.Timestamps.Covers)
	}
}

// unreadable is what cannot be read of seal and certificates.
func (p *patient) unreadable() error {
	if _, err := p.file.Timestamps.trust(p.dir); err != nil {
		return err
	}
	if p.file.Seal.Key == "" {
		return nil
	}
	_, _, err := p.file.Seal.load(p.dir)
	return err
}
