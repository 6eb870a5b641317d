package proofset

// howToVerify goes with every folder.
const howToVerify = `# How to verify / Cách kiểm tra

Every file has the exact bytes that the axis holds. Nothing here has to be believed:
compare the key of ca.crt with the pin that the axis published elsewhere, then check
the rest with openssl. docs/evidence.md of the project explains each step.
Mỗi tệp là đúng từng byte như trên trục. Không cần tin trục: hãy so khóa trong ca.crt với
dấu vân tay trục đã công bố ở nơi khác, rồi kiểm tra phần còn lại bằng openssl như sau.

All of it at once, offline / Kiểm tra tất cả một lần, không cần mạng (CA: ca.crt from elsewhere / lấy từ nơi khác):

    auditor verify FOLDER --anchor CA --anchor SEAL [--anchor TIME]

TIME is the certificate of the time-stamping authority, from elsewhere / chứng thư của đơn vị cấp dấu thời gian, lấy từ nơi khác.

- ca.crt                      the axis's CA / chứng thư gốc của trục
- epoch-N                     signed epochs / các kỷ của sổ, có chữ ký
- NNNNNN-envelope             the document as it was sealed / văn bản đã đóng dấu số
- NNNNNN-evidence-EVENT       a signed statement / một bằng chứng có chữ ký
- NNNNNN-….receipt            proof that the record is in the log / biên nhận của bản ghi trong sổ
- NNNNNN-….time               when it was there, as an authority outside says; there once a timestamp covers it /
                              lúc bản ghi đã có trong sổ, do đơn vị cấp dấu thời gian xác nhận; có khi đã được đóng dấu thời gian

Helpers / Hàm phụ trợ (bash):

    hex() { xxd -p | tr -d '\n'; echo; }
    bytes() { xxd -r -p; }
    # first the fields of a message: protoc --decode_raw, or field() of docs/evidence.md

The pin / Dấu vân tay khóa:

    openssl x509 -in ca.crt -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256

An epoch, signed by the CA / Một kỷ, do CA ký (fields 1 and 2 of epoch-N):

    openssl x509 -in ca.crt -noout -pubkey > ca.pub
    { printf 'docaxis/epoch/v1\n'; cat epoch.body; } | openssl dgst -sha256 -verify ca.pub -signature epoch.signature

A checkpoint, signed by the epoch's key / Mốc kiểm tra (field 6 of a receipt):

    openssl pkeyutl -verify -pubin -inkey log.pub -rawin -in checkpoint.text -sigfile checkpoint.signature

The seal over the manifest / Con dấu số trên bản kê (fields 2 and 4 of the envelope):

    openssl cms -verify -binary -inform DER -in seal.p7s -content manifest.xml -CAfile seal.crt -purpose any -out signed.xml

A statement / Một bằng chứng (fields 1, 2 and 3 of the evidence):

    { printf 'docaxis/evidence/v1\n'; cat statement; } | openssl dgst -sha256 -verify signer.pub -signature statement.signature
    openssl verify -purpose any -CAfile ca.crt signer.crt

When it was there / Lúc bản ghi đã có (field 2 of a .time file has checkpoint and seal in its fields 2 and 3):

    openssl cms -verify -binary -cades -inform DER -in seal.p7s -content checkpoint -CAfile ca.crt -purpose any -out signed.note

That a record is in the log at its place follows from its receipt's inclusion proof:
root_of() in docs/evidence.md computes it with sha256sum alone.
Vị trí của bản ghi trong sổ được chứng minh bằng hàm root_of() trong docs/evidence.md.
`
