package nearest

import "testing"

// A name within two edits is found, whatever its case; one that is shorter than the edits
// that lead to it is not.
func TestOf(t *testing.T) {
	names := []string{"serve", "check", "probe", "tap", "ca"}
	for s, want := range map[string]string{
		"serve": "serve", "serv": "serve", "SERVE": "serve", "sevre": "serve", "chek": "check", "prob": "probe", "server": "serve",
		"xx": "", "": "", "certificates": "", "sevrre": "serve", "xy": "",
	} {
		if got := Of(s, names); got != want {
			t.Errorf("nearest to %q: expected %q, got %q", s, want, got)
		}
	}
}
