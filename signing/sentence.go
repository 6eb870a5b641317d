package signing

import (
	"crypto/x509"
	"strings"
	"time"
)

// Sentence says the verdict to a person, in Vietnamese ("vi") or English (any
// other), with what follows from it.
func (v Verdict) Sentence(lang string) string {
	words := english(v.SubIndication)
	if lang == "vi" {
		words = vietnamese(v.SubIndication)
	}
	return strings.NewReplacer("{who}", name(v.Signer, lang), "{when}", stamp(v.Time)+v.why(lang)).Replace(words)
}

// why says what proves the time relied on, where it is not the caller's own.
func (v Verdict) why(lang string) string {
	said := map[TimeSource][2]string{
		TimeNow:        {" (thời điểm kiểm tra)", " (the time of checking)"},
		TimeCheckpoint: {" (theo nhật ký của trục)", " (proven by the axis's log)"},
		TimeTimestamp:  {" (theo dấu thời gian)", " (proven by a time-stamp)"},
	}[v.TimeSource]
	if lang == "vi" {
		return said[0]
	}
	return said[1]
}

// name is how the signer's certificate calls its holder.
func name(cert *x509.Certificate, lang string) string {
	switch {
	case cert == nil && lang == "vi":
		return "người ký không rõ"
	case cert == nil:
		return "an unknown signer"
	case cert.Subject.CommonName != "":
		return short(cert.Subject.CommonName)
	case len(cert.RawSubject) > 4*maxName:
		return short(cert.SerialNumber.Text(16))
	}
	return short(cert.Subject.String())
}

// maxName bounds a name in a sentence and a detail, in bytes. A certificate may
// hold any length, and a whole one would make a message of its size.
const maxName = 400

func short(s string) string {
	if len(s) <= maxName {
		return s
	}
	return strings.ToValidUTF8(s[:maxName], "") + "…"
}

// stamp is a time as people in Viet Nam read it: ISO 8601 in their zone (Quyết
// định 28/2018/QĐ-TTg article 14.4). The zone is fixed, so that no zone database
// is needed.
func stamp(t time.Time) string {
	return t.In(time.FixedZone("+07", 7*60*60)).Format("2006-01-02T15:04:05-07:00")
}

// vietnamese and english say a verdict about the signer {who} at the time relied
// on, {when}.
func vietnamese(s SubIndication) string {
	switch s {
	case "":
		return "Chữ ký của {who} hợp lệ; chứng thư số có hiệu lực tại thời điểm {when}."
	case FormatFailure:
		return "Tệp chữ ký không đúng định dạng CAdES nên không thể tin cậy; đề nghị nơi gửi ký lại."
	case HashFailure:
		return "Nội dung đã bị thay đổi sau khi {who} ký; không sử dụng, đề nghị nơi gửi gửi lại."
	case SigCryptoFailure:
		return "Giá trị chữ ký không phải do khóa của {who} tạo ra; không sử dụng, đề nghị nơi gửi ký lại."
	case Revoked:
		return "Chứng thư số của {who} đã bị thu hồi trước khi ký; đề nghị nơi gửi ký lại bằng chứng thư số khác."
	case Expired:
		return "Chữ ký của {who} được tạo sau khi chứng thư số đã hết hạn; đề nghị nơi gửi ký lại bằng chứng thư số còn hiệu lực."
	case NotYetValid:
		return "Chữ ký của {who} có trước khi chứng thư số có hiệu lực ({when}); không sử dụng, đề nghị nơi gửi ký lại."
	case RevokedNoPOE:
		return "Chứng thư số của {who} đã bị thu hồi và không có bằng chứng chữ ký có trước đó; đề nghị nơi gửi ký lại hoặc bổ sung dấu thời gian."
	case RevokedCANoPOE:
		return "Chứng thư số của đơn vị cấp cho {who} đã bị thu hồi và không có bằng chứng chữ ký có trước đó; đề nghị nơi gửi ký lại bằng chứng thư số khác."
	case TimestampOrderFailure:
		return "Dấu thời gian của {who} muộn hơn thời điểm {when} nên không thể đúng; đề nghị kiểm tra đồng hồ hệ thống rồi lấy dấu thời gian mới."
	case SigConstraintsFailure:
		return "Chữ ký của {who} thiếu thuộc tính bắt buộc (signing-certificate-v2); đề nghị nơi gửi ký lại theo CAdES."
	case ChainConstraintsFailure:
		return "Chứng thư số của {who} không được cấp để ký; đề nghị nơi gửi dùng chứng thư số ký."
	case CertificateChainGeneralFailure:
		return "Chuỗi chứng thư số của {who} không hợp lệ tại thời điểm {when}; đề nghị quản trị viên kiểm tra."
	case CryptoConstraintsFailure:
		return "Chữ ký của {who} dùng thuật toán hoặc khóa không đủ an toàn; đề nghị nơi gửi ký lại bằng SHA-256 với RSA từ 2048 bit hoặc P-256."
	case NoSigningCertificateFound:
		return "Không có chứng thư số của người ký nên không kiểm tra được; đề nghị nơi gửi ký kèm chứng thư số."
	case NoCertificateChainFound:
		return "Chứng thư số của {who} không thuộc nguồn được tin cậy; đề nghị quản trị viên chấp nhận con dấu này nếu đúng."
	case OutOfBoundsNoPOE:
		return "Chứng thư số của {who} không có hiệu lực tại thời điểm {when}; đề nghị nơi gửi ký lại bằng chứng thư số còn hiệu lực."
	case NoPOE:
		return "Không có thời điểm đáng tin cậy để xét chữ ký của {who}; đề nghị kiểm tra lại."
	case SignedDataNotFound:
		return "Không thấy nội dung mà {who} đã ký nên không kiểm tra được; đề nghị nơi gửi ký trên nội dung nằm ngay trong tệp."
	case TryLater:
		return "Chưa hỏi được trạng thái thu hồi chứng thư số của {who}; sẽ kiểm tra lại sau."
	}
	return "Chưa đủ căn cứ để kết luận về chữ ký của {who}; đề nghị quản trị viên kiểm tra."
}

