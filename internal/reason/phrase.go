package reason

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Phrase says a technical phrase, which travels in English as an argument of a
// reason, in the reader's language where it is one of those that people meet. Any
// other text is given back as it is.
//
// It is a translation of text and not a code, because such a phrase may come from
// another version of the program: what is not known must still be shown.
func Phrase(text string, lang Language) string {
	if lang == English {
		return text
	}
	return translate(text, 3)
}

// Phrases says an error of several lines, each a phrase.
func Phrases(text string, lang Language) string {
	lines := strings.Split(text, "\n")
	for i, one := range lines {
		lines[i] = Phrase(one, lang)
	}
	return strings.Join(lines, "\n")
}

// translate bounds how deep one phrase may stand in another.
func translate(text string, depth int) string {
	if depth == 0 {
		return text
	}
	if inner, lined := strings.CutSuffix(text, "."); lined {
		text = inner
	}
	for _, p := range patterns() {
		if found := p.english.FindStringSubmatch(text); found != nil {
			args := map[string]string{}
			for i, number := range p.numbers {
				args[number] = translate(found[i+1], depth-1)
			}
			return strings.TrimSuffix(refill(p.vietnamese, args), ".")
		}
	}
	return text
}

type pattern struct {
	english    *regexp.Regexp
	numbers    []string // of the arguments that its groups find
	vietnamese string
}

// patterns are the phrases, and after them the sentences themselves: one reason
// may be told inside another.
var patterns = sync.OnceValue(func() []pattern {
	var all []pattern
	for _, p := range slices.Concat(phrases, filePhrases, verdicts(), tokens()) {
		all = append(all, shape(p))
	}
	for _, t := range texts {
		all = append(all, shape(t))
	}
	return all
})

// place is where an argument stands in a template.
var place = regexp.MustCompile(`\{(\d)(?::\w+)?\}`)

// shape makes a pattern that finds the arguments in a filled English template.
func shape(t text) pattern {
	p := pattern{vietnamese: t.vi}
	template := strings.TrimSuffix(t.en, ".")
	var b strings.Builder
	for {
		at := place.FindStringSubmatchIndex(template)
		if at == nil {
			p.english = regexp.MustCompile("^" + b.String() + regexp.QuoteMeta(template) + "$")
			return p
		}
		p.numbers = append(p.numbers, template[at[2]:at[3]])
		b.WriteString(regexp.QuoteMeta(template[:at[0]]) + "(.*?)")
		template = template[at[1]:]
	}
}

func refill(template string, args map[string]string) string {
	return place.ReplaceAllStringFunc(template, func(found string) string {
		return args[place.FindStringSubmatch(found)[1]]
	})
}

