package config

import (
	"strings"
	"testing"
)

func TestMistakesOfOperation(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"metrics address", inListen("[metrics]\naddress='9713'\n"), []string{`15: metrics.address: expected a host and a port such as "127.0.0.1:9713"`}},
		{"metrics port", inListen("[metrics]\naddress=':http'\n"), []string{`15: metrics.address: expected a host and a port`}},
		{"level", inListen("[log]\nlevel='warning'\n"), []string{`15: log.level: expected "debug", "info", "warn" or "error", got "warning"`}},
		{"metrics certificate without key", inListen("[metrics]\ncertificate='c.pem'\n"), []string{`14: metrics.private_key: missing: expected the path of a PEM file, since certificate is given`, `15: metrics.certificate: expected a readable file`}},
		{"token twice", inListen("[metrics]\ntoken='hush'\ntoken_env='TOKEN'\n"), []string{`16: metrics.token_env: expected only one of token, token_file or token_env, got a second one`}},
		{"empty token", inListen("[metrics]\ntoken=''\n"), []string{`15: metrics.token: expected a secret, got an empty one`}},
		{"user", inListen("[log]\nuser='half'\n"), []string{`15: log.user: expected "full", "hash", "cut" or "none", got "half"`}},
		{"fticks", inListen("[log]\nfticks='a#b'\nfticks_country='DE'\n"), []string{`15: log.fticks: expected the federation's name`}},
		{"fticks alone", inListen("[log]\nfticks='eduroam'\n"), []string{`14: log.fticks_country: missing: expected the country visited`}},
		{"fticks country", inListen("[log]\nfticks='eduroam'\nfticks_country='de'\n"), []string{`16: log.fticks_country: expected two capital letters`}},
		{"fticks institution", inListen("[log]\nfticks_institution='1#x'\n"), []string{`15: log.fticks_institution: expected letters, digits`}},
		{"fticks syslog", inListen("[log]\nfticks_syslog='host'\n"), []string{`15: log.fticks_syslog: expected a host and a port`}},
		{"tap socket", inListen("[tap]\nsocket='/" + strings.Repeat("x", 100) + "'\n"), []string{`15: tap.socket: expected a path of at most 100 octets, got 101`}},
		{"format", inListen("[log]\nformat='xml'\n"), []string{`15: log.format: expected "text" or "json", got "xml"`}},
	})
}
