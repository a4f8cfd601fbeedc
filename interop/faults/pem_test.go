package faults

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

// What is not a whole block in a PEM file is a mistake with its line: ignored silently it
// would admit revoked clients, or refuse a CA's clients.
//
// Fault T2.
func TestWhatIsNotAWholeBlockIsAMistake(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = `crl = ["ca.crl"]`
	list, newer := listOf(b.ca, time.Now().Add(time.Hour)), listOf(b.ca, time.Now().Add(2*time.Hour), b.client)
	ca, second := b.ca.CertPEM(), need(certs.NewCA("another CA")).CertPEM()
	const mark = "\xef\xbb\xbf"
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	half := func(text []byte) []byte { return text[:len(text)/2] }
	ending := func(text []byte) int { return bytes.Count(text, []byte("\n")) } // its last line
	for _, c := range []struct {
		name, file string
		text       []byte
		line       int
		says       string
	}{
		{"a list after a byte order mark", "ca.crl", join([]byte(mark), newer, list), 1, "byte order mark"},
		{"a second list after a byte order mark", "ca.crl", join(list, []byte(mark), newer), ending(list) + 1, "byte order mark"},
		{"lists put together without a newline", "ca.crl", join(bytes.TrimSpace(list), newer), ending(list), `"END" and "BEGIN" are on the same line`},
		{"a list cut short", "ca.crl", join(list, half(newer)), ending(list) + 1, "the file is cut short"},
		{"a CA after a byte order mark", "ca.pem", join(ca, []byte(mark), second), ending(ca) + 1, "byte order mark"},
		{"CAs put together without a newline", "ca.pem", join(bytes.TrimSpace(ca), second), ending(ca), `"END" and "BEGIN" are on the same line`},
		{"a CA cut short", "ca.pem", join(ca, half(second)), ending(ca) + 1, "the file is cut short"},
		{"text between CAs", "ca.pem", join(ca, []byte("the next one\n"), second), ending(ca) + 1, "text outside of the blocks"},
		{"a key among CAs", "ca.pem", join(ca, need(b.client.KeyPEM())), ending(ca) + 1, "PRIVATE KEY"},
	} {
		b.write("ca.crl", list)
		b.write("ca.pem", ca)
		b.write(c.file, c.text)
		status, said := b.check()
		if place := fmt.Sprintf("%s:%d: ", c.file, c.line); status != 1 || process.CountLines(said, place, c.says) != 1 {
			t.Errorf("%s: check exits %d, expected 1 and a line with %q and %q, got\n%s", c.name, status, place, c.says, said)
		}
	}
}

// A file that is half written when it is read again changes nothing, and is read again when it is
// whole.
//
// Fault T2.
func TestAHalfWrittenFileKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = `reload_interval = "100ms"`
	second, third := need(certs.NewCA("another CA")), need(certs.NewCA("a third CA"))
	both := append(b.ca.CertPEM(), second.CertPEM()...)
	b.write("ca.pem", both)
	g := b.serve()
	client := need(second.Client("client.example"))
	open := g.dial(client)
	if err := open.status(); err != nil {
		t.Fatalf("a client of the second CA is refused: %v", err)
	}
	b.write("ca.pem", both[:len(both)-100])
	g.RefusedReload()
	g.Says(`msg="reload refused`, "ca.pem", "the file is cut short")
	if err := open.status(); err != nil {
		t.Errorf("the half file has closed the connection of the second CA's client: %v", err)
	}
	if err := g.admits(client); err != nil {
		t.Errorf("with the half file a client of the second CA is refused: %v", err)
	}
	b.write("ca.pem", append(both, third.CertPEM()...))
	if last := need(third.Client("client.example")); !testbed.Eventually(patience, func() bool { return g.admits(last) == nil }) {
		t.Error("the file is not read again when it is whole")
	}
}
