package interop

import (
	"fmt"
	"strings"
	"testing"
)

// radclient sends attributes, one a line, through radsecproxy.
func (b *bed) radclient(kind, attributes string) result {
	return runProgram(patience, attributes, "radclient", "-x", "-r", "1", "-t", "20",
		fmt.Sprintf("127.0.0.1:%d", b.ports.nas), kind, nasSecret)
}

// radclient → radsecproxy → gateway → FreeRADIUS: the passwords that a NAS sends.
// Rules: P35, P36, P44, P45, P46
func TestPasswords(t *testing.T) {
	const bob = "User-Name = \"bob\"\nNAS-Identifier = \"interop\"\n"
	for _, c := range []struct {
		name, attributes string
		status           int
		want             []string
	}{
		{"PAP", `User-Password = "hello"`, 0, []string{"Received Access-Accept", `Reply-Message = "Hello, bob"`}},
		{"PAP with a Message-Authenticator", "Message-Authenticator = 0x00\nUser-Password = \"hello\"", 0,
			[]string{"Received Access-Accept", "Message-Authenticator"}},
		{"CHAP without CHAP-Challenge", `CHAP-Password = "hello"`, 0, []string{"Received Access-Accept"}},
		{"CHAP with CHAP-Challenge", "CHAP-Challenge = 0x00112233445566778899aabbccddeeff\nCHAP-Password = \"hello\"", 0,
			[]string{"Received Access-Accept"}},
		// FreeRADIUS answers MS-CHAP with MS-CHAP-MPPE-Keys, hidden like a password: it is checked in TestHiddenAttributes.
		{"MS-CHAP", `MS-CHAP-Password = "hello"`, 0, []string{"Received Access-Accept", "MS-MPPE-Encryption-Policy", "MS-CHAP-MPPE-Keys"}},
		{"PAP, wrong password", `User-Password = "` + wrongPassword + `"`, 1, []string{"Received Access-Reject"}},
		{"CHAP, wrong password", `CHAP-Password = "` + wrongPassword + `"`, 1, []string{"Received Access-Reject"}},
		{"MS-CHAP, wrong password", `MS-CHAP-Password = "` + wrongPassword + `"`, 1, []string{"Received Access-Reject", "MS-CHAP-Error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := shared.radclient("auth", bob+c.attributes+"\n")
			expect(t, r, c.status, c.want...)
		})
	}
}

// expect fails the test unless a program ended with status and printed all of want.
func expect(t *testing.T, r result, status int, want ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d", r.status, status)
	}
	for _, w := range want {
		if !strings.Contains(r.output, w) {
			t.Errorf("the output lacks %q", w)
		}
	}
	if t.Failed() {
		printed, _ := shared.gateway.output.snapshot()
		t.Logf("output:\n%s\nlast of the gateway's output:\n%s", r.output, lastLines(printed, 20))
	}
}

// lastLines cuts a program's output down to what a failed test wants to show.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
