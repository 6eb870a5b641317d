package reason

// filePhrases are what is said of the signatures within a file (signing/pades,
// signing/xmldsig, internal/inspect): they travel in English inside the refusal of a document. Never
// written to.
var filePhrases = []text{
	{"Chữ ký trong ô “{1}”: {2}", "Signature in field “{1}”: {2}"},
	{"Tệp PDF đã được mã hóa nên không kiểm tra được chữ ký; đề nghị nơi gửi gửi lại bản không mã hóa", "The PDF is encrypted, so its signatures cannot be checked; ask the sender for one that is not"},
	{"Tệp không đúng cấu trúc PDF nên không biết có chữ ký hay không; đề nghị nơi gửi gửi lại", "The file is not built as a PDF must be, so whether it is signed is not known; ask the sender to send it again"},
	{"Tệp chỉ có dấu thời gian, không có chữ ký số; chỉ để tham khảo", "The file has timestamps only, and no signature; it is for information"},
	{"Tệp không có chữ ký số; chỉ để tham khảo", "The file has no signature; it is for information"},
	{"Tệp có quá nhiều chữ ký số, còn {1} chữ ký chưa kiểm tra; đề nghị quản trị viên kiểm tra", "The file has too many signatures; {1} were not checked; ask an administrator to look at it"},
	{"Không đọc được tệp nên không biết có chữ ký hay không; đề nghị nơi gửi gửi lại", "The file cannot be read, so whether it is signed is not known; ask the sender to send it again"},
	{"Việc kiểm tra tệp này đòi hỏi nhiều hơn hẳn kích thước của nó nên đã dừng; đề nghị nơi gửi gửi lại tệp khác", "Looking at this file asks for far more than its size explains, and was given up; ask the sender for another one"},
	{"gói tin có nhiều tệp hơn số được kiểm tra", "it has more files than are looked at"},
	{"dạng chữ ký {1} đã lỗi thời (dùng SHA-1) nên không thể tin cậy; đề nghị nơi gửi ký lại theo PAdES", "the form {1} is obsolete (it rests on SHA-1) and cannot be relied on; ask the sender to sign again by PAdES"},
	{"chữ ký không đúng định dạng PAdES hoặc không bao trùm tệp nên không thể tin cậy; đề nghị nơi gửi ký lại", "the signature is not built as PAdES asks, or does not cover the file, and cannot be relied on; ask the sender to sign again"},
	{"nội dung tệp đã bị thay đổi sau khi ký; không sử dụng, đề nghị nơi gửi gửi lại bản đã ký", "the content was changed after signing; do not use it, and ask the sender for the file as it was signed"},
	{"có ô biểu mẫu được điền hoặc thêm sau khi ký; hãy so với bản đã ký trước khi sử dụng", "form fields were filled or added after signing; compare it with what was signed before you use it"},
	{"có ghi chú, hình đóng dấu hoặc liên kết được thêm, sửa hoặc xóa sau khi ký; hãy so với bản đã ký trước khi sử dụng", "comments, stamps or links were added, altered or removed after signing; compare it with what was signed before you use it"},
	{"cấu trúc dùng cho phần mềm đọc màn hình đã bị sửa sau khi ký; hãy so với bản đã ký trước khi sử dụng", "what screen readers are told was altered after signing; compare it with what was signed before you use it"},
	{"có dữ liệu lạ nối vào cuối tệp sau khi ký; đề nghị nơi gửi gửi lại bản đã ký", "unknown data was appended after signing; ask the sender for the file as it was signed"},
	{"có chữ ký được thêm sau khi người chứng thực đã khóa tệp; đề nghị nơi gửi kiểm tra lại", "a signature was added though the certifier had locked the file; ask the sender to look at it"},
	// signing/xmldsig
	{"Gói tin edXML có chữ ký XML-DSig trên toàn bộ gói. {1}", "A package of edXML with an XML-DSig signature over all of it. {1}"},
	{"Gói tin edXML có chữ ký XML-DSig. {1}", "A package of edXML with an XML-DSig signature. {1}"},
	{"Chữ ký XML-DSig không đúng định dạng nên không thể tin cậy; đề nghị nơi gửi ký lại", "The XML-DSig signature is not in its format and cannot be relied on; ask the sender to sign again"},
	// signing: what proves the time relied on
	{"{1} (thời điểm kiểm tra)", "{1} (the time of checking)"},
	{"{1} (theo nhật ký của trục)", "{1} (proven by the axis's log)"},
	{"{1} (theo dấu thời gian)", "{1} (proven by a time-stamp)"},
}
