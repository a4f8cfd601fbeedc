package dtls

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

const (
	patience  = testbed.Patience
	nasSecret = "testing123"
)

func TestMain(m *testing.M) {
	testbed.Main(func(string) (int, error) {
		if err := testbed.NeedPrograms("radclient", "radsecproxy", "openssl"); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// openssl s_client does the handshake with each kind of certificate and cipher suite, with
// datagrams for a path of 1280 octets, and its request is answered.
// Rules: DT2, DT3, DT4
func TestOpenSSL(t *testing.T) {
	f := newFront(t)
	for _, cipher := range []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"} {
		t.Run(cipher, func(t *testing.T) {
			got := f.askOpenSSL(t, "-cipher", cipher, "-mtu", "1280", "-cert", f.files.ClientCert, "-key", f.files.ClientKey)
			if len(got) < 20 || got[0] != 2 {
				t.Errorf("the answer is %q, expected an Access-Accept", got)
			}
		})
	}
	for name, args := range map[string][]string{
		"without a certificate": nil,
		"a CBC suite":           {"-cipher", "ECDHE-ECDSA-AES256-SHA", "-cert", f.files.ClientCert, "-key", f.files.ClientKey},
	} {
		t.Run(name, func(t *testing.T) {
			if got := f.askOpenSSL(t, args...); len(got) >= 20 {
				t.Errorf("the answer begins % x, expected none", got[:20])
			}
		})
	}
}

// askOpenSSL sends an Access-Request through openssl, and returns what it printed by the time
// that this was a packet or openssl ended.
func (f *front) askOpenSSL(t *testing.T, args ...string) string {
	t.Helper()
	request := radius.New(radius.CodeAccessRequest, []byte(secret))
	rfc2865.UserName_SetString(request, "bob")
	rfc2865.UserPassword_SetString(request, "hello")
	b, err := request.Encode()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("openssl", append([]string{"s_client", "-dtls1_2", "-quiet", "-no_ign_eof", "-connect", f.address.String(), "-CAfile", f.files.CA, "-verify_return_error"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = io.Discard // apart: the answer is octets
	opened := f.opened.Load()
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	defer in.Close()
	// It reads its input before the handshake is done, and would send it in pieces.
	testbed.Eventually(patience, func() bool { return f.opened.Load() > opened || p.Alive() != nil })
	in.Write(b)
	p.Output().Await(patience, func(text string) bool { return len(text) >= 20 || p.Alive() != nil })
	return p.Printed()
}

// startRadsecproxy runs radsecproxy with the front at a port as its home server, until it is
// connected, and returns the port for a NAS.
func (f *front) startRadsecproxy(t *testing.T, port int) (nas int) {
	t.Helper()
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	nas = free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	file := filepath.Join(t.TempDir(), "radsecproxy.conf")
	var b bytes.Buffer
	fmt.Fprintf(&b, "ListenUDP 127.0.0.1:%d\nLogLevel 4\n", nas)
	fmt.Fprintf(&b, "tls default {\nCACertificateFile %s\nCertificateFile %s\nCertificateKeyFile %s\n}\n", f.files.CA, f.files.ClientCert, f.files.ClientKey)
	fmt.Fprintf(&b, "client nas {\nhost 127.0.0.1\ntype udp\nsecret %s\n}\n", nasSecret)
	fmt.Fprintf(&b, "server gateway {\nhost 127.0.0.1\nport %d\ntype dtls\nsecret %s\nStatusServer on\n}\n", port, secret)
	b.WriteString("realm * {\nserver gateway\naccountingServer gateway\n}\n")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(exec.Command("radsecproxy", "-f", "-c", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(patience) })
	if err := p.Await("DTLS connection to gateway", patience); err != nil {
		t.Fatalf("radsecproxy is not connected: %v\n%s", err, p.Printed())
	}
	return nas
}

// ask sends a request to radsecproxy by radclient, and expects a line of its output.
func ask(t *testing.T, nas int, kind, attributes, want string) {
	t.Helper()
	cmd := exec.Command("radclient", "-x", "-r", "10", "-t", "1", fmt.Sprintf("127.0.0.1:%d", nas), kind, nasSecret)
	cmd.Stdin = strings.NewReader(attributes)
	if r := testbed.Run(patience, cmd); !strings.Contains(r.Output, want) {
		t.Errorf("expected %q, got:\n%s", want, r.Output)
	}
}

// radsecproxy relays what a NAS sends it over UDP, of each kind.
// Rules: DT2, DT3
func TestRadsecproxy(t *testing.T) {
	f := newFront(t)
	nas := f.startRadsecproxy(t, int(f.address.Port()))
	ask(t, nas, "auth", "User-Name = bob\nUser-Password = hello\n", "Received Access-Accept")
	ask(t, nas, "auth", "User-Name = bob\nUser-Password = wrong\n", "Received Access-Reject")
	ask(t, nas, "acct", "User-Name = bob\nAcct-Status-Type = Start\nAcct-Session-Id = s1\n", "Received Accounting-Response")
	long := strings.Repeat("Reply-Message = \""+strings.Repeat("x", 240)+"\"\n", 16)
	ask(t, nas, "auth", "User-Name = bob\nUser-Password = hello\n"+long, "Received Access-Accept")
}

// radsecproxy connects, and what it sends is answered, on a path that loses a fifth of the
// datagrams, doubles a tenth and delays a tenth behind others.
// Rules: DT8, DT10
func TestRadsecproxyOnABadPath(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	p := newPath(t, f.address, 1)
	p.set(20, 10, 10)
	nas := f.startRadsecproxy(t, p.port())
	for range 5 {
		ask(t, nas, "auth", "User-Name = bob\nUser-Password = hello\n", "Received Access-Accept")
	}
}

// radsecproxy that was killed and comes back from the same port is connected again.
// Rules: DT6
func TestRadsecproxyComesBack(t *testing.T) {
	f := newFront(t)
	p := newPath(t, f.address, 1) // the port that the front sees stays
	for range 2 {
		t.Run("", func(t *testing.T) {
			nas := f.startRadsecproxy(t, p.port())
			ask(t, nas, "auth", "User-Name = bob\nUser-Password = hello\n", "Received Access-Accept")
			p.set(100, 0, 0) // nothing of its end is seen
		})
		p.set(0, 0, 0)
	}
}
