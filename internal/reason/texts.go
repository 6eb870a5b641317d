package reason

import "docaxis/proto/axispb"

// text is one sentence in both languages: what is wrong, then what to do.
type text struct{ vi, en string }

// unknownText is for a code that this program does not know. [number, arguments]
var unknownText = text{
	vi: "Lý do số {1}, phiên bản phần mềm này chưa biết: {2:words}. Hãy cập nhật phần mềm để xem giải thích đầy đủ.",
	en: "Reason number {1}, which this version does not know: {2:words}. Update the software to see it explained.",
}

// texts is never written to. The arguments are those of proto/reason.proto.
var texts = map[axispb.ReasonCode]text{
	axispb.ReasonCode_REASON_UNSPECIFIED: {
		vi: "Không có lý do kèm theo. Hãy liên hệ quản trị trục liên thông và nêu rõ văn bản liên quan.",
		en: "No reason was given. Contact the operator of the axis and name the document concerned.",
	},

	axispb.ReasonCode_REASON_MALFORMED: {
		vi: "Yêu cầu không đúng giao thức của trục liên thông: {1:words}. Hãy cập nhật phần mềm của điểm kết nối; nếu vẫn lỗi, báo quản trị trục.",
		en: "The request is not one that the axis's protocol knows: {1:words}. Update the endpoint's software; if it goes on, tell the operator of the axis.",
	},
	axispb.ReasonCode_REASON_BUSY: {
		vi: "Trục liên thông đang bận. Không cần làm gì: điểm kết nối sẽ tự gửi lại.",
		en: "The axis is busy. Nothing needs to be done: the endpoint tries again by itself.",
	},
	axispb.ReasonCode_REASON_UNAVAILABLE: {
		vi: "Trục liên thông tạm thời chưa ghi nhận được: {1:words}. Không cần làm gì, điểm kết nối sẽ tự gửi lại; nếu kéo dài quá một giờ, hãy báo quản trị trục.",
		en: "The axis cannot record anything just now: {1:words}. Nothing needs to be done, the endpoint tries again by itself; if it lasts over an hour, tell the operator of the axis.",
	},
	axispb.ReasonCode_REASON_FORBIDDEN: {
		vi: "Điểm kết nối không có quyền làm việc này: {1:words}. Nếu đúng là cần, hãy đề nghị quản trị trục cấp quyền.",
		en: "The endpoint may not do this: {1:words}. If it really has to, ask the operator of the axis for the right.",
	},
	axispb.ReasonCode_REASON_QUOTA: {
		vi: "Điểm kết nối đã dùng hết hạn mức: {1:words}. Không cần làm gì: điểm kết nối tự gửi lại, từ {2:time} sẽ được nhận; nếu cần nhiều hơn, hãy đề nghị quản trị trục nâng hạn mức.",
		en: "The endpoint's quota is used up: {1:words}. Nothing needs to be done: the endpoint sends again by itself and is heard from {2:time} on; if it needs more, ask the operator of the axis.",
	},
	axispb.ReasonCode_REASON_NOT_FOUND: {
		vi: "Không tìm thấy “{1}”. Hãy kiểm tra lại tên hoặc mã đã nhập.",
		en: "Nothing is known as “{1}”. Check the name or the code that was entered.",
	},
	axispb.ReasonCode_REASON_CLOCK: {
		vi: "Đồng hồ của trục liên thông bị lệch đột ngột nên trục tạm ngừng ghi nhận. Nơi gửi không cần làm gì, văn bản sẽ tự được gửi lại; quản trị trục hãy kiểm tra và xác nhận giờ hệ thống.",
		en: "The axis's clock jumped, and the axis records nothing until that is settled. Senders need do nothing, documents are sent again by themselves; the operator of the axis must check the clock and confirm it.",
	},
	axispb.ReasonCode_REASON_STATE: {
		vi: "Văn bản {1} đang ở trạng thái “{2:state}” nên không làm được việc này. Hãy xem diễn biến của văn bản rồi quyết định.",
		en: "Document {1} is “{2:state}”, which does not allow this. Check the document's story and decide again.",
	},
	axispb.ReasonCode_REASON_SEVERAL_CODES: {
		vi: "Văn bản {1} đến đây cho nhiều mã: {2:words}. Hãy nêu rõ mã nào.",
		en: "Document {1} came here for several codes: {2:words}. Write which of them is meant.",
	},
	axispb.ReasonCode_REASON_DISK_FULL: {
		vi: "Đĩa không đủ chỗ: còn trống {1:size}, cần có {2:size}. Hãy giải phóng chỗ trên đĩa (ở điểm kết nối: chạy “endpoint cleanup”, hoặc dời các tệp khác đi); có chỗ là công việc tự tiếp tục.",
		en: "The disk has too little room: {1:size} free, {2:size} needed. Ask whoever runs the machine to free some space (at an endpoint: run “endpoint cleanup”, or move other files away); the work goes on by itself then.",
	},
	axispb.ReasonCode_REASON_RELEASED: {
		vi: "Các tệp của văn bản {1} đã được dọn khỏi điểm kết nối này lúc {2:time}; diễn biến và bằng chứng vẫn còn. Nếu cần lại nội dung, hãy lấy trong hệ thống quản lý văn bản của cơ quan hoặc đề nghị nơi gửi gửi lại.",
		en: "The files of document {1} were removed from this endpoint at {2:time}; its story and its proofs are still here. Where the content is needed again, ask the agency's own system for it, or the sender to send it again.",
	},
	axispb.ReasonCode_REASON_CONTENT_QUOTA: {
		vi: "Điểm kết nối đang giữ {1:size} nội dung của các văn bản chưa xong, vượt hạn mức {2:size}. Hãy lấy và xác nhận các văn bản đến, chờ nơi nhận lấy văn bản đi, hoặc nâng retention.quota_bytes trong endpoint.toml rồi chạy lại điểm kết nối.",
		en: "The endpoint keeps {1:size} for documents that are still under way, over its quota of {2:size}. Check what has come in and confirm it, wait until recipients have what was sent, or raise retention.quota_bytes in endpoint.toml and start the endpoint again.",
	},

	axispb.ReasonCode_REASON_UNKNOWN_CODE: {
		vi: "Mã định danh nơi nhận {1} không có trong danh mục. Hãy tra lại mã trong danh bạ rồi gửi lại.",
		en: "Recipient code {1} is not in the registry. Look the agency up in the directory and send again.",
	},
	axispb.ReasonCode_REASON_CLOSED_CODE: {
		vi: "Mã định danh nơi nhận {1} đã đóng và không có cơ quan kế thừa. Hãy chọn nơi nhận khác trong danh bạ rồi gửi lại.",
		en: "Recipient code {1} is closed and has no successor. Choose another recipient in the directory and send again.",
	},
	axispb.ReasonCode_REASON_SEVERAL_SUCCESSORS: {
		vi: "Mã định danh nơi nhận {1} đã đóng và có nhiều cơ quan kế thừa: {2:words}. Hãy chọn đúng cơ quan kế thừa rồi gửi lại.",
		en: "Recipient code {1} is closed and has several successors: {2:words}. Choose the right one of them and send again.",
	},
	axispb.ReasonCode_REASON_NOT_SERVED: {
		vi: "{2} ({1}) chưa được kết nối với trục liên thông. Hãy gửi bằng cách khác, hoặc gửi lại sau khi cơ quan này đã kết nối.",
		en: "{2} ({1}) is not connected to the axis yet. Send by other means, or send again once the agency is connected.",
	},
	axispb.ReasonCode_REASON_NO_RECIPIENT: {
		vi: "Không còn nơi nhận nào gửi được. Hãy ghi nơi nhận, hoặc sửa danh sách nơi nhận theo tình trạng của từng mã trong danh bạ, rồi gửi lại.",
		en: "No recipient remains that can be sent to. Name one, or mend the list of recipients by what the directory says of each, and send again.",
	},
	axispb.ReasonCode_REASON_SENDER_NOT_SERVED: {
		vi: "Điểm kết nối này không được gửi thay mã định danh {1}. Hãy kiểm tra mã nơi gửi, hoặc đề nghị quản trị trục gán mã này cho điểm kết nối.",
		en: "This endpoint does not serve the sender's code {1}. Check the sender's code, or ask the operator of the axis to give the code to this endpoint.",
	},
	axispb.ReasonCode_REASON_OTHER_SYSTEM: {
		vi: "Đơn vị {1} không thuộc hệ thống {2}. Hãy kiểm tra mã đơn vị, hoặc nhờ người quản trị điểm kết nối chạy: endpoint vxp allow {2} --code {1}.",
		en: "Agency {1} is none of system {2}. Check the code, or ask whoever runs the endpoint to do: endpoint vxp allow {2} --code {1}.",
	},
	axispb.ReasonCode_REASON_DUPLICATE_CODE: {
		vi: "Nơi nhận {1} bị ghi nhiều lần. Hãy chỉ giữ lại một lần rồi gửi lại.",
		en: "Recipient {1} is named more than once. Leave it in only once and send again.",
	},
	axispb.ReasonCode_REASON_BAD_CODE: {
		vi: "“{1}” không phải là mã định danh hợp lệ. Hãy ghi theo dạng H41.11.05 (Quyết định 20/2020/QĐ-TTg) hoặc 000.05.11.H41 (QCVN 102:2016).",
		en: "“{1}” is no agency code. Write it like H41.11.05 (QĐ 20/2020/QĐ-TTg) or 000.05.11.H41 (QCVN 102:2016).",
	},
	axispb.ReasonCode_REASON_SENDER_UNNAMED: {
		vi: "Điểm kết nối này gửi thay nhiều cơ quan: {1:words}. Hãy nêu rõ cơ quan gửi.",
		en: "This endpoint sends for several agencies: {1:words}. Write which of them is the sender.",
	},

	axispb.ReasonCode_REASON_SEAL_FAILED: {
		vi: "Chữ ký số của cơ quan không đạt ({1}, {2}): {3:words}. Hãy ký lại văn bản bằng chứng thư số đã đăng ký rồi gửi lại.",
		en: "The agency's seal does not pass ({1}, {2}): {3:words}. Seal the document again with a registered certificate and send again.",
	},
	axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED: {
		vi: "Chứng thư số “{2}” chưa được chấp nhận để ký văn bản của cơ quan {1}. Hãy ký bằng chứng thư số đã đăng ký, hoặc đề nghị quản trị trục chấp nhận chứng thư số này.",
		en: "Certificate “{2}” is not admitted as a seal of {1}. Seal with a registered certificate, or ask the operator of the axis to admit this one.",
	},
	axispb.ReasonCode_REASON_SEAL_NOT_VALID: {
		vi: "Chứng thư số ký văn bản của cơ quan {1} chỉ có hiệu lực từ {2:time} đến {3:time}. Hãy ký bằng chứng thư số còn hiệu lực, hoặc đề nghị quản trị trục chấp nhận chứng thư số mới.",
		en: "The seal of {1} is valid only from {2:time} to {3:time}. Seal with a certificate that is valid now, or ask the operator of the axis to admit a new one.",
	},
	axispb.ReasonCode_REASON_SEAL_RETIRED: {
		vi: "Chứng thư số ký văn bản của cơ quan {1} đã ngừng được chấp nhận từ {2:time}. Hãy ký bằng chứng thư số đang được chấp nhận rồi gửi lại.",
		en: "The seal of {1} was retired at {2:time}. Seal with a certificate that is still admitted and send again.",
	},
	axispb.ReasonCode_REASON_NO_SEAL: {
		vi: "Điểm kết nối chưa có con dấu số của {1}. Hãy ghi con dấu vào mục [[seal]] của tệp endpoint.toml rồi khởi động lại điểm kết nối.",
		en: "The endpoint has no seal of {1}. Write where it is under [[seal]] in endpoint.toml and start the endpoint again.",
	},
	axispb.ReasonCode_REASON_SEAL_DELEGATED: {
		vi: "Văn bản của cơ quan {1} không được ký bằng con dấu số ủy quyền do điểm kết nối giữ: chính sách của trục không cho phép. Hãy ký bằng con dấu số của chính cơ quan rồi gửi lại, hoặc đề nghị quản trị trục đổi chính sách.",
		en: "Documents of {1} may not be sealed with a delegated seal, which the endpoint holds: the axis's policy forbids it. Seal with the agency's own seal and send again, or ask the operator of the axis to change the policy.",
	},
	axispb.ReasonCode_REASON_SEAL_AWAY: {
		vi: "Con dấu số của cơ quan {1} nằm trong thiết bị lưu khóa, và hiện chưa ký được: {2:words}. Hãy làm như trên và gửi lại văn bản chưa được nhận; văn bản đang chờ sẽ tự đi.",
		en: "The seal of {1} is in a token that cannot sign just now: {2:words}. See to it as it says, and send again what was not taken; what waits goes by itself.",
	},

	axispb.ReasonCode_REASON_BAD_MANIFEST: {
		vi: "Bản kê của gói văn bản không đúng quy định: {1:words}. Hãy cập nhật phần mềm tạo gói rồi ký và gửi lại.",
		en: "The manifest is not as the protocol asks: {1:words}. Update the software that made it, then seal and send again.",
	},
	axispb.ReasonCode_REASON_BAD_DOCUMENT: {
		vi: "Thông tin văn bản (document.json) sai ở {1}: {2:words}. Hãy sửa thông tin này rồi ký và gửi lại.",
		en: "The document's data (document.json) is wrong at {1}: {2:words}. Mend it there, then seal and send again.",
	},
	axispb.ReasonCode_REASON_DIGEST_MISMATCH: {
		vi: "Nội dung của “{1}” khác với nội dung đã ký. Hãy kiểm tra tệp, ký lại rồi gửi lại.",
		en: "The content of “{1}” is not what was sealed. Check the file, seal again and send again.",
	},
	axispb.ReasonCode_REASON_CONTENT_MISSING: {
		vi: "Nội dung của tệp “{1}” chưa được điểm kết nối này tải lên đầy đủ. Hãy tải lên lại toàn bộ tệp rồi gửi lại.",
		en: "The content of file “{1}” was not wholly uploaded by this endpoint. Upload the whole file again and send again.",
	},
	axispb.ReasonCode_REASON_ENVELOPE_TOO_LARGE: {
		vi: "Gói văn bản, không kể các tệp, dài {1:size}, vượt giới hạn {2:size}. Hãy giảm số nơi nhận hoặc số tệp, hoặc chia thành nhiều lần gửi.",
		en: "The envelope, without its files, has {1:size}, over the limit of {2:size}. Name fewer recipients or files, or send in several parts.",
	},
	axispb.ReasonCode_REASON_FILE_TOO_LARGE: {
		vi: "Tệp “{1}” dài {2:size}, vượt giới hạn {3:size}. Hãy nén hoặc chia nhỏ tệp rồi gửi lại.",
		en: "File “{1}” has {2:size}, over the limit of {3:size}. Compress it or split it and send again.",
	},
	axispb.ReasonCode_REASON_SECURITY_LEVEL: {
		vi: "Văn bản có độ mật “{1:security}” không được gửi qua trục liên thông. Hãy gửi theo quy định về bảo vệ bí mật nhà nước.",
		en: "A document of security level “{1:security}” may not enter the axis. Send it in the way that the rules on state secrets ask for.",
	},
	axispb.ReasonCode_REASON_ID_COLLISION: {
		vi: "Mã gói tin {1} đã được dùng cho một văn bản có nội dung khác. Hãy gửi văn bản này với mã gói tin mới.",
		en: "The id {1} was already used for a document with other content. Send this document under a new id.",
	},
	axispb.ReasonCode_REASON_UNKNOWN_TARGET: {
		vi: "Không có văn bản nào của {1} mang mã {2} để thu hồi, cập nhật, thay thế hoặc trả lời. Hãy chọn lại văn bản liên quan rồi gửi lại.",
		en: "No document of {1} has the id {2}, which this one recalls, updates, replaces or answers. Choose the document that is meant and send again.",
	},
	axispb.ReasonCode_REASON_DEADLINE_PASSED: {
		vi: "Thời hạn của văn bản, {1:time}, đã qua trước khi trục liên thông nhận. Hãy đặt thời hạn mới rồi ký và gửi lại.",
		en: "The document's deadline, {1:time}, had passed before the axis took it. Set a new deadline, then seal and send again.",
	},
	axispb.ReasonCode_REASON_DEADLINE: {
		vi: "Đã hết thời hạn {1:time} mà nơi nhận chưa tiếp nhận văn bản. Hãy liên hệ nơi nhận; nếu vẫn cần, gửi lại với thời hạn mới.",
		en: "The deadline of {1:time} passed before the recipient took the document. Contact the recipient; if it is still needed, send again with a new deadline.",
	},

	axispb.ReasonCode_REASON_CONTENT_RELEASED: {
		vi: "Trục liên thông không còn giữ nội dung của văn bản này từ {1:time}: mọi nơi nhận khi đó đã có văn bản và đã hết thời gian lưu. Hãy đề nghị nơi gửi gửi lại văn bản.",
		en: "The axis has not kept this document's content since {1:time}: every recipient of that time had it, and the time for keeping it was over. Ask the sender to send the document again.",
	},
	axispb.ReasonCode_REASON_NOT_ITS_SENDER: {
		vi: "Chỉ {1}, nơi gửi văn bản {2}, hoặc cơ quan kế thừa mới được thu hồi, cập nhật, thay thế hoặc yêu cầu lấy lại văn bản đó. Hãy đề nghị nơi gửi làm việc này.",
		en: "Only {1}, which sent document {2}, or the agency that took over from it may recall, update or replace it, or ask for it back. Ask the sender to do so.",
	},
	axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT: {
		vi: "{1} không phải nơi nhận văn bản {3} của {2}, nên không được báo trạng thái xử lý hay trả lời yêu cầu về văn bản đó. Hãy gửi dưới mã của cơ quan đã nhận văn bản.",
		en: "{1} is no recipient of document {3} of {2}, so it may neither report a state of it nor answer a change of it. Send this under the code of the agency that received the document.",
	},

	axispb.ReasonCode_REASON_BAD_PACKAGE: {
		vi: "Gói edXML sai ở {1}: {2:rule}. Hãy sửa ở hệ thống quản lý văn bản rồi gửi lại; chạy “endpoint check TỆP” để xem mọi lỗi của gói và cách sửa.",
		en: "The edXML package is wrong at {1}: {2:rule}. Mend it in the document-management system and send it again; run “endpoint check FILE” to see everything that is wrong with it, and how it is mended.",
	},

	axispb.ReasonCode_REASON_FILE_PROBLEM: {
		vi: "Chữ ký trong tệp {2} không đạt: {3:words}. Chính sách của {1} không nhận tệp như vậy; hãy ký lại tệp rồi gửi lại văn bản.",
		en: "A signature within file {2} does not pass: {3:words}. The policy of {1} refuses such files; sign the file again, then send the document again.",
	},
	axispb.ReasonCode_REASON_FILE_UNSIGNED: {
		vi: "Tệp {2} chưa được ký bởi người ký mà {1} tin cậy, trong khi chính sách của cơ quan này yêu cầu: {3:words}. Hãy ký số tệp rồi gửi lại văn bản.",
		en: "File {2} is not signed by anybody whom {1} trusts, as its policy asks: {3:words}. Sign the file, then send the document again.",
	},

	axispb.ReasonCode_REASON_FILES_UNCHECKED: {
		vi: "Chữ ký trong các tệp của văn bản {1} đang được kiểm tra theo chính sách của cơ quan nên văn bản chưa giao được. Không cần làm gì, kiểm tra xong là giao; nếu kéo dài quá một giờ, hãy chạy endpoint doctor.",
		en: "The signatures within the files of document {1} are still looked at, as the agency's policy asks, so it cannot be taken yet. Nothing needs to be done; if it lasts over an hour, run endpoint doctor.",
	},
	axispb.ReasonCode_REASON_NOT_RECIPIENT: {
		vi: "Điểm kết nối gửi xác nhận không phải nơi nhận văn bản cho mã {1}. Hãy đề nghị quản trị trục kiểm tra mã này đang do điểm kết nối nào phục vụ.",
		en: "The endpoint that stated this is no recipient of the document for {1}. Ask the operator of the axis which endpoint serves that code.",
	},
	axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE: {
		vi: "Chữ ký của xác nhận không khớp với chứng thư số của điểm kết nối: {1:words}. Hãy kiểm tra khóa, chứng thư số của điểm kết nối và báo quản trị trục.",
		en: "The evidence's signature does not agree with its certificate: {1:words}. Check the endpoint's key and certificate and tell the operator of the axis.",
	},
	axispb.ReasonCode_REASON_COUNTER_REUSED: {
		vi: "Số thứ tự xác nhận {1} đã được dùng cho nội dung khác: có thể đang chạy hai bản của cùng một điểm kết nối, hoặc một bản khôi phục cũ. Hãy dừng bản thừa và đề nghị quản trị trục cấp thư mời mới.",
		en: "Evidence counter {1} was already used for other content: this endpoint may be a copy of another, or restored from an old backup. Stop the copy and ask the operator of the axis for a new invitation.",
	},
	axispb.ReasonCode_REASON_UNKNOWN_RECORD: {
		vi: "Xác nhận nói về điều mà nhật ký của trục liên thông không có: {1:words}. Hãy giữ nguyên dữ liệu của điểm kết nối và báo quản trị trục.",
		en: "The evidence is about something that the journal does not have: {1:words}. Keep the endpoint's data as it is and tell the operator of the axis.",
	},
	axispb.ReasonCode_REASON_SPLIT_VIEW: {
		vi: "Xác nhận nêu một mốc kiểm tra mà nhật ký này chưa từng ký: có thể tồn tại hai nhật ký khác nhau. Hãy giữ nguyên dữ liệu, báo ngay quản trị trục và đơn vị kiểm tra.",
		en: "The evidence names a checkpoint that this log never signed: there may be two different logs. Keep all data as it is, and tell the operator of the axis and an auditor at once.",
	},

	axispb.ReasonCode_REASON_STORE_FAILED: {
		vi: "Điểm kết nối nơi nhận không lưu được nội dung: {1:words}. Nơi nhận hãy kiểm tra dung lượng đĩa và điểm kết nối, sau đó đề nghị nơi gửi gửi lại.",
		en: "The recipient's endpoint could not store the content: {1:words}. The recipient must check disk space and endpoint, then ask the sender to send again.",
	},
	axispb.ReasonCode_REASON_REFUSED_BY_DMS: {
		vi: "Nơi nhận từ chối tiếp nhận: {1:words}. Hãy xử lý theo lý do này rồi gửi lại, hoặc liên hệ văn thư nơi nhận.",
		en: "The recipient refused the document: {1:words}. Mend what they name and send again, or contact their clerk.",
	},
	axispb.ReasonCode_REASON_FETCH_FAILED: {
		vi: "Điểm kết nối nơi nhận không lấy được nội dung từ trục liên thông: {1:words}. Nơi nhận hãy kiểm tra đường truyền, sau đó đề nghị nơi gửi gửi lại.",
		en: "The recipient's endpoint could not fetch the content from the axis: {1:words}. The recipient must check the line, then ask the sender to send again.",
	},

	axispb.ReasonCode_REASON_INVITATION_INVALID: {
		vi: "Thư mời kết nối không đúng hoặc đã được dùng. Hãy đề nghị quản trị trục cấp thư mời mới.",
		en: "The invitation is unknown or was used. Ask the operator of the axis for a new one.",
	},
	axispb.ReasonCode_REASON_INVITATION_EXPIRED: {
		vi: "Thư mời kết nối đã hết hạn lúc {1:time}. Hãy đề nghị quản trị trục cấp thư mời mới.",
		en: "The invitation's time was over at {1:time}. Ask the operator of the axis for a new one.",
	},
	axispb.ReasonCode_REASON_ENDPOINT_REVOKED: {
		vi: "Điểm kết nối {1} đã bị thu hồi. Hãy đề nghị quản trị trục cấp thư mời mới để kết nối lại.",
		en: "Endpoint {1} is revoked. Ask the operator of the axis for a new invitation to connect again.",
	},
	axispb.ReasonCode_REASON_CERTIFICATE_ENDED: {
		vi: "Chứng thư số này của điểm kết nối {1} đã hết hiệu lực lúc {2:time}, khi điểm kết nối được cấp lại. Hãy dùng thư mục đã gia nhập bằng thư mời mới, hoặc hỏi quản trị trục ai đã yêu cầu cấp lại.",
		en: "This certificate of endpoint {1} ended at {2:time}, when the endpoint was re-issued. Use the folder that joined with the new invitation, or ask the operator of the axis who had the endpoint re-issued.",
	},
	axispb.ReasonCode_REASON_REGISTRY_CONFLICT: {
		vi: "Thay đổi trái với danh mục hiện có: {1:words}. Hãy sửa thay đổi này rồi thực hiện lại.",
		en: "The change contradicts the registry: {1:words}. Mend the change and make it again.",
	},

	axispb.ReasonCode_REASON_SERVED_ELSEWHERE: {
		vi: "Cơ quan {1} ({2}) do điểm kết nối khác phục vụ, nên điểm này không đăng ký hay sửa được. Hãy thực hiện ở điểm kết nối đó, hoặc đề nghị quản trị trục.",
		en: "Another endpoint serves agency {1} ({2}), so that this one may neither register nor change it. Do it at that endpoint, or ask the operator of the axis.",
	},
	axispb.ReasonCode_REASON_PARENT: {
		vi: "Cơ quan cấp trên “{1}” không có trong danh mục, đã đóng hoặc không do điểm kết nối này phục vụ. Hãy nêu đúng mã cấp trên mà điểm kết nối này phục vụ.",
		en: "The agency above, “{1}”, is not in the registry, is closed, or is not served by this endpoint. Write the code of an open agency that this endpoint serves.",
	},
	axispb.ReasonCode_REASON_NOT_BELOW: {
		vi: "Theo quy tắc mã, {1} không trực thuộc {2}. Hãy sửa mã của đơn vị hoặc mã cấp trên.",
		en: "By its code, {1} does not stand below {2}. Mend the code of the agency or that of the one above it.",
	},
	axispb.ReasonCode_REASON_OPERATORS_ONLY: {
		vi: "Đối với cơ quan {1}, điểm kết nối không tự thay đổi được {2:words}. Hãy đề nghị quản trị trục thay đổi.",
		en: "Of agency {1}, an endpoint may not change {2:words}. Ask the operator of the axis to change it.",
	},
	axispb.ReasonCode_REASON_REGISTRATION_FORBIDDEN: {
		vi: "Chính sách của trục không cho điểm kết nối tự đăng ký, sửa hoặc đóng cơ quan {1}. Hãy đề nghị quản trị trục thực hiện.",
		en: "The axis's policy lets no endpoint register, change or close agency {1} by itself. Ask the operator of the axis to do it.",
	},
	axispb.ReasonCode_REASON_REGISTRATION_REFUSED: {
		vi: "Quản trị trục đã từ chối yêu cầu về cơ quan {1} lúc {2:time}: {3:words}. Hãy sửa yêu cầu theo lý do này, hoặc liên hệ quản trị trục.",
		en: "An operator of the axis refused the request about agency {1} at {2:time}: {3:words}. Mend the request as they say, or contact them.",
	},
	axispb.ReasonCode_REASON_AGENCIES_BELOW: {
		vi: "Chưa đóng được cơ quan {1} vì còn {2} cơ quan trực thuộc đang hoạt động. Hãy đóng các cơ quan trực thuộc trước.",
		en: "Agency {1} cannot be closed while {2} open agencies stand right below it. Ask for the closing of those first.",
	},
}
