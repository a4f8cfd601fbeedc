package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Memory returns resident memory now and at its highest, in bytes.
func (p *Process) Memory() (now, highest int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kilobytes, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			now = kilobytes << 10
		case "VmHWM:":
			highest = kilobytes << 10
		}
	}
	return now, highest, nil
}

// AnonymousMemory returns the resident memory that is not the pages of a file, in bytes.
func (p *Process) AnonymousMemory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "RssAnon:" {
			kilobytes, err := strconv.ParseInt(f[1], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc has no RssAnon: expected Linux 4.5 or later")
}

// ErrNoPerf means that system calls cannot be counted here.
var ErrNoPerf = errors.New("perf cannot count system calls here: it needs linux-perf and root")

// SystemCalls counts the system calls that the program makes in a second.
func (p *Process) SystemCalls(ctx context.Context) (float64, error) {
	cmd := exec.CommandContext(ctx, "perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", strconv.Itoa(p.cmd.Process.Pid), "--", "sleep", "1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, ErrNoPerf
	}
	count, err := strconv.ParseFloat(strings.SplitN(strings.TrimSpace(string(out)), ",", 2)[0], 64)
	if err != nil {
		return 0, ErrNoPerf
	}
	return count, nil
}
