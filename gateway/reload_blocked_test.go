package gateway

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"
)

// A reload that reads a file that blocks delays nothing else: pages are served, new
// connections are accepted and logins are answered. The reload is refused after a
// deadline, with the name of the file, and the next one, when the file is back, succeeds.
//
// Fault W15.
func TestReloadOfAFileThatBlocks(t *testing.T) {
	g := startGateway(t, answering(t))
	file := g.gw.current.Load().Config.Path
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := g.connect("plain")
	gatewaytest.Block(t, file)
	reloaded := make(chan error, 1)
	go func() { reloaded <- g.gw.Reload() }()
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0) // returns when the reload reads the pipe, and gets nothing
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	for _, path := range []string{"/", "/readyz", "/healthz", "/metrics"} {
		r, err := client.Get("http://" + g.gw.MetricsAddr().String() + path)
		if err != nil {
			t.Errorf("GET %s while a reload reads: %v", path, err)
			continue
		}
		r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Errorf("GET %s while a reload reads: %d, want 200", path, r.StatusCode)
		}
	}
	for range 100 {
		c.good()
	}
	g.connect("plain").good()
	if err := <-reloaded; err == nil || !strings.Contains(err.Error(), file+" blocks: expected an answer within") {
		t.Errorf("expected the reload to be refused because of the file, got %v", err)
	}
	g.awaitLog("reload refused")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	gatewaytest.WriteFile(t, file, good)
	// The first read of the file has not returned: its path is tried when it does.
	if _, err := pipe.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	g.reload()
	c.good()
}
