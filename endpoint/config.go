package endpoint

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"docaxis/agency"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/diskspace"
	"docaxis/internal/envelope"
	"docaxis/internal/fault"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
)

// SettingsFile is the name of the settings in the endpoint's folder.
const SettingsFile = "endpoint.toml"

// defaultFileBytes is the largest file that is sent where nothing else is set.
const defaultFileBytes = 2 << 30

// Settings is endpoint.toml: what the people of an office decide.
type Settings struct {
	// Listen is the address of the local API, host:port. Only this machine
	// can reach it; 127.0.0.1:0, a free port, where it is not set.
	Listen string `toml:"listen"`
	// Seals sign the documents of the agencies that send from here. An agency may
	// have several while one takes over from another.
	Seals []SealSettings `toml:"seal"`
	// Limits on what is sent.
	Limits Limits `toml:"limits"`
	// Retention says how long files are kept that nobody needs any more.
	Retention Retention `toml:"retention"`
	// VXP says how systems are served that speak the national axis's protocol.
	VXP VXP `toml:"vxp"`
	// Signatures says by what the signatures within documents' files are judged.
	Signatures inspect.Settings `toml:"signatures"`
	// Security is the highest level of documents that may be sent: ordinary
	// where it is not set, else confidential, secret or top-secret. The axis has
	// a limit of its own.
	Security string `toml:"security"`
}

// SealSettings say where an agency's seal is.
type SealSettings struct {
	// Code of the agency.
	Code string `toml:"code"`
	// Key is a PEM or PKCS#12 file, relative to the endpoint's folder; or a key in a
	// token, pkcs11:token=…;object=…?module-path=…&pin-source=… (RFC 7512).
	Key string `toml:"key"`
	// Certificate is a further file with the key's certificate and chain, where
	// they are not in Key.
	Certificate string `toml:"certificate"`
	// PasswordFile holds the password of a PKCS#12 file, in its first line.
	PasswordFile string `toml:"password_file"`
	// Signer is the program that reaches the token; the one beside this program where
	// it is not set.
	Signer string `toml:"signer"`
}

// Limits on what is sent.
type Limits struct {
	// FileBytes is the largest file, in bytes; 2 GiB where it is not set.
	FileBytes uint64 `toml:"file_bytes"`
	// FreeBytes must stay free on the disk: with less, nothing is sent and no
	// content is fetched. Where it is not set, 2 % of the disk, at least 512 MiB, but
	// never more than a tenth of it.
	FreeBytes uint64 `toml:"free_bytes"`
}

// Config is what an Agent needs beside its folder. Only Log must be given.
type Config struct {
	Settings Settings
	Log      *slog.Logger
	// Now is the clock; nil means the machine's.
	Now func() time.Time
	// Rand is where ids come from; nil means the system's.
	Rand io.Reader
	// Faults makes steps fail in tests.
	Faults fault.Hook
	// StoreFaults makes commits fail: store.write.before and store.write.after.
	StoreFaults fault.Hook
	// Dial connects to the axis; nil means over NATS (internal/bus).
	Dial func(ctx context.Context, id link.Identity) (link.Conn, error)
	// Retry is how attempts follow each other; zero means 1 s to 5 min.
	Retry Retry
	// PullEvery is how often a mailbox is looked at when nobody rings, on
	// average; 0 means 60 s.
	PullEvery time.Duration
	// Aboard is how many bytes of files travel inside their submission at most; 0 means
	// chunk.MaxAboard, which more is not, and less than 0 none: all are uploaded.
	Aboard int
	// Disk asks for the free space of a folder's disk; nil means the system.
	Disk func(dir string) (diskspace.Space, error)
	// CleanEvery is how often files are removed that are kept no longer; 0 means
	// once a day.
	CleanEvery time.Duration
	// RenewEvery is how often the certificate's age is looked at; 0 means an hour.
	RenewEvery time.Duration
	// HandoverEvery is how often passed deadlines of hand-overs are looked for; 0 means
	// a minute.
	HandoverEvery time.Duration
	// TokenPatience is how long a token may take to open, or to sign; 0 means 30 s.
	// TokenRest is how long one that failed is left alone; 0 means 5 s.
	TokenPatience, TokenRest time.Duration
	// LabelAfter is how long a new document waits for others before its files are looked
	// at, so that their labels share a commit; 0 means 2 s. What is kept from its agency
	// until then never waits.
	LabelAfter time.Duration
	// Transport asks authorities about revoked certificates; nil means over the network,
	// as the settings have it.
	Transport http.RoundTripper
	// DeliveryID is what a DMS calls a document that was received, a UUID that is the
	// same each time; nil means inbox.DeliveryID. DocID is what it calls what it sent,
	// by the submission's id; nil means that id. For tests that repeat recordings.
	DeliveryID func(inbox.Key) string
	DocID      func(id string) string
}

