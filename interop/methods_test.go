package interop

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// method is a way to log in or to account: a row that runs through every RadSec client.
type method struct {
	name    string
	run     func(t *testing.T, n nas)
	network string // of eapol_test, for EAP
}

// methods are all of them. The requests are made by programs that others wrote: radclient for
// passwords and accounting, wpa_supplicant's eapol_test for EAP. What they do not check is checked here.
func methods(t *testing.T) []method {
	return append(append(passwordMethods(), eapMethods(t)...), accountingMethods()...)
}

func runMethods(t *testing.T, n nas, rows []method) {
	for _, m := range rows {
		t.Run(m.name, func(t *testing.T) {
			m.run(t, n)
			if t.Failed() {
				t.Logf("last of what the RadSec client printed:\n%s", process.LastLines(n.printed(), 20))
			}
		})
	}
}

// radclient, eapol_test → FreeRADIUS as proxy → gateway → FreeRADIUS.
// Rules: P18, P20, P35, P36, P38, P41, P44, P45, P46, P48, P50, P71, C5
func TestMethodsThroughFreeRADIUS(t *testing.T) {
	runMethods(t, shared.throughFreeRADIUS(t, "1.2", "1.3"), append(methods(t), signedAccountingMethods()...))
}

// radclient, eapol_test → radsecproxy → gateway → FreeRADIUS.
// Rules: P18, P20, P35, P36, P38, P41, P44, P45, P46, P48, P50, P71, C5
func TestMethodsThroughRadsecproxy(t *testing.T) {
	runMethods(t, shared.throughRadsecproxy(), methods(t))
}

// passwordMethods are the passwords that a NAS sends.
func passwordMethods() []method {
	const bob = "User-Name = \"bob\"\nNAS-Identifier = \"interop\"\n"
	var rows []method
	for _, c := range []struct {
		name, attributes string
		status           int
		want             []string
	}{
		{"PAP", `User-Password = "hello"`, 0, []string{"Received Access-Accept", `Reply-Message = "Hello, bob"`}},
		{"PAP with a Message-Authenticator", "Message-Authenticator = 0x00\nUser-Password = \"hello\"", 0,
			[]string{"Received Access-Accept", "Message-Authenticator"}},
		{"CHAP without CHAP-Challenge", `CHAP-Password = "hello"`, 0, []string{"Received Access-Accept"}},
		{"CHAP with CHAP-Challenge", "CHAP-Challenge = 0x00112233445566778899aabbccddeeff\nCHAP-Password = \"hello\"", 0,
			[]string{"Received Access-Accept"}},
		{"MS-CHAP", `MS-CHAP-Password = "hello"`, 0, []string{"Received Access-Accept", "MS-MPPE-Encryption-Policy", "MS-CHAP-MPPE-Keys"}},
		{"PAP, wrong password", `User-Password = "` + wrongPassword + `"`, 1, []string{"Received Access-Reject"}},
		{"CHAP, wrong password", `CHAP-Password = "` + wrongPassword + `"`, 1, []string{"Received Access-Reject"}},
		{"MS-CHAP, wrong password", `MS-CHAP-Password = "` + wrongPassword + `"`, 1, []string{"Received Access-Reject", "MS-CHAP-Error"}},
	} {
		rows = append(rows, method{name: c.name, run: func(t *testing.T, n nas) {
			r := n.radclient("auth", bob+c.attributes+"\n")
			expect(t, r, c.status, c.want...)
			// radclient shows in clear what is hidden on every leg: the LM key of 8 octets, and the NT
			// key, which is MD4 of MD4 of the password (RFC 2548 §2.4.1).
			if keys := fmt.Sprintf("MS-CHAP-MPPE-Keys = 0x%016x%x\n", 0, passwordHashHash); strings.Contains(r.Output, "MS-CHAP-MPPE-Keys") && !n.keepsMSCHAPKeys {
				expect(t, r, c.status, keys)
			}
		}})
	}
	return append(rows, method{name: "MS-CHAPv2", run: func(t *testing.T, n nas) {
		v2 := newMSCHAPv2("bob")
		r := n.radclient("auth", bob+fmt.Sprintf("MS-CHAP-Challenge = 0x%x\nMS-CHAP2-Response = 0x%x\n", v2.challenge, v2.response()))
		// The success proves that the server knows the password, and the peer's challenge.
		expect(t, r, 0, "Received Access-Accept", fmt.Sprintf("MS-CHAP2-Success = 0x%02x%x", v2.ident, v2.success()), "MS-MPPE-Send-Key = ", "MS-MPPE-Recv-Key = ")
	}})
}

