package web

import (
	"log/slog"
	"strings"
	"testing"
)

func TestTheLevelChangesOverHTTPWithTheToken(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Token = []byte(token) })
	log := slog.New(b.logs).With("server", "radius-a")
	log.Debug("before")
	status, body, _ := b.ask("PUT", "/loglevel", "DEBUG\n", "Authorization", "Bearer "+token)
	if status != 200 || body != "debug\n" {
		t.Errorf("PUT answered %d %q, want 200 debug", status, body)
	}
	log.Debug("after")
	if text := b.printed.String(); strings.Contains(text, "before") || !strings.Contains(text, "msg=after server=radius-a") {
		t.Errorf("logged %q, expected only what followed the change", text)
	}
	for _, row := range []struct {
		body, header string
		want         int
	}{{"error", "", 401}, {"loud", "Bearer " + token, 400}, {strings.Repeat("x", 1000), "Bearer " + token, 413}, {"", "Bearer " + token, 400}} {
		if status, _, _ := b.ask("PUT", "/loglevel", row.body, "Authorization", row.header); status != row.want {
			t.Errorf("PUT of %.10q with %q: %d, want %d", row.body, row.header, status, row.want)
		}
	}
	if status, _, _ := newBed(t, nil).ask("PUT", "/loglevel", "debug"); status != 403 {
		t.Errorf("PUT where there is no token: %d, want 403", status)
	}
}
