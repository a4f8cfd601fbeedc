package interop

import (
	"slices"
	"testing"
)

// provenBy is how the probe knows an answer to be the gateway's, by version of RADIUS.
var provenBy = map[string][]string{
	"1.0": {"Response Authenticator: verified", "Message-Authenticator: verified"},
	"1.1": {"Token: the request's"},
}

// probe → gateway → FreeRADIUS, without radsecproxy between.
// Rules: P18, P30, P35, P36, P50
func TestProbeAccess(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   []string
	}{
		{"PAP", []string{"-user", "bob", "-password", userPassword}, 0, []string{"verified Access-Accept", `Reply-Message = "Hello, bob"`}},
		{"PAP without Message-Authenticator", []string{"-user", "bob", "-password", userPassword, "-no-message-authenticator"}, 0, []string{"verified Access-Accept"}},
		{"CHAP without CHAP-Challenge", []string{"-chap", "-user", "bob", "-password", userPassword}, 0, []string{"verified Access-Accept"}},
		{"CHAP with CHAP-Challenge", []string{"-chap-challenge", "-user", "bob", "-password", userPassword}, 0, []string{"verified Access-Accept"}},
		{"Proxy-State comes back in order", []string{"-user", "bob", "-password", userPassword, "-attr", "Proxy-State=0x0102", "-attr", "Proxy-State=0x03"}, 0,
			[]string{"verified Access-Accept", "Proxy-State = 0x0102\n    Proxy-State = 0x03\nverified"}},
		{"PAP, wrong password", []string{"-user", "bob", "-password", wrongPassword}, 1, []string{"received Access-Reject"}},
		{"CHAP, wrong password", []string{"-chap", "-user", "bob", "-password", wrongPassword}, 1, []string{"received Access-Reject"}},
	} {
		for version, proof := range provenBy {
			t.Run(c.name+", RADIUS "+version, func(t *testing.T) {
				r := shared.probe("access", append(c.args, "-radius-version", version)...)
				expect(t, r, c.status, slices.Concat(c.want, proof)...)
			})
		}
	}
}

// The nine attributes of user enc that FreeRADIUS hides with the UDP leg's secret arrive hidden with
// the RadSec leg's, and in clear where they are revealed.
// Rules: P38, P39, P41, P42
func TestHiddenAttributes(t *testing.T) {
	for version := range provenBy {
		t.Run("RADIUS "+version, func(t *testing.T) {
			r := shared.probe("access", "-user", "enc", "-password", userPassword, "-radius-version", version)
			expect(t, r, 0,
				"verified Access-Accept",
				`Tunnel-Password:1 = "tunnel-secret-1"`,
				`Tunnel-Password:2 = "tunnel-secret-2"`,
				`Aruba-MPSK-Passphrase = 0x6d70736b2d7061737370687261736531 "mpsk-passphrase1"`,
				"Alc-LI-Action = 2\n",
				"ERX-Med-Ip-Address = 192.0.2.7",
				`Ascend-Send-Secret = "sixteen-octets-x"`,
				"WiMAX-MSK = 0x000102030405060708090a0b0c0d0e0f",
				"MS-CHAP-MPPE-Keys = 0x0001020304050607000102030405060708090a0b0c0d0e0f",
				"Tunnel-Type:1 = ",
			)
		})
	}
}
