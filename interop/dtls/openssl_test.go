package dtls

import (
	"crypto/hmac"
	"crypto/md5"
	"io"
	"os/exec"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// openssl s_client does the handshake with each kind of cipher suite, with datagrams for a path of
// 1280 octets, and its Status-Server is answered. Without a certificate, with that of another CA,
// with a version or a suite that is not allowed it is refused, with an alert; it refuses a gateway
// whose CA it does not trust. The log and the metrics say why.
// Rules: DT1, DT2, DT3, DT5
func TestOpenSSL(t *testing.T) {
	g := newGateway(t)
	own := []string{"-cert", inDir("certs/client.pem"), "-key", inDir("certs/client.key")}
	other := []string{"-cert", inDir("other/client.pem"), "-key", inDir("other/client.key")}
	for _, c := range []struct {
		name    string
		args    []string
		certs   []string
		refused string // in the gateway's log; "": it is not refused
	}{
		{"AES-128", []string{"-dtls1_2", "-mtu", "1280", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"}, own, ""},
		{"AES-256", []string{"-dtls1_2", "-mtu", "1280", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"}, own, ""},
		{"ChaCha20", []string{"-dtls1_2", "-mtu", "1280", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"}, own, ""},
		{"without a certificate", []string{"-dtls1_2"}, nil, "result=no_certificate"},
		{"certificate of another CA", []string{"-dtls1_2"}, other, "result=untrusted_certificate"},
		{"CBC", []string{"-dtls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA"}, own, "result=no_common_cipher"},
		{"DTLS 1.0", []string{"-dtls1", "-cipher", "ALL:@SECLEVEL=0"}, own, "result=old_version"},
		{"gateway of another CA", []string{"-dtls1_2", "-CAfile", inDir("other/ca.pem")}, own, "result=peer_alert"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusals := g.Output().Count("RADIUS/DTLS session refused", c.refused)
			got, said := g.askOpenSSL(t, g.dtls, append(c.args, c.certs...)...)
			switch {
			case c.refused == "" && (len(got) < 20 || got[0] != 2 || got[1] != 77):
				t.Errorf("the answer is %q, expected an Access-Accept with identifier 77; openssl says:\n%s", got, said)
			case c.refused != "" && (len(got) > 0 || !strings.Contains(said, "alert") && !strings.Contains(said, "certificate verify failed")):
				t.Errorf("the answer is %q, expected an alert; openssl says:\n%s", got, said)
			case c.refused != "" && !testbed.Eventually(patience, func() bool { return g.Output().Count("RADIUS/DTLS session refused", c.refused) == refusals+1 }):
				t.Errorf("the log has not one line with %q for it", c.refused)
			}
		})
	}
}

// The handshake of openssl s_client succeeds on a path with faults: each end sends its flights
// again.
// Rules: DT10
func TestOpenSSLOnABadPath(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	p := newPath(t, g.dtls)
	got, said := g.askOpenSSL(t, p.address(), "-dtls1_2", "-mtu", "1280", "-cert", inDir("certs/client.pem"), "-key", inDir("certs/client.key"))
	p.set(true)
	if g.accepted() != 1 {
		t.Errorf("there is no session; the answer is %q, and openssl says:\n%s", got, said)
	}
	p.expectFaults(t)
}

// accepted returns how many handshakes were complete at the listener.
func (g *gateway) accepted() float64 {
	return g.Metrics().Sum("radsec_gw_listener_handshakes_total", "listener_name", "dtls", "result", "ok")
}

// askOpenSSL sends a Status-Server through openssl, and returns what it received by the time that
// this was a packet or openssl ended, and what openssl says.
func (g *gateway) askOpenSSL(t *testing.T, address string, args ...string) (received, said string) {
	t.Helper()
	cmd := exec.Command("openssl", append([]string{"s_client", "-quiet", "-no_ign_eof", "-connect", address, "-CAfile", inDir("certs/ca.pem"), "-verify_return_error"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	says := new(process.Output)
	cmd.Stderr = says // apart: the answer is octets
	accepted := g.accepted()
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	defer in.Close()
	// It reads its input before the handshake is done, and would send it in pieces.
	testbed.Eventually(patience, func() bool {
		return g.accepted() > accepted || p.Alive() != nil
	})
	io.WriteString(in, statusServer())
	p.Output().Await(patience, func(text string) bool { return len(text) >= 20 })
	return p.Printed(), says.String()
}

// statusServer is one as octets (RFC 5997 §3), signed under "radius/dtls".
func statusServer() string {
	b := append([]byte{12, 77, 0, 38}, "a random of sixt"...)
	b = append(append(b, 80, 18), make([]byte, 16)...)
	mac := hmac.New(md5.New, []byte("radius/dtls"))
	mac.Write(b)
	copy(b[22:], mac.Sum(nil))
	return string(b)
}