// eapMethods are whole EAP conversations. Where keys are asked for eapol_test fails unless
// MS-MPPE-Send-Key and -Recv-Key of the Accept, which are hidden again on every leg, are those that it
// derived itself.
func eapMethods(t *testing.T) []method {
	ca := shared.path("freeradius/certs/eap-ca.pem")
	tls := func(certificate, key string) string {
		return lines("key_mgmt=WPA-EAP", "eap=TLS", `identity="bob"`, fmt.Sprintf("ca_cert=%q", ca),
			fmt.Sprintf("client_cert=%q", certificate), fmt.Sprintf("private_key=%q", key))
	}
	tunnel := func(method, password, phase2 string) string {
		return lines("key_mgmt=WPA-EAP", "eap="+method, `identity="bob"`, `anonymous_identity="anonymous"`,
			fmt.Sprintf("password=%q", password), fmt.Sprintf("phase2=%q", phase2), fmt.Sprintf("ca_cert=%q", ca))
	}
	// Of some 9,000 octets, which eapol_test sends in fragments of some 1,400: the RADIUS packets
	// that carry it are as long as they get.
	large, largeKey, err := testbed.LargeCertificate(t.TempDir(), ca, shared.path("freeradius/certs/eap-ca.key"), 200)
	if err != nil {
		t.Fatal(err)
	}
	var rows []method
	for _, c := range []struct {
		name, network string
		keys          bool
		want          string
	}{
		{"EAP-MD5", lines("key_mgmt=IEEE8021X", "eap=MD5", `identity="bob"`, `password="hello"`), false, ""},
		{"EAP-TLS", tls(shared.path("freeradius/certs/eap-client.pem"), shared.path("freeradius/certs/eap-client.key")), true, ""},
		{"EAP-TLS with a certificate in many fragments", tls(large, largeKey), true, "more fragments will follow"},
		{"PEAP MS-CHAPv2", tunnel("PEAP", userPassword, "auth=MSCHAPV2"), true, ""},
		{"EAP-TTLS PAP", tunnel("TTLS", userPassword, "auth=PAP"), true, ""},
		{"EAP-TTLS MS-CHAPv2", tunnel("TTLS", userPassword, "auth=MSCHAPV2"), true, ""},
	} {
		rows = append(rows, method{name: c.name, network: c.network, run: func(t *testing.T, n nas) {
			r := n.eapolTest(t, c.network, c.keys)
			expect(t, testbed.Result{Output: process.LastLines(r.Output, 20), Status: r.Status}, 0, "SUCCESS")
			if !strings.Contains(r.Output, c.want) {
				t.Errorf("the output of eapol_test lacks %q", c.want)
			}
			if c.keys && !strings.Contains(r.Output, "MPPE keys OK: 1  mismatch: 0") {
				t.Error("eapol_test does not report its MPPE keys as right")
			}
		}})
	}
	wrong := tunnel("PEAP", wrongPassword, "auth=MSCHAPV2")
	return append(rows, method{name: "PEAP MS-CHAPv2, wrong password", network: wrong, run: func(t *testing.T, n nas) {
		r := n.eapolTest(t, wrong, true)
		if r.Status == 0 || !strings.Contains(r.Output, "FAILURE") {
			t.Errorf("exit status %d, want a failure:\n%s", r.Status, process.LastLines(r.Output, 20))
		}
	}})
}

// accountingMethods are sessions of one record each. A record is in FreeRADIUS's detail file exactly
// once, and its NAS gets the answer, which is sent only when the record is written.
func accountingMethods() []method {
	var rows []method
	for _, record := range []string{"Start", "Interim-Update", "Stop", "Accounting-On", "Accounting-Off"} {
		rows = append(rows, method{name: "Accounting " + record, run: func(t *testing.T, n nas) { account(t, n, record, "") }})
	}
	return rows
}

// signedAccountingMethods are of a NAS that signs its accounting. The RadSec client signs it, too, and
// refuses an answer whose signature it does not expect: FreeRADIUS 3.2.1 wants one over zero octets
// where others want one over the request's authenticator, so the gateway's answer has none.
func signedAccountingMethods() []method {
	var rows []method
	for _, record := range []string{"Start", "Interim-Update", "Stop"} {
		rows = append(rows, method{name: "Accounting " + record + " with a Message-Authenticator", run: func(t *testing.T, n nas) {
			account(t, n, record, "Message-Authenticator = 0x00")
		}})
	}
	return rows
}

// account sends one record, with further attributes.
func account(t *testing.T, n nas, record, further string) {
	session := "session-" + rand.Text()
	r := n.radclient("acct", lines(`User-Name = "bob"`, `NAS-Identifier = "interop"`, "Acct-Status-Type = "+record,
		fmt.Sprintf("Acct-Session-Id = %q", session), further))
	expect(t, r, 0, "Received Accounting-Response")
	expectOnce(t, session, record)
}
