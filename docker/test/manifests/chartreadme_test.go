package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/strvals"
	core "k8s.io/api/core/v1"
)

// The README's helm commands, one after the other as a reader types them, make a release
// that has what they say. No cluster is asked.
func TestChartReadmeCommands(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chart, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	config := render(t, "sidecar")["ConfigMap radsec-gw"].(*core.ConfigMap).Data["radsec-gw.toml"]
	release := map[string]any{}
	commands := regexp.MustCompile(`(?m)^helm (install|upgrade) ((?:.*\\\n)*.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(commands) != 4 {
		t.Fatalf("expected 4 commands that make a release, got %d", len(commands))
	}
	for _, c := range commands {
		words := strings.Fields(strings.ReplaceAll(c[2], "\\\n", " "))
		if len(words) < 3 || words[0] != "radsec-gw" || words[1] != "docker/helm/radsec-gw" {
			t.Fatalf("helm %s: expected the release and the chart's folder, got %q", c[1], words)
		}
		if c[1] == "upgrade" && !slices.Contains(words, "--reuse-values") {
			t.Errorf("helm upgrade %q forgets the values", words)
		}
		setValues(t, release, words[2:], config)
		files, err := template(release)
		if err != nil {
			t.Fatalf("helm %s: %v", c[1], err)
		}
		all := objects{}
		all.add(t, "the ConfigMap", []byte(files["radsec-gw/templates/configmap.yaml"]))
		all.add(t, "the workload", []byte(files["radsec-gw/templates/deployment.yaml"]))
		if got := all["ConfigMap radsec-gw"].(*core.ConfigMap).Data["radsec-gw.toml"]; strings.TrimSpace(got) != strings.TrimSpace(config) {
			t.Errorf("helm %s: expected the configuration of the file, got %s", c[1], got)
		}
		w := all.workload(t, "radsec-gw")
		sidecar, _ := chartutil.Values(release).PathValue("mode")
		if got := len(w.template.Spec.InitContainers); (got == 1) != (sidecar == "sidecar") {
			t.Errorf("helm %s: mode %v and %d sidecars", c[1], sidecar, got)
		}
		spool, _ := chartutil.Values(release).PathValue("spool.enabled")
		if (len(w.claims) == 1) != (spool == true) {
			t.Errorf("helm %s: spool.enabled %v and %d volumes", c[1], spool, len(w.claims))
		}
	}
}

// setValues does what the flags do; a file named by --set-file has the content file.
func setValues(t *testing.T, release map[string]any, flags []string, file string) {
	t.Helper()
	for i := 0; i < len(flags); i++ {
		var err error
		switch flags[i] {
		case "--reuse-values":
		case "--set":
			i++
			err = strvals.ParseInto(flags[i], release)
		case "--set-file":
			i++
			err = strvals.ParseIntoFile(flags[i], release, func([]rune) (any, error) { return file, nil })
		default:
			t.Fatalf("a flag that this test does not know: %s", flags[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
