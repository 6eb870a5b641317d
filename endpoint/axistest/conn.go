package axistest

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"io"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const tlsHash = crypto.SHA256

// public is a key of which only the public part is known, for sealtest.
type public struct{ key any }

func (p public) Public() crypto.PublicKey { return p.key }

func (p public) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no private key")
}

// Dial connects an endpoint.
func (a *Axis) Dial(name string) *Conn {
	a.Lock()
	defer a.Unlock()
	c := &Conn{axis: a, name: name}
	a.conns[name] = append(a.conns[name], c)
	return c
}

// SetOnline cuts the connections of an endpoint, or lets them back.
func (a *Axis) SetOnline(name string, online bool) {
	a.Lock()
	conns := append([]*Conn(nil), a.conns[name]...)
	a.Unlock()
	for _, c := range conns {
		c.mu.Lock()
		c.off = !online
		f := c.onConnect
		c.mu.Unlock()
		if online && f != nil {
			f()
		}
	}
}

// Connected implements link.Conn.
func (c *Conn) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.off
}

// OnBell implements link.Conn.
func (c *Conn) OnBell(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bell = f
}

// OnConnect implements link.Conn.
func (c *Conn) OnConnect(f func()) {
	c.mu.Lock()
	c.onConnect = f
	off := c.off
	c.mu.Unlock()
	if !off {
		f()
	}
}

// SetCertificate implements link.Conn.
func (c *Conn) SetCertificate(cert tls.Certificate) error {
	c.mu.Lock()
	c.cert = &cert
	f := c.onConnect
	c.mu.Unlock()
	if f != nil {
		f()
	}
	return nil
}

// Certificate is the one that was set last; nil where none was.
func (c *Conn) Certificate() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cert
}

// Close implements link.Conn.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off, c.bell, c.onConnect = true, nil, nil
}

func (c *Conn) ring() {
	c.mu.Lock()
	f := c.bell
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

// Call implements link.Conn.
func (c *Conn) Call(ctx context.Context, s bus.Service, req, resp proto.Message) error {
	if !c.Connected() || ctx.Err() != nil {
		return away("not connected")
	}
	a := c.axis
	a.Lock()
	defer a.Unlock()
	a.requests[c.name+" "+string(s)]++
	if err := a.at(c.name, s, "before"); err != nil {
		return err
	}
	answer, err := a.serve(c.name, s, req)
	if err != nil {
		return err
	}
	if a.Tamper != nil {
		a.Tamper(c.name, s, answer)
	}
	if err := a.at(c.name, s, "after"); err != nil {
		return err
	}
	proto.Reset(resp)
	proto.Merge(resp, answer)
	return nil
}

func (a *Axis) at(endpoint string, s bus.Service, when string) error {
	if a.Hook == nil {
		return nil
	}
	return a.Hook(endpoint, s, when)
}

func away(what string) error {
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, what)
}

// Away is the error of a call that got no answer.
func Away() error { return away("no answer") }
