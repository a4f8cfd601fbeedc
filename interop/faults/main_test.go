package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds every wait for what should be there at once; a loaded machine is slow.
const patience = 30 * time.Second

var binaryFlag = flag.String("binary", "", "test this `FILE`, built elsewhere, instead of building the gateway")

// program is what all tests run; read only after TestMain.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	status, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		status = 1
	}
	os.Exit(status)
}

func testMain(m *testing.M) (int, error) {
	if *binaryFlag != "" {
		var err error
		if program, err = filepath.Abs(*binaryFlag); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "radsec-gw-faults-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "radsec-gw")
	build := exec.Command("go", "build", "-o", program, "radsec-gw/cmd/radsec-gw")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return m.Run(), nil
}
