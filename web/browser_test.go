//go:build browser

package web

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

// browserBed is a Server that a browser can reach.
func browserBed(t *testing.T, change func(*Config)) (b *bed, address string) {
	b = newBed(t, change)
	b.busy()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.server.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-ended })
	return b, "http://" + l.Addr().String() + "/"
}

// chromium returns the path of the browser.
func chromium(t *testing.T) string {
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("this test needs chromium: make web-test installs it")
	}
	return program
}

// brokenState is the state of a gateway in which everything is wrong.
func brokenState() status.Snapshot {
	s := largeState(7, 9)
	s.Certificates = append(s.Certificates, status.Certificate{For: "server", Place: 1, File: "server.pem", Subject: "CN=gw", Issuer: "CN=CA", ExpiresAt: time.Now().Add(-time.Hour)})
	s.Problems = append(s.Problems,
		status.Problem{Severity: status.Error, Kind: "reload_refused", Source: status.FromGateway, Subject: "configuration", Text: "gw.toml:7: expected a name"},
		status.Problem{Severity: status.Error, Kind: "log_lines_lost", Source: status.FromGateway, Text: "log lines are lost, 4711 since the start"})
	return s
}

// The page in a real browser: headless Chromium runs its script under the
// page's own policy, in light and dark, at a phone's width, with as much as a page may have,
// and with everything broken. SCREENSHOTS names a folder to keep the
// pictures in. Run by `make web-test`.
func TestThePageInChromium(t *testing.T) {
	program := chromium(t)
	pictures := os.Getenv("SCREENSHOTS")
	if pictures == "" {
		pictures = t.TempDir()
	}
	for _, view := range []struct {
		name, size string
		state      func() status.Snapshot
		extra      []string
	}{
		{name: "light", size: "1400,2600"},
		{name: "dark", size: "1400,2600", extra: []string{"--blink-settings=preferredColorScheme=0"}},
		{name: "phone", size: "500,6400"},
		{name: "many", size: "1400,9000", state: func() status.Snapshot { return largeState(1000, 10_000) }},
		{name: "broken", size: "1400,3600", state: brokenState},
		{name: "broken-phone", size: "500,9000", state: brokenState},
	} {
		b, address := browserBed(t, nil)
		if view.state != nil {
			b.state = view.state()
			b.m.Server("radius-b", "coa").SetState(metrics.StateDown)
		}
		file := filepath.Join(pictures, view.name+".png")
		said := browse(t, program, append(view.extra, "--window-size="+view.size, "--screenshot="+file, "--hide-scrollbars", address)...)
		if strings.Contains(said, "Content Security Policy") || strings.Contains(said, "Uncaught") {
			t.Errorf("%s: the browser complains: %s", view.name, said)
		}
		if info, err := os.Stat(file); err != nil || info.Size() < 10_000 {
			t.Errorf("%s: no picture worth the name: %v", view.name, err)
		}
	}
}

// browse runs the browser once and returns all that it printed.
func browse(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, append(browserFlags(t), args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
	return string(out)
}

// browserFlags returns the flags of every run.
func browserFlags(t *testing.T) []string {
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // not t.TempDir: children of the browser write to it for a moment after its end
		for end := time.Now().Add(10 * time.Second); os.RemoveAll(profile) != nil && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
	})
	return []string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--enable-logging=stderr", "--user-data-dir=" + profile}
}
