package doctor

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// Program says which build of the program looked: whoever helps asks that first.
func (r *Report) Program() {
	version, revision := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	r.Check("version", "Phiên bản chương trình", "The program's version").
		Well("%s%s, %s, %s/%s", "%s%s, %s, %s/%s", cmp.Or(version, "(devel)"), revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
