package interop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// Secrets and passwords, all different, so that a leg that used another's would fail, and none of
// them may appear in the gateway's output.
const (
	nasSecret     = "nas-Secret-3" // radclient, eapol_test to radsecproxy
	udpSecret     = "udp-Secret-1" // gateway to FreeRADIUS (freeradius/radiusd.conf)
	coaSecret     = "coa-Secret-2" // gateway to FreeRADIUS's CoA port
	userPassword  = "hello"        // freeradius/users/authorize
	wrongPassword = "wrong-Pass-4"
)

const patience = testbed.Patience

// bed is every program between the tests and FreeRADIUS.
type bed struct {
	dir   string // temporary
	ports bedPorts

	freeradius  *process.Process
	gateway     *process.Process
	radsecproxy *process.Process
}

// bedPorts are free ones of 127.0.0.1.
type bedPorts struct {
	auth, acct, coa, status, coaClient int // FreeRADIUS, UDP
	radsec, metrics                    int // gateway, TCP
	nas                                int // radsecproxy, UDP
}

// shared is the bed that TestMain built: the one piece of state that the tests of this package share.
var shared *bed

func TestMain(m *testing.M) {
	testbed.Main(func(dir string) (status int, err error) {
		if err := testbed.NeedPrograms("freeradius", "radclient", "radsecproxy", "eapol_test", "hostapd", "gcc", "openssl", "python3"); err != nil {
			return 1, err
		}
		shared = &bed{dir: dir}
		defer func() { err = errors.Join(err, shared.stop()) }()
		if err := shared.start(); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// start brings everything up, from the server to the client.
func (b *bed) start() error {
	if err := b.ports.choose(); err != nil {
		return err
	}
	for _, step := range []func() error{b.startFreeRADIUS, b.startGateway, b.startRadsecproxy} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// stop ends everything, from the client to the server. The gateway must end by itself with status 0
// on SIGTERM, and must not have printed a secret.
func (b *bed) stop() error {
	if b.radsecproxy != nil {
		_ = b.radsecproxy.Stop(patience)
	}
	var failed error
	if b.gateway != nil {
		if err := b.gateway.Stop(patience); err != nil {
			failed = fmt.Errorf("the gateway after SIGTERM: %w; its output:\n%s", err, b.gateway.Printed())
		}
		if leaked := leaks(b.gateway.Printed()); leaked != nil {
			failed = errors.Join(failed, fmt.Errorf("the gateway printed %q", leaked))
		}
	}
	if b.freeradius != nil {
		_ = b.freeradius.Stop(patience)
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
	p, err := start(env, "sh", "freeradius/start.sh", b.path("freeradius"))
	if err != nil {
		return err
	}
	b.freeradius = p
	return p.Await("Ready to process requests", patience)
}

// startRadsecproxy runs the RadSec client that most tests send through.
func (b *bed) startRadsecproxy() (err error) {
	b.radsecproxy, err = radsecproxyConfig{NAS: b.ports.nas, RadSec: b.ports.radsec, Certs: b.path("certs"), NASSecret: nasSecret}.start(b.dir)
	return err
}

func (b *bed) path(name string) string { return filepath.Join(b.dir, name) }

// choose finds unused ports.
func (p *bedPorts) choose() error {
	udp, err := ports.UDP(6)
	if err != nil {
		return err
	}
	tcp, err := ports.TCP(2)
	if err != nil {
		return err
	}
	p.auth, p.acct, p.coa, p.status, p.coaClient, p.nas = udp[0], udp[1], udp[2], udp[3], udp[4], udp[5]
	p.radsec, p.metrics = tcp[0], tcp[1]
	return nil
}

// start runs a program in the background; env is added to the environment.
func start(env []string, command string, args ...string) (*process.Process, error) {
	cmd := exec.Command(command, args...)
	cmd.Env = append(os.Environ(), env...)
	return process.Start(cmd)
}

// run runs a program to its end, with input on its standard input.
func run(within time.Duration, input, command string, args ...string) testbed.Result {
	cmd := exec.Command(command, args...)
	cmd.Stdin = strings.NewReader(input)
	return testbed.Run(within, cmd)
}
