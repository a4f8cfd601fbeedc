// Package watch reads what Prometheus and Grafana ask the gateway for: the rules and the
// dashboard of the folder docker.
package watch

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// Rule is one recording or alerting rule.
type Rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// Dashboard is the part of Grafana's dashboard model that is checked.
type Dashboard struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct {
			Name, Type, Definition string
			Datasource             Source
		}
	}
	Panels []Panel
}

// Panel is one of a dashboard's panels, or a row's title.
type Panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               Source
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		RefID, Expr string
		Datasource  Source
	}
}

// Source names a data source.
type Source struct{ Type, UID string }

// Rules reads prometheus/rules.yml in the folder docker.
func Rules(docker string) ([]Rule, error) {
	text, err := os.ReadFile(filepath.Join(docker, "prometheus/rules.yml"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Groups []struct{ Rules []Rule }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	var all []Rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all, nil
}

// ReadDashboard reads the provisioned dashboard in the folder docker.
func ReadDashboard(docker string) (*Dashboard, error) {
	text, err := os.ReadFile(filepath.Join(docker, "grafana/dashboards/radsec-gw.json"))
	if err != nil {
		return nil, err
	}
	d := new(Dashboard)
	return d, json.Unmarshal(text, d)
}

// grafana replaces variables as Grafana does.
var grafana = strings.NewReplacer("$__rate_interval", "1m", "$instance", ".*", "$client", ".*")

// Query is an expression with its origin, for messages.
type Query struct{ Where, Expr string }

// Queries lists every expression of the dashboard, and those of the recording
// rules by the names that they record under.
func Queries(rules []Rule, d *Dashboard) []Query {
	var all []Query
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			all = append(all, Query{fmt.Sprintf("panel %q %s", p.Title, t.RefID), grafana.Replace(t.Expr)})
		}
	}
	for _, r := range rules {
		if r.Record != "" {
			all = append(all, Query{"rule " + r.Record, r.Record})
		}
	}
	return all
}

var (
	quoted = regexp.MustCompile(`"[^"]*"`)
	metric = regexp.MustCompile(`[a-z:]*\b(?:radsec_gw|process|go)_[a-z0-9_:]+`)
)

// Names lists the metrics that an expression names, those of histograms
// without _bucket, _sum and _count.
func Names(expr string) []string {
	var names []string
	for _, n := range metric.FindAllString(quoted.ReplaceAllString(expr, ""), -1) {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			n = strings.TrimSuffix(n, suffix)
		}
		names = append(names, n)
	}
	return names
}
