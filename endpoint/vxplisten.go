package endpoint

import (
	"cmp"
	"errors"

	"docaxis/endpoint/vxp"
	"docaxis/internal/lang"
)

// defaultVXPListen is where systems find an endpoint: an address that stays, because it
// stands in their settings.
const defaultVXPListen = "127.0.0.1:8805"

// VXPListen is the part of [vxp] that says where systems find the endpoint, and how it
// speaks to them.
type VXPListen struct {
	// Listen is host:port. Where it is not set, 127.0.0.1:8805 once there is a system.
	// Without a certificate it must be of this machine alone.
	Listen string `toml:"listen"`
	// Certificate and Key are PEM files, the certificate with its chain; relative to the
	// endpoint's folder.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	// Language of ErrorDesc, vi or en; vi where it is not set.
	Language string `toml:"language"`
}

func (v VXPListen) validate() error {
	var found []error
	if err := v.server().Validate(); err != nil {
		found = append(found, err)
	}
	if l := lang.Language(v.Language); v.Language != "" && l != lang.Vietnamese && l != lang.English {
		found = append(found, lang.Errorf("vxp.language %q: hãy ghi vi hoặc en", "vxp.language %q: write vi or en", v.Language))
	}
	return errors.Join(found...)
}

func (v VXPListen) server() vxp.ServerConfig {
	return vxp.ServerConfig{
		Address: cmp.Or(v.Listen, defaultVXPListen), Certificate: v.Certificate, Key: v.Key,
		Language: lang.Language(v.Language),
	}
}
