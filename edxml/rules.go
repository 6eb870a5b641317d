package edxml

import "slices"

// Severity says what a finding means for the package.
type Severity string

// The severities.
const (
	// Error: it does not conform, or readers in the field refuse it or misread it.
	Error Severity = "error"
	// Warning: it conforms, or nobody can say, but somebody may be misled.
	Warning Severity = "warning"
	// Tolerated: it deviates, and readers are known to live with it.
	Tolerated Severity = "tolerated"
)

// Rule is one thing that Check judges. docs/conformance.vi.md explains each.
type Rule struct {
	ID       string
	Severity Severity
	// What is wrong and how it is mended, in Vietnamese and in English.
	What, Mend [2]string
}

// Rules lists every rule, in the order of the page.
func Rules() []Rule { return slices.Concat(fieldRules(), refusalRules(), toleranceRules()) }

func rule[T ~string](id T, s Severity, vi, viMend, en, enMend string) Rule {
	return Rule{ID: string(id), Severity: s, What: [2]string{vi, en}, Mend: [2]string{viMend, enMend}}
}

// Rules of the fields and of what they say together.
const (
	fieldMissing        = "field-missing"
	fieldTooLong        = "field-too-long"
	numberForm          = "number-form"
	valueUnknown        = "value-unknown"
	dateUnreadable      = "date-unreadable"
	dateInFuture        = "date-in-future"
	codeUnreadable      = "code-unreadable"
	codeOfOldGrammar    = "code-qcvn-102"
	recipientMissing    = "recipient-missing"
	recipientTwice      = "recipient-twice"
	statusUnknown       = "status-unknown"
	businessUnknown     = "business-unknown"
	targetMissing       = "target-missing"
	replacedMissing     = "replaced-missing"
	updateEmpty         = "update-empty"
	referenceAlone      = "reference-without-attachment"
	namesDiffer         = "names-differ"
	contentEmpty        = "content-empty"
	signatureUnverified = "signature-unverified"
	idUnusual           = "document-id-unusual"
	statusWithRecipient = "status-with-recipient"
)

