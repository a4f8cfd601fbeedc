//go:build linux

package alerts

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/gateway/gatewaytest"
)

// prometheus is a running one.
type prometheus struct {
	t       *testing.T
	dir     string
	address string
	http    http.Client
}

// patience bounds the wait for all alerts, and then for their ends. They take ten and
// fifteen seconds on a machine without other work.
const patience = 90 * time.Second

// startPrometheus runs Prometheus with the shortened rules and no targets.
func startPrometheus(t *testing.T) *prometheus {
	t.Helper()
	p := &prometheus{t: t, dir: t.TempDir(), address: gatewaytest.UnusedAddress(t), http: http.Client{Timeout: 10 * time.Second}}
	gatewaytest.WriteFile(t, p.file("rules.yml"), []byte(shortened(t)))
	gatewaytest.WriteFile(t, p.file("targets.json"), []byte("[]"))
	gatewaytest.WriteFile(t, p.file("prometheus.yml"), []byte(`
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [rules.yml]
scrape_configs:
  - job_name: radsec-gw
    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
`))
	cmd := exec.Command("prometheus", "--config.file="+p.file("prometheus.yml"), "--storage.tsdb.path="+p.file("data"), "--web.listen-address="+p.address, "--log.level=warn")
	cmd.Dir = p.dir
	running, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Stop(20 * time.Second); err != nil {
			t.Log(err)
		}
		if t.Failed() {
			t.Logf("Prometheus's log:\n%s", running.Output().Last(20))
		}
	})
	return p
}

func (p *prometheus) file(name string) string { return filepath.Join(p.dir, name) }

// scrape lets Prometheus scrape these addresses.
func (p *prometheus) scrape(addresses ...string) {
	p.t.Helper()
	text, err := json.Marshal([]map[string]any{{"targets": addresses}})
	if err != nil {
		p.t.Fatal(err)
	}
	gatewaytest.WriteFile(p.t, p.file("new"), text)
	if err := os.Rename(p.file("new"), p.file("targets.json")); err != nil { // it must not be read half written
		p.t.Fatal(err)
	}
}

// alert is one that is pending or fires.
type alert struct {
	State  string
	Labels map[string]string
}

// alerts returns those that are pending or fire now, and whether Prometheus has answered.
func (p *prometheus) alerts() (list []alert, answered bool) {
	p.t.Helper()
	response, err := p.http.Get("http://" + p.address + "/api/v1/alerts")
	if err != nil {
		return nil, false // it is starting
	}
	defer response.Body.Close()
	var answer struct{ Data struct{ Alerts []alert } }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		return nil, false
	}
	return answer.Data.Alerts, true
}

// awaitAll waits until each of the alerts has fired. fired has when each did.
func (p *prometheus) awaitAll(names []string, fired map[string]bool) {
	p.t.Helper()
	from := time.Now()
	for deadline := from.Add(patience); ; time.Sleep(200 * time.Millisecond) {
		list, _ := p.alerts()
		for _, a := range list {
			if a.State == "firing" && !fired[a.Labels["alertname"]] {
				fired[a.Labels["alertname"]] = true
				p.t.Logf("%s fires after %.1f s: %v", a.Labels["alertname"], time.Since(from).Seconds(), a.Labels)
			}
		}
		missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return fired[name] })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			p.t.Errorf("after %v these have not fired: %s", patience, strings.Join(missing, ", "))
			return
		}
	}
}

// awaitNone waits until no alert fires.
func (p *prometheus) awaitNone() {
	p.t.Helper()
	from := time.Now()
	for deadline := from.Add(patience); ; time.Sleep(200 * time.Millisecond) {
		var firing []string
		list, answered := p.alerts()
		for _, a := range list {
			if a.State == "firing" {
				firing = append(firing, fmt.Sprint(a.Labels))
			}
		}
		if answered && len(firing) == 0 {
			p.t.Logf("none fires after %.1f s", time.Since(from).Seconds())
			return
		}
		if time.Now().After(deadline) {
			p.t.Errorf("%v after all was mended these still fire (Prometheus answers: %v):\n%s", patience, answered, strings.Join(firing, "\n"))
			return
		}
	}
}
