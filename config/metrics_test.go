package config

import "testing"

func TestMistakesOfMetrics(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"metrics address", inListen("[metrics]\naddress='9713'\n"), []string{`15: metrics.address: expected a host and a port such as "127.0.0.1:9713"`}},
		{"metrics port", inListen("[metrics]\naddress=':http'\n"), []string{`15: metrics.address: expected a host and a port`}},
		{"metrics certificate without key", inListen("[metrics]\ncertificate='c.pem'\n"), []string{`14: metrics.private_key: missing: expected the path of a PEM file, since certificate is given`, `15: metrics.certificate: expected a readable file`}},
		{"token twice", inListen("[metrics]\ntoken='hush'\ntoken_env='TOKEN'\n"), []string{`16: metrics.token_env: expected only one of token, token_file or token_env, got a second one`}},
		{"empty token", inListen("[metrics]\ntoken=''\n"), []string{`15: metrics.token: expected a secret, got an empty one`}},
	})
}
