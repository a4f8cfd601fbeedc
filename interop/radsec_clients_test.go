package interop

import (
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"radsec-gw/bench/process"
)

// FreeRADIUS as a RadSec client, which receives UDP from a NAS and has the gateway
// as its home server over TLS, in both versions of TLS. It passes on the
// Message-Authenticator that a NAS puts into accounting, and refuses an answer that
// has one over anything but zeros: ours has none.
// Fault P-1.
// Rules: P102, P111, C5
func TestFreeRADIUSAsClient(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run(version, func(t *testing.T) {
			client := shared.throughFreeRADIUS(t, version, version)
			for password, want := range map[string]string{userPassword: "Received Access-Accept", wrongPassword: "Received Access-Reject"} {
				r := client.radclient("auth", fmt.Sprintf("User-Name = bob\nUser-Password = %q\n", password))
				if !strings.Contains(r.Output, want) {
					t.Errorf("expected %q, got:\n%s\nthe client printed:\n%s", want, r.Output, client.printed())
				}
			}
			account(t, client, "Start", "")
			account(t, client, "Start", "Message-Authenticator = 0x00")
		})
	}
}

// radsecproxy connects with either version when it is configured to.
// Rules: P102
func TestRadsecproxyVersions(t *testing.T) {
	for _, version := range []string{"TLS1_2", "TLS1_3"} {
		t.Run(version, func(t *testing.T) {
			var p bedPorts
			if err := p.choose(); err != nil {
				t.Fatal(err)
			}
			proxy, err := radsecproxyConfig{NAS: p.nas, RadSec: shared.ports.radsec, Certs: shared.path("certs"), NASSecret: nasSecret,
				TLSVersion: version + ":" + version}.start(t.TempDir())
			stopAtEnd(t, proxy)
			if err != nil {
				t.Fatal(err)
			}
			r := nas{auth: p.nas}.radclient("auth", "User-Name = bob\nUser-Password = hello\n")
			expect(t, r, 0, "Received Access-Accept")
		})
	}
}

// openssl s_client connects with either version, sends a Status-Server and gets
// its answer; with a version, or without a certificate, that is not allowed, it
// gets none.
// Rules: P101, P102, P103
func TestOpenSSLAsClient(t *testing.T) {
	certificate := []string{"-cert", shared.path("certs/client.pem"), "-key", shared.path("certs/client.key")}
	for _, c := range []struct {
		name string
		args []string
		want byte // the answer's Code; 0: no answer
	}{
		{"TLS 1.2", append([]string{"-tls1_2"}, certificate...), 2},
		{"TLS 1.3", append([]string{"-tls1_3"}, certificate...), 2},
		{"TLS 1.1", append([]string{"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}, certificate...), 0},
		{"TLS 1.2 without certificate", []string{"-tls1_2"}, 0},
		{"TLS 1.3 without certificate", []string{"-tls1_3"}, 0},
		{"static RSA", append([]string{"-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"}, certificate...), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"s_client", "-quiet", "-no_ign_eof", "-connect", fmt.Sprintf("127.0.0.1:%d", shared.ports.radsec),
				"-CAfile", shared.path("certs/ca.pem"), "-verify_return_error"}, c.args...)
			got := askOpenSSL(t, statusServer(), args...)
			switch {
			case c.want == 0 && len(got) >= 20:
				t.Errorf("the answer begins %x, want none", got[:20])
			case c.want != 0 && len(got) < 20:
				t.Errorf("openssl ended without an answer: %q", got)
			case c.want != 0 && (got[0] != c.want || got[1] != 77):
				t.Errorf("the answer begins %x, want code %d and identifier 77", got[:20], c.want)
			}
		})
	}
}

// askOpenSSL runs openssl, sends a request through it, and returns what it received by the
// time that this was a packet or openssl ended.
func askOpenSSL(t *testing.T, request []byte, args ...string) (received string) {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = io.Discard // apart: the answer is octets
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	defer in.Close()
	in.Write(request)
	if !p.Output().Await(patience, func(text string) bool { return len(text) >= 20 }) && p.Alive() == nil {
		t.Errorf("no answer and no end within %v: %q", patience, p.Printed())
	}
	return p.Printed()
}

// statusServer is one as octets (RFC 5997 §3), signed under "radsec".
func statusServer() []byte {
	b := append([]byte{12, 77, 0, 38}, []byte("a random of sixteen!")[:16]...)
	b = append(append(b, 80, 18), make([]byte, 16)...)
	mac := hmac.New(md5.New, []byte("radsec"))
	mac.Write(b)
	copy(b[22:], mac.Sum(nil))
	return b
}
