package spool

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Check finds what keeps a spool from storing, and leaves nothing where it looks.
//
// Rules: SP4, SP10
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "file"), filepath.Join(dir, "kept", keyName)
	if err := os.Mkdir(filepath.Dir(key), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "notes", 0o600)
	whole := strings.Repeat("0f", secretLength)
	for _, x := range []struct {
		says, directory string
		key             string // "": there is none
		mode            os.FileMode
		octets          int64
		want            string // "": nothing
	}{
		{"an empty directory", "kept", "", 0, 0, ""},
		{"one that can be made", "new/and/deeper", "", 0, 0, ""},
		{"a file", "file", "", 0, 0, file + " is not a directory"},
		{"below a file", "file/kept", "", 0, 0, file},
		{"a key", "kept", whole, 0o600, 0, ""},
		{"a key for others", "kept", whole, 0o604, 0, key + ": expected a file that only its owner can read (mode 0600), got mode 0604"},
		{"half a key", "kept", whole[:10], 0o600, 0, key + ": expected 64 hexadecimal digits"},
		{"a small disk", "new", "", 0, math.MaxInt64, dir + ": its file system has"},
	} {
		os.Remove(key)
		if x.key != "" {
			write(key, x.key, x.mode)
		}
		list := Check(filepath.Join(dir, x.directory), x.octets)
		switch {
		case x.want == "" && len(list) == 0:
		case x.want == "" || len(list) != 1 || !strings.Contains(list[0].Error(), x.want):
			t.Errorf("%s: expected %q, got %v", x.says, x.want, list)
		}
	}
	all, err := os.ReadDir(dir)
	if err != nil || len(all) != 2 {
		t.Errorf("expected the file and the directory that were there, got %v (%v)", all, err)
	}
}
