package config

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Secrets in files and in the environment are read alike: one line end is removed; what
// else editors and shells add is refused, or warned about if it may be intended. No
// message shows the secret.
func TestSecretsFromFilesAndEnvironments(t *testing.T) {
	for _, x := range []struct {
		name, text string
		want       string // the secret; "": refused
		says       string // part of the mistake or, with want, of the warning; "": nothing
	}{
		{"plain", "tiger", "tiger", ""},
		{"newline", "tiger\n", "tiger", ""},
		{"CRLF", "tiger\r\n", "tiger", ""},
		{"octets that are not UTF-8", "ti\xe9ger\xff", "ti\xe9ger\xff", ""},
		{"blank within", "tiger lily", "tiger lily", ""},
		{"newline twice", "tiger\n\n", "", "more than one end of line after it"},
		{"second line", "tiger\nlily\n", "", "a second line: expected one"},
		{"CR", "tiger\r", "", "a carriage return at its end"},
		{"CR within", "ti\rger\n", "", "a carriage return within it"},
		{"byte order mark", "\xef\xbb\xbftiger\n", "", "a byte order mark (UTF-8)"},
		{"blanks only", " \t\n", "", "only blanks and empty lines"},
		{"blank behind", "tiger \n", "tiger ", "the secret ends with blanks (1)"},
		{"blank before", "\ttiger\n", "\ttiger", "the secret begins with blanks (1)"},
		{"no-break space behind", "tiger\u00a0", "tiger\u00a0", "the secret ends with blanks (1)"},
		{"quotes", "\"tiger\"\n", "\"tiger\"", "the secret is in quotes"},
		{"apostrophes", "'tiger'", "'tiger'", "the secret is in quotes"},
		{"control character", "ti\x1bger", "ti\x1bger", "control characters"},
	} {
		for _, place := range []string{"secret_file", "secret_env"} {
			t.Run(x.name+" in "+place, func(t *testing.T) {
				dir := t.TempDir()
				for _, name := range []string{"s.pem", "s.key", "ca.pem"} {
					write(t, filepath.Join(dir, name), "PEM")
				}
				write(t, filepath.Join(dir, "t"), x.text)
				t.Setenv("CONFIG_TEST_T", x.text)
				value := map[string]string{"secret_file": "t", "secret_env": "CONFIG_TEST_T"}[place]
				write(t, filepath.Join(dir, "c.toml"), goodListen+goodServer+goodRoute+goodClient+place+"='"+value+"'\n")
				c, err := loadFile(filepath.Join(dir, "c.toml"))
				if x.want == "" {
					if err == nil || !strings.Contains(err.Error(), "c.toml:14: client[0]."+place+": ") || !strings.Contains(err.Error(), x.says) {
						t.Fatalf("expected the mistake %q on line 14, got %v", x.says, err)
					}
					if strings.Contains(err.Error(), "tiger") {
						t.Errorf("the mistake shows the secret: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := string(c.Clients[0].Secret.Bytes()); got != x.want {
					t.Errorf("expected the secret %q, got %q", x.want, got)
				}
				warnings := strings.Join(c.Warnings(), "\n")
				if x.says == "" && strings.Contains(warnings, "the secret") || !strings.Contains(warnings, x.says) || strings.Contains(warnings, "tiger") {
					t.Errorf("expected a warning with %q and no secret in it, got %q", x.says, warnings)
				}
			})
		}
	}
}

// In the configuration itself a secret is in quotes, so nothing is removed, and only an
// empty one is refused; invisible characters are warned about.
// Rules: P19
func TestSecretsInTheConfiguration(t *testing.T) {
	for _, x := range []struct{ text, want, says string }{
		{`"tiger"`, "tiger", ""},
		{`"tiger "`, "tiger ", "c.toml:14: client[0].secret: the secret ends with blanks (1)"},
		{"\"\"\"\ntiger\n\"\"\"", "tiger\n", "the secret ends with blanks or ends of line (1)"},
		{`"\ufefftiger"`, "\ufefftiger", "begins with a byte order mark"},
		{`"'tiger'"`, "'tiger'", "is in quotes"},
		{`"\u0000tiger"`, "\x00tiger", "control characters"},
	} {
		c, err := load(t, goodListen+goodServer+goodRoute+goodClient+"secret="+x.text+"\n")
		if err != nil {
			t.Errorf("%s: %v", x.text, err)
			continue
		}
		if got := string(c.Clients[0].Secret.Bytes()); got != x.want {
			t.Errorf("%s: expected the secret %q, got %q", x.text, x.want, got)
		}
		warnings := strings.Join(c.Warnings(), "\n")
		if x.says == "" && strings.Contains(warnings, "client[0].secret") || !strings.Contains(warnings, x.says) || strings.Contains(warnings, "tiger") {
			t.Errorf("%s: expected a warning with %q and no secret in it, got %q", x.text, x.says, warnings)
		}
	}
}

// A secret in the place of the name of a file or variable is not shown; a wrong name is.
func TestSecretsInThePlaceOfNames(t *testing.T) {
	for _, x := range []struct {
		value string
		shown string // the key under which the value is shown as a name; "": neither
	}{
		{"tiger", ""},
		{"tiger lily", ""},
		{"t1ger.l1ly", ""},
		{"A1B2C3D4E5F60718", ""},
		{"a1b2c3d4e5f60718", ""},
		{"Zm9v/YmFy+bGlseQ==", ""},
		{"Zm9vL/YmFyTGlseQ", ""},
		{"ti\x01ger", ""},
		{"campus_secret", ""},
		{strings.Repeat("x", 5000), ""},
		{"campus.secret", "secret_file"},
		{"secrets/campus", ""},
		{"correct.horse.battery.staple", ""},
		{"tr0ub4dor.Secret", ""},
		{"hunter2.Ab", ""},
		{"a8f7/29bc", ""},
		{"/run/secrets/CAMPUS_A", "secret_file"},
		{"../campus-2.txt", "secret_file"},
		{"/run/secrets/campus", "secret_file"},
		{"/etc/radsec-gw/Campus.key", "secret_file"},
		{"CAMPUS_SECRET", "secret_env"},
		{"CAMPUS_2_SECRET", "secret_env"},
		{"CAMPUSSECRET", ""},
	} {
		for _, place := range []string{"secret_file", "secret_env"} {
			_, err := load(t, goodListen+goodServer+goodRoute+goodClient+place+"="+strconv.Quote(x.value)+"\n")
			if err == nil || !strings.Contains(err.Error(), ":14: client[0]."+place+": expected ") {
				t.Errorf("%s = %q: expected a mistake on line 14, got %v", place, x.value, err)
				continue
			}
			if shown := strings.Contains(err.Error(), x.value) || strings.Contains(err.Error(), strconv.Quote(x.value)); shown != (place == x.shown) {
				t.Errorf("%s = %q: expected that it is shown: %v, got %v", place, x.value, place == x.shown, err)
			}
			if place != x.shown && !strings.Contains(err.Error(), "it may be the secret itself, which belongs under secret)") {
				t.Errorf("%s = %q: the mistake does not say where the secret belongs: %v", place, x.value, err)
			}
		}
	}
}