func fieldRules() []Rule {
	return []Rule{
		rule(fieldMissing, Error, "Thiếu trường bắt buộc.", "Hãy điền trường này.", "A required field is missing.", "Fill it in."),
		rule(fieldTooLong, Error, "Trường dài hơn mức cho phép.", "Hãy rút ngắn nội dung.", "The field is longer than allowed.", "Shorten it."),
		rule(numberForm, Error, "Giá trị phải là số nguyên.", "Hãy ghi số nguyên, hoặc bỏ hẳn thẻ khi không có giá trị.", "The value must be an integer.", "Write an integer, or leave the element out."),
		rule(valueUnknown, Error, "Giá trị nằm ngoài danh mục.", "Hãy dùng một trong các giá trị cho phép.", "The value is not one of the list.", "Use one of the allowed values."),
		rule(dateUnreadable, Error, "Không đọc được ngày giờ.", "Hãy ghi ngày yyyy/MM/dd, ngày giờ yyyy/MM/dd HH:mm:ss theo giờ Việt Nam.", "The date cannot be read.", "Write yyyy/MM/dd, or yyyy/MM/dd HH:mm:ss, in Viet Nam time."),
		rule(dateInFuture, Warning, "Ngày ban hành ở tương lai.", "Hãy kiểm tra ngày ban hành và đồng hồ máy.", "The day of issue is in the future.", "Check the day and the clock."),
		rule(codeUnreadable, Error, "Không phải mã định danh cơ quan.", "Hãy dùng mã theo QĐ 20/2020/QĐ-TTg, ví dụ H41.11.05.", "It is no agency code.", "Use a code of Decision 20/2020/QĐ-TTg, such as H41.11.05."),
		rule(codeOfOldGrammar, Warning, "Mã định danh theo QCVN 102:2016, chưa theo QĐ 20/2020/QĐ-TTg.", "Hãy dùng mã mới của cơ quan (Sửa đổi 1:2022).", "The code has the form of QCVN 102:2016, not that of Decision 20/2020/QĐ-TTg.", "Use the agency's new code (Sửa đổi 1:2022)."),
		rule(recipientMissing, Error, "Văn bản không có nơi nhận.", "Hãy thêm ít nhất một thẻ To có OrganId.", "The document has no recipient.", "Add at least one To with an OrganId."),
		rule(recipientTwice, Error, "Một nơi nhận xuất hiện nhiều lần.", "Hãy để mỗi mã nơi nhận chỉ một lần.", "A recipient occurs more than once.", "Name each code once."),
		rule(statusUnknown, Error, "Mã trạng thái không có trong danh mục.", "Hãy dùng 01, 02, 03, 04, 05, 06, 13, 15 hoặc 16.", "The status code is none.", "Use 01, 02, 03, 04, 05, 06, 13, 15 or 16."),
		rule(businessUnknown, Error, "Loại nghiệp vụ không có trong danh mục.", "Hãy dùng 0 (mới), 1 (thu hồi), 2 (cập nhật) hoặc 3 (thay thế).", "The kind of business is none.", "Use 0 (new), 1 (recall), 2 (update) or 3 (replacement)."),
		rule(targetMissing, Warning, "Không nêu rõ văn bản được thu hồi hoặc cập nhật; bên nhận chỉ còn DocumentId của gói.", "Hãy ghi mã văn bản đó vào Bussiness/DocumentId hoặc ResponseFor/DocumentId.", "The document that is recalled or updated is not named; recipients have nothing but the package's own DocumentId.", "Name it in Bussiness/DocumentId or ResponseFor/DocumentId."),
		rule(replacedMissing, Error, "Không nêu văn bản bị thay thế.", "Hãy ghi từng văn bản vào ReplacementInfoList/ReplacementInfo/DocumentId.", "The documents that are replaced are not named.", "Name each in ReplacementInfoList/ReplacementInfo/DocumentId."),
		rule(updateEmpty, Warning, "Bản cập nhật không nói điều gì thay đổi.", "Hãy ghi DocumentInfo hoặc DocumentReceiver bằng 1.", "The update does not say what changes.", "Set DocumentInfo or DocumentReceiver to 1."),
		rule(referenceAlone, Error, "Danh mục tệp nêu một tệp không có trong gói.", "Hãy gửi kèm tệp, hoặc bỏ Reference.", "The manifest names an attachment that is not in the package.", "Attach it, or remove the Reference."),
		rule(namesDiffer, Warning, "Tên tệp trong danh mục khác tên tệp đính kèm.", "Hãy ghi cùng một tên ở hai nơi.", "The manifest has another name than the attachment.", "Write the same name in both."),
		rule(contentEmpty, Warning, "Tệp đính kèm rỗng.", "Hãy kiểm tra tệp trước khi gửi.", "The attachment is empty.", "Check the file before sending."),
		rule(signatureUnverified, Warning, "Chữ ký ở thẻ Signature không được kiểm tra.", "Hãy ký số trên tệp đính kèm: đó là chữ ký có giá trị.", "The Signature element is not verified.", "Sign the attached files: those signatures count."),
		rule(idUnusual, Warning, "Mã văn bản không theo dạng mã cơ quan, ngày, số/ký hiệu.", "Nên ghi như H41,2026/03/02,101/CQA-VP; hệ thống nhận đối chiếu theo dạng này.", "The document id is not agency, date, number/notation.", "Better write H41,2026/03/02,101/CQA-VP: receiving systems match by it."),
		rule(statusWithRecipient, Warning, "Gói trạng thái có thẻ To: thẻ này bị bỏ qua.", "Hãy bỏ To; nơi nhận là ResponseFor/OrganId.", "The status has a To, which is ignored.", "Remove it: the addressee is ResponseFor/OrganId."),
	}
}

