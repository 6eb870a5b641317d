package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"docaxis/internal/cli"
	"docaxis/internal/durable"
	"docaxis/internal/hubtest"
	"docaxis/internal/lang"
)

// floors are what each ratio of a cut must not fall below: half of what was measured when
// they were written, on a machine with nothing else to do.
//
//go:embed floors.json
var floors []byte

// cutCommand measures only what a busy machine does not change much: how much processor
// time a bare limit takes of what the axis and its endpoints take. No clock and no disk is
// in it.
type cutCommand struct {
	Write string `help:"Write half of what is measured as the new floors.|Ghi một nửa số đo được làm mức sàn mới." type:"path"`
}

func (cutCommand) Help() string {
	return `Example:  bench cut
          bench cut --write cmd/bench/floors.json
Each figure is processor time over processor time, the median of three. One that falls
below its floor says that something became twice as dear as it was: profile it.|Ví dụ:  bench cut
        bench cut --write cmd/bench/floors.json
Mỗi số là thời gian CPU chia cho thời gian CPU, trung vị của ba lần. Số nào thấp hơn mức sàn
nghĩa là có việc tốn gấp đôi trước: hãy xem hồ sơ CPU.`
}

// Run measures, and compares.
func (c cutCommand) Run(ctx context.Context, o *cli.IO) (err error) {
	dir, err := os.MkdirTemp("", "docaxis-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	measured, err := fullCut().measure(ctx, dir)
	if err != nil {
		return err
	}
	if c.Write != "" {
		return writeFloors(c.Write, measured)
	}
	least, err := readFloors()
	if err != nil {
		return err
	}
	if err := o.Print(measured, func(w io.Writer) { printCut(w, o, measured, least) }); err != nil {
		return err
	}
	return judgeCut(measured, least)
}

// ratios are by their names.
type ratios map[string]float64

// cutNames are the ratios of a cut.
func cutNames() []string { return []string{"exchange", "accept", "large", "rebuild"} }

func readFloors() (ratios, error) {
	least := ratios{}
	d := json.NewDecoder(bytes.NewReader(floors))
	if err := d.Decode(&least); err != nil {
		return nil, fmt.Errorf("floors.json: %w", err)
	}
	return least, nil
}

func writeFloors(path string, measured ratios) error {
	half := ratios{}
	for name, r := range measured {
		half[name] = math.Round(r/2*1000) / 1000
	}
	data, err := json.MarshalIndent(half, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(path, append(data, '\n'), 0o644)
}

// judgeCut refuses what fell below its floor, or has none.
func judgeCut(measured, least ratios) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		floor, ok := least[name]
		if !ok {
			errs = append(errs, fmt.Errorf("floors.json has no %s: bench cut --write cmd/bench/floors.json", name))
		} else if measured[name] < floor {
			errs = append(errs, lang.Errorf("%s: %.4f, thấp hơn mức sàn %.4f: việc này tốn hơn gấp đôi trước. Hãy xem hồ sơ CPU: bench --quick --profile THƯ-MỤC.",
				"%s: %.4f, below its floor of %.4f: it became more than twice as dear as it was. Profile it: bench --quick --profile FOLDER.", name, measured[name], floor))
		}
	}
	return errors.Join(errs...)
}

func printCut(w io.Writer, o *cli.IO, measured, least ratios) {
	what := map[string]words{
		"exchange": {"một văn bản trọn vẹn: 2 lần ký và 4 lần kiểm chiếm bao nhiêu", "a document end to end: what part 2 signatures and 4 checks are"},
		"accept":   {"trục tiếp nhận một bản ghi: 1 lần ký và 2 lần kiểm chiếm bao nhiêu", "a record accepted by the axis: what part 1 signature and 2 checks are"},
		"large":    {"một tệp lớn từ đầu đến cuối: một lần SHA-256 chiếm bao nhiêu", "a large file end to end: what part one SHA-256 of it is"},
		"rebuild":  {"dựng lại sổ cái: chỉ thêm dòng vào SQLite chiếm bao nhiêu", "the ledger rebuilt: what part inserting its rows into SQLite is"},
	}
	var cells [][]string
	for _, name := range cutNames() {
		cells = append(cells, []string{name, fmt.Sprintf("%.4f", measured[name]), fmt.Sprintf("%.4f", least[name]), o.Say(what[name].VI, what[name].EN)})
	}
	cli.Table(w, []string{"", o.Say("ĐO ĐƯỢC", "MEASURED"), o.Say("MỨC SÀN", "FLOOR"), o.Say("THỜI GIAN CPU", "PROCESSOR TIME")}, cells)
}

// cutPlan is how much a cut takes.
type cutPlan struct {
	Runs int
	// Documents that cross, and records that are accepted and rebuilt, in each run.
	Documents, AtOnce, Accepted, Rebuilt int
	FileBytes                            int // of a small document
	LargeBytes                           int64
	Bare                                 time.Duration // processor time of a bare limit
}

func fullCut() cutPlan {
	return cutPlan{
		Runs: 3, Documents: 200, AtOnce: 8, Accepted: 400, Rebuilt: 3_000,
		FileBytes: 4 << 10, LargeBytes: 24 << 20, Bare: 200 * time.Millisecond,
	}
}

