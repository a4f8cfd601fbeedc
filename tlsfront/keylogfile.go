package tlsfront

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// OpenKeyLogFile opens a file to append keys to, which it creates for this user alone. A
// file that others may read, that is not a regular file, or that has something else than
// keys is refused. It may wait for the disk.
func OpenKeyLogFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = refuseKeyLog(path, info)
	}
	if err == nil {
		err = refuseContents(path, f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// CheckKeyLogFile returns why OpenKeyLogFile would refuse a path, as far as that can be seen
// without making the file. It may wait for the disk.
func CheckKeyLogFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path))
		return err
	}
	if err != nil {
		return err
	}
	if err := refuseKeyLog(path, info); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(refuseContents(path, f), f.Close())
}

func refuseKeyLog(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("expected a file that only its owner can read and write, got %s with mode %#o: whoever reads it can decrypt every connection; run chmod 600 on it", path, info.Mode().Perm())
	}
	return nil
}

// keyLogBegin is how much of a file is read to see whether it is a key log: comments may
// come first.
const keyLogBegin = 64 << 10 // bytes

// keyLogLine is what a line of a key log begins with: a label and the bytes that identify
// the connection.
var keyLogLine = regexp.MustCompile(`^[A-Z][A-Z0-9_]* [0-9a-fA-F]+( [0-9a-fA-F]*)?\r?$`)

// refuseContents refuses a file that is not empty and does not begin as a key log does: it
// was named by mistake, and keys that are appended would damage it.
func refuseContents(path string, f io.ReaderAt) error {
	b := make([]byte, keyLogBegin)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for line := range bytes.Lines(b[:n]) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if blank := bytes.TrimSpace(line); len(blank) == 0 || blank[0] == '#' {
			continue
		}
		if keyLogLine.Match(line) {
			return nil
		}
		return fmt.Errorf("expected a new file, or one whose first line is that of a key log (a label, a blank and hex digits), got %s, which has something else: keys that are appended would damage it", path)
	}
	return nil
}