func refusalRules() []Rule {
	return []Rule{
		rule(TooLarge, Error, "Gói tin quá lớn.", "Hãy chia nhỏ hoặc giảm dung lượng tệp.", "The package is too large.", "Split it, or make the files smaller."),
		rule(HeadTooLarge, Error, "Phần thông tin của gói tin quá lớn.", "Hãy để nội dung tệp trong ContentTransferEncoded.", "What is outside the contents is too large.", "Put files into ContentTransferEncoded."),
		rule(NotWellFormed, Error, "Tệp XML sai cú pháp hoặc bị cắt cụt.", "Hãy xuất lại gói tin bằng thư viện XML và kiểm tra đường truyền.", "The XML is not well-formed, or was cut off.", "Write it anew with an XML library, and check how it was sent."),
		rule(Doctype, Error, "Gói tin có khai báo DOCTYPE.", "Hãy bỏ DOCTYPE: nó cho phép đọc trộm tệp của bên nhận.", "The package has a DOCTYPE.", "Remove it: it would let files of the recipient be read."),
		rule(UnknownEntity, Error, "Có tham chiếu thực thể lạ.", "Hãy ghi ký tự trực tiếp bằng UTF-8; & viết là &amp;.", "There is an unknown entity.", "Write the character itself in UTF-8, and & as &amp;."),
		rule(UnknownEncoding, Error, "Bảng mã không được hỗ trợ.", "Hãy dùng UTF-8.", "The encoding is not supported.", "Use UTF-8."),
		rule(TooDeep, Error, "Các thẻ lồng nhau quá sâu.", "Hãy theo cấu trúc của QCVN 102.", "Elements are nested too deep.", "Follow the structure of QCVN 102."),
		rule(TooManyElements, Error, "Có quá nhiều thẻ.", "Hãy chia văn bản cho ít nơi nhận hơn.", "There are too many elements.", "Send to fewer recipients at once."),
		rule(TooManyAttachments, Error, "Có quá nhiều tệp đính kèm.", "Hãy gộp hoặc chia thành nhiều văn bản.", "There are too many attachments.", "Join them, or send several documents."),
		rule(FieldTooLong, Error, "Một trường dài quá mức đọc được.", "Hãy rút ngắn, hoặc gửi nội dung đó trong tệp đính kèm.", "A field is longer than is ever read.", "Shorten it, or send it in an attachment."),
		rule(NoEnvelope, Error, "Không có thẻ edXMLEnvelope: đây không phải gói edXML.", "Hãy kiểm tra đúng tệp.", "There is no edXMLEnvelope: this is no edXML.", "Check that it is the right file."),
		rule(NoHeader, Error, "Không có thẻ edXMLHeader.", "Hãy thêm edXMLHeader.", "There is no edXMLHeader.", "Add one."),
		rule(RepeatedContentID, Error, "Hai tệp có cùng ContentId.", "Hãy cho mỗi tệp một ContentId riêng.", "Two attachments have one ContentId.", "Give each its own."),
		rule(NameLeavesFolder, Error, "Tên tệp dẫn ra ngoài thư mục lưu.", "Hãy chỉ ghi tên tệp, không có .. hay đường dẫn.", "The file's name leads out of its folder.", "Write the name alone, without .. or a path."),
		rule(NotInManifest, Error, "Tệp đính kèm không có trong danh mục edXMLManifest.", "Hãy thêm Reference có cùng ContentId.", "The manifest does not name the attachment.", "Add a Reference with its ContentId."),
		rule(NoContent, Error, "Tệp đính kèm không có ContentTransferEncoded.", "Hãy ghi nội dung tệp bằng base64.", "The attachment has no ContentTransferEncoded.", "Write the file in base64."),
		rule(MarkupInContent, Error, "Trong ContentTransferEncoded có thẻ hoặc chú thích.", "Hãy chỉ ghi base64.", "There is markup in ContentTransferEncoded.", "Write nothing but base64."),
		rule(BadBase64, Error, "Nội dung tệp không phải base64.", "Hãy mã hóa lại bằng base64 chuẩn.", "The content is no base64.", "Encode it anew in standard base64."),
		rule(ContentTooLarge, Error, "Tệp sau giải nén quá lớn.", "Hãy giảm dung lượng tệp.", "The unpacked file is too large.", "Make the file smaller."),
		rule(RatioTooHigh, Error, "Tệp nén phình quá mức khi giải nén.", "Hãy gửi tệp không nén.", "The archive unpacks to far more than it is.", "Send the file without packing it."),
		rule(SeveralEntries, Error, "Tệp ZIP không chứa đúng một tệp.", "Hãy nén từng tệp riêng; nếu muốn gửi cả tệp ZIP, đặt tên có đuôi .zip.", "The archive does not hold exactly one file.", "Pack each file alone; to send an archive, name it .zip."),
		rule(BadArchive, Error, "Tệp ZIP hỏng, bị mã hóa hoặc có tên tệp không an toàn.", "Hãy nén lại bằng cách nén thông thường (deflate), không mật khẩu.", "The archive is damaged, encrypted, or names an unsafe file.", "Pack it anew with deflate and without a password."),
		rule(ForbiddenCharacter, Error, "Có ký tự không được phép trong XML.", "Hãy bỏ ký tự điều khiển và ghi bằng UTF-8.", "There is a character that XML forbids.", "Remove control characters, and use UTF-8."),
		rule(SteeringNotANumber, Error, "SteeringType không phải số nguyên: phần mềm nhận sẽ từ chối cả gói.", "Hãy ghi 0, 1 hoặc 2, hoặc bỏ hẳn thẻ.", "SteeringType is no integer: readers refuse the package.", "Write 0, 1 or 2, or leave it out."),
		rule(AttachmentNameAbsent, Error, "Tệp đính kèm không có AttachmentName.", "Hãy ghi tên tệp.", "The attachment has no AttachmentName.", "Write the file's name."),
	}
}

