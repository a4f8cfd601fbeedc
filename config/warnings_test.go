package config

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// dtlsWarnings are files with RADIUS/DTLS, and the warnings about them.
func dtlsWarnings() []warningCase {
	const aListener = "[[listener]]\nname='l'\ntransport='dtls'\naddress=['127.0.0.1:2083']\n"
	return []warningCase{
		{"a PSK of two, from anywhere", goodListen + aListener + goodClient + "psk_identity='a'\npsk='0123456789abcdefg'\ntransports=['dtls']\n[[client]]\nname='d'\nnetworks=['192.0.2.0/24']\npsk_identity='b'\npsk='hex:3031323334353637383961626364656667'\ntransports=['dtls']\n" + goodServer + goodRoute, []string{
			`:1: listen: the listener "listen" accepts no client: none that it may accept has "tls" in transports`,
			`:11: client[0].psk_identity: client "c" has no networks`, `:17: client[1].psk_identity: client "c" has the same PSK`}},
		{"dead sessions over DTLS", goodListen + aListener + "idle_timeout='0s'\n" + goodClient + "networks=['::/0']\ntransports=['tls','dtls']\n" + goodServer + goodRoute, []string{
			`:9: listener[0].idle_timeout: "0s" at the listener "l": sessions over DTLS whose clients are gone stay`}},
		{"a PSK of digits", goodListen + aListener + goodClient + "networks=['192.0.2.1']\npsk_identity='a'\npsk='c0ffee00112233445566778899aabbcc'\ntransports=['dtls']\n[[client]]\nname='d'\nnetworks=['::1']\n" + goodServer + goodRoute, []string{
			`:13: client[0].psk: hexadecimal digits are used as 32 bytes of text; did you mean "hex:" before them?`}},
		{"the secret of TLS over DTLS", goodListen + aListener + goodClient + "networks=['::/0']\nsecret='radsec'\ntransports=['tls','dtls']\n" + goodServer + goodRoute, []string{
			`:12: client[0].secret: client "c" has "radsec" over DTLS, too, where the secret is "radius/dtls"`}},
		{"the secret of TLS by default", goodListen + aListener + goodClient + "networks=['::/0']\ntransports=['tls','dtls']\n" + goodServer + goodRoute, nil},
	}
}

