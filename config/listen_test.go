package config

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Rules: P102
func TestMistakesOfListen(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"string expected", inListen("client_auth=1\n"), []string{"14: listen.client_auth: expected a string in quotes, got the integer 1"}},
		{"choice", inListen("client_auth='required'\n"), []string{`14: listen.client_auth: expected "require", "optional" or "none", got "required" (did you mean "require"?)`}},
		{"min_tls", inListen("min_tls='1.1'\n"), []string{`14: listen.min_tls: expected "1.2" or "1.3", got "1.1"`}},
		{"array expected", inListen("address='0.0.0.0:2083'\n"), []string{`14: listen.address: expected an array of strings, got "0.0.0.0:2083": write ["0.0.0.0:2083"]`}},
		{"array of strings", inListen("address=['0.0.0.0:2083',\n 2083]\n"), []string{"15: listen.address[1]: expected a string in quotes, got the integer 2083"}},
		{"no address", inListen("address=[]\n"), []string{`14: listen.address: expected at least one address`}},
		{"address without IP", inListen("address=[':2083']\n"), []string{`14: listen.address[0]: expected an IP address and a port such as "0.0.0.0:2083" or "[::]:2083", got ":2083": write "0.0.0.0:2083" or "[::]:2083"`}},
		{"address without port", inListen("address=['127.0.0.1']\n"), []string{`14: listen.address[0]: expected an IP address and a port such as "0.0.0.0:2083" or "[::]:2083", got "127.0.0.1": the port is missing`}},
		{"address with large port", inListen("address=['127.0.0.1:65536']\n"), []string{`14: listen.address[0]: expected an IP address and a port`}},
		{"address twice", inListen("address=['[::]:2083', '[::]:2083']\n"), []string{`14: listen.address[1]: "[::]:2083" is listed twice`}},
		{"address taken in", inListen("address=['0.0.0.0:2083', '127.0.0.1:2083']\n"), []string{`14: listen.address[1]: "127.0.0.1:2083" is taken in by the unspecified address`}},
		{"address of metrics", inListen("address=['[::1]:2084', '0.0.0.0:2083']\n[metrics]\naddress='127.0.0.1:2083'\n"), []string{`16: metrics.address: "127.0.0.1:2083" is where listen.address[1] (line 14) listens`}},
		{"address of metrics by name", inListen("address=['127.0.0.1:2083']\n[metrics]\naddress='localhost:2083'\n"), []string{`16: metrics.address: "localhost:2083" is where listen.address[0] (line 14) listens`}},
		{"missing file", strings.Replace(inListen(""), "s.pem", "t.pem", 1), []string{`11: listen.certificate: expected a readable file, got "t.pem": there is no `}},
		{"directory for a file", strings.Replace(inListen(""), "ca.pem", ".", 1), []string{`13: listen.client_ca: expected a readable file, got ".": `}},
		{"empty file name", strings.Replace(inListen(""), "ca.pem", "", 1), []string{`13: listen.client_ca: expected a readable file, got "": the name is empty`}},
		{"unknown suite", inListen("cipher_suites=['AES']\n"), []string{`14: listen.cipher_suites[0]: expected "TLS_`}},
		{"suite of TLS 1.3", inListen("cipher_suites=['TLS_AES_128_GCM_SHA256']\n"), []string{`14: listen.cipher_suites[0]: expected "TLS_ECDHE`}},
		{"insecure suite", inListen("cipher_suites=['TLS_RSA_WITH_RC4_128_SHA']\n"), []string{`14: listen.cipher_suites[0]: TLS_RSA_WITH_RC4_128_SHA is not secure (RFC 9325`}},
		{"crl that is not there", inListen("crl=['ca.crl']\n"), []string{`14: listen.crl[0]: expected a readable file, got "ca.crl": there is no`}},
		{"crl by https", inListen("crl=['https://crl.example/ca.crl']\n"), []string{`14: listen.crl[0]: expected a URL that begins with http://, got "https://crl.example/ca.crl": lists are signed, so http is enough`}},
		{"crl by another scheme", inListen("crl=['ldap://x', 'HTTP://x/']\n"), []string{`14: listen.crl[0]: expected a path or a URL that begins with http://, got "ldap://x"`, `14: listen.crl[1]: expected a path or a URL`}},
		{"crl without host", inListen("crl=['http:///a', 'http://a b/']\n"), []string{`14: listen.crl[0]: expected a URL such as "http://crl.example.org/ca.crl", got "http:///a"`, `14: listen.crl[1]: expected a URL such as`}},
		{"crl with a password", inListen("crl=['http://me:secret@x/']\n"), []string{`14: listen.crl[0]: expected a URL without a user name, got one with "me"`}},
		{"crl with a fragment", inListen("crl=['http://x/#a']\n"), []string{`14: listen.crl[0]: expected a URL without a fragment`}},
		{"crl that is long", inListen("crl=['http://x/" + strings.Repeat("a", 3000) + "']\n"), []string{`14: listen.crl[0]: expected a URL of at most 2048 bytes, got one of 3009`}},
		{"crl twice", inListen("crl=['http://x/', 'http://x/']\n"), []string{`14: listen.crl[1]: "http://x/" is listed twice`}},
		{"crl_refresh", inListen("crl_refresh='30s'\n"), []string{`14: listen.crl_refresh: expected at least 1m, got "30s"`}},
		{"crl without certificates", inListen("client_auth='none'\ncrl=['http://x/']\ncrl_distribution_points=true\n"), []string{`15: listen.crl: client_auth is "none"`, `16: listen.crl_distribution_points: client_auth is "none"`}},
		{"crl_stale", inListen("crl_stale='ignore'\n"), []string{`14: listen.crl_stale: expected "accept" or "refuse", got "ignore"`}},
		{"proxy_protocol", inListen("proxy_protocol=['lb']\n"), []string{`14: listen.proxy_protocol[0]: expected an address range`}},
		{"no handshakes", inListen("max_handshakes=0\n"), []string{`14: listen.max_handshakes: expected an integer of 1 or more, got the integer 0`}},
		{"version twice", inListen("radius_versions=['1.1','1.1']\n"), []string{`14: listen.radius_versions[1]: "1.1" is listed twice`}},
		{"versions no array", inListen("radius_versions='1.1'\n"), []string{`14: listen.radius_versions: expected an array of strings`}},
		{"unknown version", inListen("radius_versions=['2']\n"), []string{`14: listen.radius_versions[0]: expected "1.0" or "1.1", got "2"`}},
		{"duration a number", inListen("idle_timeout=10\n"), []string{`14: listen.idle_timeout: expected a duration in quotes such as "10s" or "5m", got the integer 10`}},
		{"duration without unit", inListen("idle_timeout='10'\n"), []string{`14: listen.idle_timeout: expected a duration such as "500ms", "10s", "5m" or "7d", got "10"`}},
		{"negative duration", inListen("idle_timeout='-1s'\n"), []string{`14: listen.idle_timeout: expected a duration that is not negative, got "-1s"`}},
		{"zero duration", inListen("packet_timeout='0s'\n"), []string{`14: listen.packet_timeout: expected a duration above zero, got "0s"`}},
		{"number expected", inListen("max_connections='1'\n"), []string{`14: listen.max_connections: expected an integer of 1 or more, got "1"`}},
		{"number too small", inListen("max_connections=0\n"), []string{`14: listen.max_connections: expected an integer of 1 or more, got the integer 0`}},
		{"number no integer", inListen("max_connections=1.5\n"), []string{`14: listen.max_connections: expected an integer of 1 or more, got the number 1.5`}},
	})
}

