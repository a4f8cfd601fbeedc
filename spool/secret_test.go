package spool

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// The key is made once, for this user alone, and is the same from then on.
//
// Rules: SP4
func TestSecretIsMadeOnce(t *testing.T) {
	directory := t.TempDir()
	first, err := readSecret(directory)
	if err != nil || len(first) != secretLength {
		t.Fatalf("expected a new secret of %d octets, got %d, %v", secretLength, len(first), err)
	}
	info, err := os.Stat(filepath.Join(directory, keyName))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("expected a file with mode 0600, got %04o", mode)
	}
	second, err := readSecret(directory)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("expected the same secret again, got another, or the error %v", err)
	}
	if list, _ := os.ReadDir(directory); len(list) != 1 {
		t.Errorf("expected nothing but the file in the directory, got %v", list)
	}
	if other, err := readSecret(t.TempDir()); err != nil || bytes.Equal(first, other) {
		t.Errorf("expected another secret in another directory, got the same, or the error %v", err)
	}
}

// A key that others can read, or that is not one, is refused; it is left alone, because the
// hidden attributes of the records are lost without it.
//
// Rules: SP4
func TestSecretsThatAreRefused(t *testing.T) {
	good := strings.Repeat("0a", secretLength)
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string // of the error; empty: it is accepted
	}{
		{"as it was written", good + "\n", 0o600, ""},
		{"for this user to read only", good, 0o400, ""},
		{"with white space, as an editor leaves it", "  " + strings.ToUpper(good) + "\r\n\n", 0o600, ""},
		{"for the group to read", good, 0o640, "mode 0600), got mode 0640"},
		{"for all to read", good, 0o604, "mode 0600), got mode 0604"},
		{"for all to write", good, 0o602, "mode 0600), got mode 0602"},
		{"empty", "", 0o600, "expected 64 hexadecimal digits"},
		{"too short", good[2:], 0o600, "expected 64 hexadecimal digits"},
		{"too long", good + "00", 0o600, "expected 64 hexadecimal digits"},
		{"not hexadecimal", "z" + good[1:], 0o600, "expected 64 hexadecimal digits"},
	} {
		if c.mode&0o077 != 0 && runtime.GOOS == "windows" {
			continue
		}
		directory := t.TempDir()
		path := filepath.Join(directory, keyName)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chmod(path, c.mode)
		secret, err := readSecret(directory)
		if c.want == "" && (err != nil || fmt.Sprintf("%x", secret) != good) {
			t.Errorf("%s: expected the secret %s, got %x, %v", c.name, good, secret, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: expected an error with %q, got %v", c.name, c.want, err)
		}
		if text, _ := os.ReadFile(path); string(text) != c.text {
			t.Errorf("%s: expected that the file stays as it is, got %q", c.name, text)
		}
	}
}

// A spool whose key is refused is not open, says why, and opens when the key is right.
//
// Rules: SP4, SP10
func TestSpoolWithoutItsKey(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, keyName)
	if err := os.WriteFile(path, []byte("lost"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		if err := b.State().Err; err == nil || !strings.Contains(err.Error(), "hexadecimal digits") {
			t.Errorf("expected an error about the key, got %v", err)
		}
		b.wantLog("the spool cannot be opened")
		b.wantMetric("up", "", 0)
		if err := b.Add(b.entry(s1Start)); err != ErrClosed {
			t.Errorf("expected ErrClosed, got %v", err)
		}
		if b.Secret() != nil {
			t.Error("expected no secret")
		}
		os.Remove(path)
		pass(reopenPause)
		b.add(s1Start)
		pass(reopenPause)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start")
		b.wantMetric("up", "", 1)
	})
}