func english(s SubIndication) string {
	switch s {
	case "":
		return "The signature of {who} is valid; the certificate was in force at {when}."
	case FormatFailure:
		return "The signature is not in the CAdES format and cannot be relied on; ask the sender to sign again."
	case HashFailure:
		return "The content was changed after {who} signed it; do not use it, and ask the sender to send it again."
	case SigCryptoFailure:
		return "The signature was not made with the key of {who}; do not use it, and ask the sender to sign again."
	case Revoked:
		return "The certificate of {who} was revoked before it signed; ask the sender to sign with another one."
	case Expired:
		return "The signature of {who} was made after the certificate had expired; ask the sender to sign with one that is in force."
	case NotYetValid:
		return "The signature of {who} is older than its certificate ({when}); do not use it, and ask the sender to sign again."
	case RevokedNoPOE:
		return "The certificate of {who} was revoked, and nothing proves that it signed before; ask the sender to sign again or to add a time-stamp."
	case RevokedCANoPOE:
		return "The certificate of the authority that issued that of {who} was revoked, and nothing proves that it signed before; ask the sender to sign with another one."
	case TimestampOrderFailure:
		return "The time-stamp by {who} is later than {when}, which cannot be; check the system's clock, then ask for a new time-stamp."
	case SigConstraintsFailure:
		return "The signature of {who} lacks a required attribute (signing-certificate-v2); ask the sender to sign by CAdES."
	case ChainConstraintsFailure:
		return "The certificate of {who} was not issued for signing; ask the sender to use one that was."
	case CertificateChainGeneralFailure:
		return "The certificate chain of {who} does not hold at {when}; ask an administrator to look at it."
	case CryptoConstraintsFailure:
		return "The signature of {who} uses an algorithm or key that is not strong enough; ask the sender to sign with SHA-256 and RSA of 2048 bits or more, or P-256."
	case NoSigningCertificateFound:
		return "The signer's certificate is not at hand, so the signature cannot be checked; ask the sender to include it."
	case NoCertificateChainFound:
		return "The certificate of {who} comes from no trusted source; ask an administrator to admit this seal if it is right."
	case OutOfBoundsNoPOE:
		return "The certificate of {who} was not in force at {when}; ask the sender to sign with one that is."
	case NoPOE:
		return "There is no reliable time at which to judge the signature of {who}; check it again."
	case SignedDataNotFound:
		return "What {who} signed is not at hand, so the signature cannot be checked; ask the sender to sign what is within the file."
	case TryLater:
		return "Whether the certificate of {who} is revoked could not be asked yet; it will be checked again."
	}
	return "There is not enough to decide about the signature of {who}; ask an administrator to look at it."
}
