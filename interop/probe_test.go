package interop

import (
	"slices"
	"testing"

	"radsec-gw/probe"
)

// provenBy is how the probe knows an answer to be the gateway's, by version of RADIUS.
var provenBy = map[string][]string{
	"1.0": {"Response Authenticator: verified", "Message-Authenticator: verified"},
	"1.1": {"Token: the request's"},
}

// probe → gateway → FreeRADIUS, without radsecproxy between.
// Rules: P18, P30, P35, P36, P50
func TestProbeAccess(t *testing.T) {
	pap := probe.Config{Kind: probe.Access, User: "bob", Password: userPassword}
	with := func(change func(*probe.Config)) probe.Config {
		cfg := pap
		change(&cfg)
		return cfg
	}
	for _, c := range []struct {
		name   string
		cfg    probe.Config
		status int
		want   []string
	}{
		{"PAP", pap, 0, []string{"verified Access-Accept", `Reply-Message = "Hello, bob"`}},
		{"PAP without Message-Authenticator", with(func(c *probe.Config) { c.NoMessageAuthenticator = true }), 0, []string{"verified Access-Accept"}},
		{"CHAP without CHAP-Challenge", with(func(c *probe.Config) { c.CHAP = true }), 0, []string{"verified Access-Accept"}},
		{"CHAP with CHAP-Challenge", with(func(c *probe.Config) { c.CHAPChallenge = true }), 0, []string{"verified Access-Accept"}},
		{"Proxy-State is returned in order", with(func(c *probe.Config) { c.Attributes = []string{"Proxy-State=0x0102", "Proxy-State=0x03"} }), 0,
			[]string{"verified Access-Accept", "Proxy-State = 0x0102\n    Proxy-State = 0x03\nverified"}},
		{"PAP, wrong password", with(func(c *probe.Config) { c.Password = wrongPassword }), 1, []string{"received Access-Reject"}},
		{"CHAP, wrong password", with(func(c *probe.Config) { c.CHAP, c.Password = true, wrongPassword }), 1, []string{"received Access-Reject"}},
	} {
		for version, proof := range provenBy {
			t.Run(c.name+", RADIUS "+version, func(t *testing.T) {
				c.cfg.Version = version
				expect(t, shared.probe(c.cfg), c.status, slices.Concat(c.want, proof)...)
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
			r := shared.probe(probe.Config{Kind: probe.Access, User: "enc", Password: userPassword, Version: version})
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
