package cli

import (
	"fmt"
	"io"

	"docaxis/internal/archive"
)

// BackupFlags are the flags of every program's backup command.
type BackupFlags struct {
	File           string   `arg:"" help:"The file to make, or to check.|Tệp cần tạo, hoặc cần kiểm tra." type:"path"`
	To             []string `help:"Encrypt to this public key; may be repeated.|Mã hóa cho khóa công khai này; có thể lặp lại." placeholder:"age1..."`
	PassphraseFile string   `help:"Encrypt with the passphrase in this file's first line.|Mã hóa bằng cụm mật khẩu ở dòng đầu tệp này." type:"path" placeholder:"FILE"`
	Plain          bool     `help:"Do not encrypt: whoever reads the file has the keys.|Không mã hóa: ai đọc được tệp là có khóa."`
	WithoutContent bool     `help:"Leave out what documents contain.|Không gồm nội dung văn bản."`
	Verify         bool     `help:"Only check a backup that is there.|Chỉ kiểm tra một bản sao lưu đã có."`
	Keygen         bool     `help:"Only make a key pair: FILE gets the secret key.|Chỉ tạo cặp khóa: TỆP chứa khóa bí mật."`
	Identity       string   `help:"Secret key, to check an encrypted backup.|Khóa bí mật, để kiểm tra bản sao lưu đã mã hóa." type:"path" placeholder:"FILE"`
}

// Protection is who will be able to read the backup.
func (f BackupFlags) Protection() archive.Protection {
	return archive.Protection{Recipients: f.To, PassphraseFile: f.PassphraseFile, Plain: f.Plain}
}

// Keys open a backup that is to be checked.
func (f BackupFlags) Keys() archive.Keys {
	return archive.Keys{IdentityFile: f.Identity, PassphraseFile: f.PassphraseFile}
}

// MakeKey is backup --keygen.
func (f BackupFlags) MakeKey(o *IO) error {
	to, err := archive.NewIdentity(f.File)
	if err != nil {
		return err
	}
	return o.Print(map[string]string{"identity": f.File, "recipient": to}, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Khóa công khai: %s\nKhóa bí mật nằm trong %s: hãy cất ở nơi khác với máy này. Mất khóa là mất bản sao lưu.\n",
			"Public key: %s\nThe secret key is in %s: keep it elsewhere than on this machine. Without it a backup is lost.\n"), to, f.File)
	})
}

// RestoreFlags are the flags of every program's restore command.
type RestoreFlags struct {
	File           string `arg:"" help:"The backup.|Bản sao lưu." type:"path"`
	Identity       string `help:"File with the secret key.|Tệp có khóa bí mật." type:"path" placeholder:"FILE"`
	PassphraseFile string `help:"File with the passphrase in its first line.|Tệp có cụm mật khẩu ở dòng đầu." type:"path" placeholder:"FILE"`
}

// Keys open the backup.
func (f RestoreFlags) Keys() archive.Keys {
	return archive.Keys{IdentityFile: f.Identity, PassphraseFile: f.PassphraseFile}
}
