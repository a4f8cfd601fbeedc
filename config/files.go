package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxSecretFile bounds what is read of a secret_file, in octets: far above any
// sensible secret.
const maxSecretFile = 64 << 10

// resolve makes a path relative to the file's directory absolute enough.
func (r *reader) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

// file reads a key that names a file, which must be there and readable.
func (t *table) file(key string, to *string) bool {
	var name string
	if !t.text(key, &name) {
		return false
	}
	path, ok := t.readable(joinKey(t.path, key), name)
	if ok {
		*to = path
	}
	return ok
}

// files reads an array of such names. One that has a mistake is "", so that the
// others keep their places.
func (t *table) files(key string, to *[]string) {
	list, _ := t.values[key].([]any)
	paths := make([]string, len(list))
	t.textsByIndex(key, func(i int, at, name string) { paths[i], _ = t.readable(at, name) })
	if len(paths) > 0 {
		*to = paths
	}
}

// readable resolves a name, and notes a mistake when the file cannot be read.
func (t *table) readable(at, name string) (path string, ok bool) {
	path = t.r.resolve(name)
	f, err := openRegular(name, path)
	if err != nil {
		t.r.wrong(at, "expected a readable file, came %q: %s", name, reason(path, err))
		return "", false
	}
	f.Close()
	return path, true
}

// openRegular opens path, which name stands for, refusing directories,
// devices and pipes before anything is read of them.
func openRegular(name, path string) (*os.File, error) {
	if name == "" {
		return nil, errors.New("the name is empty")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New(path + " is no regular file")
	}
	return os.Open(path)
}

// reason says why a file cannot be read and what to do.
func reason(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no " + path + "; relative paths start at the configuration file"
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read " + path
	}
	return err.Error()
}

// secret reads a secret under name, name_file or name_env: at most one of them,
// and never an empty one (RFC 2865 §3). No mistake shows what it held. It
// reports whether any of them was given.
func (t *table) secret(name string, to *Secret, required bool) bool {
	inFile, inEnv := name+"_file", name+"_env"
	keys := fmt.Sprintf("%s, %s or %s", name, inFile, inEnv)
	given := 0
	for _, key := range []string{name, inFile, inEnv} {
		v, path, ok := t.take(key)
		if !ok {
			continue
		}
		if given++; given > 1 {
			t.r.wrong(path, "expected only one of %s, came a second one", keys)
			continue
		}
		s, ok := v.(string)
		if !ok {
			t.r.wrong(path, "expected a string in quotes, came %s", kindOf(v))
			continue
		}
		switch key {
		case inFile:
			s, ok = t.secretFile(path, s)
		case inEnv:
			s, ok = t.secretEnv(path, s)
		}
		if ok && s == "" {
			t.r.wrong(path, "expected a secret, came an empty one (RFC 2865 §3)")
		}
		*to = NewSecret(s)
	}
	if given == 0 && required {
		t.r.wrong(joinKey(t.path, name), "missing: expected one of %s", keys)
	}
	return given > 0
}

// secretFile reads a secret out of a file: all of it but one end of line.
func (t *table) secretFile(at, name string) (string, bool) {
	path := t.r.resolve(name)
	f, err := openRegular(name, path)
	if err != nil {
		t.r.wrong(at, "expected a readable file, came %q: %s", name, reason(path, err))
		return "", false
	}
	defer f.Close()
	octets, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(octets) > maxSecretFile {
		err = errors.New("it is longer than 65536 octets")
	}
	if err != nil {
		t.r.wrong(at, "expected a file that holds a secret, came %q: %s", name, reason(path, err))
		return "", false
	}
	s := strings.TrimSuffix(string(octets), "\n")
	return strings.TrimSuffix(s, "\r"), true
}

// secretEnv reads a secret out of the environment.
func (t *table) secretEnv(at, name string) (string, bool) {
	s, ok := os.LookupEnv(name)
	if !ok {
		t.r.wrong(at, "expected the name of an environment variable, came %q, which is not set", name)
	}
	return s, ok
}
