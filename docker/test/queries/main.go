// Command queries asks a Prometheus that scrapes a gateway everything that the
// rules and the dashboard ask, and fails where there is no data.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"radsec-gw/docker/test/watch"
)

// sometimes are the metrics that not every gateway has: with revocation lists,
// while a client is connected, with queues, with servers given by host name, with a spool, with
// a cluster. Their names must be in the source.
var sometimes = []string{
	"radsec_gw_crl_next_update_timestamp_seconds", "radsec_gw_crl_issuer_refused", "radsec_gw_crl_fetch_failing",
	"radsec_gw_tls_client_certificate_expiry_timestamp_seconds", "client:radsec_gw_certificate_valid:seconds",
	"radsec_gw_server_name_lookups_total",
	"radsec_gw_queue_items", "radsec_gw_queue_bytes", "radsec_gw_queue_shed_total", "queue:radsec_gw_queue:ratio",
	"radsec_gw_spool_", "spool:radsec_gw_spool:ratio",
	"radsec_gw_cluster_",
}

// counted are the metrics whose series appear with their first count, so that the gateway may
// not show them. Their names must be in the source; what asks for them must get 0 meanwhile.
var counted = []string{
	"radsec_gw_server_requests_resent_total", "radsec_gw_server_requests_moved_total", "radsec_gw_server_timeouts_total", "radsec_gw_replies_after_move_total",
}

var client = http.Client{Timeout: 10 * time.Second}

func main() {
	prometheus := flag.String("prometheus", "http://127.0.0.1:9090", "its `URL`")
	metrics := flag.String("metrics", "http://127.0.0.1:9713/metrics", "the gateway's `URL`")
	docker := flag.String("docker", "..", "the `FOLDER` docker")
	flag.Parse()
	asked, wrong := run(*prometheus, *metrics, *docker)
	for _, w := range wrong {
		fmt.Fprintln(os.Stderr, w)
	}
	fmt.Printf("   %d questions, %d without an answer\n", asked, len(wrong))
	if len(wrong) > 0 {
		os.Exit(1)
	}
}

func run(prometheus, metrics, docker string) (asked int, wrong []string) {
	rules, err := watch.Rules(docker)
	if err != nil {
		return 0, []string{err.Error()}
	}
	dashboard, err := watch.ReadDashboard(docker)
	if err != nil {
		return 0, []string{err.Error()}
	}
	queries := watch.Queries(rules, dashboard)
	wrong = append(missingNames(metrics, docker, rules, queries), brokenRules(prometheus)...)
	for _, q := range queries {
		if optional(q.Expr) {
			continue
		}
		asked++
		var result []any
		if err := ask(prometheus+"/api/v1/query?query="+url.QueryEscape(q.Expr), &struct{ Result *[]any }{&result}); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", q.Where, err))
		} else if len(result) == 0 {
			wrong = append(wrong, fmt.Sprintf("%s: no data: %s", q.Where, q.Expr))
		}
	}
	return asked, wrong
}

func optional(expr string) bool {
	for _, s := range sometimes {
		if strings.Contains(expr, s) {
			return true
		}
	}
	return false
}

// missingNames compares every name in rules and queries with what the gateway
// shows and the rules record.
func missingNames(metrics, docker string, rules []watch.Rule, queries []watch.Query) (missing []string) {
	known := map[string]bool{}
	for _, r := range rules {
		known[r.Record] = true
		queries = append(queries, watch.Query{Where: "rule " + r.Record + r.Alert, Expr: r.Expr})
	}
	page, err := get(metrics)
	if err != nil {
		return []string{err.Error()}
	}
	for line := range strings.Lines(page) {
		if f := strings.Fields(line); len(f) > 2 && f[1] == "TYPE" {
			known[f[2]] = true
		}
	}
	source := readSource(filepath.Join(docker, "../metrics"))
	for _, q := range queries {
		for _, n := range watch.Names(q.Expr) {
			inSource := (optional(n) || slices.Contains(counted, n)) && strings.Contains(source, `"`+strings.TrimPrefix(n, "radsec_gw_")+`"`)
			if !known[n] && !inSource {
				missing = append(missing, fmt.Sprintf("%s: the gateway shows no metric %s", q.Where, n))
			}
		}
	}
	return missing
}

func readSource(folder string) string {
	files, _ := filepath.Glob(filepath.Join(folder, "*.go"))
	var all strings.Builder
	for _, f := range files {
		text, _ := os.ReadFile(f)
		all.Write(text)
	}
	return all.String()
}

// brokenRules lists the rules that Prometheus could not evaluate.
func brokenRules(prometheus string) (broken []string) {
	var answer struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	if err := ask(prometheus+"/api/v1/rules", &answer); err != nil {
		return []string{err.Error()}
	}
	if len(answer.Groups) == 0 {
		return []string{"Prometheus has loaded no rules"}
	}
	for _, g := range answer.Groups {
		for _, r := range g.Rules {
			if r.Health != "ok" {
				broken = append(broken, fmt.Sprintf("rule %s: %s %s", r.Name, r.Health, r.LastError))
			}
		}
	}
	return broken
}

// ask decodes the data of an answer of Prometheus's API.
func ask(url string, data any) error {
	text, err := get(url)
	if err != nil {
		return err
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("Prometheus says %s: %s", answer.Status, answer.Error)
	}
	return nil
}

func get(url string) (string, error) {
	r, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return string(text), err
}
