//go:build browser

package web

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The page in a real browser: headless Chromium runs its script under the
// page's own policy, in light and dark and at a phone's width. SCREENSHOTS
// names a folder to keep the pictures in. Run by `make web-test`.
func TestThePageInChromium(t *testing.T) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("this test needs chromium: make web-test installs it")
	}
	var b *bed
	asked := atomic.Int32{}
	b = newBed(t, func(c *Config) {
		routes := c.Routes
		c.Routes = func() []Route { // called twice for each page
			if asked.Add(1) > 8 {
				b.m.Client("came-later")
			}
			return routes()
		}
	})
	b.busy()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.server.Serve(ctx, l) }()
	defer func() { cancel(); <-ended }()
	pictures := os.Getenv("SCREENSHOTS")
	if pictures == "" {
		pictures = t.TempDir()
	}
	for _, view := range []struct{ name, size, extra string }{
		{"light", "1280,1400", ""},
		{"dark", "1280,1400", "--blink-settings=preferredColorScheme=0"},
		{"phone", "500,3200", ""},
	} {
		file := filepath.Join(pictures, view.name+".png")
		args := []string{"--window-size=" + view.size, "--screenshot=" + file, "--hide-scrollbars"}
		if view.extra != "" {
			args = append(args, view.extra)
		}
		said := browse(t, program, append(args, "http://"+l.Addr().String()+"/")...)
		if strings.Contains(said, "Content Security Policy") || strings.Contains(said, "Uncaught") {
			t.Errorf("%s: the browser complains: %s", view.name, said)
		}
		if info, err := os.Stat(file); err != nil || info.Size() < 10_000 {
			t.Errorf("%s: no picture worth the name: %v", view.name, err)
		}
	}
	// The second page that the open browser asks for has something new, and its script brings it in.
	dom := browse(t, program, "--dump-dom", "--virtual-time-budget=20000", "http://"+l.Addr().String()+"/")
	if !strings.Contains(dom, "<polyline points=") || !strings.Contains(dom, "came-later") {
		t.Error("the page did not refresh itself")
	}
}

// browse runs the browser once and returns all that it printed.
func browse(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append([]string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--enable-logging=stderr", "--user-data-dir=" + t.TempDir()}, args...)
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
	return string(out)
}
