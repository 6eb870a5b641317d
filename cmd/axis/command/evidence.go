package command

import (
	"context"
	"fmt"
	"io"
	"net/url"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/proofset"
)

// saveEvidence writes everything that proves a document into a new folder.
func saveEvidence(ctx context.Context, g *grammar, o *cli.IO, id, dir string) error {
	var set operator.ProofSet
	if err := ask(ctx, g, operator.PathProofs, url.Values{"id": {id}}, &set); err != nil {
		return err
	}
	names, err := folderOf(set).Write(dir)
	if err != nil {
		return err
	}
	return o.Print(map[string]any{"dir": dir, "files": names}, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã ghi %d tệp vào %s; README.md trong đó nói cách kiểm tra.\n", "Wrote %d files into %s; README.md there says how to check them.\n"), len(names), dir)
	})
}

// folderOf is what the axis gave, in the form of a folder.
func folderOf(set operator.ProofSet) proofset.Set {
	out := proofset.Set{CA: set.CA, Epochs: set.Epochs}
	for _, r := range set.Records {
		out.Records = append(out.Records, proofset.Record{LeafIndex: r.LeafIndex, Event: r.Event, Body: r.Body, Receipt: r.Receipt, Time: r.Time})
	}
	return out
}
