package config

import "testing"

func TestMistakesOfMetrics(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"metrics address", inListen("[metrics]\naddress='9713'\n"), []string{`15: metrics.address: expected a host and a port such as "127.0.0.1:9713"`}},
		{"metrics port", inListen("[metrics]\naddress=':http'\n"), []string{`15: metrics.address: expected a host and a port`}},
		{"metrics certificate without key", inListen("[metrics]\ncertificate='c.pem'\n"), []string{`14: metrics.private_key: missing: expected the path of a PEM file, since certificate is given`, `15: metrics.certificate: expected a readable file`}},
		{"token twice", inListen("[metrics]\ntoken='hush'\ntoken_env='TOKEN'\n"), []string{`16: metrics.token_env: expected only one of token, token_file or token_env, got a second one`}},
		{"empty token", inListen("[metrics]\ntoken=''\n"), []string{`15: metrics.token: expected a secret, got an empty one`}},
		{"token of blanks", inListen("[metrics]\ntoken='  '\n"), []string{`15: metrics.token: expected a token, got only blanks`}},
		{"token with a control character", inListen("[metrics]\ntoken=\"a\\u0007b\"\n"), []string{`15: metrics.token: expected a token without control characters`}},
		{"host with a port", inListen("[metrics]\nhosts=['radius:9713', '*.example.org', '*']\n"), []string{`15: metrics.hosts[0]: expected a host name without a port, "*." before one, or "*", got "radius:9713"`}},
		{"address as host", inListen("[metrics]\nhosts=['192.0.2.1']\n"), []string{`15: metrics.hosts[0]: expected a host name, got "192.0.2.1": IP addresses are always allowed`}},
	})
}

// Faults S11 and S8.
func TestWarningsOfMetrics(t *testing.T) {
	const base = goodListen + goodClient + "networks=['::/0']\n" + goodServer + goodRoute
	const token = "token='0123456789abcdef012345'\n"
	for _, row := range []warningCase{
		{"loopback", base + "[metrics]\naddress='127.0.0.1:9713'\npprof=true\n", nil},
		{"everywhere", base + "[metrics]\naddress=':9713'\n", []string{`:16: metrics.address: :9713 can be reached from other machines, and everybody`}},
		{"everywhere with a token", base + "[metrics]\naddress='0.0.0.0:9713'\n" + token, []string{`:16: metrics.address: 0.0.0.0:9713 can be reached from other machines, and the token goes there in clear`}},
		{"short token", base + "[metrics]\ntoken='x'\n", []string{`:16: metrics.token: the token has 1 bytes and can be guessed`}},
		{"token with blanks", base + "[metrics]\ntoken='0123456789abcdef012345 '\n", []string{`:16: metrics.token: the secret ends with blanks (1): they are ignored`}},
		{"profiles", base + "[metrics]\naddress='radius.example:9713'\npprof=true\n" + token, []string{`:16: metrics.address: `, `:17: metrics.pprof: profiles are served at radius.example:9713`}},
		{"every host", base + "[metrics]\nhosts=['*']\n", []string{`:16: metrics.hosts: "*" lets any web site`}},
		{"every host with a token", base + "[metrics]\nhosts=['*']\n" + token, nil},
		{"short salt", base + "[log]\nhash_salt='2024'\n", []string{`:16: log.hash_salt: the salt has 4 bytes`}},
		{"salt", base + "[log]\nhash_salt='0123456789abcdef'\n", nil},
	} {
		row.check(t)
	}
}
