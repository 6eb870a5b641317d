package cli

import (
	"fmt"
	"io"

	"docaxis/internal/doctor"
)

// Findings prints what a doctor found; the error has the exit code where something
// is wrong.
func (io *IO) Findings(r *doctor.Report) error {
	if err := io.Print(r.Findings, func(w writer) { io.printFindings(w, r) }); err != nil {
		return err
	}
	if r.Worst() == doctor.Wrong {
		return Code{Exit: Failed}
	}
	return nil
}

type writer = io.Writer

func (io *IO) printFindings(w writer, r *doctor.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%-10s %s: %s\n", io.verdict(f.Verdict), f.Looked.In(io.Lang), f.Found.In(io.Lang))
		if do := f.Do.In(io.Lang); do != "" {
			fmt.Fprintf(w, "%-10s → %s\n", "", do)
		}
	}
	switch r.Worst() {
	case doctor.Wrong:
		fmt.Fprintln(w, io.Say("\nCó chỗ sai: hãy sửa theo các dòng có mũi tên, từ trên xuống.", "\nSomething is wrong: mend it by the lines with an arrow, from the top."))
	case doctor.Warning:
		fmt.Fprintln(w, io.Say("\nĐang chạy được; hãy để ý các cảnh báo.", "\nIt works; see to the warnings."))
	default:
		fmt.Fprintln(w, io.Say("\nMọi thứ đều ổn.", "\nAll is well."))
	}
}

func (io *IO) verdict(v doctor.Verdict) string {
	switch v {
	case doctor.Well:
		return io.Say("ổn", "well")
	case doctor.Warning:
		return io.Say("CẢNH BÁO", "WARNING")
	}
	return io.Say("SAI", "WRONG")
}
