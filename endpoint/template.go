package endpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"docaxis/internal/durable"
)

// WriteSettings leaves settings to be filled in, with comments in both languages,
// in the folder of an endpoint that just joined under a name to serve codes. What
// is there already is not touched. It gives the file's path.
func WriteSettings(dir, name string, codes []string) (string, error) {
	path := filepath.Join(dir, SettingsFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	return path, durable.WriteFile(path, []byte(template(name, codes)), 0o600)
}

// template has everything optional commented out, so that it can be started with
// as it is, and further tables can be put at its end.
func template(name string, codes []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Settings of endpoint %[1]s. More: endpoint serve --help
# Cấu hình của điểm kết nối %[1]s. Xem thêm: endpoint serve --help --lang vi

# Where the endpoint's own commands connect: this machine only; port 0 is any free one.
# Nơi các lệnh endpoint kết nối: chỉ trong máy này; cổng 0 là cổng trống bất kỳ.
listen = "127.0.0.1:0"

# Highest level of documents that may be sent: ordinary, confidential, secret, top-secret.
# Độ mật cao nhất của văn bản được gửi: thường, mật, tối mật, tuyệt mật.
#security = "ordinary"

# Largest file that is sent, in bytes. | Tệp lớn nhất được gửi, tính bằng byte.
#limits.file_bytes = 2147483648

# What must stay free on the disk, in bytes: with less, nothing is sent and no contents
# are fetched. Where it is not set: 2 %% of the disk, at least 512 MiB.
# Chỗ trống phải giữ lại trên đĩa, tính bằng byte: ít hơn thì không gửi và không lấy
# nội dung. Nếu không ghi: 2 %% đĩa, ít nhất 512 MiB.
#limits.free_bytes = 1073741824

# How many days files stay here once nobody needs them: after every recipient has what
# was sent; after the agency took what came. Proofs always stay.
# Các tệp ở lại đây bao nhiêu ngày khi không ai cần nữa: sau khi mọi nơi nhận đã có văn
# bản đi; sau khi cơ quan đã nhận văn bản đến. Bằng chứng luôn ở lại.
#retention.outbox_days = 30
#retention.inbox_days = 90

# Most that the files may take, in bytes: above it, what nobody needs goes earlier.
# Các tệp được chiếm nhiều nhất, tính bằng byte: vượt quá thì tệp không ai cần được dọn sớm.
#retention.quota_bytes = 107374182400

# Systems (DMSs) that speak the national axis's protocol: where they call. Add each with
# endpoint vxp add. Other machines can call only with certificate and key (PEM).
# Hệ thống QLVB dùng giao thức của trục quốc gia: nơi gọi vào. Thêm từng hệ thống bằng
# endpoint vxp add. Máy khác chỉ gọi được khi có certificate và key (PEM).
#vxp.listen = "127.0.0.1:8805"
#vxp.certificate = "vxp.crt"
#vxp.key = "vxp.key"

# The seal of each agency that sends from here: take away the # and name the file.
# Con dấu số của từng cơ quan gửi từ đây: bỏ dấu # và ghi tên tệp.
#   key            PEM or PKCS#12, in this folder | tệp PEM hoặc PKCS#12, trong thư mục này
#   certificate    where it is not in key | nếu chứng thư không nằm trong key
#   password_file  file whose first line is the password of a PKCS#12 key
#                  tệp có dòng đầu là mật khẩu của tệp PKCS#12
# A key in a token or HSM: key = "pkcs11:…", as signer list prints it.
# Khóa trong thiết bị lưu khóa hoặc HSM: key = "pkcs11:…", như signer list in ra.
`, name)
	for _, code := range codes {
		fmt.Fprintf(&b, `
#[[seal]]
#code = %q
#key = "seal.pem"
#certificate = "chain.pem"
#password_file = "password.txt"
`, code)
	}
	return b.String()
}
