package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"radsec-gw/certs"
)

const maxSecretFile = 64 << 10 // bytes

// secret reads a secret under name, name_file or name_env: at most one of them,
// and never an empty one (RFC 2865 §3). Mistakes and warnings do not show it. It reports
// whether any of them was given.
//
// A secret in the configuration itself was written deliberately, escapes included, so it is
// a mistake only if it is empty.
func (t *table) secret(name string, to *Secret, required bool) bool {
	inFile, inEnv := name+"_file", name+"_env"
	keys := fmt.Sprintf("%s, %s or %s", name, inFile, inEnv)
	given := 0
	for _, key := range []string{name, inFile, inEnv} {
		v, path, ok := t.value(key)
		if !ok {
			continue
		}
		if given++; given > 1 {
			t.r.wrong(path, "expected only one of %s, got a second one", keys)
			continue
		}
		s, ok := v.(string)
		if !ok {
			t.r.wrong(path, "expected a string in quotes, got %s", kindOf(v))
			continue
		}
		switch key {
		case inFile:
			*to = t.secretFile(path, s)
		case inEnv:
			*to = t.secretEnv(path, s)
		default:
			*to = t.secretHere(path, s)
		}
	}
	if given == 0 && required {
		t.r.wrong(joinKey(t.path, name), "missing: expected one of %s", keys)
	}
	return given > 0
}

// secretHere returns a secret that the configuration itself holds.
func (t *table) secretHere(at, s string) Secret {
	if s == "" {
		t.r.wrong(at, "expected a secret, got an empty one (RFC 2865 §3)")
	}
	t.r.warn(at, "", certs.WarnSecret(s))
	if s != publicSecret {
		t.r.secretFiles = append(t.r.secretFiles, SecretFile{Key: at, Path: t.r.fileOf(at)})
	}
	return NewSecret(s)
}

// secretFile reads a secret from a file.
func (t *table) secretFile(at, name string) Secret {
	path := t.r.resolve(at, name)
	text, err := t.r.read(name, path, maxSecretFile)
	if err != nil {
		if noSuchFile(err) && name != "" && !looksLikePath(name) {
			t.r.wrong(at, "expected the path of a file that holds the secret, and there is none of this name (not shown here: it may be the secret itself, which belongs under %s)", strings.TrimSuffix(key(at), "_file"))
		} else {
			t.r.wrong(at, "expected a readable file, got %q: %s", name, reason(path, err))
		}
		return Secret{}
	}
	t.r.secretFiles = append(t.r.secretFiles, SecretFile{Key: at, Path: path})
	return t.parseSecret(at, path, string(text))
}

// secretEnv reads a secret from the environment.
func (t *table) secretEnv(at, name string) Secret {
	s, ok := os.LookupEnv(name)
	if !ok && looksLikeVariable(name) {
		t.r.wrong(at, "expected the name of an environment variable, got %q, which is not set", name)
		return Secret{}
	}
	if !ok {
		t.r.wrong(at, "expected the name of an environment variable, and none of this name is set (not shown here: it may be the secret itself, which belongs under %s)", strings.TrimSuffix(key(at), "_env"))
		return Secret{}
	}
	return t.parseSecret(at, name, s)
}

// key returns the last part of the path of a key.
func key(at string) string { return at[strings.LastIndexByte(at, '.')+1:] }

// noSuchFile reports whether an error says that there is no file with a name, or that none
// can have it.
func noSuchFile(err error) bool {
	for _, no := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EINVAL} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// A secret that was put under the key for a path or a variable is not shown. So a name
// is shown only when hardly any secret looks like it; the line and the key are shown in
// any case.

var (
	pathForm     = regexp.MustCompile(`^/(app|config|data|etc|home|mnt|opt|root|run|secrets|srv|tmp|usr|var)/|^\.{0,2}/?[A-Za-z0-9._/-]*[A-Za-z0-9_-]\.(cfg|conf|env|key|pass|pem|psk|secret|toml|txt)$`)
	variableForm = regexp.MustCompile(`^[A-Z]+(_[A-Z0-9]+)+$`)
)

// looksLikePath reports whether a name begins with one of the usual folders, or ends with
// an extension that files for secrets have.
func looksLikePath(name string) bool { return pathForm.MatchString(name) }

// looksLikeVariable reports whether a name consists of words in capitals with underscores
// between them.
func looksLikeVariable(name string) bool { return variableForm.MatchString(name) }

// parseSecret returns the secret in text, which is the content of name.
func (t *table) parseSecret(at, name, text string) Secret {
	var secret string
	var warnings []string
	err := t.r.from.Parse(name, func() (err error) {
		secret, warnings, err = certs.ParseSecret(name, text)
		return err
	})
	if err != nil {
		t.r.wrong(at, "%v", err)
		return Secret{}
	}
	t.r.warn(at, name+": ", warnings)
	return NewSecret(secret)
}

// SecretFile is a file that holds a secret.
type SecretFile struct {
	Key  string // that names it, such as "server[0].secret_file"
	Path string
}

// SecretFiles lists the files that secrets were read from, the configuration itself
// among them.
func (c *Config) SecretFiles() []SecretFile { return c.secretFiles }

// warn notes warnings about the key at path.
func (r *reader) warn(path, prefix string, warnings []string) {
	for _, w := range warnings {
		r.warnings = append(r.warnings, r.places.mistake(path, prefix+w))
	}
}
