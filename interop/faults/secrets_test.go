package faults

import (
	"strings"
	"testing"
)

// What a secret contains by mistake is refused where it cannot be intended, and causes a warning where
// it may be, in files and in the environment; the secret itself is not shown.
//
// Fault T5.
func TestMistakesInASecretAreReported(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		status     int
		says       string
	}{
		{"as it is", udpSecret, 0, ""},
		{"with one end of line", udpSecret + "\n", 0, ""},
		{"with that of Windows", udpSecret + "\r\n", 0, ""},
		{"after a byte order mark", "\xef\xbb\xbf" + udpSecret, 1, "byte order mark"},
		{"with two ends of line", udpSecret + "\n\n", 1, "more than one end of line"},
		{"with a carriage return", udpSecret + "\r", 1, "carriage return"},
		{"of two lines", udpSecret + "\nmore", 1, "a second line"},
		{"with blanks after it", udpSecret + "  \n", 0, "the secret ends with blanks (2)"},
		{"with a blank before it", " " + udpSecret, 0, "the secret begins with blanks (1)"},
		{"in quotes", `"` + udpSecret + `"`, 0, "the secret is in quotes"},
	} {
		for from, secret := range map[string]string{"file": `secret_file = "udp.secret"`, "environment": `secret_env = "RADSEC_GW_UDP_SECRET"`} {
			b := newBed(t)
			b.secret = secret
			b.write("udp.secret", []byte(c.text))
			b.environment = []string{"RADSEC_GW_UDP_SECRET=" + c.text}
			status, said := b.check()
			if warned := strings.Contains(said, "the secret") || strings.Contains(said, "expected a secret"); status != c.status || !strings.Contains(said, c.says) || warned != (c.says != "") {
				t.Errorf("a secret from the %s, %s: check exits %d, expected %d and %q:\n%s", from, c.name, status, c.status, c.says, said)
			}
			if strings.Contains(said, udpSecret) {
				t.Errorf("a secret from the %s, %s: check shows it", from, c.name)
			}
		}
	}
}