// phrases is never written to. It has what a clerk or an operator can meet by a
// mistake of their own or a fault on the way; what only a broken program can cause
// stays in English.
var phrases = []text{
	// internal/bus, axis/intake, axis/content: the axis cannot answer just now
	{"chưa kết nối được với trục", "not connected"},
	{"trục chưa nhận yêu cầu", "the axis is not serving"},
	{"không có trả lời trong thời gian chờ", "no answer in time"},
	{"mất kết nối giữa chừng", "the connection was lost"},
	{"không đọc được trả lời của trục", "the answer cannot be read"},
	{"trả lời của trục không hợp lý", "the axis's answer makes no sense"},
	{"trục đang dừng", "the axis is stopping"},
	{"chưa biết kết quả; hãy hỏi lại", "the outcome is not known yet; ask again"},
	{"trục không ghi được sổ", "the journal cannot be written"},
	{"trục chưa xử lý xong bản ghi", "the record is not applied yet"},
	{"kho tệp của trục hết chỗ", "content store: no space left"},
	{"kho tệp của trục gặp lỗi", "content store"},
	{"{1} lần bị từ chối trong một giờ", "{1} refusals an hour"},
	{"hệ thống của nơi nhận báo lỗi {1} lần", "its system reported {1} failures"},
	{"{1} văn bản trong một ngày", "{1} documents a day"},
	{"{1} byte trong một ngày", "{1} bytes a day"},
	{"{1} trạng thái xử lý của một văn bản trong một ngày", "{1} business states of one document a day"},
	{"{1} chứng thư trong một ngày", "{1} certificates a day"},

	// internal/envelope: what is wrong in document.json
	{"còn thiếu", "is missing"},
	{"giá trị không hợp lệ", "is not known"},
	{"phải từ 0 đến 4", "must be 0 to 4"},
	{"bị ghi hai lần", "is named twice"},
	{"nhiều hơn {1}", "more than {1}"},
	{"không phải là một cấp cơ quan", "no level of agencies"},
	{"phải viết là {1}", "must be written {1}"},
	{"dài {1} ký tự; tối đa {2}", "has {1} characters; at most {2}"},
	{"có dấu tab hoặc dấu xuống dòng", "has a tab or a line break"},
	{"có ký tự điều khiển", "has a control character"},
	{"không phải UTF-8", "is no UTF-8"},
	{"không phải ngày dạng YYYY-MM-DD", "is no day as YYYY-MM-DD"},
	{"không phải UUIDv7 viết thường", "is no UUIDv7 in lower case"},
	{"không phải loại MIME", "is no MIME type"},
	{"không phải là tên được phép; tên phân biệt chữ hoa, chữ thường", "is not known; names are case-sensitive"},
	{"bị ghi hai lần", "is given twice"},
	{"phải là một trong {1}", "must be one of {1}"},
	{"phải là một dòng dài tối đa {1} ký tự", "must be one line of at most {1} characters"},
	{"phải là {1}", "must be {1}"},
	{"không phải thời điểm dạng 2006-01-02T15:04:05Z", "is no time as 2006-01-02T15:04:05Z"},
	{"văn bản mới không được có văn bản đích", "a new document has no target"},
	{"văn bản này phải có đúng một văn bản đích, không phải {1}", "a change has one target, not {1}"},

	// internal/envelope: what routing takes no notice of in an edXML package
	{"bị ghi lặp lại; nơi này chỉ nhận gói một lần", "is named again; it gets the package once"},
	{"nêu văn bản chưa biết ở đây; gói được gửi như văn bản mới", "is about a document that is not known here; it goes as a new document"},
	{"không phải loại nghiệp vụ; gói được gửi như văn bản mới", "is no kind of business; it goes as a new document"},
	{"không dẫn chiếu được nên bị bỏ qua", "cannot be referred to; it is left out"},

	// internal/envelope, signing/asic: what is wrong in a manifest or an envelope
	{"bản kê ghi {1} tệp, {2} có {3}", "{1} files are listed, {2} has {3}"},
	{"{1} không đứng đầu bản kê", "{1} is not listed first"},
	{"bản kê ghi {1} ở chỗ mà {2} ghi {3}", "{1} is listed where {2} has {3}"},
	{"{1} bị ghi hai lần trong bản kê", "{1} is listed twice"},
	{"tên {1} không phải document.json cũng không phải files/NNN.ext", "name {1} is neither document.json nor files/NNN.ext"},
	{"phần mô tả tệp có {1} tệp, không phải {2}", "contents of {1} files, not {2}"},
	{"phần mô tả của {1} ghi độ dài {2}, không phải {3}", "contents of {1} have size {2}, not {3}"},
	{"phần mô tả của {1} có {2} phần nội dung, không phải {3}", "contents of {1} have {2} chunks, not {3}"},
	{"yêu cầu", "request"},
	{"yêu cầu cấp chứng thư số", "certificate request"},
	{"nhiều hơn 100 xác nhận trong một lần gửi", "more than 100 statements"},
	{"số thứ tự vượt quá nhật ký hiện có", "sizes beyond the log"},
	{"xác nhận nêu một bản ghi khác với bản ghi trong nhật ký", "the statement names another record than the journal has there"},
	{"bên ký là {1}", "issued by {1}"},
	{"chứng thư số chỉ có hiệu lực từ {1}, sau thời điểm khai", "certificate is valid from {1}, after the claimed time"},
	{"chứng thư số chỉ có hiệu lực đến {1}, trước thời điểm khai", "certificate is valid until {1}, before the claimed time"},

	// agency: what is no code
	{"{1} không phải mã định danh: {2}; {3}", "{1} is no agency code: {2}; {3}"},
	{"mã trống", "it is empty"},
	{"chữ cái phải viết hoa", "letters are capitals"},
	{"có nhóm trống giữa các dấu chấm", "a group between the dots is empty"},
	{"ký tự {1} không được có trong mã", "{1} cannot stand in a code"},
	{"theo dạng cũ, các nhóm có 3, 2, 2 và 3 ký tự, nhóm cuối là một chữ cái và hai chữ số", "in the older form the groups have 3, 2, 2 and 3 characters, the last a letter and two digits"},
	{"nhóm đầu phải là một chữ cái từ A đến Y và hai chữ số", "the first group must be a letter from A to Y and two digits"},
	{"hãy viết {1}", "write {1}"},
	{"mã có dạng H41.11.05 (Quyết định 20/2020/QĐ-TTg) hoặc 000.05.11.H41 (QCVN 102:2016)", "a code looks like H41.11.05 (QĐ 20/2020/QĐ-TTg) or 000.05.11.H41 (QCVN 102:2016)"},

	// axis/registry: what endpoints ask of it
	{"tên", "the name"},
	{"cơ quan cấp trên", "the agency above it"},
	{"các mã khác", "its other codes"},
	{"cấp", "the level"},
	{"ngày bắt đầu hiệu lực", "its first day"},
	{"điểm kết nối phục vụ", "who serves it"},
	{"việc đóng cơ quan", "its closing"},
	{"{1} yêu cầu về danh mục trong một ngày", "{1} changes of the registry a day"},
	{"{1} yêu cầu đang chờ quản trị trục", "{1} requests that wait for an operator"},

	{"mã {1} chính là {2} viết theo dạng khác, tức {3}; hãy dùng mã đó, hoặc đề nghị quản trị trục thêm mã kia cho cơ quan", "code {1} is {2} in the other form, and that is {3}; use that code, or have the operator add the other one to it"},
	{"điểm kết nối đã phục vụ {1} cơ quan; hãy hỏi quản trị trục", "the endpoint serves {1} agencies already; ask the operator of the axis"},
	{"{1} đã đóng lúc {2}; hãy chọn mã khác", "{1} was closed at {2}; choose another code"},
	{"không có yêu cầu nào mang mã {1}; hãy tra bằng axis agency requests", "no request is known as {1}; look it up with axis agency requests"},
	{"yêu cầu {1} đã được thay bằng yêu cầu sau về {2}; hãy quyết định yêu cầu sau", "request {1} was replaced by a later one about {2}; decide on that"},
	{"yêu cầu {1} đã được quyết định lúc {2}; không cần làm gì", "request {1} was decided already, at {2}; nothing is left to do"},
	{"{1} yêu cầu có mã bắt đầu bằng {2}; hãy ghi dài hơn", "{1} requests begin with {2}; write more of the id"},
	{"hãy ghi allowed, held, forbidden hoặc inherit cho việc tự đăng ký cơ quan", "registrations: write allowed, held, forbidden or inherit"},
	{"thời hạn không thể trước lúc tiếp nhận; hãy ghi 0 để theo chính sách chung", "a deadline cannot be before the acceptance; write 0 to inherit"},
	{"thời hạn {1} giờ sau tiếp nhận là quá dài; hãy ghi tối đa {2}", "a deadline would be {1} hours after acceptance; write at most {2}"},
	{"{1} dài quá {2} ký tự; hãy rút ngắn", "{1} is longer than {2} characters; shorten it"},
	{"địa chỉ thư điện tử", "its mail address"},
	{"số điện thoại", "its telephone number"},
	{"số fax", "its fax number"},

	// axis/registry: an operator's changes
	{"bước {1} trong {2}: {3}", "step {1} of {2}: {3}"},
	{"chưa có cơ quan nào mang mã {1}; hãy thêm cơ quan này trước", "no agency has the code {1}; add the agency first"},
	{"cơ quan {1} bị ghi hai lần; hãy ghi một lần", "agency {1} is named twice; name it once"},
	{"mã {1} phải viết đầy đủ là {2}", "code {1} must be written in full; write {2}"},
	{"mã {1} đã là mã khác của {2}; hãy sửa cơ quan đó, hoặc bỏ mã này khỏi nó trước", "code {1} is an alias of {2} already; change that agency, or take the alias from it first"},
	{"cơ quan {1}: cấp trên: {2}", "agency {1}: parent: {2}"},
	{"cơ quan {1} sẽ thành cấp dưới của chính mình; hãy chọn cấp trên khác", "agency {1} would stand below itself; choose a parent that is not under it"},
	{"cơ quan {1}: {2}", "agency {1}: {2}"},
	{"mã khác {1} đang chỉ {2}; hãy bỏ mã này khỏi cơ quan đó trước", "alias {1} means {2} already; take it from that agency first"},
	{"mã khác {1} bị ghi hai lần hoặc trùng mã chính; hãy bỏ đi", "alias {1} is named twice or is its own code; leave it out"},
	{"chưa có tên; hãy ghi tên tiếng Việt", "it has no name; give its name in Vietnamese"},
	{"chưa có cấp; hãy ghi ministry, province, district, commune hoặc unit", "it has no level; say ministry, province, district, commune or unit"},
	{"tên điểm kết nối {1} chỉ được gồm chữ thường, chữ số và dấu gạch; hãy chọn tên khác", "endpoint name {1} is not made of lower-case letters, digits and dashes alone; choose another"},
	{"tên điểm kết nối {1} là tên riêng của trục; hãy chọn tên khác", "endpoint name {1} is the axis's own; choose another"},
	{"tên {1} đã cấp cho một điểm kết nối; hãy chọn tên khác", "the name {1} was given to an endpoint already; choose another"},
	{"lời mời mang tên {1} còn hạn đến {2}; hãy dùng lời mời đó hoặc chọn tên khác", "an invitation with the name {1} is open until {2}; use that one, or choose another name"},
	{"lời mời hết hạn trước khi được tạo; hãy cho hạn muộn hơn", "the invitation would be over before it is made; give it a later end"},
	{"lời mời cho {1} đã được dùng; hãy tạo lời mời mới", "the invitation for {1} was used already; make a new one"},
	{"hãy nêu ít nhất một mã mà điểm kết nối sẽ phục vụ", "name at least one code that the endpoint will serve"},
	{"tệp không có chứng thư nào đọc được", "the file holds no certificate that can be read"},
	{"con dấu: {1}", "seal: {1}"},
	{"chưa nêu lý do; hãy ghi vì sao, lý do được ghi sổ", "there is no reason; say why, it is journaled"},
	{"cơ quan kế thừa của {1}: {2}", "successor of {1}: {2}"},
	{"{1} sẽ nằm trong số cơ quan kế thừa chính mình; hãy nêu cơ quan kế thừa khác", "{1} would be among those that take over from it; name successors that do not lead back to it"},
	{"cơ quan {1}: chưa có điểm kết nối {2}; hãy mời điểm này trước", "agency {1}: there is no endpoint {2}; enrol it first"},
	{"cơ quan {1}: điểm kết nối {2} đã bị thu hồi; hãy chọn điểm khác", "agency {1}: endpoint {2} is revoked; choose another"},
	{"không có điểm kết nối {1}; hãy tra tên bằng axis endpoint list", "there is no endpoint {1}; look its name up among the endpoints"},
	{"không có điểm kết nối {1} để cấp lại; hãy tra tên bằng axis endpoint list, hoặc mời điểm mới", "there is no endpoint {1} to re-issue; look its name up among the endpoints, or invite a new one"},
	{"điểm kết nối {1} đã bị thu hồi lúc {2} và không quay lại được; hãy mời điểm mới với tên khác", "endpoint {1} was revoked at {2} and cannot come back; invite a new one under another name"},
	{"điểm kết nối {1} đã bị thu hồi từ trước, lúc {2}; không cần làm gì", "endpoint {1} was revoked already, at {2}; nothing is left to do"},
	{"điểm kết nối {1} giữ nguyên mã khi cấp lại; hãy bỏ các mã, và giao mã bằng axis agency move", "endpoint {1} keeps its codes when it is re-issued; leave them out, and move codes by themselves"},
	{"điểm kết nối vừa được cấp lại trong vòng một giờ", "the endpoint was re-issued within the last hour"},
	{"lời mời dành cho điểm kết nối {1}, còn thư mục này là điểm kết nối {2}", "the invitation is for endpoint {1}, and this folder is endpoint {2}"},
	{"{1} không có con dấu số nào có SHA-256 bắt đầu bằng {2}; hãy tra bằng axis seal list {3}", "{1} has no seal whose SHA-256 begins with {2}; look it up with axis seal list {3}"},
	{"{1} con dấu số của {2} có SHA-256 bắt đầu bằng {3}; hãy ghi dài hơn", "{1} seals of {2} have a SHA-256 that begins with {3}; write more of it"},
	{"con dấu số đó của {1} đã ngừng từ trước, lúc {2}; không cần làm gì", "that seal of {1} was retired already, at {2}; nothing is left to do"},
	{"chính sách: {1}", "policy: {1}"},
	{"độ mật là chung cho cả trục; hãy đặt trong chính sách chung, không nêu mã", "the security level is one for the whole axis; set it in the policy for everybody, without a code"},
	{"{1} không phải độ mật; hãy ghi ordinary, confidential, secret hoặc top-secret", "{1} is no security level; write ordinary, confidential, secret or top-secret"},
	{"giữ nội dung {1} ngày là quá dài; hãy ghi tối đa {2}", "content would be kept for {1} days; write at most {2}"},
	{"chưa nêu cơ quan nào; hãy nêu các cơ quan bị đóng", "no agency is named; name those that end"},
	{"cơ quan {1} đã có; hãy bỏ tên, hoặc chọn mã khác", "agency {1} exists already; leave its name out, or choose another code"},
	{"{1} có tên nhưng không kế thừa ai; hãy nêu trong --into", "{1} is named and takes over from nobody; write it with --into"},
	{"hãy nêu các mã và điểm kết nối sẽ phục vụ", "name the codes, and the endpoint that is to serve them"},

	// axis/registry: the list of agencies
	{"dòng {1}, cột {2} ({3}): {4}", "line {1}, column {2} ({3}): {4}"},
	{"dòng {1}: {2}", "line {1}: {2}"},
	{"không phải cột của danh mục này, hoặc ghi hai lần; các cột là {1}", "not a column of this list, or there twice; the columns are {1}"},
	{"dòng đầu phải ghi tên các cột, còn thiếu {1}; hãy thêm vào", "the first row must name the columns, and {1} is missing; add it"},
	{"danh mục trống; hãy bắt đầu bằng dòng tên các cột", "the list is empty; begin it with a row that names the columns"},
	{"không phải UTF-8; hãy lưu tệp dạng “CSV UTF-8”", "this is not UTF-8; save the file as “CSV UTF-8”"},
	{"cơ quan chưa có tên; hãy ghi tên tiếng Việt", "the agency has no name; give its name in Vietnamese"},
	{"{1} không phải là cấp; hãy ghi ministry, province, district, commune hoặc unit", "{1} is no level; write ministry, province, district, commune or unit"},
	{"{1} không phải ngày sau năm 1970; hãy ghi như 2021-07-01 hoặc 01/07/2021, hoặc để trống", "{1} is no day after 1970; write it like 2021-07-01 or 01/07/2021, or leave it empty"},
}
