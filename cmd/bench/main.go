// Command bench measures an axis and its endpoints as separate processes, over real
// TLS and real syncs, each figure beside the bare limit that it is up against: one table,
// which one command repeats (docs/performance.md).
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"docaxis/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	g := grammar{in: in}
	return cli.Program{
		Name: "bench", Grammar: &g, Common: &g.Common,
		About: "Measures an axis and its endpoints as processes.|Đo một trục và các điểm kết nối, mỗi bên một tiến trình.",
	}.Run(ctx, args, out, errs)
}

type grammar struct {
	cli.Common
	Measure measureCommand `cmd:"" default:"withargs" help:"Measure and print a table.|Đo và in bảng."`
	Cut     cutCommand     `cmd:"" help:"Compare processor time with the committed floors, within a minute.|So thời gian CPU với mức sàn đã ghi, trong một phút."`
	Axis    axisRole       `cmd:"" hidden:"" name:"role-axis"`
	Endp    endpointRole   `cmd:"" hidden:"" name:"role-endpoint"`

	in io.Reader
}

type measureCommand struct {
	Quick   bool     `help:"Small sizes: does it work, not how fast.|Cỡ nhỏ: chỉ xem có chạy được không." xor:"size"`
	Long    bool     `help:"The largest sizes: two million records and chunks.|Cỡ lớn nhất: hai triệu bản ghi và khối nội dung." xor:"size"`
	Only    []string `help:"Measure only these: ${enum}.|Chỉ đo các mục này: ${enum}." enum:"throughput,rsa,accept,fanout,memory,latency,fleet,history,return,agent,systems" default:"throughput,rsa,accept,fanout,memory,latency,fleet,history,return,agent,systems"`
	Out     string   `help:"Folder for the table as text, Markdown and JSON, and for the chart.|Thư mục ghi bảng dạng văn bản, Markdown, JSON và biểu đồ." type:"path"`
	Page    string   `help:"Page in Markdown that has the table: the new one takes its place, the chart goes beside it.|Trang Markdown có bảng: bảng mới thay bảng cũ, biểu đồ đặt bên cạnh." type:"path"`
	Dir     string   `help:"Folder to measure in; a new temporary one by default.|Thư mục để đo; mặc định là thư mục tạm mới." type:"path"`
	Profile string   `help:"Folder for CPU and heap profiles of every process.|Thư mục ghi hồ sơ CPU và bộ nhớ của mọi tiến trình." type:"path"`
}

func (measureCommand) Help() string {
	return `Example:  bench --out figures
          bench --only accept,fanout --quick --json
Every measurement founds an axis and endpoints of its own, as processes.
With --profile: go tool pprof -top FOLDER/throughput-axis.cpu.pprof|Ví dụ:  bench --out figures
        bench --only accept,fanout --quick --json
Mỗi phép đo lập một trục và các điểm kết nối riêng, mỗi bên một tiến trình.
Với --profile: go tool pprof -top THƯ-MỤC/throughput-axis.cpu.pprof`
}

// Run measures and prints.
func (c measureCommand) Run(ctx context.Context, o *cli.IO) (err error) {
	dir, remove, err := c.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if c.Profile != "" {
		if err := os.MkdirAll(c.Profile, 0o700); err != nil {
			return err
		}
	}
	plan := fullPlan()
	switch {
	case c.Quick:
		plan = quickPlan()
	case c.Long:
		plan = longPlan()
	}
	plan.Only, plan.Dir, plan.Profile, plan.Progress = c.Only, dir, c.Profile, o.Err
	r, err := plan.measure(ctx)
	if err != nil {
		return err
	}
	if err := c.keep(r, o); err != nil {
		return err
	}
	return o.Print(r, func(w io.Writer) { r.print(w, o) })
}

// keep writes the result wherever it is wanted.
func (c measureCommand) keep(r *Result, o *cli.IO) error {
	if c.Out != "" {
		if err := r.write(c.Out, o); err != nil {
			return err
		}
	}
	if c.Page != "" {
		return r.page(c.Page)
	}
	return nil
}

// folder gives the folder to work in, and how to clear it.
func (c measureCommand) folder() (string, func() error, error) {
	if c.Dir != "" {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return "", nil, err
		}
	}
	dir, err := os.MkdirTemp(c.Dir, "docaxis-bench-")
	if err != nil {
		return "", nil, err
	}
	dir, err = filepath.Abs(dir)
	return dir, func() error { return os.RemoveAll(dir) }, err
}
