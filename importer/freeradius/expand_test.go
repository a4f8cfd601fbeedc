package freeradius

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"radsec-gw/importer"
	"radsec-gw/importer/importertest"
)

// A reference without its brace is kept as it is, and the note says what is missing.
func TestUnclosedReferences(t *testing.T) {
	for value, want := range map[string]string{
		`"${name and more"`:     "expected } after ${, got the end of the value, which is kept as it is",
		`"x${v}y${"`:            "expected } after ${, got the end of the value, which is kept as it is",
		`"$ENV{HOME and more"`:  "expected } after $ENV{, got the end of the value, which is kept as it is",
		`"$ENV{HOME}/$ENV{"`:    "expected } after $ENV{, got the end of the value, which is kept as it is",
		`"${nothing} and ${v}"`: "${nothing}: expected the name of a value that precedes it in the configuration",
	} {
		p, err := parse(importer.NewSource(fstest.MapFS{"r/radiusd.conf": {Data: []byte("v = V\nx = " + value + "\n")}}), "/r", testEnv)
		if err != nil || len(p.notes) != 1 || p.notes[0].Text != want {
			t.Errorf("%s: got %v, %v; expected the note %q", value, p.notes, err, want)
			continue
		}
		kept := strings.NewReplacer("${v}", "V", "$ENV{HOME}", "/home").Replace(strings.Trim(value, `"`))
		if got := p.root.text("x", ""); got != kept {
			t.Errorf("%s: got %q, expected %q", value, got, kept)
		}
	}
}

// A secret is an environment variable, or made of several when it is imported. Notes do not
// quote what may be a part of it.
func TestReferencesInSecrets(t *testing.T) {
	for value, want := range map[string]string{
		`$ENV{UNSET}`:              `secret_env = "UNSET"`,
		`"$ENV{HOME}$ENV{HOME}-x"`: `secret = "/home/home-x"`,
		`"$ENV{HOME}$ENV{HOME}"`:   `secret = "/home/home"`,
		`"x$ENV{HOME}"`:            `secret = "x/home"`,
		`"x${Hidden"`:              `secret = "x${Hidden"`,
		`"x${Hidden}"`:             `secret = "x${Hidden}"`,
		`"x$ENV{Hidden"`:           `secret = "x$ENV{Hidden"`,
	} {
		d, err := importText(radsecListen+"client a {\nipaddr = 192.0.2.1\nproto = tls\nsecret = "+value+"\n}\n", nil)
		if err != nil {
			t.Fatal(err)
		}
		if written := importertest.Text(t, d); !strings.Contains(written, "\n"+want+"\n") {
			t.Errorf("%s: expected %s, got\n%s", value, want, written)
		}
		if notes := fmt.Sprint(d.Notes()); strings.Contains(notes, "Hidden") || strings.Contains(value, "Hidden") && !strings.Contains(notes, "expected ") {
			t.Errorf("%s: expected a note without the secret, got %s", value, notes)
		}
	}
}
