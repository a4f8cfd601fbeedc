package tlsfront

import (
	"strings"
	"testing"
)

func TestParseTicketKeys(t *testing.T) {
	key := strings.Repeat("0a", 32)
	keys, err := ParseTicketKeys([]byte("# sealed with\n" + key + "\n\n" + strings.Repeat("0B", 32) + " # before\n"))
	if err != nil || len(keys) != 2 || keys[0][0] != 0x0a || keys[1][31] != 0x0b {
		t.Errorf("two good lines give %v, %v", keys, err)
	}
	for text, want := range map[string]string{
		"":                            "expected 1 to 16 keys, came 0",
		key[:62]:                      "line 1: expected 32 octets of hex",
		"\nsecret":                    "line 2: expected 32 octets of hex",
		strings.Repeat(key+"\n", 17):  "came 17",
		key + "\n" + key[:63] + "g\n": "line 2",
	} {
		_, err := ParseTicketKeys([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), key[:8]) {
			t.Errorf("%q gives %v, want %q and no key", text, err, want)
		}
	}
}

// Whatever the file holds, it is 1 to 16 keys or an error that shows none of it.
func FuzzParseTicketKeys(f *testing.F) {
	key := strings.Repeat("0a", 32)
	for _, text := range []string{"", key, key + "\n# x\n" + key + " # y", key + "g", strings.Repeat(key+"\n", 17), "\r\n" + key + "\r\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseTicketKeys(text)
		if (err == nil) != (len(keys) >= 1 && len(keys) <= 16) {
			t.Fatalf("%d keys and the error %v", len(keys), err)
		}
	})
}
