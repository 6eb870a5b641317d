package command

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
)

// printSizes asks the running axis what it takes of its disks.
func printSizes(ctx context.Context, g *grammar, o *cli.IO) error {
	var s operator.Sizes
	if err := ask(ctx, g, operator.PathSizes, nil, &s); err != nil {
		return err
	}
	return o.Print(s, func(w io.Writer) {
		rows := make([][]string, len(s.Parts))
		for i, p := range s.Parts {
			rows[i] = []string{p.Name, fmt.Sprint(p.Files), size(p.Bytes), grows(o, p.Name)}
		}
		cli.Table(w, []string{o.Say("PHẦN", "PART"), o.Say("SỐ TỆP", "FILES"), o.Say("DUNG LƯỢNG", "SIZE"), o.Say("TĂNG ĐẾN ĐÂU", "GROWS")}, rows)
		fmt.Fprintf(w, o.Say("\nSổ ghi gồm %d luồng. Số dòng trong ledger.db:\n", "\nThe journal has %d streams. Rows of ledger.db:\n"), s.Streams)
		rows = rows[:0]
		for _, table := range slices.Sorted(maps.Keys(s.Rows)) {
			rows = append(rows, []string{table, fmt.Sprint(s.Rows[table])})
		}
		cli.Table(w, []string{o.Say("BẢNG", "TABLE"), o.Say("SỐ DÒNG", "ROWS")}, rows)
	})
}

// grows says what bounds a part.
func grows(o *cli.IO, part string) string {
	switch part {
	case "journal":
		return o.Say("mãi mãi, theo số văn bản và bằng chứng", "for ever, with documents and evidence")
	case "chunks":
		return o.Say("đến khi nội dung hết hạn lưu (400 ngày và 8 ngày)", "until content is released (400 days, and 8)")
	case "parts":
		return o.Say("7 ngày tải lên dở dang", "7 days of unfinished uploads")
	case "revocation":
		return o.Say("đến 256 MiB; tải lại được", "up to 256 MiB; can be fetched again")
	case "content.db":
		return o.Say("theo nội dung đang giữ", "with the content that is kept")
	}
	return o.Say("theo sổ ghi; dựng lại được", "with the journal; can be rebuilt")
}
