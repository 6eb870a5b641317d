package journal

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// startCluster runs three servers that know each other.
func startCluster(t *testing.T) []*server.Server {
	t.Helper()
	ports := freePorts(t, 3)
	var routes []string
	for _, port := range ports {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	var servers []*server.Server
	for i, port := range ports {
		srv, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("node", i), JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "axis", Host: "127.0.0.1", Port: port},
			Routes:  server.RoutesFromStr(strings.Join(routes, ",")),
		})
		if err != nil {
			t.Fatal(err)
		}
		srv.Start()
		t.Cleanup(func() { stopServer(srv) })
		servers = append(servers, srv)
	}
	waitFor(t, func() bool {
		return slices.ContainsFunc(servers, func(s *server.Server) bool {
			return s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == len(servers)
		})
	})
	return servers
}

// freePorts finds ports that nobody listens on: a cluster wants to know all its routes
// before its first node starts.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// The stream's leader goes under load: every answer the appender had holds, and nothing is
// doubled.
func TestClusterLosesItsLeader(t *testing.T) {
	servers := startCluster(t)
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.ClientURL())
	}
	nc, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	cfg := Config{Replicas: 3, MaxStreamBytes: 20_000, AttemptTimeout: 300 * time.Millisecond}
	j := open(t, nc, cfg)

	var (
		written atomic.Int64
		stop    atomic.Bool
		want    []string
		failed  = make(chan error, 1)
	)
	go func() {
		for i := 0; !stop.Load(); i++ {
			stored, err := writer(testContext(t), j, fmt.Sprint(i), 1)
			if err != nil {
				failed <- err
				return
			}
			want = append(want, stored...)
			written.Add(1)
		}
		failed <- nil
	}()
	waitFor(t, func() bool { return written.Load() > 30 })
	lead := leader(t, j)
	i := slices.IndexFunc(servers, func(s *server.Server) bool { return s.Name() == lead })
	stopServer(servers[i])
	at := written.Load()
	waitFor(t, func() bool { return written.Load() > at+100 })
	stop.Store(true)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if got := bodies(t, open(t, nc, cfg)); !slices.Equal(got, want) {
		t.Errorf("journal has %d records, %d were appended", len(got), len(want))
	}
}

func leader(t *testing.T, j *Journal) string {
	t.Helper()
	var name string
	waitFor(t, func() bool {
		s, err := j.js.Stream(testContext(t), j.streamName(j.Tail().Location.Stream))
		if err != nil {
			return false
		}
		name = s.CachedInfo().Cluster.Leader
		return name != ""
	})
	return name
}
