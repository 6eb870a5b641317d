package command

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"

	operator "docaxis/axis/admin"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// ask asks the running axis.
func ask(ctx context.Context, g *grammar, path string, query url.Values, into any) error {
	return admin.Ask(ctx, g.Dir, path, query, into)
}

func act(ctx context.Context, g *grammar, path string, v, into any) error {
	return admin.Act(ctx, g.Dir, path, v, into)
}

type statusCommand struct {
	Sizes bool `help:"What everything takes of the disks, and what bounds it.|Mỗi phần chiếm bao nhiêu đĩa, và tăng đến đâu."`
}

func (statusCommand) Help() string { return cli.Help("axis status --sizes", "", "") }

func (c statusCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if c.Sizes {
		return printSizes(ctx, g, o)
	}
	var s operator.Status
	if err := ask(ctx, g, operator.PathStatus, nil, &s); err != nil {
		return err
	}
	return o.Print(s, func(w io.Writer) { printStatus(w, o, s) })
}

func printStatus(w io.Writer, o *cli.IO, s operator.Status) {
	printClock(w, o, s.Clock)
	fmt.Fprintf(w, o.Say("Sổ %s, kỷ %d: %d bản ghi trong %d khối, đến %s\n", "Log %s, epoch %d: %d records in %d blocks, up to %s\n"),
		s.Origin, s.Epoch, s.Size, s.Blocks, lang.Millis(s.TimeMS))
	fmt.Fprintf(w, o.Say("Cơ quan %d, văn bản %d, bằng chứng %d, bị từ chối %d\n", "Agencies %d, documents %d, evidence %d, refused %d\n"),
		s.Agencies, s.Documents, s.Evidence, s.Refused)
	if s.Requests > 0 {
		fmt.Fprintf(w, o.Say("%d yêu cầu của điểm kết nối đang chờ duyệt: axis agency requests\n", "%d requests of endpoints wait for an operator: axis agency requests\n"), s.Requests)
	}
	printTimestamps(w, o, s.Timestamps)
	printDisks(w, o, s.Disks)
	printRecovery(w, o, s)
	printDamage(w, o, s.Damage)
	printSignatures(w, o, s.Signatures)
	if len(s.States) > 0 {
		fmt.Fprintln(w)
		var rows [][]string
		for _, state := range slices.Sorted(maps.Keys(s.States)) {
			rows = append(rows, []string{o.State(state), fmt.Sprint(s.States[state])})
		}
		cli.Table(w, []string{o.Say("TRẠNG THÁI", "STATE"), o.Say("SỐ NƠI NHẬN", "RECIPIENTS")}, rows)
	}
	fmt.Fprintln(w)
	if len(s.Endpoints) == 0 {
		fmt.Fprintln(w, o.Say("Chưa có điểm kết nối nào. Mời một điểm: axis endpoint invite MÃ", "No endpoints yet. Invite one: axis endpoint invite CODE"))
		return
	}
	rows := make([][]string, len(s.Endpoints))
	for i, e := range s.Endpoints {
		rows[i] = []string{e.Name, connection(o, e), some(e.Codes)}
	}
	cli.Table(w, []string{o.Say("ĐIỂM KẾT NỐI", "ENDPOINT"), o.Say("KẾT NỐI", "CONNECTION"), o.Say("MÃ", "CODES")}, rows)
}

func connection(o *cli.IO, e operator.Endpoint) string {
	switch {
	case e.Revoked:
		return o.Say("đã thu hồi", "revoked")
	case e.Connected:
		return o.Say("đang nối", "connected")
	}
	return o.Say("vắng", "away")
}

type clockCommand struct {
	byFlag
	Reason string `arg:"" help:"Why the clock is right; it is journaled.|Vì sao đồng hồ đúng; được ghi sổ."`
}

func (clockCommand) Help() string {
	return cli.Help(`axis clock confirm "NTP was wrong for an hour, put right by Lan"`, "", "")
}

func (c clockCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.Done
	if err := act(ctx, g, operator.PathClock, operator.Why{Actor: c.actor(), Reason: c.Reason}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { fmt.Fprintln(w, o.Say("Đã xác nhận đồng hồ.", "The clock is confirmed.")) })
}
