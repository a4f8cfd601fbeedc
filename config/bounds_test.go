package config

import (
	"context"
	"strings"
	"testing"
	"time"

	"radsec-gw/files"
)

// parsed returns the error of parsing a text.
func parsed(text string) error {
	_, err := parse("c.toml", text, files.NewReader().Snapshot(context.Background()))
	return err
}

// A file that would exhaust the stack or the processor is refused at once.
//
// Fault S12.
func TestBounds(t *testing.T) {
	const many = 200_000
	for name, text := range map[string]string{
		"arrays":           "a = " + strings.Repeat("[", many),
		"arrays on lines":  "a = " + strings.Repeat("[\n", many),
		"inline tables":    "a = " + strings.Repeat("{a=", many),
		"dotted keys":      strings.Repeat("a.", many) + "a = 1",
		"dotted tables":    "[" + strings.Repeat("a.", many) + "a]",
		"quoted parts":     strings.Repeat("\"a\".", many) + "a = 1",
		"after a string":   "b = \"\"\"\"\"\"\na = '''x'''\nc = " + strings.Repeat("[", many),
		"after an escape":  "b = \"\\\\\" # \"\nc = " + strings.Repeat("[", many),
		"after a comment":  "# \"\nc = " + strings.Repeat("[", many),
		"many dotted keys": strings.Repeat("[a"+strings.Repeat(".a", 60)+"]\n", many/60),
		"many tables":      strings.Repeat(" [[client]]\n", many),
		"inline, many":     "a = [\n" + strings.Repeat("{},\n", many) + "]\n",
		"in nested arrays": "c = [1, [2, '[', " + strings.Repeat("[", many),
	} {
		start := time.Now()
		err := parsed(text)
		if err == nil || !strings.Contains(err.Error(), "expected at most ") {
			t.Errorf("%s: %.200v, want a bound", name, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
	brackets := strings.Repeat("[{.", 100)
	for _, text := range []string{"# " + brackets, "a = '" + brackets + "'", "a = \"\\\"" + brackets + "\"", "a = '''" + brackets + "'" + brackets + "'''", "a = 1.5\nb = 2.5"} {
		if line, what := new(bounds).check(text); line != 0 {
			t.Errorf("%.20q…: line %d: %s; want it to be within the bounds", text, line, what)
		}
	}
}

// No part of a secret is in a mistake about TOML, wherever the quotes, the "=" or the end of the
// string are missing and whatever the key is called.
//
// Fault S9.
func TestMistakesInTOMLShowNoSecret(t *testing.T) {
	const secret = "Zq7-Zqx\\Zq_Zq" // no other text has these letters
	keys := []string{"secret", "token", "hash_salt", "loop_marker_secret", "secret_file", "secret_env", "secert", "Secret", "a.token"}
	forms := []string{
		"KEY = SECRET", "KEY = SECRET # x", "KEY = 'SECRET", "KEY = \"SECRET\"", "KEY = \"SECRET", "KEY = \"x\"SECRET", "KEY = 'x' SECRET",
		"KEY SECRET", "KEY: SECRET", "KEY : 'SECRET'", "KEY == SECRET", "KEY = +SECRET", "KEY = 0xSECRET", "KEY = 1SECRET", "KEY = 1_SECRET", "KEY = 20SECRET",
		"KEY = [SECRET", "KEY = ['x' SECRET]", "KEY = {SECRET", "KEY = {a = SECRET}", "KEY =\nSECRET", "KEY = \"\"\"\nSECRET", "KEY = \"\"\"\nSECRET\"\"\"", "KEY = '''SECRET",
		"KEY = \"\\SECRET\"", "KEY = \"\\u00SECRET\"", "KEY = “SECRET”", "SECRET", "[KEY SECRET]", "KEY = true SECRET", "KEY = inf SECRET", "KEY = 1979-SECRET", "KEY = tSECRET",
	}
	for _, key := range keys {
		for _, form := range forms {
			text := goodListen + goodClient + "networks=['::/0']\n" + strings.NewReplacer("KEY", key, "SECRET", secret).Replace(form) + "\n"
			err := parsed(text)
			if err == nil {
				continue // it is TOML
			}
			if strings.Contains(err.Error(), "Zq") || strings.Contains(err.Error(), "'Z'") {
				t.Errorf("%s %s: %v", key, form, err)
			}
		}
	}
}

// Nor is a single character of one, whichever it is: under a key for a secret, or for the file that
// holds one, as elsewhere, the mistake names nothing but the characters of TOML's structure.
//
// Fault S9.
func TestMistakesInTOMLShowNoCharacterOfASecret(t *testing.T) {
	for _, key := range []string{"secret", "server.secret", "secret_file", "secret_env", "token", "hash_salt", "secert", "a.b"} {
		for _, form := range []string{"KEY = CHARab", `KEY = "CHARab`, `KEY = "a\\CHARb"`, "KEY = \"\"\"\na\\CHARb\"\"\"", "KEY = 'a'CHARb", "KEY = 1CHARb", "KEY = [1 CHAR]", "KEY = [aCHAR", "KEY CHAR"} {
			mistakes := 0
			for _, c := range []string{"!", "%", "~", "Z", "é", `\`, "\u200b"} {
				if err := parsed(strings.NewReplacer("KEY", key, "CHAR", c).Replace(form) + "\n"); err != nil {
					text := err.Error()
					if strings.Contains(text, "'"+c+"'") || strings.Contains(text, `'\`+c+"'") || c == "\u200b" && strings.Contains(text, "200b") {
						t.Errorf("%s with %q for CHAR: the mistake shows it: %v", strings.Replace(form, "KEY", key, 1), c, err)
					}
					mistakes++
				}
			}
			if mistakes == 0 {
				t.Errorf("%s: expected a mistake", strings.Replace(form, "KEY", key, 1))
			}
		}
	}
}

// What is wrong is still said.
func TestMistakesInTOMLSayWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"a = 1\nlisten.address = 1\nlisten.address = 2": ":3: not TOML: Key 'listen.address' has already been defined.",
		"a = x1":      "expected value but found another character instead",
		"a = “x”":     "expected value but found '“' instead",
		"a = = 1":     "expected value but found '=' instead",
		"a = \"x":     "unexpected EOF; expected",
		"[a":          "expected '.' or ']' to end table name, but got the end of the file",
		"[[a":         "but got the end of the file",
		"a x":         "expected '.' or '=', but got another character instead",
		"a = [1 2]":   "expected a comma (',') or array terminator (']'), but got another character",
		"a = \"\\q\"": "invalid escape",
	} {
		if err := parsed(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A file that is cut anywhere never has a mistake with the library's sign for its end.
func TestMistakesOfACutFile(t *testing.T) {
	whole := goodListen + goodClient + "networks = [\n'::/0', # all\n]\n[a.'b'.\"c\"]\nd = {e = 1979-05-27T07:32:00Z, f = 0x1F}\ng.h = \"\"\"x\"\"\"\n[[route]]\n"
	for n := range len(whole) {
		if err := parsed(whole[:n]); err != nil && strings.Contains(err.Error(), "x00") {
			t.Errorf("after %d bytes, %q: %v", n, whole[max(0, n-20):n], err)
		}
	}
}

// A file that is nothing but mistakes has as many as somebody may read.
//
// Fault S12.
func TestMistakesAreBounded(t *testing.T) {
	var text strings.Builder
	for range 2 * maxMistakes {
		text.WriteString("[[client]]\nunknown = 1\n")
	}
	err := parsed(text.String())
	if list, ok := err.(Mistakes); !ok || len(list) != maxMistakes {
		t.Errorf("%d mistakes, want %d", len(list), maxMistakes)
	}
}

// The bounds are for all files of a configuration together, and as many tables as somebody may want
// are within them.
func TestBoundsOfAllFiles(t *testing.T) {
	var b bounds
	for i := range 3 {
		line, text := b.check(strings.Repeat("[[route]]\nrealms = [\n'a.b', # .\n[\n]]\n", 30_000) + strings.Repeat("a = 1.5\n", 3_000))
		if line != 0 {
			t.Fatalf("file %d: line %d: %s; expected it to be within the bounds", i, line, text)
		}
	}
	if _, text := b.check(strings.Repeat("a = 1.5\n", 1_001)); text != "expected at most 10000 dots outside of quotes in all files" {
		t.Errorf("a dot more than there may be: %q", text)
	}
	b.dots = 0
	if line, text := b.check(strings.Repeat("[a]\n", 10_001)); line != 10_001 || text != "expected at most 100000 tables in all files" {
		t.Errorf("a table more than there may be: line %d: %q", line, text)
	}
}
