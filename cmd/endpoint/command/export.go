package command

import (
	"context"
	"fmt"
	"io"
	"net/url"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/cli"
	"docaxis/internal/proofset"
)

// exportProofs writes what proves a document's story, as the axis's operator would.
func exportProofs(ctx context.Context, g *grammar, o *cli.IO, id, dir string) error {
	var set proofset.Set
	if err := ask(ctx, g, clerk.PathProofs, url.Values{"id": {id}}, &set); err != nil {
		return err
	}
	names, err := set.Write(dir)
	if err != nil {
		return err
	}
	return o.Print(map[string]any{"dir": dir, "files": names, "untimed": set.Untimed()}, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã ghi %d tệp vào %s; README.md trong đó nói cách kiểm tra.\n", "Wrote %d files into %s; README.md there says how to check them.\n"), len(names), dir)
		if n := set.Untimed(); n > 0 {
			fmt.Fprintf(w, o.Say("%d bản ghi chưa có bằng chứng thời gian: trục không trả lời, hoặc chưa có dấu thời gian. Có thể xuất lại sau vào thư mục khác.\n",
				"%d records have no proof of time: the axis does not answer, or no timestamp covers them yet. Export again later, into another folder.\n"), n)
		}
	})
}
