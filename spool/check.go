package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Check reports what would keep a spool from storing in a directory, as far as that shows
// before it is opened, and whether the disk has space for so many octets of records. What it
// makes to find that out it removes again.
func Check(directory string, maxOctets int64) (list []error) {
	at, err := existing(directory)
	if err != nil {
		return []error{err}
	}
	if err := tryToWrite(at); err != nil {
		return []error{err}
	}
	if _, err := storedSecret(filepath.Join(directory, keyName)); err != nil && !errors.Is(err, fs.ErrNotExist) { // without one, it is made
		list = append(list, err)
	}
	if free, known := freeSpace(at); known {
		if info, err := os.Stat(filepath.Join(directory, databaseName)); err == nil {
			maxOctets -= info.Size()
		}
		if free < maxOctets {
			list = append(list, fmt.Errorf("%s: its file system has %d MiB free, and the spool may take %d MiB more (max_octets): what arrives when it is full is not acknowledged", at, free>>20, maxOctets>>20))
		}
	}
	return list
}

// existing returns the directory, or the nearest above it that exists.
func existing(directory string) (string, error) {
	for at := filepath.Clean(directory); ; {
		info, err := os.Stat(at)
		parent := filepath.Dir(at)
		switch {
		case err == nil && !info.IsDir():
			return "", fmt.Errorf("%s is not a directory", at)
		case err == nil:
			return at, nil
		case !errors.Is(err, fs.ErrNotExist) || parent == at:
			return "", err
		}
		at = parent
	}
}

// tryToWrite reports whether a file can be made in a directory, and be filled with what a new
// database takes.
func tryToWrite(directory string) error {
	f, err := os.CreateTemp(directory, ".radsec-gw-check-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	const newDatabase = 64 << 10 // bytes: four pages, and those of the first commits
	if _, err := f.Write(make([]byte, newDatabase)); err != nil {
		return err
	}
	return f.Sync() // some file systems find out only now that there is no space
}
