package command

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"

	"docaxis/internal/cli"
	"docaxis/internal/lang"
	"docaxis/internal/signer"
	"docaxis/internal/token"
	"docaxis/signing"
)

type listCommand struct{ place }

func (listCommand) Help() string {
	return cli.Help("signer list --module FILE --token so-noi-vu --pin-file pin.txt",
		"Private keys are only seen with --token (or --serial) and --pin-file.", "Khóa riêng chỉ thấy được khi có --token (hoặc --serial) và --pin-file.")
}

// listed is an object as it is printed.
type listed struct {
	Label   string `json:"label"`
	ID      string `json:"id"`
	Private bool   `json:"private,omitempty"`
	Subject string `json:"subject,omitempty"`
	Until   string `json:"until,omitempty"`
	URI     string `json:"uri"`
}

// listedToken is a token as it is printed.
type listedToken struct {
	Label        string   `json:"label"`
	Serial       string   `json:"serial"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model"`
	Ready        bool     `json:"ready"`
	Locked       bool     `json:"locked,omitempty"`
	Objects      []listed `json:"objects"`
}

func (c *listCommand) Run(o *cli.IO) error {
	found, err := token.List(c.where())
	if err != nil {
		return said(err)
	}
	all := []listedToken{}
	for _, f := range found {
		t := listedToken{f.Label, f.Serial, f.Manufacturer, f.Model, f.Ready, f.Locked, []listed{}}
		for _, k := range f.Keys {
			t.Objects = append(t.Objects, c.listed(f, k))
		}
		all = append(all, t)
	}
	return o.Print(all, func(w io.Writer) {
		for _, t := range all {
			t.print(w, o)
		}
	})
}

func (c *listCommand) listed(f token.Found, k token.Object) listed {
	uri := signer.URI{Token: f.Label, Serial: f.Serial, Object: k.Label, Module: c.Module, PinFile: absolute(c.PinFile)}
	if k.Label == "" {
		uri.ID = k.ID
	}
	one := listed{Label: k.Label, ID: hex.EncodeToString(k.ID), Private: k.Certificate == nil, URI: uri.String()}
	if k.Certificate != nil {
		one.Subject, one.Until = k.Certificate.Subject.String(), lang.Time(k.Certificate.NotAfter)
	}
	return one
}

func (t listedToken) print(w io.Writer, o *cli.IO) {
	state := o.Say("sẵn sàng", "ready")
	switch {
	case t.Locked:
		state = o.Say("mã PIN bị khóa", "its PIN is locked")
	case !t.Ready:
		state = o.Say("chưa khởi tạo", "not initialised")
	}
	fmt.Fprintf(w, o.Say("Thiết bị %q, số sê-ri %s, %s %s: %s\n", "Token %q, serial %s, %s %s: %s\n"), t.Label, t.Serial, t.Manufacturer, t.Model, state)
	for _, one := range t.Objects {
		if one.Private {
			fmt.Fprintf(w, o.Say("  khóa riêng %q, id %s\n    key = %q\n", "  private key %q, id %s\n    key = %q\n"), one.Label, one.ID, one.URI)
			continue
		}
		fmt.Fprintf(w, o.Say("  chứng thư %q, id %s: %s, đến %s\n", "  certificate %q, id %s: %s, until %s\n"), one.Label, one.ID, one.Subject, one.Until)
	}
}

type generateCommand struct {
	keyPlace
	Type token.Kind `enum:"p256,p384,rsa2048,rsa3072" default:"p256" help:"p256, p384, rsa2048 or rsa3072.|p256, p384, rsa2048 hoặc rsa3072."`
}

func (generateCommand) Help() string {
	return cli.Help("signer generate --module FILE --token so-noi-vu --key seal --pin-file pin.txt", "", "")
}

func (c *generateCommand) Run(o *cli.IO) error {
	w, err := c.where()
	if err != nil {
		return err
	}
	if w.Object == "" {
		return usage("hãy đặt tên cho khóa: --key", "give the key a name: --key")
	}
	if err := token.Generate(w, c.Type); err != nil {
		return said(err)
	}
	w.PinFile = absolute(w.PinFile)
	return o.Print(map[string]string{"uri": w.URI.String()}, func(out io.Writer) { fmt.Fprintln(out, w.URI.String()) })
}

type requestCommand struct {
	keyPlace
	Subject string `required:"" placeholder:"NAME" help:"Whose certificate it is to be.|Tên chủ thể của chứng thư."`
}

func (requestCommand) Help() string {
	return cli.Help("signer request --module FILE --token so-noi-vu --key seal --pin-file pin.txt --subject 'Sở Nội vụ'", "", "")
}

func (c *requestCommand) Run(o *cli.IO) error {
	w, err := c.where()
	if err != nil {
		return err
	}
	key, err := token.Open(w)
	if err != nil {
		return said(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: c.Subject}}, key.Signer())
	if err != nil {
		return said(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	return o.Print(map[string]string{"request": text}, func(out io.Writer) { fmt.Fprint(out, text) })
}

type importCommand struct {
	keyPlace
	Files []string `arg:"" name:"file" help:"Certificates, PEM or DER.|Tệp chứng thư, PEM hoặc DER."`
}

func (importCommand) Help() string {
	return cli.Help("signer import --module FILE --token so-noi-vu --key seal --pin-file pin.txt seal.crt ca.crt", "", "")
}

func (c *importCommand) Run(o *cli.IO) error {
	w, err := c.where()
	if err != nil {
		return err
	}
	certs, err := signing.LoadCertificates(c.Files...)
	if err != nil {
		return err
	}
	if err := token.Import(w, certs); err != nil {
		return said(err)
	}
	return o.Print(map[string]int{"certificates": len(certs)}, func(out io.Writer) {
		fmt.Fprintf(out, o.Say("%d chứng thư đã có trong thiết bị.\n", "%d certificates are in the token.\n"), len(certs))
	})
}