// measure takes every ratio in one world of two endpoints.
func (c cutPlan) measure(ctx context.Context, dir string) (ratios, error) {
	if _, ok := processorTime(os.Getpid()); !ok {
		return nil, lang.Errorf("Hệ điều hành này không có /proc: không biết thời gian CPU của tiến trình. Hãy chạy trên Linux.",
			"This system has no /proc, which tells the processor time of a process. Run this on Linux.")
	}
	w := &world{dir: dir, codes: codes()[:2], newSeal: hubtest.NewSeal}
	all := ratios{}
	err := w.found(ctx)
	for _, step := range []struct {
		name string
		take func(context.Context, *world) ([]float64, error)
	}{{"exchange", c.exchange}, {"large", c.large}, {"accept", c.accept}, {"rebuild", c.rebuild}} {
		if err != nil {
			break
		}
		var runs []float64
		if runs, err = step.take(ctx, w); err == nil {
			all[step.name] = spread(runs).Median
		}
	}
	err = w.failed(err)
	return all, errors.Join(err, w.close())
}

// bare is the processor time of one unit of something that only computes.
func (c cutPlan) bare(unit func() error) (time.Duration, error) {
	begun := ownTime()
	for n := 1; ; n++ {
		if err := unit(); err != nil {
			return 0, err
		}
		if spent := ownTime() - begun; spent >= c.Bare {
			return spent / time.Duration(n), nil
		}
	}
}

// ownTime is the processor time of this process: a clock that stands while others run.
func ownTime() time.Duration {
	t, _ := processorTime(os.Getpid())
	return t
}

func (c cutPlan) exchange(ctx context.Context, w *world) (runs []float64, err error) {
	l := load{from: w.members, to: w.members, documents: c.Documents / 4, atOnce: c.AtOnce, size: c.FileBytes}
	if _, err := l.run(ctx); err != nil {
		return nil, err
	}
	l.documents = c.Documents
	unit, err := signAndVerifyP256()
	if err != nil {
		return nil, err
	}
	for range c.Runs {
		bare, err := c.bare(unit)
		if err != nil {
			return nil, err
		}
		before := w.used()
		if _, err := l.run(ctx); err != nil {
			return nil, err
		}
		spent := used{}.plus(before, w.used())
		runs = append(runs, float64(bare)*float64(c.Documents)/float64(spent.axis+spent.endpoints))
	}
	return runs, nil
}

// large lets a file pass and holds one SHA-256 of it against all that it took.
func (c cutPlan) large(ctx context.Context, w *world) (runs []float64, err error) {
	content := newContent().bytes(int(c.LargeBytes))
	for range c.Runs {
		bare, err := c.bare(func() error { sha256.Sum256(content); return nil })
		if err != nil {
			return nil, err
		}
		content[0]++ // another file
		before := w.used()
		if err := (load{from: w.members[:1], to: w.members[1:]}).cross(ctx, w.members[0], 0, slices.Clone(content)); err != nil {
			return nil, err
		}
		spent := used{}.plus(before, w.used())
		runs = append(runs, float64(bare)/float64(spent.axis+spent.endpoints))
	}
	return runs, nil
}

func (c cutPlan) accept(ctx context.Context, w *world) (runs []float64, err error) {
	s := &submitters{to: halves()[8:10], atOnce: c.AtOnce}
	defer s.close()
	for _, code := range s.to {
		if err := s.add(ctx, w, code, c.FileBytes); err != nil {
			return nil, err
		}
	}
	for range c.Runs {
		bare, err := c.bare(func() error { return signAndVerify(s.callers[0].seal.Signer) })
		if err != nil {
			return nil, err
		}
		sealed, err := s.seal(ctx, c.Accepted)
		if err != nil {
			return nil, err
		}
		before := w.used()
		if _, err := s.submit(ctx, sealed); err != nil {
			return nil, err
		}
		spent := used{}.plus(before, w.used())
		runs = append(runs, float64(bare)*float64(c.Accepted)/float64(spent.axis))
	}
	return runs, nil
}

// rebuild holds SQLite's inserts against a start that has no ledger, less what a start
// takes that has one.
func (c cutPlan) rebuild(ctx context.Context, w *world) (runs []float64, err error) {
	if err := w.close(); err != nil {
		return nil, err
	}
	scratch := filepath.Join(w.dir, "parties")
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return nil, err
	}
	p := &past{axisDir: w.axisDir(), scratch: scratch, files: 1}
	if err := p.write(ctx, c.Rebuilt); err != nil {
		return nil, err
	}
	for range c.Runs {
		if err := w.forgetLedger(); err != nil {
			return nil, err
		}
		whole, err := w.startCost(ctx)
		if err != nil {
			return nil, err
		}
		without, err := w.startCost(ctx)
		if err != nil {
			return nil, err
		}
		rate, err := w.insertRate(ctx, ownTime)
		if err != nil {
			return nil, err
		}
		inserts := float64(p.tree.Size()) / rate // seconds
		runs = append(runs, inserts/(whole-without).Seconds())
	}
	return runs, nil
}

// startCost is the processor time of the axis until it serves; it is stopped then.
func (w *world) startCost(ctx context.Context) (time.Duration, error) {
	if err := w.startAxis(ctx); err != nil {
		return 0, err
	}
	spent, _ := processorTime(w.axis.cmd.Process.Pid)
	return spent, w.axis.stop()
}
