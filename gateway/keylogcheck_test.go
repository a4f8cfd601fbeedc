package gateway

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/tlsfront"
)

// What serve would refuse as key_log_file, check reports with its key, and makes no file.
func TestKeyLogFileIsChecked(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"":                                 "",
		filepath.Join(dir, "new"):          "",
		dir:                                "is not a regular file",
		open:                               "chmod 600",
		filepath.Join(dir, "none", "keys"): "no such file or directory",
	} {
		var cfg config.Config
		cfg.Listen.KeyLogFile = path
		got := keyLogMistakes(&cfg, files.NewReader())
		if (want == "") != (len(got) == 0) || want != "" && (got[0].Key != "listen.key_log_file" || !strings.Contains(got.Error(), want)) {
			t.Errorf("%q: expected a mistake with %q, got %v", path, want, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("expected check to make no file")
	}
	_, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.Config(1812), "[listen]\n", "[listen]\nkey_log_file = \"certs\"\n", 1))
	if got := mistakesOf(t, file); !got.Has("listen.key_log_file") {
		t.Errorf("expected Load to report it, got %v", got)
	}
}

// A file that the configuration names for something else, or that is a part of it, is refused
// under whatever name: keys would be appended to it. So is one that has something else than
// keys.
//
// Fault O9.
func TestKeyLogFileOfAnotherPurpose(t *testing.T) {
	dir, file := gatewaytest.Dir(t, "")
	certs := filepath.Join(dir, "certs", "dev")
	if err := os.Symlink(filepath.Join(certs, "server.key"), filepath.Join(dir, "symlink")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(certs, "server.key"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"part.toml": "# a part\n", "notes": "buy milk\n", "comments": "# keys\n\n", "keys": "# of today\nCLIENT_RANDOM 0a0b 0c0d\n"} {
		gatewaytest.WriteFile(t, filepath.Join(dir, name), []byte(text))
	}
	for name, want := range map[string]string{
		"certs/dev/server.key":        "got that of listen.private_key",
		"certs/dev/../dev/server.key": "got that of listen.private_key",
		"symlink":                     "got that of listen.private_key",
		"link":                        "got that of listen.private_key",
		"c.toml":                      "is a part of the configuration",
		"part.toml":                   "is a part of the configuration",
		"tap.sock":                    "got that of tap.socket",
		"certs/dev/client.key":        "which has something else",
		"notes":                       "which has something else",
		"comments":                    "",
		"keys":                        "",
		"new":                         "",
	} {
		text := strings.NewReplacer("[listen]\n", "include = [\"part.toml\"]\n[listen]\nkey_log_file = \""+name+"\"\n", "socket = \"\"", "socket = \"tap.sock\"").Replace(gatewaytest.Config(1812))
		gatewaytest.WriteFile(t, file, []byte(text))
		_, err := Load(t.Context(), file)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "key_log_file: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected a mistake with %q, got %v", name, want, err)
		}
	}
}

// A reload waits a second at most for a key log whose disk does not answer, and keeps the one
// that is open; a new one on such a disk is refused.
//
// Fault O9.
func TestReloadDoesNotWaitForAKeyLogThatHangs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := &Gateway{reader: files.NewReader(), ctx: t.Context(), log: slog.New(slog.DiscardHandler)}
		var cfg, other config.Config
		cfg.Listen.KeyLogFile, other.Listen.KeyLogFile = filepath.Join(dir, "keys"), filepath.Join(dir, "other")
		first, err := g.openKeyLog(&cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		release := make(chan struct{})
		defer synctest.Wait() // for the calls
		defer close(release)
		for _, c := range []*config.Config{&cfg, &other} {
			go g.reader.Call(t.Context(), c.Listen.KeyLogFile, func() error { <-release; return nil })
		}
		synctest.Wait()
		began := time.Now()
		if list := keyLogMistakes(&cfg, g.reader); list != nil {
			t.Errorf("a disk that does not answer is a mistake: %v", list)
		}
		current := &generation{Plan: &Plan{Config: &cfg}, keyLog: first}
		if k, err := g.openKeyLog(&cfg, current); k != first || err != nil {
			t.Errorf("expected the file that is open to be kept, got %v", err)
		}
		if took := time.Since(began); took > 2*keyLogWait {
			t.Errorf("the reload has waited %v, expected at most %v", took, 2*keyLogWait)
		}
		if _, err := g.openKeyLog(&other, current); err == nil || !strings.Contains(err.Error(), "blocks") {
			t.Errorf("expected another file on such a disk to be refused, got %v", err)
		}
	})
}

// At a reload a file that was renamed, or removed, is made anew; one that is there stays open.
func TestKeyLogFileIsRotated(t *testing.T) {
	g := &Gateway{reader: files.NewReader(), ctx: t.Context(), log: slog.New(slog.DiscardHandler)}
	var cfg config.Config
	cfg.Listen.KeyLogFile = filepath.Join(t.TempDir(), "keys")
	open := func(current *generation) *tlsfront.KeyLog {
		t.Helper()
		k, err := g.openKeyLog(&cfg, current)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := open(nil)
	defer first.Close()
	if open(&generation{keyLog: first}) != first {
		t.Error("expected the file that is open already to be kept")
	}
	if err := os.Rename(cfg.Listen.KeyLogFile, cfg.Listen.KeyLogFile+".1"); err != nil {
		t.Fatal(err)
	}
	next := open(&generation{keyLog: first})
	defer next.Close()
	if _, err := os.Stat(cfg.Listen.KeyLogFile); next == first || err != nil {
		t.Errorf("expected a new file in place of the one that was renamed, got %v", err)
	}
}
