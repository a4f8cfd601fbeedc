package detail

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"radsec-gw/interop/testbed"
	"radsec-gw/spool/detail"
)

// The command of the package's documentation sends records with radclient: the server has their
// attributes. Notes are passed over.
// Rules: SP12, SP14
func TestRadclientSendsRecords(t *testing.T) {
	s, port := receive(t, "UTC")
	var text []byte
	for _, c := range sent {
		hidden := attr(69, "\x01\x80\x00ciphertext-of-16")
		packet := packetOf(append([][]byte{hidden}, attributesOf(c.packet)...)...)
		copy(packet[4:], "authenticator...")
		text = (&detail.Record{Arrived: arrived, Client: "campus", Packet: packet}).Append(text)
	}
	command := fmt.Sprintf(`sed '/^[A-Z]/d; /^\tTimestamp = /d' | radclient -f - 127.0.0.1:%d acct %s`, port, secret)
	cmd := exec.Command("sh", "-c", command)
	cmd.Stdin = strings.NewReader(string(text))
	if r := testbed.Run(testbed.Patience, cmd); r.Status != 0 {
		t.Fatalf("%s: status %d: %s; the records are\n%s", command, r.Status, r.Output, text)
	}
	got := parse(t, s.written(t))
	if len(got) != len(sent) {
		t.Fatalf("expected %d records, got %d", len(sent), len(got))
	}
	for i, c := range sent {
		compareWritten(t, c.packet, nil, got[i])
	}
}
