package config

import "testing"

func TestMistakesOfLog(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"level", inListen("[log]\nlevel='warning'\n"), []string{`15: log.level: expected "debug", "info", "warn" or "error", got "warning"`}},
		{"user", inListen("[log]\nuser='half'\n"), []string{`15: log.user: expected "full", "hash", "cut" or "none", got "half"`}},
		{"fticks", inListen("[log]\nfticks='a#b'\nfticks_country='DE'\n"), []string{`15: log.fticks: expected the federation's name`}},
		{"fticks alone", inListen("[log]\nfticks='eduroam'\n"), []string{`14: log.fticks_country: missing: expected the country visited`}},
		{"fticks country", inListen("[log]\nfticks='eduroam'\nfticks_country='de'\n"), []string{`16: log.fticks_country: expected two capital letters`}},
		{"fticks institution", inListen("[log]\nfticks_institution='1#x'\n"), []string{`15: log.fticks_institution: expected letters, digits`}},
		{"fticks syslog", inListen("[log]\nfticks_syslog='host'\n"), []string{`15: log.fticks_syslog: expected a host and a port`}},
		{"format", inListen("[log]\nformat='xml'\n"), []string{`15: log.format: expected "text" or "json", got "xml"`}},
	})
}
