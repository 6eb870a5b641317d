package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// environment says what was measured on. What this system does not tell is empty.
func environment(dir string) Environment {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	return Environment{
		System: runtime.GOOS + "/" + runtime.GOARCH, Cores: cores(), CPU: cpuModel(), Go: runtime.Version(),
		Kernel: strings.TrimSpace(string(kernel)), FileSystem: fileSystem(dir), LoadBefore: first,
	}
}

const (
	probedFiles = 500
	// dearFileUS is several times what a new file takes on a disk where none was deleted.
	dearFileUS = 100
)

// newFile is how many µs an empty new file takes, the median, in a folder that it makes
// and leaves. Before ext4 uses an inode again it waits for up to six minutes, and every
// new file looks at all of the group that wait: a disk from which thousands of files
// were just deleted makes documents dearer than any code does. So nothing is deleted
// before everything is measured.
func newFile(dir string) (float64, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	var took []float64
	for n := range probedFiles {
		begun := time.Now()
		f, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(n)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(begun).Nanoseconds())/1e3)
		if err := f.Close(); err != nil {
			return 0, err
		}
	}
	return spread(took).Median, nil
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// fileSystem is the kind of the file system that a folder is on, by the longest
// mount point above it.
func fileSystem(dir string) string {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	kind, longest := "", -1
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 || len(f[1]) <= longest {
			continue
		}
		if rest, err := filepath.Rel(f[1], dir); err == nil && rest != ".." && !strings.HasPrefix(rest, "../") {
			kind, longest = f[2], len(f[1])
		}
	}
	return kind
}

// residentMiB reads a line of a process's /proc/PID/status, in MiB; false on
// systems that have none.
func residentMiB(p *process, line string) (float64, bool) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, false
	}
	for l := range strings.Lines(string(status)) {
		value, ok := strings.CutPrefix(l, line+":")
		if !ok {
			continue
		}
		kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		return kb / 1024, err == nil
	}
	return 0, false
}

// tick is the unit of /proc/PID/stat, which Linux shows as 1/100 s everywhere.
const tick = time.Second / 100

// processorTime is what a process has used so far, in user and system; false on
// systems that have no /proc.
func processorTime(pid int) (time.Duration, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	// The name, in brackets, may contain anything.
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(f) < 13 {
		return 0, false
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick, err1 == nil && err2 == nil
}

// clock tells how much of something has passed.
type clock func() time.Duration

// wall is the clock on the wall.
func wall() time.Duration { return time.Duration(time.Now().UnixNano()) }
