package axis

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"

	"docaxis/axis/registry"
	"docaxis/internal/durable"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
)

// FileName is the configuration file inside the axis's folder.
const FileName = "axis.toml"

// File is the configuration file. A name that it does not know stops the start: a
// misspelt one would else be ignored for a year.
type File struct {
	// Name of the log, the first part of every checkpoint's origin. It should be a
	// domain name of whoever runs the axis, and never changes.
	Name string `toml:"name"`
	// Listen is where endpoints connect, host:port.
	Listen string `toml:"listen"`
	// Address is what invitations tell endpoints to connect to, host:port; the
	// first of Hosts with the port of Listen where it is empty.
	Address string `toml:"address"`
	// Hosts are the names and addresses in the server's certificate.
	Hosts []string `toml:"hosts"`
	// Admin is where the axis's own commands connect: loopback only; port 0 picks
	// a free one.
	Admin string `toml:"admin"`
	// MaxFileBytes is the largest file; 0 means 2 GiB.
	MaxFileBytes uint64 `toml:"max_file_bytes"`
	// FreeBytes is what must stay free on each disk: with less, new documents wait,
	// and with less than a quarter of it evidence, too. 0 means 2 % of the disk, at
	// least 1 GiB, but never more than a tenth of it.
	FreeBytes uint64 `toml:"free_bytes"`
	// DocumentsPerDay and BytesPerDay are what one endpoint may have accepted within a
	// day; 0 means 100,000 documents and 1 TiB of their files.
	DocumentsPerDay uint64 `toml:"documents_per_day"`
	BytesPerDay     uint64 `toml:"bytes_per_day"`
	// RegistrationsPerDay is how many agencies one endpoint may register, change and
	// close within a day; 0 means 1,000.
	RegistrationsPerDay uint64 `toml:"registrations_per_day"`
	// Signatures say by what the signatures within documents' files are judged.
	Signatures inspect.Settings `toml:"signatures,omitempty"`
	// Seal is what the axis seals its log's checkpoints with, Timestamps who says when.
	Seal       SealSettings      `toml:"seal,omitempty"`
	Timestamps TimestampSettings `toml:"timestamps,omitempty"`
}

// DefaultFile is what axis init writes.
func DefaultFile() File {
	return File{
		Name: "axis.local", Listen: "127.0.0.1:7422", Hosts: []string{"localhost", "127.0.0.1"},
		Admin: "127.0.0.1:0",
	}
}

// Validate says what is wrong with a configuration and how to mend it.
func (f File) Validate() error {
	var errs []error
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`).MatchString(f.Name) {
		errs = append(errs, lang.Errorf("name %q: hãy ghi tên miền viết thường, như axis.example.vn",
			"name %q: use a domain name in lower case, as axis.example.vn", f.Name))
	}
	for _, at := range []struct{ key, value string }{{"listen", f.Listen}, {"admin", f.Admin}} {
		if _, _, err := net.SplitHostPort(at.value); err != nil {
			errs = append(errs, lang.Errorf("%s %q: hãy ghi máy:cổng, như 0.0.0.0:7422", "%s %q: write host:port, as 0.0.0.0:7422", at.key, at.value))
		}
	}
	if len(f.Hosts) == 0 {
		errs = append(errs, lang.Errorf("hosts: hãy ghi ít nhất một tên máy mà điểm kết nối gọi đến", "hosts: name at least one host that endpoints connect to"))
	}
	return errors.Join(append(errs, f.Signatures.Validate(), f.Seal.validate(), f.Timestamps.validate())...)
}

// LoadFile reads and checks the configuration of a folder.
func LoadFile(dir string) (File, error) {
	f := DefaultFile()
	path := filepath.Join(dir, FileName)
	meta, err := toml.DecodeFile(path, &f)
	if errors.Is(err, os.ErrNotExist) {
		return File{}, lang.Errorf("%s không phải thư mục của trục (không có %s). Hãy chạy axis init trước.",
			"%s is no axis folder (it has no %s). Run axis init first.", dir, FileName).Because(err)
	}
	if err != nil {
		return File{}, mend(path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return File{}, mend(path, lang.Errorf("không có mục nào tên %q", "there is no setting %q", unknown[0].String()))
	}
	if err := f.Validate(); err != nil {
		return File{}, mend(path, err)
	}
	return f, nil
}

func mend(path string, err error) error {
	return lang.Errorf("%s có chỗ sai: %v. Hãy sửa rồi chạy lại.", "%s is wrong: %v. Mend it and start again.", path, err).Because(err)
}

// Init makes a folder for a new axis: configuration and CA. It refuses a folder
// that already has them.
func Init(dir string, f File, cfg Config) error {
	cfg = cfg.withDefaults()
	if err := f.Validate(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, FileName)); err == nil {
		return lang.Errorf("%s đã là thư mục của một trục; không có gì thay đổi. Hãy chạy axis serve, hoặc nêu thư mục khác bằng --dir.",
			"%s already is an axis folder; nothing was changed. Run axis serve, or name another folder with --dir.", dir)
	}
	keys := filepath.Join(dir, "keys")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	if _, err := registry.CreateCA(keys, registry.CAConfig{Now: cfg.Now, Name: f.Name}); err != nil {
		return fmt.Errorf("make the CA: %w", err)
	}
	var b strings.Builder
	b.WriteString("# Configuration of the axis. `axis serve --help` explains each name.\n\n")
	if err := toml.NewEncoder(&b).Encode(f); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, FileName), []byte(b.String()), 0o644)
}

// address is what invitations tell endpoints to connect to.
func (h *Hub) address() string {
	if h.cfg.Address != "" {
		return h.cfg.Address
	}
	_, port, err := net.SplitHostPort(h.Addr())
	if err != nil {
		return h.Addr()
	}
	return net.JoinHostPort(h.cfg.Hosts[0], port)
}
