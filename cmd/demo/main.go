// Command demo runs an axis and four endpoints in one process, lets documents
// cross in every direction and shows the evidence of every step.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/evidence"
	"docaxis/internal/hubtest"
	"docaxis/internal/lang"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var g grammar
	return program(&g).Run(ctx, args, out, errs)
}

type grammar struct {
	cli.Common
	options
}

// options are the flags.
type options struct {
	Once    bool   `help:"End by itself; exit 0 only if every proof holds.|Tự kết thúc; mã thoát 0 chỉ khi mọi bằng chứng đứng vững."`
	Dir     string `help:"Folder for everything; a new temporary one by default.|Thư mục chứa tất cả; mặc định là thư mục tạm mới." type:"path"`
	Verbose bool   `short:"v" help:"Log more.|Ghi nhật ký chi tiết."`

	// spoil changes what a sender is told, in tests.
	spoil func(*clerk.Story)
}

func program(g *grammar) cli.Program {
	return cli.Program{
		Name: "demo", Grammar: g, Common: &g.Common,
		About: "An axis and four endpoints in one process.|Một trục và bốn điểm kết nối trong một tiến trình.",
		Detail: cli.Help("go run ./cmd/demo --once",
			"Without --once it stays up, so that the commands of axis and endpoint can be tried on it.",
			"Không có --once thì tiếp tục chạy, để thử các lệnh axis và endpoint."),
	}
}

// codes of the demo: a ministry-level body, a province, a district, a commune.
func codes() []string { return []string{"G22", "H41", "H41.11", "H41.11.05"} }

// errUnproved makes the exit code 1.
func errUnproved() error {
	return lang.Errorf("Không phải mọi điều đều chứng minh được.", "Not everything could be proved.")
}

// Run plays the demo.
func (g *grammar) Run(ctx context.Context, o *cli.IO) error { return g.play(ctx, o) }

func (p options) play(ctx context.Context, o *cli.IO) (err error) {
	dir, remove, err := p.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	level := slog.LevelError
	if p.Verbose {
		level = slog.LevelDebug
	}
	s := &stage{o: o, dir: dir, spoil: p.spoil}
	if s.clock, err = newTimekeeper(dir, time.Now); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.clock.server.Close()) }()
	s.say("Đang lập trục và bốn điểm kết nối trong %s", "Founding an axis and four endpoints in %s", dir)
	s.world, err = hubtest.New(ctx, hubtest.Config{
		Dir: dir, Log: slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: level})),
		AdjustAxis: s.clock.asked, Anchors: []*x509.Certificate{s.clock.certificate},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.world.Close()) }()
	g, ctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(ctx)
	g.Go(func() error {
		defer stop()
		return s.play(serving, g, p.Once)
	})
	g.Go(func() error { return s.watchAxis(serving) })
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// folder gives the folder to work in, and how to remove it where it is temporary.
func (p options) folder() (string, func() error, error) {
	if p.Dir != "" {
		return p.Dir, func() error { return nil }, os.MkdirAll(p.Dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "docaxis-demo-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// stage is the running demo.
type stage struct {
	o     *cli.IO
	dir   string
	world *hubtest.World
	clock *timekeeper
	trust *evidence.Trust // made of the axis's certificate alone
	plays []*sent
	spoil func(*clerk.Story)
}

func (s *stage) say(vietnamese, english string, args ...any) {
	fmt.Fprintf(s.o.Out, s.o.Say(vietnamese, english)+"\n", args...)
}

func (s *stage) clerk(code string) clerk.Clerk {
	return endpoint.Clerk(s.world.Member(code).Agent())
}

// watchAxis ends the demo should the axis end by itself.
func (s *stage) watchAxis(ctx context.Context) error {
	select {
	case err := <-s.world.AxisFailed():
		return fmt.Errorf("the axis ended: %w", err)
	case <-ctx.Done():
		return nil
	}
}

// join enrols the endpoints and opens the API of each, so that the clerk's
// commands work on them while the demo runs.
func (s *stage) join(ctx context.Context, g *errgroup.Group) error {
	for _, code := range codes() {
		m, err := s.world.Join(ctx, code)
		if err != nil {
			return err
		}
		api, err := admin.Listen(m.Dir, "127.0.0.1:0", clerk.Handler(endpoint.Clerk(m.Agent())))
		if err != nil {
			return err
		}
		g.Go(func() error { return api.Run(ctx) })
		if s.trust == nil {
			if s.trust, err = trustOf(m.Dir); err != nil {
				return err
			}
		}
		s.say("  %-10s gia nhập với tên %s, có chứng thư và con dấu số riêng", "  %-10s joined as %s, with a certificate and a seal of its own", code, m.Name)
	}
	return nil
}

// concluded says what was shown, and how to look further.
func (s *stage) concluded(problems int) {
	if problems > 0 {
		s.say("KHÔNG phải mọi điều đều chứng minh được: xem các dòng trên.", "NOT everything could be proved: see the lines above.")
		return
	}
	s.say(`
Đã chứng minh: mỗi bước trên do chính bên thực hiện ký, và là một bản ghi trong sổ của trục,
dưới một mốc kiểm tra có chữ ký. Mọi chữ ký và chứng minh đã được kiểm lại hai lần, bởi điểm
kết nối của nơi gửi và bởi chương trình này, chỉ với chứng thư của trục mà không hỏi trục.`, `
Proved: each step above is signed by whoever did it, and is a record of the axis's journal
under a signed checkpoint. Every signature and proof was checked twice, by the sender's
endpoint and by this program, with the axis's certificate alone and without asking the axis.`)
	s.say("\nXem thêm: README.vi.md (các lệnh với tiến trình thật), docs/overview.md (cách hoạt động).",
		"\nFurther: README.md (the commands, with real processes), docs/overview.md (how it works).")
}

// further says how to look around while the demo stays up.
func (s *stage) further() {
	s.say("\nTrục và các điểm kết nối còn chạy. Thử ở cửa sổ khác, trong thư mục dự án:", "\nThe axis and the endpoints are still up. Try in another window, in the project's folder:")
	for _, line := range []string{
		"axis status --dir " + filepath.Join(s.dir, "axis"),
		"axis waiting --all --dir " + filepath.Join(s.dir, "axis"),
		"axis document --dir " + filepath.Join(s.dir, "axis") + " " + s.plays[0].id,
		"endpoint outbox --dir " + filepath.Join(s.dir, "endpoint-G22"),
		"endpoint show --dir " + filepath.Join(s.dir, "endpoint-G22") + " " + s.plays[0].id,
		"endpoint inbox --dir " + filepath.Join(s.dir, "endpoint-H41"),
	} {
		fmt.Fprintln(s.o.Out, "  go run ./cmd/"+line)
	}
	fmt.Fprintf(s.o.Out, "  go run ./cmd/auditor verify %s --anchor %s --anchor %s --anchor %s\n", filepath.Join(s.dir, "proofs"),
		filepath.Join(s.dir, "axis", "keys", "ca.crt"), s.clock.file, filepath.Join(s.dir, "endpoint-G22", "seal-G22.pem"))
	s.say("Dừng bằng Ctrl-C.", "Stop it with Ctrl-C.")
}
