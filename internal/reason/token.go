package reason

// tokens are what internal/signer says of a token that does not sign.
func tokens() []text {
	return []text{
		{"chương trình signer không hiểu yêu cầu ({1}); hãy cài chương trình và signer cùng một phiên bản", "the signer does not know the request ({1}); install program and signer of one release"},
		{"chương trình signer này được dựng không có PKCS#11 nên không dùng được thiết bị lưu khóa; hãy dựng lại với CGO_ENABLED=1 (make signer)", "this signer was built without PKCS#11, so it reaches no token; build it with CGO_ENABLED=1 (make signer)"},
		{"không nạp được thư viện PKCS#11 ({1}); hãy cài phần mềm của thiết bị và sửa module-path", "the PKCS#11 module cannot be loaded ({1}); install the software of the token, and mend module-path"},
		{"không thấy thiết bị {1}; hãy cắm thiết bị, hoặc kiểm tra kết nối đến HSM", "no slot has the token {1}; plug it in, or see that the HSM can be reached"},
		{"có nhiều thiết bị mang tên {1}; hãy ghi thêm số sê-ri (serial)", "several tokens are called {1}; name the serial number, too"},
		{"thiết bị không có khóa riêng {1}; hãy xem các khóa bằng signer list", "the token has no private key {1}; see what it has with signer list"},
		{"thiết bị có nhiều khóa riêng {1}; hãy ghi thêm id", "the token has several private keys {1}; name the id, too"},
		{"không đọc được mã PIN ({1}); hãy ghi mã PIN vào dòng đầu của tệp nêu ở pin-source", "the PIN cannot be read ({1}); write it into the file of pin-source, in its first line"},
		{"thiết bị từ chối mã PIN trong {1}; mã này không được thử lại để thiết bị không bị khóa; hãy ghi mã PIN đúng vào tệp đó", "the token refused the PIN in {1}, which is not tried again lest the token be locked; write the right PIN into that file"},
		{"mã PIN của thiết bị đã bị khóa; hãy nhờ nơi cấp thiết bị mở khóa, rồi ghi mã PIN mới vào tệp nêu ở pin-source", "the token's PIN is locked; have it unlocked by whoever issued the token, then write the new PIN into the file of pin-source"},
		{"chỉ một lần sai mã PIN nữa là thiết bị bị khóa nên không thử mã nào; hãy đăng nhập một lần bằng phần mềm của thiết bị", "one more wrong PIN would lock the token, so none is tried; log in once with the token's own software"},
		{"signer bị dừng hai lần khi đang đưa mã PIN trong {1}; hãy xem thiết bị còn tốt không, rồi ghi lại mã PIN vào tệp đó", "the signer was stopped twice while it gave the PIN in {1}; see that the token is well, then write the PIN into that file again"},
		{"không dùng được khóa trong thiết bị ({1}); hãy dùng khóa RSA từ 2048 đến 4096 bit, hoặc khóa P-256, P-384", "the key in the token cannot be used ({1}); take an RSA key of 2048 to 4096 bits, or one on P-256 or P-384"},
		{"thiết bị gặp lỗi ({1}); hãy rút ra cắm lại, hoặc kiểm tra HSM", "the token failed ({1}); take it out and put it in again, or see to the HSM"},
		{"không chạy được signer ({1}); hãy đặt chương trình signer cùng phiên bản cạnh chương trình này, hoặc nêu đường dẫn ở signer", "the signer cannot be run ({1}); put the program signer of this release beside this one, or name it as signer"},
		{"signer dừng bất ngờ ({1}); nó tự chạy lại", "the signer ended unexpectedly ({1}); it is started again by itself"},
		{"thiết bị không trả lời trong {1}; hãy rút ra cắm lại, hoặc kiểm tra HSM", "the token did not answer within {1}; take it out and put it in again, or see to the HSM"},
		{"khóa trong thiết bị không phải của chứng thư {1}; hãy nêu đúng khóa của chứng thư đó, hoặc khởi động lại với chứng thư mới", "the token has another key than the certificate {1}; name the key of that certificate, or start again with the new one"},
		{"thiết bị trả về dữ liệu không phải chữ ký của khóa ({1}); hãy kiểm tra thiết bị", "what the token gave is no signature of its key ({1}); see to the token"},
		{"signer báo một lỗi mà chương trình này không biết ({1}); hãy cài chương trình và signer cùng một phiên bản", "the signer found a problem that this program does not know ({1}); install program and signer of one release"},
	}
}
