package command

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
)

type journalCommand struct {
	Since time.Duration `placeholder:"DURATION" help:"Only what was done within this time, like 48h.|Chỉ việc đã làm trong khoảng này, như 48h."`
	Limit int           `help:"Most rows.|Số dòng tối đa." default:"100"`
}

func (journalCommand) Help() string { return cli.Help("axis journal --since 24h", "", "") }

func (c journalCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []operator.Deed
	query := url.Values{"since_ms": {fmt.Sprint(before(c.Since))}, "limit": {fmt.Sprint(c.Limit)}}
	if err := ask(ctx, g, operator.PathDeeds, query, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) { history(w, o, all) })
}
