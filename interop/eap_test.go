package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// eapol_test → radsecproxy → gateway → FreeRADIUS: whole EAP conversations. Without -n eapol_test fails
// unless MS-MPPE-Send-Key and -Recv-Key of the Accept, which are hidden again on every leg, are those
// that it derived itself.
// Rules: P38, P44, P45, P48
func TestEAP(t *testing.T) {
	eapCA := shared.path("freeradius/certs/eap-ca.pem")
	for _, c := range []struct {
		name, network string
		keys          bool
	}{
		{"EAP-MD5", `key_mgmt=IEEE8021X eap=MD5 identity="bob" password="hello"`, false},
		{"EAP-TLS", fmt.Sprintf(`key_mgmt=WPA-EAP eap=TLS identity="bob" ca_cert="%s" client_cert="%s" private_key="%s"`,
			eapCA, shared.path("freeradius/certs/eap-client.pem"), shared.path("freeradius/certs/eap-client.key")), true},
		{"PEAP-MSCHAPv2", fmt.Sprintf(`key_mgmt=WPA-EAP eap=PEAP identity="bob" password="hello" phase2="auth=MSCHAPV2" ca_cert="%s"`, eapCA), true},
		{"EAP-TTLS PAP", fmt.Sprintf(`key_mgmt=WPA-EAP eap=TTLS identity="bob" anonymous_identity="anonymous" password="hello" phase2="auth=PAP" ca_cert="%s"`, eapCA), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := shared.eapolTest(t, c.network, c.keys)
			expect(t, r, 0, "SUCCESS")
			if c.keys && !strings.Contains(r.output, "MPPE keys OK: 1  mismatch: 0") {
				t.Errorf("eapol_test does not report its MPPE keys as right:\n%s", lastLines(r.output, 5))
			}
		})
	}
	t.Run("PEAP-MSCHAPv2, wrong password", func(t *testing.T) {
		r := shared.eapolTest(t, fmt.Sprintf(`key_mgmt=WPA-EAP eap=PEAP identity="bob" password="%s" phase2="auth=MSCHAPV2" ca_cert="%s"`,
			wrongPassword, eapCA), true)
		if r.status == 0 || !strings.Contains(r.output, "FAILURE") {
			t.Errorf("exit status %d, want a failure:\n%s", r.status, lastLines(r.output, 20))
		}
	})
}

// eapolTest runs one conversation; network is the body of wpa_supplicant's network block, each of its
// settings a line there.
func (b *bed) eapolTest(t *testing.T, network string, keys bool) result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "eapol.conf")
	body := strings.ReplaceAll(network, "\" ", "\"\n")
	body = strings.ReplaceAll(body, " eap=", "\neap=")
	body = strings.ReplaceAll(body, " identity=", "\nidentity=")
	if err := os.WriteFile(file, []byte("network={\neapol_flags=0\n"+body+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", file, "-a", "127.0.0.1", "-p", fmt.Sprint(b.ports.nas), "-s", nasSecret, "-t", "20"}
	if !keys {
		args = append(args, "-n")
	}
	return runProgram(patience, "", "eapol_test", args...)
}
