package endpoint

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/lang"
)

func TestVXPSettings(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"[vxp]\nlisten = \"localhost:0\"":  "",
		"[vxp]\nlanguage = \"en\"":         "",
		"[vxp]\nlisten = \"0.0.0.0:8805\"": "chưa có vxp.certificate và vxp.key",
		"[vxp]\nlisten = \":8805\"":        "chưa có vxp.certificate và vxp.key",
		"[vxp]\nlisten = \"8805\"":         "không có dạng máy:cổng",
		"[vxp]\ncertificate = \"a.pem\"":   "phải đi cùng nhau",
		"[vxp]\nlanguage = \"fr\"":         "hãy ghi vi hoặc en",
		"[vxp]\nlissen = \"127.0.0.1:0\"":  "không có mục nào tên \"vxp.lissen\"",
		"[vxp]\nfail_limit = 0":            "vxp.fail_limit phải từ 1",
		"[vxp]\nlease_minutes = -1":        "vxp.lease_minutes không được âm",
		"[vxp]\nlisten = \"0.0.0.0:1\"\ncertificate = \"a.pem\"\nkey = \"a.key\"": "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, SettingsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadSettings(dir)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(lang.Say(err, lang.Vietnamese), want)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// facing is a Face at work.
func facing(t *testing.T, f *Face) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// An endpoint that has no system opens no port, and the first system needs no restart.
func TestTheFirstSystemOpensTheDoor(t *testing.T) {
	o := newWorld(t).office("from", "H41").start()
	f, err := OpenFace(o.agent)
	if err != nil {
		t.Fatal(err)
	}
	if f.Addr() != "" {
		t.Fatalf("it listens at %s", f.Addr())
	}
	f.config.Address = "127.0.0.1:0"
	facing(t, f)
	added, err := Clerk(o.agent).ChangeSystem(t.Context(), clerk.SystemChange{Do: clerk.SystemAdd, Name: "qlvb", Codes: []string{"H41"}})
	if err != nil {
		t.Fatal(err)
	}
	o.until("listening", func() bool { return f.Addr() != "" })
	c := vxptest.New("http://"+f.Addr(), "qlvb", added.Secret)
	if a, err := c.Received(t.Context(), "edoc"); err != nil || !a.OK() {
		t.Fatalf("%v: %s", err, a.Body)
	}
}

// A port that is taken stops the start where it was asked for, and waits to be free where
// the endpoint is at work already.
func TestATakenPort(t *testing.T) {
	o := newWorld(t).office("from", "H41").open()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o.agent.cfg.Settings.VXP.Listen = taken.Addr().String()
	if _, err := OpenFace(o.agent); err == nil || !strings.Contains(err.Error(), "Choose another port") {
		t.Fatalf("got %v", err)
	}
	o.agent.cfg.Settings.VXP.Listen = ""
	f, err := OpenFace(o.agent)
	if err != nil {
		t.Fatal(err)
	}
	f.config.Address = taken.Addr().String()
	o.agent.cfg.Settings.VXP.Listen = f.config.Address
	facing(t, f)
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	o.until("listening", func() bool { return f.Addr() != "" })
}
