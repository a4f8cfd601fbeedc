package detail

import (
	"errors"
	"testing"
)

// Escapes are read as FreeRADIUS reads them.
func TestUnquote(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`""`, ""},
		{`"bob"`, "bob"},
		{`"\r\n\t\"\\"`, "\r\n\t\"\\"},
		{`"\000\045\377"`, "\x00%\xff"},
		{`"\x\8\12\400é"`, `\x\8\12\400é`},
		{`"\0123"`, "\n3"},
	} {
		if got, err := unquote(c.text); err != nil || string(got) != c.want {
			t.Errorf("%s: expected %q, got %q, %v", c.text, c.want, got, err)
		}
	}
	for _, c := range []struct {
		text string
		want error
	}{{``, errUnquoted}, {`bob`, errUnquoted}, {`"`, errNoEnd}, {`"bob`, errNoEnd}, {`"bob\"`, errNoEnd}, {`"bob\`, errNoEnd}, {`"b"ob"`, errNoEnd}, {`"bob" # x`, errNoEnd}} {
		if got, err := unquote(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: expected the error %q, got %q, %v", c.text, c.want, got, err)
		}
	}
}

// Text that a terminal might obey is escaped, and so is what FreeRADIUS might.
func TestAppendQuoted(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"é漢", `"é漢"`},
		{"\x1b[2J\x7f", `"\033[2J\177"`},
		{"\u0085\u202e\u2028", `"\302\205\342\200\256\342\200\250"`},
		{"100%", `"100\045"`},
		{":1:x", `"\0721:x"`},
		{"'`#", `"'` + "`#" + `"`},
	} {
		if got := string(appendQuoted(nil, c.text)); got != c.want {
			t.Errorf("%q: expected %s, got %s", c.text, c.want, got)
		}
	}
}
