// Package testbed runs the built gateway for the tests in interop, and asks it what an
// operator would: its log, its pages, its metrics, a reload.
package testbed

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"radsec-gw/bench/process"
)

// Patience bounds every wait for what should be there at once; a loaded machine is slow.
const Patience = 30 * time.Second

var binaryFlag = flag.String("binary", "", "test this `FILE`, built elsewhere, instead of building the gateway")

var program string

// Program is the path of the gateway that is tested, during Main.
func Program() string { return program }

// Main is what TestMain of a package calls: it builds the gateway, unless -binary names
// one, and exits with the status that run returns. run has a directory for its files.
func Main(run func(dir string) (status int, err error)) {
	flag.Parse()
	status, err := inDirectory(run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		status = 1
	}
	os.Exit(status)
}

func inDirectory(run func(dir string) (int, error)) (status int, err error) {
	dir, err := os.MkdirTemp("", "radsec-gw-interop-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if *binaryFlag != "" {
		program, err = filepath.Abs(*binaryFlag)
	} else {
		program, err = process.Build(context.Background(), dir, "radsec-gw/cmd/radsec-gw")
	}
	if err != nil {
		return 1, err
	}
	return run(dir)
}

// NeedPrograms returns an error that names the programs that are missing. Debian keeps some
// in /usr/sbin, which a user's PATH may lack: it is added.
func NeedPrograms(names ...string) error {
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return err
	}
	var missing []string
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return fmt.Errorf("not installed: %s: run make deps", strings.Join(missing, ", "))
	}
	return nil
}

// Eventually polls ok, and reports whether it reported true in time.
func Eventually(within time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(within); ; {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond) // what is asked is outside of this process
	}
}
