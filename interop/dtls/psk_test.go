package dtls

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// openssl s_client with a PSK and no certificate is answered; with another identity it gets an
// alert, with another key or a suite without ephemeral keys no session. The log says why.
// Rules: DT13, P118
func TestOpenSSLWithPSK(t *testing.T) {
	g := startGateway(t, "handshake_timeout = \"10s\"\n", shared.freeradius.Auth, shared.freeradius.Acct)
	const suite = "ECDHE-PSK-CHACHA20-POLY1305"
	for _, c := range []struct {
		name                 string
		identity, key, suite string
		refused              string // in the gateway's log; "": it is not refused
	}{
		{"the right one", "nas7.campus", keyPSK, suite, ""},
		{"all suites of OpenSSL", "nas7.campus", keyPSK, "ALL", ""},
		{"another identity", "nas8.campus", keyPSK, suite, "result=unknown_client"},
		{"a long identity", strings.Repeat("x", 128), keyPSK, suite, "result=unknown_client"},
		{"no ephemeral keys", "nas7.campus", keyPSK, "PSK-AES256-GCM-SHA384:PSK-AES128-GCM-SHA256", "result=no_common_cipher"},
		{"CBC", "nas7.campus", keyPSK, "ECDHE-PSK-AES128-CBC-SHA256", "result=no_common_cipher"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusals := g.Output().Count("RADIUS/DTLS session refused", c.refused)
			got, said := g.askOpenSSL(t, g.dtls, "-dtls1_2", "-mtu", "1280", "-cipher", c.suite, "-psk_identity", c.identity, "-psk", c.key)
			switch {
			case c.refused == "" && (len(got) < 20 || got[0] != 2 || got[1] != 77):
				t.Errorf("the answer is %q, expected an Access-Accept with identifier 77; openssl says:\n%s", got, said)
			case c.refused != "" && (len(got) > 0 || !strings.Contains(said, "alert")):
				t.Errorf("the answer is %q, expected an alert; openssl says:\n%s", got, said)
			case c.refused != "" && !testbed.Eventually(patience, func() bool { return g.Output().Count("RADIUS/DTLS session refused", c.refused) == refusals+1 }):
				t.Errorf("the log has not one line with %q for it:\n%s", c.refused, g.Printed())
			}
		})
	}
}

// A client made of GnuTLS → gateway → FreeRADIUS: logins and accounting of a NAS with a PSK.
// Rules: DT13, P118
func TestGnuTLSWithPSK(t *testing.T) {
	g := newGateway(t)
	command := filepath.Join(t.TempDir(), "psk")
	if r := testbed.Run(time.Minute, exec.Command("gcc", "-Wall", "-Werror", "-o", command, "testdata/psk.c", "-lgnutls")); r.Status != 0 {
		t.Fatalf("gcc: %s", r.Output)
	}
	port := g.dtls[strings.LastIndexByte(g.dtls, ':')+1:]
	for _, c := range []struct {
		code     radius.Code
		password string
		want     radius.Code
	}{
		{radius.CodeAccessRequest, "hello", radius.CodeAccessAccept},
		{radius.CodeAccessRequest, "wrong", radius.CodeAccessReject},
		{radius.CodeAccountingRequest, "", radius.CodeAccountingResponse},
	} {
		p := radius.New(c.code, []byte(probe.SecretDTLS))
		rfc2865.UserName_SetString(p, "bob")
		if c.code == radius.CodeAccessRequest {
			rfc2865.UserPassword_SetString(p, c.password)
		} else {
			rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_Start)
			rfc2866.AcctSessionID_SetString(p, "5f3a")
		}
		request, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(command, port, "nas7.campus", keyPSK)
		cmd.Stdin = bytes.NewReader(request)
		says := new(process.Output)
		cmd.Stderr = says // apart: the answer is octets
		r := testbed.Run(patience, cmd)
		if r.Status != 0 || len(r.Output) < 20 || radius.Code(r.Output[0]) != c.want || !radius.IsAuthenticResponse([]byte(r.Output), request, p.Secret) {
			t.Errorf("%v: status %d, the answer %q, expected a valid %v; the client says:\n%s", c.code, r.Status, r.Output, c.want, says)
		}
		if !strings.Contains(says.String(), "(DTLS1.2)-(ECDHE-") {
			t.Errorf("the client says %s, expected DTLS 1.2 with ephemeral keys", says)
		}
	}
	g.Says("session accepted", "client=psk", "psk_identity=nas7.campus", "cipher_suite=TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256")
	if strings.Contains(g.Printed(), keyPSK[:16]) {
		t.Error("the log shows the PSK")
	}
	if n := g.Metrics().Sum("radsec_gw_requests_total", "client", "psk", "fate", "relayed"); n != 3 {
		t.Errorf("%v requests were relayed, expected 3", n)
	}
}

// radsec-gw probe with a PSK plays a NAS that is sent a Disconnect, and is idle without losing its
// session.
// Rules: DT12, DT13, RC2
func TestReverseCoAWithPSK(t *testing.T) {
	g := newGateway(t)
	file := filepath.Join(t.TempDir(), "nas7.psk")
	if err := os.WriteFile(file, []byte("hex:"+keyPSK+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nas := start(t, exec.Command(testbed.Program(), "probe", "access", "-dtls", "-psk-identity", "nas7.campus", "-psk-file", file, "-address", g.dtls,
		"-user", "bob", "-password", "hello", "-attr", "NAS-Identifier=nas7", "-listen", "1m", "-count", "1"))
	expect(t, g.radclient("disconnect", "User-Name = bob\nNAS-Identifier = nas7\n"), 0, "Received Disconnect-ACK")
	nas.expectEnd(t, 0, "verified all of 1 requests")
}