// LoadSettings reads endpoint.toml of a folder. A key that is not known is an
// error: a misspelt one must not be passed over for a year. Where there is no
// file, everything has its default.
func LoadSettings(dir string) (Settings, error) {
	s := Settings{Listen: "127.0.0.1:0", Limits: Limits{FileBytes: defaultFileBytes}}
	meta, err := toml.DecodeFile(filepath.Join(dir, SettingsFile), &s)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	path := filepath.Join(dir, SettingsFile)
	if err != nil {
		return s, mend(path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return s, mend(path, lang.Errorf("không có mục nào tên %q", "there is no setting %q", unknown[0].String()))
	}
	if err := s.Validate(); err != nil {
		return s, mend(path, err)
	}
	return s, nil
}

func mend(path string, err error) error {
	return lang.Errorf("%s có chỗ sai: %v. Hãy sửa rồi chạy lại.", "%s is wrong: %v. Mend it and start again.", path, err).Because(err)
}

// Validate says what is wrong with settings, before anything is done with them.
func (s Settings) Validate() error {
	var found []error
	if _, _, err := net.SplitHostPort(s.Listen); s.Listen != "" && err != nil {
		found = append(found, lang.Errorf("listen %q: hãy ghi 127.0.0.1:0", "listen %q: write 127.0.0.1:0", s.Listen))
	}
	known := make(map[string]bool)
	for i, seal := range s.Seals {
		code, err := agency.Parse(seal.Code)
		switch {
		case err != nil:
			found = append(found, lang.Errorf("[[seal]] thứ %d: code %q không phải mã định danh", "[[seal]] number %d: code %q is no agency code", i+1, seal.Code))
		case string(code) != seal.Code:
			found = append(found, lang.Errorf("[[seal]] thứ %d: hãy ghi code %q là %q", "[[seal]] number %d: write code %q as %q", i+1, seal.Code, string(code)))
		case known[string(code)+" "+seal.Key]:
			found = append(found, lang.Errorf("[[seal]] thứ %d: %s đã có con dấu này ở trên", "[[seal]] number %d: %s has this seal above already", i+1, string(code)))
		case seal.Key == "":
			found = append(found, lang.Errorf("[[seal]] thứ %d: chưa ghi key, tệp con dấu", "[[seal]] number %d: there is no key, the seal's file", i+1))
		default:
			if err := seal.checkToken(); err != nil {
				found = append(found, lang.Errorf("[[seal]] thứ %d: %v", "[[seal]] number %d: %v", i+1, err))
			}
		}
		known[string(code)+" "+seal.Key] = true
	}
	levels := []string{
		"", envelope.SecurityOrdinary, envelope.SecurityConfidential, envelope.SecuritySecret, envelope.SecurityTopSecret,
	}
	if !slices.Contains(levels, s.Security) {
		found = append(found, lang.Errorf("security %q: hãy ghi một trong %s", "security %q: write one of %s", s.Security, strings.Join(levels[1:], ", ")))
	}
	return errors.Join(append(found, s.Retention.validate(), s.VXP.validate(), s.Signatures.Validate())...)
}

// complete fills in what was left open.
func (c Config) complete() (Config, error) {
	if c.Log == nil {
		return c, errors.New("endpoint: a log is needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Retry == (Retry{}) {
		c.Retry = Retry{Min: time.Second, Max: 5 * time.Minute}
	}
	if c.PullEvery == 0 {
		c.PullEvery = time.Minute
	}
	if c.CleanEvery == 0 {
		c.CleanEvery = 24 * time.Hour
	}
	if c.Disk == nil {
		c.Disk = diskspace.Of
	}
	if c.DeliveryID == nil {
		c.DeliveryID = inbox.DeliveryID
	}
	c.Aboard = cmp.Or(c.Aboard, chunk.MaxAboard)
	c.HandoverEvery = cmp.Or(c.HandoverEvery, time.Minute)
	c.LabelAfter = cmp.Or(c.LabelAfter, 2*time.Second)
	if c.RenewEvery == 0 {
		c.RenewEvery = time.Hour
	}
	if c.Settings.Limits.FileBytes == 0 {
		c.Settings.Limits.FileBytes = defaultFileBytes
	}
	if c.Dial == nil {
		c.Dial = c.dialBus
	}
	return c, c.Settings.Validate()
}

func (c Config) dialBus(ctx context.Context, id link.Identity) (link.Conn, error) {
	return bus.Dial(ctx, bus.DialConfig{
		Address:     id.Address,
		Endpoint:    id.Endpoint,
		Certificate: id.Certificate,
		CA:          id.CA,
		Log:         c.Log,
		Now:         c.Now,
	})
}
