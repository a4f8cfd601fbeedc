package freeradius

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a file may hold is bounded, however little there is in the file itself.
func TestInputIsBounded(t *testing.T) {
	long := "a = " + strings.Repeat("x", 60_000) + "\n"
	for text, want := range map[string]string{
		long + strings.Repeat("b = ${a}\n", 1000):                   "expected at most 33554432 bytes in all values",
		long + strings.Repeat("realm \"${a}\" {\n}\n", 1000):        "expected at most 33554432 bytes in all values",
		long + "realm \"${a}${a}\" {\n}\n":                          "expected a value of at most 65536 bytes for realm, got ",
		"client a {\n" + strings.Repeat("b {\n", 100):               "expected at most 100 sections in each other",
		"x = \\\n" + strings.Repeat("yy\\\n", 40_000) + "\nz = 1\n": "expected a value of at most 65536 bytes for x, got 80000",
	} {
		if _, err := importText(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q…: got %v, expected %q", text, err, want)
		}
	}
}

// The time that an import takes grows with the size of the files, not with its square.
func TestTimeIsBounded(t *testing.T) {
	var values, clients strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&values, "v%d=${v%d}\n", i, max(i-1, 0))
	}
	for i := range 30_000 {
		fmt.Fprintf(&clients, "client c%d {\nipaddr = 10.%d.%d.%d\nproto = tls\n}\n", i, i>>16, i>>8&255, i&255)
	}
	for name, text := range map[string]string{
		"values": values.String(), "continued": strings.Repeat(" ", 2<<20) + "\\\nx = y \\\n" + strings.Repeat("#\\\n", 100_000), "clients": strings.Repeat(radsecListen, 100) + clients.String(),
	} {
		begin := time.Now()
		if _, err := importText(text, nil); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("%s: expected an import in a few seconds, took %v", name, took)
		}
	}
}
