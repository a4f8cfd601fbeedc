//go:build linux

package world

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/bench/scrape"
)

// rules are the alerts that the project ships.
const rules = "../../docker/prometheus/rules.yml"

// alerts is a file for promtool that asks for each mistake which alerts its metrics raise.
type alerts struct {
	mu     sync.Mutex
	groups []string
}

var timestamp = regexp.MustCompile(`^\w+_timestamp_seconds(\{|$)`)

// evaluated is when the alerts are asked for, on promtool's clock, which begins at 0.
const evaluated = 39 * time.Minute

// add adds a mistake: the metrics as they were at first for ten minutes, then for half an hour
// as they changed, as if what the test does were done every five seconds. Afterwards exactly
// the alerts of the list fire.
func (a *alerts) add(title string, n *night, firing []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %q\n    interval: 1m\n    input_series:\n", title)
	series := func(name, values string) { fmt.Fprintf(&b, "      - {series: '%s', values: '%s'}\n", name, values) }
	series(`up{job="radsec-gw",instance="gw"}`, "1x40")
	shift := float64(time.Now().Unix()) - evaluated.Seconds()
	after := scrape.Parse(n.said["metric"])
	for name, v := range after {
		if strings.Contains(name, "_bucket{") || !strings.HasPrefix(name, "radsec_gw_") && !strings.HasPrefix(name, "process_") {
			continue
		}
		from, labelled := n.before[name], withLabels(name)
		switch bare, _, _ := strings.Cut(name, "{"); {
		case timestamp.MatchString(name) && v > 0:
			series(labelled, fmt.Sprintf("%gx40", v-shift))
		case strings.HasSuffix(bare, "_total") || strings.HasSuffix(bare, "_count") || strings.HasSuffix(bare, "_sum"):
			series(labelled, fmt.Sprintf("%gx10 %g+%gx29", from, from, 12*(v-from)))
		default:
			series(labelled, fmt.Sprintf("%gx10 %gx29", from, v))
		}
	}
	fmt.Fprintf(&b, "    promql_expr_test:\n      - expr: group by (alertname) (ALERTS{alertstate=\"firing\"})\n        eval_time: %v\n        exp_samples:%s\n", evaluated, samples(firing))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.groups = append(a.groups, b.String())
}

// withLabels adds the labels that Prometheus adds.
func withLabels(series string) string {
	name, labels, some := strings.Cut(series, "{")
	if some {
		return name + `{job="radsec-gw",instance="gw",` + labels
	}
	return name + `{job="radsec-gw",instance="gw"}`
}

func samples(firing []string) (text string) {
	slices.Sort(firing)
	for _, name := range slices.Compact(firing) {
		text += fmt.Sprintf("\n          - {labels: '{alertname=\"%s\"}', value: 1}", name)
	}
	if text == "" {
		return " []"
	}
	return text
}

// check asks promtool, which shows what differs.
func (a *alerts) check(t *testing.T) {
	t.Helper()
	absolute, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/mistakes.yml"
	text := fmt.Sprintf("rule_files: [%s]\nevaluation_interval: 1m\ntests:\n%s", absolute+"/"+rules, strings.Join(a.groups, ""))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("alerts that differ from those of the page: promtool: %v\n%s", err, out)
	}
}
