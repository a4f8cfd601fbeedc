//go:build linux

package metrics

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"radsec-gw/logs"
)

const (
	document   = "../docs/metrics.md"
	adviceFile = "testdata/advice.txt"
	rulesFile  = "../docker/prometheus/rules.yml"
)

// docs/metrics.md has each metric as the code names and explains it, with each value of
// its labels and what to do about it.
//
// Fault O7.
func TestEachMetricIsDocumented(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- begin: METRICS=write go test ./metrics -->\n", "<!-- end -->"
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no %s", document, begin)
	}
	want := before + begin + newReference(t).write() + end + after
	switch {
	case want == string(text):
	case os.Getenv("METRICS") == "write":
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("docs/metrics.md is not what the code says: run METRICS=write go test ./metrics")
	}
}

// everything returns all families, with a series for each value of each closed list.
func everything(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	m, c, s := filled(t)
	s.SetAddress("192.0.2.1:1812")
	for state := range NumStates {
		s.SetState(state)
	}
	for _, port := range Ports {
		m.Server("freeradius-a", port)
	}
	m.Routes(func() []RouteState { return []RouteState{{"example.org", true}} })
	touchAll(m)
	m.Queue("tap", "items", 1)
	for _, name := range []string{"stderr", "syslog"} {
		out := logs.NewOutput(writerFunc(func(p []byte) (int, error) { return len(p), nil }))
		t.Cleanup(func() { out.Close() })
		m.Logs(name, out)
	}
	m.Listener("listen").SetCRLs([]CRL{{Issuer: "CN=CA", ThisUpdate: time.Now()}})
	m.CRLFetches().Add("http://crl.example/ca.crl", time.Time{})
	var files []CertificateFile
	for _, what := range []string{"server", "client_ca", "ca", "intermediates", "metrics"} {
		files = append(files, CertificateFile{For: what, File: "a.pem", Expires: time.Now()})
	}
	m.SetCertificates(files)
	m.Reloads().Refused([]Place{{"radsec-gw.toml", "listen.address"}}, true)
	m.CountLookup("freeradius-a", true)
	m.Spool().Use(func() SpoolState { return SpoolState{Shared: true} })
	m.Cluster().Use()
	m.ClusterAsks().Use()
	for _, use := range []string{"radsec", "udp", "http", "other"} {
		m.SetDescriptors(use, 1)
	}
	m.Opened(&Connection{Client: c.values[0], NotAfter: time.Now()})
	reg := prometheus.NewRegistry()
	reg.MustRegister(m)
	gathered, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*dto.MetricFamily{}
	for _, f := range gathered {
		if name, ours := strings.CutPrefix(f.GetName(), namespace+"_"); ours {
			all[name] = f
		}
	}
	return all
}

// openLabels are those whose values are the operator's.
var openLabels = map[string]string{
	"client":     "the name of a `[[client]]`",
	"server":     "the name of a `[[server]]`; with `expand`, NAME@ADDRESS for each address",
	"route":      "the realms and operators of a `[[route]]`, of more than 100 routes with its number",
	"file":       "a file, as the configuration has it",
	"issuer":     "the name of a CA",
	"url":        "a URL of `crl`, or of a certificate's distribution point",
	"key":        "a key of the configuration, such as `listen.address`",
	"commit":     "that the program was built from",
	"go_version": "that it was built with",
}

// listOf returns the title of the list that a metric's label has its values from, "" for an
// open label.
func listOf(metric, label string) string {
	switch {
	case metric == "build_info" || openLabels[label] != "":
		return ""
	case label == "result":
		return map[string]string{"tls_handshakes_total": "Result of handshakes", "server_replies_total": "Result of replies", "server_probes_total": "Result of health checks",
			"server_name_lookups_total": "Result of look-ups", "reloads_total": "Result of reloads", "crl_fetches_total": "Result of fetches", "spool_sent_total": "Result of replays"}[metric]
	case label == "reason":
		return map[string]string{"tls_client_connections_closed_total": "Reason of closed connections", "omitted_attributes_total": "Reason of omissions",
			"log_lines_lost_total": "Reason of lost lines", "cluster_coa_asks_total": "Result of asked gateways", "cluster_coa_served_total": "Result of requests of other gateways", "spool_refused_total": "Reason of refused records", "spool_dropped_total": "Reason of dropped records"}[metric]
	case label == "kind" && strings.HasPrefix(metric, "log_"):
		return "Kind of log lines"
	case label == "kind" && strings.HasPrefix(metric, "cluster_"):
		return "Kind of shared messages"
	}
	return map[string]string{"fate": "Fates", "state": "State of servers", "kind": "Kind of requests", "code": "Codes", "port": "Ports of servers", "listener": "Listeners",
		"use": "Uses of descriptors", "certificate": "What a file of certificates is for", "output": "Outputs of the log", "queue": "Queues", "family": "Families of addresses",
		"resumed": "Whether a TLS session was resumed", "version": "TLS versions", "ready": "Whether a route is ready"}[label]
}

// typeAndUnit describes a metric by its name and type.
func typeAndUnit(f *dto.MetricFamily) string {
	name := f.GetName()
	kind := strings.ToLower(f.GetType().String())
	switch {
	case strings.HasSuffix(name, "_timestamp_seconds"):
		return kind + ", seconds of Unix time"
	case strings.HasSuffix(name, "_seconds"):
		return kind + ", seconds"
	case strings.Contains(name, "_bytes"):
		return kind + ", bytes"
	case strings.Contains(name, "_octets"):
		return kind + ", octets"
	case isFlag[strings.TrimPrefix(name, namespace+"_")]:
		return kind + ", 1 or 0"
	}
	return kind + ", a number"
}

// isFlag has the gauges that say whether something is so.
var isFlag = map[string]bool{"server_up": true, "spool_up": true, "cluster_up": true, "tls_key_log": true, "server_state": true, "route_ready": true, "certificate_refused": true, "new_certificate_refused": true,
	"crl_issuer_refused": true, "crl_fetch_failing": true, "config_last_reload_successful": true, "config_refused": true, "build_info": true}

// labelsOf returns the names of a family's labels, sorted, and the values of each.
func labelsOf(f *dto.MetricFamily) (names []string, values map[string][]string) {
	values = map[string][]string{}
	for _, one := range f.Metric {
		for _, l := range one.Label {
			name := l.GetName()
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			if !slices.Contains(values[name], l.GetValue()) {
				values[name] = append(values[name], l.GetValue())
			}
		}
	}
	slices.Sort(names)
	return names, values
}

// anchor returns the fragment of a heading's address, as GitHub and GitLab make it.
func anchor(heading string) string {
	return strings.NewReplacer(" ", "-", "`", "", ":", "").Replace(strings.ToLower(heading))
}

// heading returns that of a list: labels of one name may have several.
func heading(label, title string) string {
	switch label {
	case "fate", "state":
		return fmt.Sprintf("Label `%s`", label)
	}
	if strings.HasPrefix(strings.ToLower(title), label+" ") {
		return fmt.Sprintf("Label `%s`%s", label, title[len(label):])
	}
	return fmt.Sprintf("Label `%s`: %s", label, title)
}
