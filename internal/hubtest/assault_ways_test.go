package hubtest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"docaxis/internal/bus"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

func assaults(costly map[bus.Service][]byte) []assault {
	return []assault{
		{"flood of every service, one endpoint", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			for range 2 {
				s.pour(t, ctx, wg, s.attacker, inTurn(costly))
			}
		}},
		{"flood of every service, five endpoints", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			for _, m := range append(s.accomplices, s.attacker) {
				s.pour(t, ctx, wg, m, inTurn(costly))
			}
		}},
		{"requests of 2 MiB", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			big := make([]byte, bus.MaxPayload-4096)
			s.pour(t, ctx, wg, s.attacker, inTurn(map[bus.Service][]byte{bus.Submit: big, bus.Put: big, bus.Evidence: big}))
		}},
		{"pages that are asked for and never read", neverReads},
		{"50 connections with one certificate", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			for range 50 {
				s.reconnect(t, ctx, wg, s.attacker, 40)
			}
		}},
		{"connecting and leaving, five endpoints", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			for _, m := range append(s.accomplices, s.attacker) {
				s.reconnect(t, ctx, wg, m, 4)
			}
		}},
		{"1,000 handshakes that are never finished", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			s.hold(t, ctx, wg, 1000, []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
		}},
		{"2,000 connections that say nothing", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			s.hold(t, ctx, wg, 2000, nil)
		}},
		{"handshakes without a certificate, 50 at a time", nobodys},
		{"pulls with absurd cursors", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			s.pour(t, ctx, wg, s.attacker, func() (bus.Service, []byte) {
				return bus.Pull, wire(t, &axispb.PullRequest{Epoch: rand.Uint64(), MaxBytes: 1<<32 - 1, MaxContents: 1<<32 - 1, SeenSize: rand.Uint64(), ReceiptSize: rand.Uint64(), Cursors: []*axispb.Cursor{
					{Lane: axispb.Lane(rand.IntN(4)), Position: rand.Uint64() >> rand.IntN(64), Ordinal: rand.Uint32()}, {Lane: axispb.Lane_LANE_REGISTRY},
				}})
			})
		}},
		{"proofs over everything", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			s.pour(t, ctx, wg, s.attacker, only(bus.Proof, wire(t, &axispb.ProofRequest{FromSize: 1, LeafIndexPlusOne: 1})))
		}},
		{"parts that are never finished", func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
			var digest [32]byte
			n := 0
			s.pour(t, ctx, wg, s.attacker, func() (bus.Service, []byte) {
				n++
				copy(digest[:], sum([]byte(fmt.Sprint(n))))
				return bus.Put, wire(t, &axispb.PutRequest{Digest: digest[:], Size: 1 << 20, Data: make([]byte, 1<<10)})
			})
		}},
		{"seals with 300 KiB of certificates", hugeSeals},
	}
}

// reconnect connects as an endpoint and leaves, again and again.
func (s *siege) reconnect(t *testing.T, ctx context.Context, wg *sync.WaitGroup, m *hubtest.Member, trips int) {
	t.Helper()
	id := s.identity(t, m)
	wg.Go(func() {
		for ; ctx.Err() == nil; travel(ctx, trips) {
			if r, err := s.connectAs(m.Name, id.CA, &id.Certificate); err == nil {
				r.Close()
			}
		}
	})
}

// hold opens connections that say this much and no more, and opens each again when
// it is closed.
func (s *siege) hold(t *testing.T, ctx context.Context, wg *sync.WaitGroup, n int, greeting []byte) {
	t.Helper()
	addr := s.Hub().Addr()
	var opened sync.WaitGroup
	for range n {
		opened.Add(1)
		wg.Go(func() {
			for first := true; ctx.Err() == nil; first = false {
				var d net.Dialer
				c, err := d.DialContext(ctx, "tcp", addr)
				if err == nil {
					_, err = c.Write(greeting)
				}
				if first {
					opened.Done()
				}
				if err == nil {
					stop := context.AfterFunc(ctx, func() { c.Close() })
					_, _ = c.Read(make([]byte, 1)) // until it is closed
					stop()
				}
				if c != nil {
					c.Close()
				}
			}
		})
	}
	opened.Wait()
}

// nobodys make whole handshakes without a certificate, and try to log in.
func nobodys(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
	addr, roots := s.Hub().Addr(), x509.NewCertPool()
	roots.AddCert(s.me.CA)
	for range 50 {
		wg.Go(func() {
			for ; ctx.Err() == nil; travel(ctx, 20) {
				c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})
				if err != nil {
					continue
				}
				_, _ = c.Write([]byte("CONNECT {\"user\":\"x\",\"pass\":\"y\"}\r\nPING\r\n"))
				_, _ = c.Read(make([]byte, 1024))
				c.Close()
			}
		})
	}
}

// neverReads asks for pages on a connection from which it reads nothing.
func neverReads(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
	req := wire(t, fromTheStart())
	wg.Go(func() {
		for ; ctx.Err() == nil; travel(ctx, 4) {
			deaf := new(deafDialer)
			r, err := s.connectAs(s.attacker.Name, s.me.CA, &s.me.Certificate, nats.SetCustomDialer(deaf))
			if err != nil {
				continue
			}
			_, err = r.Subscribe(bus.Inboxes(r.name), func(*nats.Msg) {})
			if err == nil {
				err = r.Flush()
			}
			deaf.mu.Lock()
			for err == nil && ctx.Err() == nil {
				err = r.PublishRequest(bus.ServiceSubject(bus.Pull, r.name), bus.InboxPrefix(r.name)+".r", req)
			}
			deaf.mu.Unlock()
			r.Close()
		}
	})
}

// deafDialer makes a connection that can stop reading.
type deafDialer struct{ mu sync.RWMutex }

func (d *deafDialer) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	return &deafConn{conn, d}, err
}

type deafConn struct {
	net.Conn
	d *deafDialer
}

func (c *deafConn) Read(p []byte) (int, error) {
	c.d.mu.RLock()
	defer c.d.mu.RUnlock()
	return c.Conn.Read(p)
}

// hugeSeals submits envelopes whose seal brings as many certificates as fit.
func hugeSeals(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup) {
	key := newKey(t, "Con dấu H25")
	for len(key.Chain) < 10 {
		_, other := selfSigned(t, fmt.Sprintf("%d %s", len(key.Chain), string(make([]byte, 30_000))))
		key.Chain = append(key.Chain, other)
	}
	req := wire(t, &axispb.SubmitRequest{Envelope: s.composeWith(t, key, docTo("H41"))})
	s.pour(t, ctx, wg, s.attacker, only(bus.Submit, req))
}
