package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretLength is the length of the spool's secret in octets.
const secretLength = 32

// readSecret returns the secret that hidden attributes of records are encrypted under. It is
// in a file of its own beside the database, so that a copy of the database has no passwords;
// the first time it is made.
//
// Rules: SP4.
func readSecret(directory string) ([]byte, error) {
	path := filepath.Join(directory, keyName)
	secret, err := storedSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret = make([]byte, secretLength)
		rand.Read(secret)
		return secret, writeSecret(path, secret)
	}
	return secret, err
}

// storedSecret returns the secret that a file has.
func storedSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s: expected a file that only its owner can read (mode 0600), got mode %04o: anybody could decrypt what it protects", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != secretLength {
		return nil, fmt.Errorf("%s: expected %d hexadecimal digits; if it is lost, remove it: hidden attributes of the records that are kept are lost with it", path, 2*secretLength)
	}
	return secret, nil
}

// writeSecret writes a secret to a new file, which has its name only when it is complete.
func writeSecret(path string, secret []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), keyName+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%x\n", secret); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(directory string) error {
	d, err := os.Open(directory)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
