package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"time"

	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
)

// FreeRADIUS is a FreeRADIUS of the test bed, with its UDP ports of 127.0.0.1.
type FreeRADIUS struct {
	*process.Process
	Auth, Acct, CoA, Status int
	CoAClient               int // to which it sends CoA and Disconnect
}

// StartFreeRADIUS runs a FreeRADIUS with its files in dir, and waits until it serves. The
// directory of the test is one below that of the test bed's script.
func StartFreeRADIUS(dir string, within time.Duration) (*FreeRADIUS, error) {
	list, err := ports.UDP(5)
	if err != nil {
		return nil, err
	}
	f := &FreeRADIUS{Auth: list[0], Acct: list[1], CoA: list[2], Status: list[3], CoAClient: list[4]}
	cmd := exec.Command("sh", "../freeradius/start.sh", dir)
	cmd.Env = append(os.Environ(), fmt.Sprintf("AUTH_PORT=%d", f.Auth), fmt.Sprintf("ACCT_PORT=%d", f.Acct),
		fmt.Sprintf("COA_PORT=%d", f.CoA), fmt.Sprintf("STATUS_PORT=%d", f.Status), fmt.Sprintf("COA_CLIENT_PORT=%d", f.CoAClient))
	if f.Process, err = process.Start(cmd); err != nil {
		return nil, err
	}
	return f, f.Await("Ready to process requests", within)
}
