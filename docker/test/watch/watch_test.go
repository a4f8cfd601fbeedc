package watch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const docker = "../.."

func read(t *testing.T) ([]Rule, *Dashboard) {
	t.Helper()
	rules, err := Rules(docker)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ReadDashboard(docker)
	if err != nil {
		t.Fatal(err)
	}
	return rules, d
}

// Grafana loads a dashboard whose fields are these; without Grafana its file is
// held to them.
//
// Fault O7.
func TestDashboard(t *testing.T) {
	_, d := read(t)
	var provisioned struct{ Datasources []struct{ UID, Type string } }
	text, err := os.ReadFile(filepath.Join(docker, "grafana/provisioning/datasources/prometheus.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &provisioned); err != nil || len(provisioned.Datasources) != 1 {
		t.Fatalf("provisioned data sources: %v, %v", provisioned, err)
	}
	// A variable, so that the dashboard can be imported where the data source has another name.
	source := Source{provisioned.Datasources[0].Type, "${datasource}"}
	if len(d.Templating.List) == 0 || d.Templating.List[0].Name != "datasource" || d.Templating.List[0].Type != "datasource" {
		t.Fatalf("the first variable is %+v, expected the data source", d.Templating.List)
	}
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 36 {
		t.Errorf("uid %q, title %q, schemaVersion %d", d.UID, d.Title, d.SchemaVersion)
	}
	for _, v := range d.Templating.List[1:] {
		if v.Type != "query" || v.Datasource != source || !strings.HasPrefix(v.Definition, "label_values(") {
			t.Errorf("variable %q: %+v", v.Name, v)
		}
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %q has the id %d of another, or no title", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if taken[[2]int{x, y}] != "" || x >= 24 {
					t.Fatalf("panel %q lies on %q or outside of the 24 columns", p.Title, taken[[2]int{x, y}])
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Type != "stat" && p.Type != "timeseries" || p.Datasource != source || p.Description == "" ||
			p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q: type %q, source %v, unit %q, %d targets, description %q",
				p.Title, p.Type, p.Datasource, p.FieldConfig.Defaults.Unit, len(p.Targets), p.Description)
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if refs[q.RefID] || q.Expr == "" || q.Datasource != source {
				t.Errorf("panel %q: target %q doubled, empty or of another source", p.Title, q.RefID)
			}
			refs[q.RefID] = true
		}
	}
}

// promtool parses the dashboard's queries when they are written as rules.
func TestDashboardQueriesParse(t *testing.T) {
	rules, d := read(t)
	var file strings.Builder
	file.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for _, q := range Queries(rules, d) {
		file.WriteString("  # " + q.Where + "\n  - record: q\n    expr: '" + strings.ReplaceAll(q.Expr, "'", "''") + "'\n")
	}
	path := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "check", "rules", "--lint=none", path).CombinedOutput(); err != nil {
		t.Errorf("promtool (Debian: prometheus): %v\n%s\n%s", err, out, file.String())
	}
}

// An alert that nobody tests may never fire.
func TestEveryAlertIsTestedAndExplained(t *testing.T) {
	rules, _ := read(t)
	tests, err := os.ReadFile(filepath.Join(docker, "prometheus/rules_test.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.Alert == "" {
			continue
		}
		if !strings.Contains(string(tests), r.Alert) {
			t.Errorf("alert %s has no test in rules_test.yml", r.Alert)
		}
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("alert %s: expected a severity, a summary and a description, got %v %v", r.Alert, r.Labels, r.Annotations)
		}
	}
}

// A fate that no recorded rule counts is one that nobody hears of.
func TestEveryFateHasItsPlace(t *testing.T) {
	heard := []string{"client:radsec_gw_refused:rate5m", "client:radsec_gw_refused:rate1h", "client:radsec_gw_lost:rate5m", "client:radsec_gw_limited:rate5m"}
	quiet := []string{"relayed", "status_answered", "accounting_answered", "spooled", "reverse_answer", "late_answer", "duplicate_dropped", "duplicate_answered", "client_gone", "shutdown"}
	rules, _ := read(t)
	counted := map[string][]string{}
	for _, r := range rules {
		if !slices.Contains(heard, r.Record) {
			continue
		}
		for _, fate := range fates(t) {
			if counts(r.Expr, fate) {
				counted[fate] = append(counted[fate], strings.TrimSuffix(strings.TrimSuffix(r.Record, ":rate5m"), ":rate1h"))
			}
		}
	}
	for _, fate := range fates(t) {
		places := slices.Compact(counted[fate])
		if len(places) != 1 && !slices.Contains(quiet, fate) || len(places) != 0 && slices.Contains(quiet, fate) {
			t.Errorf("fate %s is counted by %q, expected one of %q", fate, places, heard)
		}
		if len(places) == 1 && places[0] == "client:radsec_gw_refused" && len(counted[fate]) != 2 {
			t.Errorf("fate %s is in one of the two rates of refusals only", fate)
		}
	}
}

// fates reads the label values from the list in the package metrics.
func fates(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docker, "../metrics/fate.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\bFate\w+: +"(\w+)"`).FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	if len(names) < 20 {
		t.Fatalf("metrics/fate.go names %d fates only", len(names))
	}
	return names
}

// counts says whether the selectors of the label fate in an expression let the value through.
func counts(expr, fate string) bool {
	selectors := regexp.MustCompile(`\bfate(=~|!~|!=|=)"([^"]*)"`).FindAllStringSubmatch(expr, -1)
	for _, s := range selectors {
		if regexp.MustCompile("^(?:"+s[2]+")$").MatchString(fate) == strings.HasPrefix(s[1], "!") {
			return false
		}
	}
	return len(selectors) > 0
}

func TestPromtool(t *testing.T) {
	for _, args := range [][]string{
		{"check", "rules", "rules.yml"},
		{"test", "rules", "rules_test.yml"},
		{"check", "config", "--syntax-only", "prometheus.yml"},
	} {
		c := exec.Command("promtool", args...)
		c.Dir = filepath.Join(docker, "prometheus")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %s (Debian: prometheus): %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestNames(t *testing.T) {
	got := strings.Join(Names(`sum by (go_version) (rate(radsec_gw_request_seconds_bucket{a="radsec_gw_x"}[5m])) / client:radsec_gw_lost:rate5m`), " ")
	if want := "go_version radsec_gw_request_seconds client:radsec_gw_lost:rate5m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