// warningCases are files, and the warnings about them.
func warningCases() []warningCase {
	const (
		oneClient = goodListen + goodClient + "networks=['::/0']\n"
		second    = "[[server]]\nname='t'\naddress='127.0.0.2'\nsecret='0123456789abcdef'\n"
		both      = "[[route]]\nrealms=['*']\nservers=['s', 't']\n"
	)
	named := strings.Replace(goodServer, "127.0.0.1", "radius.internal", 1)
	return []warningCase{
		{"nothing to say", goodListen + goodClient + "networks=['10.0.0.0/8']\n" + goodServer + goodRoute, nil},
		{"client without condition", goodListen + goodClient + "[[client]]\nname='d'\n" + goodServer + goodRoute, []string{
			`:5: client[0]: client "c" has no condition: every certificate`, `:7: client[1]: client "d" never matches`}},
		{"no certificates", goodListen + "client_auth='none'\n" + goodClient + "san_dns=['x']\n[[client]]\nname='d'\n" + goodServer + goodRoute, []string{
			`:5: listen.client_auth: "none" lets clients in`, `:6: client[0]: client "c" never matches: it asks`, `:9: client[1]: client "d" has no condition: everybody`}},
		{"suites under 1.3", goodListen + "min_tls='1.3'\ncipher_suites=['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']\n" + goodClient + "networks=['::/0']\n" + goodServer + goodRoute, []string{":6: listen.cipher_suites: has no effect"}},
		{"lists in memory only, and refuse", goodListen + "crl=['http://x/']\ncrl_stale='refuse'\n" + goodClient + "networks=['::/0']\n" + goodServer + goodRoute, []string{`:6: listen.crl_stale: "refuse" without crl_directory: after each start clients are refused`}},
		{"lists on disk, and refuse", goodListen + "crl=['http://x/']\ncrl_stale='refuse'\ncrl_directory='x'\n" + goodClient + "networks=['::/0']\n" + goodServer + goodRoute, nil},
		{"a directory for nothing", goodListen + "crl_directory='x'\n" + goodClient + "networks=['::/0']\n" + goodServer + goodRoute, []string{`:5: listen.crl_directory: has no effect: crl has no URL`}},
		{"idle connections closed too soon", goodListen + "idle_timeout='59s'\n" + goodClient + "networks=['::/0']\n" + goodServer + goodRoute, []string{`:5: listen.idle_timeout: 59s is below 1m0s: a client that finds its connection closed`}},
		{"idle connections closed after a minute", goodListen + "idle_timeout='60s'\n" + goodClient + "networks=['::/0']\n" + goodServer + goodRoute, nil},
		{"idle connections never closed", goodListen + "idle_timeout='0s'\n" + goodClient + "networks=['::/0']\n" + goodServer + goodRoute, nil},
		{"unverified requests", goodListen + goodClient + "networks=['::/0']\nverify_request_authenticator=false\n" + goodServer + goodRoute, []string{`:8: client[0].verify_request_authenticator: client "c" may`}},
		{"secret of 12 bytes", goodListen + goodClient + "networks=['::/0']\n" + strings.Replace(goodServer, "0123456789abcdef", "0123456789ab", 1) + goodRoute, []string{`:11: server[0].secret: server "s" has a secret of 12 bytes`}},
		{"public server", goodListen + goodClient + "networks=['::/0']\n" + strings.Replace(goodServer, "127.0.0.1", "192.0.2.1", 1) + goodRoute, []string{`:10: server[0].address: server "s" at 192.0.2.1 is neither`}},
		{"private server", goodListen + goodClient + "networks=['::/0']\n" + strings.Replace(goodServer, "127.0.0.1", "fd00::1", 1) + goodRoute, nil},
		{"forgeable replies", goodListen + goodClient + "networks=['::/0']\n" + goodServer + "require_message_authenticator=false\n" + goodRoute, []string{`:12: server[0].require_message_authenticator: replies of server "s" can be forged`}},
		{"long schedule", goodListen + goodClient + "networks=['::/0']\n" + goodServer + "retransmit_duration='31s'\n" + goodRoute, []string{`:12: server[0].retransmit_duration: server "s": 31s is outside`}},
		{"reverse path to a host name", goodListen + goodClient + "networks=['::/0']\nreverse_path='nak'\n" + strings.Replace(goodServer, "127.0.0.1", "radius.internal", 1) + goodRoute, []string{`:8: client[0].reverse_path: server "s" is given by host name: whatever address its name server gives for it passes`}},
		{"resolve_interval of an IP address", oneClient + goodServer + "resolve_interval='1m'\n" + goodRoute, []string{`:12: server[0].resolve_interval: has no effect: server "s" is given by its IP address 127.0.0.1`}},
		{"failing_after without probes", oneClient + goodServer + "health='none'\nfailing_after=9\n" + goodRoute, []string{`:13: server[0].failing_after: has no effect: health is "none"`}},
		{"failover among addresses", oneClient + named + "expand=true\n" + goodRoute, []string{`:13: route[0]: server "s" has expand = true, and balance is "failover" by default`}},
		{"failover among addresses, as meant", oneClient + named + "expand=true\n" + goodRoute + "balance='failover'\n", nil},
		{"patience longer than the schedule", oneClient + goodServer + second + both + "patience='31s'\n", []string{`:19: route[0].patience: has no effect with server "s": its requests are given up after 30s (retransmit_duration), before they have waited 31s`}},
		{"patience as long as the schedule, for a push", oneClient + goodServer + second + both + "patience='30s'\n", nil},
		{"patience longer than the second's schedule", oneClient + goodServer + second + "retransmit_duration='9s'\n" + both, []string{`:17: route[0].patience: has no effect with server "t": its requests are given up after 9s`}},
		{"patience longer than the schedule among addresses", oneClient + named + "expand=true\n" + goodRoute + "balance='sticky'\npatience='40s'\n", []string{`:17: route[0].patience: has no effect with server "s"`}},
		{"patience below the first wait", oneClient + goodServer + second + both + "patience='2s'\n", []string{`:19: route[0].patience: 2s is not above the 2s after which server "s" is sent a request again`}},
		{"patience for a push", oneClient + goodServer + second + both + "patience='25s'\n", nil},
		{"patience without end", oneClient + goodServer + second + both + "patience='0s'\n", nil},
		{"patience with one server", oneClient + goodServer + goodRoute + "patience='40s'\n", nil},
		{"patience for CoA", oneClient + goodServer + "nas=false\n" + second + "nas=false\n" + both + "packets=['coa']\npatience='40s'\n", nil},
		{"CoA to a server that may be a NAS", oneClient + goodServer + goodRoute + "packets=['coa']\n", []string{`:8: server[0]: server "s" gets CoA and Disconnect with a Proxy-State`}},
		{"CoA without a loop marker", oneClient + goodServer + goodRoute + "packets=['coa']\n[routing]\nloop_marker=false\n", nil},
		{"loop secret without marker", oneClient + goodServer + goodRoute + "[routing]\nloop_marker=false\nloop_marker_secret='x'\n", []string{`:17: routing.loop_marker_secret: has no effect: loop_marker is false`}},
		{"two NASes of one name", oneClient + goodServer + "nas=true\nnas_identifier=['ap']\n" + second + "nas=true\nnas_identifier=['x','ap']\n" + both + "packets=['coa']\n", []string{`:20: route[0]: servers "s" and "t" are both called "ap"`}},
		{"accounting that ends here", oneClient + goodServer + goodRoute + "accounting='answer'\n", []string{`:15: route[0].accounting: accounting of these realms ends here: the gateway acknowledges it, and nobody keeps it`}},
		{"next server of one", oneClient + goodServer + goodRoute + "on_reject='next'\n", []string{`:15: route[0].on_reject: has no effect: a rejected request has no other server to go to`}},
		{"next server of two", oneClient + goodServer + second + both + "on_reject='next'\n", nil},
		{"a source in a pool", goodListen + goodClient + "san_dns=['a']\nsource='127.1.0.9'\n[[client]]\nname='d'\nsan_dns=['b']\nsource_pool='127.1.0.0/16'\n" + goodServer + "source='127.1.0.8'\n" + goodRoute, []string{
			`:12: client[1].source_pool: it contains 127.1.0.9, the source of client "c"`, `:12: client[1].source_pool: it contains 127.1.0.8, the source of server "s"`}},
		{"a pool without certificates", goodListen + "client_auth='none'\n" + goodClient + "networks=['10.0.0.0/8']\nsource_pool='127.1.0.0/16'\n" + goodServer + goodRoute, []string{
			`:5: listen.client_auth: "none" lets`, `:9: client[0].source_pool: all connections of client "c" without a certificate`}},
		{"one source, two secrets", goodListen + goodClient + "san_dns=['a']\nsource='127.1.0.9'\n[[client]]\nname='d'\nsan_dns=['b']\nsource='127.1.0.9'\nserver_secret='0123456789abcdef'\n" + goodServer + goodRoute, []string{
			`:12: client[1].source: client "c" has the same source and another server_secret`}},
		{"one source of two clients", goodListen + goodClient + "san_dns=['a']\nsource='127.1.0.9'\n[[client]]\nname='d'\nsan_dns=['b']\nsource='127.1.0.9'\n" + goodServer + goodRoute, nil},
		{"idle server", goodListen + goodClient + "networks=['::/0']\n" + goodServer + goodRoute + strings.Replace(goodServer, "'s'", "'t'", 1), []string{`:15: server[1]: server "t" is in no route`}},
	}
}

