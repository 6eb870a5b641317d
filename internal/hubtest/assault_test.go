package hubtest_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/bus"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// assault is something that endpoints, or strangers, do to the axis until ctx ends.
type assault struct {
	name string
	do   func(t *testing.T, ctx context.Context, s *siege, wg *sync.WaitGroup)
}

// Whatever one endpoint, five together, or strangers without a certificate do,
// every document of the others gets its receipt and arrives. How long that takes
// with and without the attack is logged, and judged by people:
// docs/performance.md.
func TestNoAssaultStopsTheOthers(t *testing.T) {
	s := besiegeByFive(t)
	rows := []string{"| attack | median before, ms | during, ms |", "| --- | --- | --- |"}
	for _, a := range assaults(s.costly(t)) {
		t.Run(a.name, func(t *testing.T) {
			before := s.median(t)
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			a.do(t, ctx, s, &wg)
			during := s.median(t)
			stop()
			wg.Wait()
			rows = append(rows, fmt.Sprintf("| %s | %.1f | %.1f |", a.name, before, during))
		})
	}
	for _, row := range rows {
		t.Log(row)
	}
	s.settle(t)
	s.wellServed(t)
}

func besiegeByFive(t *testing.T) *siege {
	t.Helper()
	s := &siege{log: &complaints{}}
	s.World = world(t, hubtest.Config{Agencies: moreAgencies, Log: slog.New(s.log)}, "G22", "H41")
	t.Cleanup(func() { s.log.check(t) })
	s.sender, s.receiver = s.Member("G22"), s.Member("H41")
	s.away, s.attacker = s.enrol(t, "H42"), s.enrol(t, "H25")
	for _, code := range []string{"H60", "H27", "H28", "H61"} {
		s.accomplices = append(s.accomplices, s.enrol(t, code))
	}
	s.raw, s.me = s.connect(t, s.attacker), s.identity(t, s.attacker)
	s.exchange(t)
	return s
}

// median sends documents one after the other, each of which must get its receipt,
// and in the end arrive; it gives the milliseconds from Send to the receipt verified
// and stored.
func (s *siege) median(t *testing.T) float64 {
	t.Helper()
	var (
		took []time.Duration
		ids  []string
	)
	for i := range sample {
		began := time.Now()
		id := send(t, s.sender, clerk.Draft{To: []string{"H41"}, Subject: fmt.Sprintf("%s %d", secret, i)}, []byte(newID(t)))
		wait(t, s.sender, id, axispb.State_STATE_ACCEPTED)
		took, ids = append(took, time.Since(began)), append(ids, id)
	}
	for _, id := range ids {
		wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
	}
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1000
}

// pour publishes requests as fast as the line takes them, as an endpoint, and comes
// back whenever it is cut. It reads what is answered.
func (s *siege) pour(t *testing.T, ctx context.Context, wg *sync.WaitGroup, m *hubtest.Member, next func() (bus.Service, []byte)) {
	t.Helper()
	id := s.identity(t, m)
	wg.Go(func() {
		for ; ctx.Err() == nil; travel(ctx, 4) {
			r, err := s.connectAs(m.Name, id.CA, &id.Certificate)
			if err != nil {
				continue
			}
			_, err = r.Subscribe(bus.Inboxes(m.Name), func(*nats.Msg) {})
			for err == nil && ctx.Err() == nil {
				service, req := next()
				err = r.PublishRequest(bus.ServiceSubject(service, m.Name), bus.InboxPrefix(m.Name)+".r", req)
			}
			r.Close()
		}
	})
}

// travel takes the time of some round trips of a short line: on this machine there are
// none, and whoever comes back would do it on the cores that the axis needs.
func travel(ctx context.Context, trips int) {
	select {
	case <-time.After(time.Duration(trips) * 5 * time.Millisecond):
	case <-ctx.Done():
	}
}

func only(service bus.Service, req []byte) func() (bus.Service, []byte) {
	return func() (bus.Service, []byte) { return service, req }
}

// inTurn gives one service's request after the other's.
func inTurn(requests map[bus.Service][]byte) func() (bus.Service, []byte) {
	services, n := slices.Sorted(maps.Keys(requests)), 0
	return func() (bus.Service, []byte) {
		n++
		service := services[n%len(services)]
		return service, requests[service]
	}
}
