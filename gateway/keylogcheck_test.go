package gateway

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
