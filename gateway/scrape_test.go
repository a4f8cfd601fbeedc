package gateway

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"radsec-gw/gateway/gatewaytest"
)

// seriesLine is a line of /metrics: name, labels, value.
var seriesLine = regexp.MustCompile(`(?m)^(radsec_gw_\w+)(?:\{(.*)\})? (\S+)$`)

// scrape reads /metrics: the value of each series of the gateway.
func (g *testGateway) scrape() map[string]float64 {
	g.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: gatewaytest.Patience}
	r, err := client.Get("http://" + g.gw.MetricsAddr().String() + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	all := map[string]float64{}
	for _, m := range seriesLine.FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			g.t.Fatalf("%s: %v", m[0], err)
		}
		all[m[1]+"{"+m[2]+"}"] = v
	}
	return all
}

// fatesSince lists the fates counted since before: "client/kind/fate=n".
func fatesSince(before, now map[string]float64) string {
	return since("radsec_gw_requests_total", before, now, "client", "kind", "fate")
}

// since lists how much the series of a family have grown, by these labels, sorted.
func since(family string, before, now map[string]float64, labels ...string) string {
	var list []string
	for key, v := range now {
		rest, ok := strings.CutPrefix(key, family+"{")
		if !ok || v == before[key] {
			continue
		}
		var name []string
		for _, l := range labels {
			_, value, _ := strings.Cut(rest, l+`="`)
			value, _, _ = strings.Cut(value, `"`)
			name = append(name, value)
		}
		list = append(list, fmt.Sprintf("%s=%v", strings.Join(name, "/"), v-before[key]))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// await reads the metrics until see returns what is wanted: an answer may reach its client
// a moment before it is counted.
func (g *testGateway) await(want string, see func(now map[string]float64) string) {
	g.t.Helper()
	deadline := time.After(gatewaytest.Patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		got := see(g.scrape())
		if got == want {
			return
		}
		select {
		case <-deadline:
			g.t.Fatalf("expected: %s\ngot: %s", want, got)
		case <-tick.C:
		}
	}
}

// get reads a page of the HTTP side.
func (g *testGateway) get(path string) (int, string) {
	g.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: gatewaytest.Patience}
	r, err := client.Get("http://" + g.gw.MetricsAddr().String() + path)
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// httpStatus returns the status of a path; 0 for no response.
func httpStatus(path string) func(*Gateway) any { return httpStatusFor("", path) }

// httpStatusFor is like httpStatus for a request with a Host.
func httpStatusFor(host, path string) func(*Gateway) any {
	return func(g *Gateway) any {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: gatewaytest.Patience}
		q, err := http.NewRequest("GET", "http://"+g.MetricsAddr().String()+path, nil)
		if err != nil {
			return 0
		}
		q.Host = host
		r, err := client.Do(q)
		if err != nil {
			return 0
		}
		r.Body.Close()
		return r.StatusCode
	}
}