// Rules: P120
func TestRadiusVersions(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "[1.0 1.1]", // RFC 9765 §3.3
		"radius_versions=['1.0']\n":       "[1.0]",
		"radius_versions=['1.1','1.0']\n": "[1.1 1.0]",
		"radius_versions=['1.1']\n":       "[1.1]",
		"radius_versions=[]\n":            "[]", // no ALPN
	} {
		c, err := load(t, goodListen+text+goodClient+goodServer+goodRoute)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Listen.RadiusVersions); got != want {
			t.Errorf("%q: versions %s, want %s", text, got, want)
		}
	}
}

// By default TLS 1.2 has suites with authenticated encryption and forward secrecy only; others must be
// asked for.
//
// Fault S16.
// Rules: P102
func TestDefaultCipherSuites(t *testing.T) {
	for _, given := range []string{"", "cipher_suites = []\n"} {
		c, err := load(t, goodListen+given+goodClient+"networks=['::/0']\n"+goodServer+goodRoute)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, id := range c.Listen.Suites() {
			names = append(names, tls.CipherSuiteName(id))
		}
		slices.Sort(names)
		want := []string{
			"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
			"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		}
		if !slices.Equal(names, want) {
			t.Errorf("%q: got %q, want %q", given, names, want)
		}
	}
	c, err := load(t, goodListen+"cipher_suites = ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA']\n"+goodClient+"networks=['::/0']\n"+goodServer+goodRoute)
	if err != nil || len(c.Listen.Suites()) != 1 || c.Listen.Suites()[0] != tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA {
		t.Errorf("asked for one with CBC, and got %v, %v", c.Listen.Suites(), err)
	}
}
