package config

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// The most bytes that are read of a file, far more than is usual.
const (
	MaxConfiguration = 16 << 20 // thousands of clients and servers, tens of thousands of routes
	MaxCertificates  = 16 << 20 // a chain, or all the CAs of a federation
	MaxKeys          = 64 << 10 // a private key, or the keys of session tickets
	MaxCRL           = 64 << 20 // about a million revoked certificates
)

// resolve resolves a path that the key at names, against the directory of the file that has
// the key.
func (r *reader) resolve(at, path string) string { return resolveIn(filepath.Dir(r.fileOf(at)), path) }

// fileOf returns the file that has the key at.
func (r *reader) fileOf(at string) string { return r.places.name(r.places.at(at)) }

// resolveIn resolves a path against a directory.
func resolveIn(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// file reads a key that names a regular file of at most limit bytes, which must exist and
// be readable.
func (t *table) file(key string, to *string, limit int64) bool {
	var name string
	if !t.text(key, &name) {
		return false
	}
	path, ok := t.readable(joinKey(t.path, key), name, limit)
	if ok {
		*to = path
	}
	return ok
}

// files reads an array of such names. One that has a mistake is "", so that the
// others keep their places.
func (t *table) files(key string, to *[]string, limit int64) {
	list, _ := t.values[key].([]any)
	paths := make([]string, len(list))
	t.textsByIndex(key, func(i int, at, name string) { paths[i], _ = t.readable(at, name, limit) })
	if len(paths) > 0 {
		*to = paths
	}
}

// fileOrFiles reads a key that holds one such name, or an array of them.
func (t *table) fileOrFiles(key string, to *[]string, limit int64) {
	if _, one := t.values[key].(string); !one {
		t.files(key, to, limit)
		return
	}
	var path string
	t.file(key, &path, limit)
	*to = []string{path}
}

// readable resolves a name and reads the file into the snapshot. It notes a mistake when
// that fails.
func (t *table) readable(at, name string, limit int64) (path string, ok bool) {
	path = t.r.resolve(at, name)
	if _, err := t.r.read(name, path, limit); err != nil {
		t.r.wrong(at, "expected a readable file, got %q: %s", name, reason(path, err))
		return "", false
	}
	return path, true
}

// read returns the content of the file at path, which is called name in the file.
func (r *reader) read(name, path string, limit int64) ([]byte, error) {
	if name == "" {
		return nil, errors.New("the name is empty")
	}
	return r.from.Read(path, limit)
}

// reason returns why a file that a file names cannot be read, and what to do.
func reason(path string, err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no " + path + "; relative paths start at the file that names them"
	}
	return reasonOfFirst(path, err)
}

// reasonOfFirst is reason for the configuration file, which no file names.
func reasonOfFirst(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no " + path
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read " + path
	}
	return err.Error()
}
