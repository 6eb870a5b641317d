package command

import (
	"fmt"
	"io"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// printDisks says how much room there is, once for folders on disks that look alike.
func printDisks(w io.Writer, o *cli.IO, disks []operator.Disk) {
	said := map[operator.Disk]bool{}
	for _, d := range disks {
		folder := d.Folder
		d.Folder = ""
		if said[d] {
			continue
		}
		said[d] = true
		fmt.Fprintf(w, o.Say("Đĩa của %s: còn trống %s trong %s, giữ lại %s\n", "Disk of %s: %s free of %s, %s kept free\n"),
			folder, size(d.Free), size(d.Total), size(d.Keep))
		if d.Full {
			fmt.Fprintf(w, o.Say("  ĐĨA GẦN ĐẦY từ %s: văn bản mới phải chờ. Hãy giải phóng chỗ; có %s trống là trục tự tiếp tục.\n",
				"  NEARLY FULL since %s: new documents wait. Free some space; with %s free the axis goes on by itself.\n"),
				lang.Millis(d.SinceMS), size(d.Resume))
		}
		if d.EvidenceFull {
			fmt.Fprintln(w, o.Say("  Bằng chứng cũng phải chờ.", "  Evidence waits, too."))
		}
	}
}

// size says bytes to people.
func size(n uint64) string {
	value, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