type warningCase struct {
	name, text string
	want       []string
}

// Rules: P24, P56, P105, P106, P113
func TestWarnings(t *testing.T) {
	for _, x := range append(warningCases(), dtlsWarnings()...) {
		x.check(t)
	}
}

func (x *warningCase) check(t *testing.T) {
	t.Run(x.name, func(t *testing.T) {
		c, err := load(t, x.text)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Warnings()
		for i, w := range got {
			if i >= len(x.want) || !strings.Contains(w, x.want[i]) {
				t.Errorf("warning %d is %s\nwant %q", i, w, x.want)
			}
		}
		if len(got) < len(x.want) {
			t.Errorf("expected the warnings %q, got only %q", x.want, got)
		}
	})
}

// A server's host name is looked up when the file is checked.
// Rules: C12
func TestNameWarnings(t *testing.T) {
	stands := map[string]string{"inside.example": "10.0.0.1", "here.example": "::ffff:127.0.0.1", "outside.example": "192.0.2.1"}
	lookup := func(_ context.Context, network, host string) ([]netip.Addr, error) {
		if a, ok := stands[host]; ok && network == "ip" {
			return []netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr(a)}, nil
		}
		return nil, errors.New("no such host")
	}
	for host, want := range map[string]string{
		"127.0.0.1": "", "192.0.2.1": "", // Warnings reports it
		"inside.example": "", "here.example": "",
		"outside.example": `:9: server[0].address: server "s": "outside.example" is 192.0.2.1 now, neither on this machine nor on a private network`,
		"nobody.example":  `:9: server[0].address: server "s": "nobody.example" has no address now (no such host)`,
	} {
		c, err := load(t, goodListen+goodClient+strings.Replace(goodServer, "127.0.0.1", host, 1)+goodRoute)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(c.NameWarnings(t.Context(), lookup), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: warnings %q, expected %q", host, got, want)
		}
	}
}

// RADIUS over UDP is for this machine and private networks (RFC 6613 §2,
// draft-ietf-radext-deprecating-radius §6.1).
// Rules: C12
func TestExposedAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false,
		"10.0.0.1": false, "172.31.255.255": false, "192.168.0.1": false, "fd00::1": false, "::ffff:10.0.0.1": false,
		"169.254.0.1": false, "fe80::1": false,
		"172.32.0.1": true, "192.0.2.1": true, "8.8.8.8": true, "2001:db8::1": true, "::ffff:192.0.2.1": true, "100.64.0.1": true,
	} {
		if got := exposed(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: expected that a server there is warned of to be %t, got %t", address, want, got)
		}
	}
}
