package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// registrations is how many endpoints one change of the registry registers: it may have
// 384 KiB, and a certificate is most of an endpoint.
const registrations = 400

// register puts an agency below another into the registry for each of n endpoints, at the
// commune's level, each endpoint with a certificate of its own. It gives back the first
// keep, and the last.
func (s *stock) register(ctx context.Context, under string, n, keep int) (kept []identity, err error) {
	if err := s.change(ctx, agencyChange(under, "", axispb.Level_LEVEL_PROVINCE)); err != nil {
		return nil, err
	}
	var steps []*axispb.Change
	for i := range n {
		id, err := s.issue(under, i)
		if err != nil {
			return nil, err
		}
		if i < keep || i == n-1 {
			kept = append(kept, id)
		}
		steps = append(steps, agencyChange(id.code, under, axispb.Level_LEVEL_COMMUNE), endpointChange(id))
		if len(steps) >= 2*registrations || i == n-1 {
			if err := s.change(ctx, steps...); err != nil {
				return nil, err
			}
			steps = nil
		}
	}
	return kept, nil
}

// issue makes the i-th endpoint's key and certificate, as an enrolment does.
func (s *stock) issue(under string, i int) (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return identity{}, err
	}
	id := identity{name: fmt.Sprintf("bench-%s-%05d", strings.ToLower(under), i), code: fmt.Sprintf("%s.%05d", under, i)}
	der, err := s.ca.IssueEndpoint(csr, id.name)
	if err != nil {
		return identity{}, err
	}
	id.certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return id, nil
}

func agencyChange(code, parent string, level axispb.Level) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: &axispb.Agency{
		Code: code, Name: "Cơ quan " + code, Parent: parent, Level: level,
	}}}
}

func endpointChange(id identity) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutEndpoint{PutEndpoint: &axispb.Endpoint{
		Name: id.name, Certificate: id.certificate.Certificate[0], Codes: []string{id.code},
	}}}
}

// change journals a change of the registry as a block of its own, as the appender does.
func (s *stock) change(ctx context.Context, steps ...*axispb.Change) error {
	body, err := proto.Marshal(&axispb.RegistryChange{Version: 1, Actor: "bench", Reason: "measuring", Changes: steps})
	if err != nil {
		return err
	}
	r, err := s.record(axispb.Kind_KIND_REGISTRY, body, &axispb.Decision{})
	if err != nil {
		return err
	}
	_, err = s.append(ctx, []*axispb.Record{r})
	return err
}
