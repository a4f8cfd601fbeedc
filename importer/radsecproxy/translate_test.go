package radsecproxy

import (
	"strings"
	"testing"

	"radsec-gw/importer/importertest"
)

// What is out of range, given twice in different ways or of a form that the gateway does
// not have is noted.
func TestLostValuesAreNoted(t *testing.T) {
	const text = `
ListenTLS 192.0.2.1:99999
ListenTLS [2001:db8::1]:radsec
ListenTLS 192.0.2.2:0
FTicksKey first-Key-0123
LogKey other-Key-0123
FTicksPrefix F-TICKS/other
FTicksReporting Basic
client c {
	type tls
	host 192.0.2.3
	FticksVISCOUNTRY DE
}
server s {
	type udp
	host 192.0.2.4
	secret 0123456789abcdef
	RetryCount 200
	RetryInterval 0
}
realm * {
	server s
}
`
	d, err := importText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	notes, written := noteTexts(d), importertest.Text(t, d)
	for _, want := range []string{
		"\nListenTLS 192.0.2.1:99999: expected a port from 1 to 65535, got \"99999\"", "\nListenTLS 192.0.2.2:0: expected a port from 1 to 65535",
		"\nLogKey …: the gateway hashes with one key", "\nFTicksPrefix F-TICKS/other: the gateway writes F-TICKS/other/1.0",
		"\nserver s: expected RetryCount of at most 99 and RetryInterval from 1 to 3600, got 200 and 0",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("expected the note %q, got%s", want, notes)
		}
	}
	if !strings.Contains(written, `address = ["[2001:db8::1]:2083"]`) || !strings.Contains(written, `hash_salt = "first-Key-0123"`) {
		t.Errorf("expected one address and the first key, got\n%s", written)
	}
	importertest.CheckLoads(t, written)
	if d, err = importText("FTicksReporting Everything\n", nil); err != nil || !strings.Contains(noteTexts(d), "FTicksReporting Everything: expected None, Basic or Full") {
		t.Errorf("expected a note about FTicksReporting, got %v%s", err, noteTexts(d))
	}
}