func toleranceRules() []Rule {
	return []Rule{
		rule(ByteOrderMark, Tolerated, "Đầu tệp có BOM.", "Hãy ghi UTF-8 không BOM.", "The file begins with a byte order mark.", "Write UTF-8 without one."),
		rule(SeveralMarks, Error, "Đầu tệp có nhiều BOM: phần mềm nhận sẽ từ chối.", "Hãy ghi UTF-8 không BOM.", "The file begins with several byte order marks: readers refuse it.", "Write UTF-8 without any."),
		rule(BlankBeforeDeclaration, Error, "Có khoảng trắng trước khai báo XML: phần mềm nhận sẽ từ chối.", "Hãy để <?xml ở ngay đầu tệp.", "There are blanks before the XML declaration: readers refuse it.", "Let <?xml be the first in the file."),
		rule(UTF16, Tolerated, "Tệp dùng UTF-16.", "Hãy dùng UTF-8.", "The file is in UTF-16.", "Use UTF-8."),
		rule(RootName, Tolerated, "Thẻ gốc không phải edXML.", "Hãy đặt thẻ gốc là edXML.", "The root is not edXML.", "Name it edXML."),
		rule(SOAPEnvelope, Error, "Gói theo dạng SOAP cũ.", "Hãy dùng cấu trúc edXML/edXMLEnvelope của QCVN 102.", "The package has the old SOAP form.", "Use edXML/edXMLEnvelope of QCVN 102."),
		rule(OtherNamespace, Error, "Không gian tên không phải của QCVN 102: phần mềm nhận sẽ từ chối.", "Hãy dùng "+Namespace+".", "The namespace is not that of QCVN 102: readers refuse it.", "Use "+Namespace+"."),
		rule(NoNamespace, Error, "Không có không gian tên: phần mềm nhận sẽ từ chối.", "Hãy khai báo "+Namespace+".", "There is no namespace: readers refuse it.", "Declare "+Namespace+"."),
		rule(OtherPrefix, Tolerated, "Tiền tố thẻ khác edXML: (một số phần mềm tìm thẻ theo đúng tiền tố).", "Hãy dùng edXML: trong edXMLEnvelope, không tiền tố trong AttachmentEncoded, trừ edXML:ContentTransferEncoded.", "The prefix is not edXML: (some readers look for it).", "Use edXML: inside edXMLEnvelope and none in AttachmentEncoded but edXML:ContentTransferEncoded."),
		rule(UnboundPrefix, Tolerated, "Tiền tố chưa được khai báo.", "Hãy khai báo xmlns cho tiền tố.", "The prefix is not bound.", "Declare it with xmlns."),
		rule(ManifestName, Tolerated, "Danh mục tệp mang tên Manifest.", "Hãy đặt tên edXMLManifest.", "The manifest is called Manifest.", "Call it edXMLManifest."),
		rule(BusinessSpelling, Tolerated, "Thẻ viết là Business.", "Hãy viết Bussiness như các hệ thống đang dùng.", "It is spelt Business.", "Spell it Bussiness, as the systems in use do."),
		rule(ElementOrder, Tolerated, "Thứ tự thẻ khác thông lệ.", "Nên ghi theo thứ tự của QCVN 102.", "The elements have another order.", "Better keep the order of QCVN 102."),
		rule(EmptyElement, Tolerated, "Thẻ rỗng.", "Hãy bỏ thẻ không có giá trị.", "The element is empty.", "Leave out what has no value."),
		rule(RepeatedElement, Warning, "Thẻ chỉ được có một lần nhưng bị lặp; giá trị đầu được dùng.", "Hãy để thẻ một lần.", "It may occur once and is repeated; the first counts.", "Write it once."),
		rule(UnknownElement, Tolerated, "Thẻ không có trong quy chuẩn; được giữ nguyên.", "Hãy kiểm tra chính tả, hoặc bỏ thẻ.", "The element is not in the standard; it is kept.", "Check its spelling, or leave it out."),
		rule(UnknownAttribute, Tolerated, "Thuộc tính không có trong quy chuẩn.", "Hãy bỏ thuộc tính.", "The attribute is not in the standard.", "Leave it out."),
		rule(BlanksAround, Tolerated, "Có khoảng trắng thừa quanh giá trị.", "Hãy bỏ khoảng trắng ở hai đầu.", "There are blanks around the value.", "Trim it."),
		rule(UnlikeDate, Error, "Ngày giờ không theo dạng quy định: phần mềm nhận đọc sai.", "Hãy ghi yyyy/MM/dd hoặc yyyy/MM/dd HH:mm:ss, đủ số 0.", "The date has another form, which readers misread.", "Write yyyy/MM/dd or yyyy/MM/dd HH:mm:ss, with leading zeros."),
		rule(MissingCID, Tolerated, "ContentId thiếu cid: ở đầu.", "Hãy ghi cid: trước mã, ở cả hai nơi.", "The ContentId lacks cid:.", "Write cid: before it, in both places."),
		rule(DoubledCID, Tolerated, "ContentId có cid: lặp lại.", "Hãy ghi cid: một lần.", "The ContentId has cid: more than once.", "Write cid: once."),
		rule(EmptyAttachment, Tolerated, "Thẻ Attachment rỗng, được bỏ qua.", "Hãy bỏ thẻ.", "The Attachment is empty, and passed over.", "Leave it out."),
		rule(NotNamedZip, Error, "Tệp được nén ZIP nhưng ContentType không phải application/zip: bên nhận lưu nguyên tệp nén.", "Hãy ghi ContentType là application/zip, hoặc đừng nén.", "The file is packed but ContentType is not application/zip: recipients keep the archive.", "Write application/zip, or do not pack it."),
		rule(ZipThatIsNone, Error, "ContentType là application/zip nhưng nội dung không phải ZIP: phần mềm nhận sẽ từ chối cả gói.", "Hãy nén tệp, hoặc ghi đúng ContentType.", "ContentType is application/zip but the content is none: readers refuse the package.", "Pack the file, or write its own ContentType."),
		rule(ZipInCapitals, Warning, "Tên có đuôi .ZIP viết hoa: một số phần mềm nhận sẽ tự giải nén.", "Hãy đặt đuôi .zip viết thường.", "The name ends in .ZIP in capitals: some readers unpack it.", "End it in .zip."),
		rule(PathInName, Warning, "Tên tệp có đường dẫn; chỉ phần cuối được dùng.", "Hãy chỉ ghi tên tệp.", "The file's name has a path; its last part is used.", "Write the name alone."),
		rule(WrappedBase64, Tolerated, "Base64 bị ngắt dòng.", "Nên ghi trên một dòng.", "The base64 is wrapped.", "Better write one line."),
		rule(MissingPadding, Tolerated, "Base64 thiếu dấu = ở cuối.", "Hãy thêm dấu =.", "The base64 lacks = at its end.", "Add it."),
		rule(MarkedContent, Tolerated, "Nội dung nằm trong CDATA.", "Hãy ghi base64 trực tiếp.", "The content stands in CDATA.", "Write the base64 itself."),
		rule(OldCode, Warning, "Mã định danh dạng ngắn cũ.", "Hãy dùng mã đầy đủ theo QĐ 20/2020/QĐ-TTg.", "The code has the old short form.", "Use the full code of Decision 20/2020/QĐ-TTg."),
		rule(Decomposed, Warning, "Chữ có dấu ở dạng tổ hợp (không phải NFC): tìm kiếm và so tên có thể sai.", "Hãy ghi Unicode dựng sẵn (NFC).", "Accents are decomposed (not NFC): searching and comparing may fail.", "Write Unicode in NFC."),
	}
}
