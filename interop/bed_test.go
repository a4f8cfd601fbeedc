package interop

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Secrets and passwords, all different, so that a leg that used another's would fail, and none of
// them may ever show in the gateway's output.
const (
	nasSecret     = "nas-Secret-3" // radclient, eapol_test to radsecproxy
	udpSecret     = "udp-Secret-1" // gateway to FreeRADIUS (freeradius/radiusd.conf)
	coaSecret     = "coa-Secret-2" // gateway to FreeRADIUS's CoA port
	userPassword  = "hello"        // freeradius/users/authorize
	wrongPassword = "wrong-Pass-4"
)

// patience bounds every wait for a program that should answer at once; a loaded machine is slow.
const patience = 30 * time.Second

// bed is every program between the tests and FreeRADIUS.
type bed struct {
	dir     string // temporary
	command string // the radsec-gw that is tested
	ports   ports

	freeradius  *process
	gateway     *process
	radsecproxy *process
}

// ports are free ones of 127.0.0.1.
type ports struct {
	auth, acct, coa, status, coaClient int // FreeRADIUS, UDP
	radsec, metrics                    int // gateway, TCP
	nas                                int // radsecproxy, UDP
}

// shared is the bed that TestMain built: the one piece of state that the tests of this package share.
var shared *bed

var binaryFlag = flag.String("binary", "", "test this `FILE`, built elsewhere, instead of building the gateway")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	if err := needPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "radsec-gw-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared = &bed{dir: dir}
	status := 1
	if err := shared.start(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
	} else {
		status = m.Run()
	}
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	return status
}

// needPrograms names what is missing. Debian keeps servers in /usr/sbin, which a user's PATH may lack.
func needPrograms() error {
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return err
	}
	var missing []string
	for _, program := range []string{"freeradius", "radclient", "radsecproxy", "eapol_test", "hostapd", "gcc", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program)
		}
	}
	if missing != nil {
		return fmt.Errorf("not installed: %s: run make deps", strings.Join(missing, ", "))
	}
	return nil
}

// start brings everything up, from the server to the client.
func (b *bed) start() error {
	if err := b.ports.choose(); err != nil {
		return err
	}
	if err := b.build(); err != nil {
		return err
	}
	for _, step := range []func() error{b.startFreeRADIUS, b.startGateway, b.startRadsecproxy} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// build makes the command, unless -binary names one.
func (b *bed) build() error {
	if b.command = *binaryFlag; b.command != "" {
		return nil
	}
	b.command = filepath.Join(b.dir, "radsec-gw")
	if r := runProgram(5*time.Minute, "", "go", "build", "-o", b.command, "radsec-gw/cmd/radsec-gw"); r.status != 0 {
		return fmt.Errorf("go build: %s", r.output)
	}
	return nil
}

// stop ends everything, from the client to the server. The gateway must end by itself with status 0
// on SIGTERM, and must not have printed a secret.
func (b *bed) stop() error {
	if b.radsecproxy != nil {
		_ = b.radsecproxy.stop(syscall.SIGTERM, patience)
	}
	var failed error
	if b.gateway != nil {
		if err := b.gateway.stop(syscall.SIGTERM, patience); err != nil {
			printed, _ := b.gateway.output.snapshot()
			failed = fmt.Errorf("the gateway after SIGTERM: %w; its output:\n%s", err, printed)
		}
		printed, _ := b.gateway.output.snapshot()
		if leaked := leaks(printed); leaked != nil {
			failed = errors.Join(failed, fmt.Errorf("the gateway printed %q", leaked))
		}
	}
	if b.freeradius != nil {
		_ = b.freeradius.stop(syscall.SIGTERM, patience)
	}
	return failed
}

// startFreeRADIUS lays the server out and runs it; started again, it keeps folder and ports.
func (b *bed) startFreeRADIUS() error {
	env := []string{
		fmt.Sprintf("AUTH_PORT=%d", b.ports.auth), fmt.Sprintf("ACCT_PORT=%d", b.ports.acct),
		fmt.Sprintf("COA_PORT=%d", b.ports.coa), fmt.Sprintf("STATUS_PORT=%d", b.ports.status),
		fmt.Sprintf("COA_CLIENT_PORT=%d", b.ports.coaClient),
	}
	p, err := start("freeradius", env, "sh", "freeradius/start.sh", b.path("freeradius"))
	if err != nil {
		return err
	}
	b.freeradius = p
	return p.await("Ready to process requests", patience)
}

// startRadsecproxy runs the RadSec client that most tests send through.
func (b *bed) startRadsecproxy() (err error) {
	b.radsecproxy, err = radsecproxyConfig{NAS: b.ports.nas, RadSec: b.ports.radsec, Certs: b.path("certs"), NASSecret: nasSecret}.start(b.dir)
	return err
}

func (b *bed) path(name string) string { return filepath.Join(b.dir, name) }

// choose finds ports that nobody uses. All are held until the last is found, so they differ.
func (p *ports) choose() error {
	for _, port := range []*int{&p.auth, &p.acct, &p.coa, &p.status, &p.coaClient, &p.nas} {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer conn.Close()
		*port = conn.LocalAddr().(*net.UDPAddr).Port
	}
	for _, port := range []*int{&p.radsec, &p.metrics} {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer listener.Close()
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	return nil
}
