package manifests

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

const chart = "../../helm/radsec-gw"

// values returns the values of a file in the chart's folder ci.
func values(t *testing.T, name string) map[string]any {
	t.Helper()
	v, err := chartutil.ReadValuesFile(filepath.Join(chart, "ci", name+"-values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// template does what `helm template radsec-gw` does; the result is by template.
func template(v map[string]any) (map[string]string, error) {
	c, err := loader.Load(chart)
	if err != nil {
		return nil, err
	}
	all, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: "radsec-gw", Namespace: "radius"}, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, all)
}

// render returns the objects of the chart with the values of a file, and what they name of config.yaml.
func render(t *testing.T, name string) objects {
	t.Helper()
	files, err := template(values(t, name))
	if err != nil {
		t.Fatal(err)
	}
	all := objects{}
	for f, text := range files {
		if strings.HasSuffix(f, ".yaml") {
			all.add(t, f, []byte(text))
		} else if strings.HasSuffix(f, "NOTES.txt") && !regexp.MustCompile("(deployment|statefulset)/radsec-gw").MatchString(text) {
			t.Errorf("%s, %s: expected the name of the Deployment or the StatefulSet, got %s", name, f, text)
		}
	}
	for key, o := range load(t) {
		switch o.(type) {
		case *core.ConfigMap, *core.Secret:
			if all[key] == nil {
				all[key] = o
			}
		}
	}
	return all
}

var valuesFiles = []string{"gateway", "sidecar", "plain", "spool"}

// `helm lint` finds nothing, and what the chart makes is held to the same as the manifests.
//
// Fault O11.
func TestChart(t *testing.T) {
	for _, name := range valuesFiles {
		t.Run(name, func(t *testing.T) {
			for _, m := range lint.AllWithKubeVersion(chart, values(t, name), "radius", nil).Messages {
				if m.Severity >= support.WarningSev {
					t.Errorf("helm lint: %v", m)
				}
			}
			all := render(t, name)
			checkReferences(t, all)
			if name != "plain" {
				checkPolicies(t, all)
			}
			checkSpread(t, all.workload(t, "radsec-gw").template)
		})
	}
	got := slices.Sorted(maps.Keys(render(t, "gateway")))
	for _, want := range []string{"HorizontalPodAutoscaler radsec-gw", "PodMonitor radsec-gw", "PrometheusRule radsec-gw", "PodDisruptionBudget radsec-gw"} {
		if !slices.Contains(got, want) {
			t.Errorf("gateway: there is no %s", want)
		}
	}
	for key := range render(t, "plain") {
		if kind, _, _ := strings.Cut(key, " "); !slices.Contains([]string{"Deployment", "Service", "ConfigMap", "Secret"}, kind) {
			t.Errorf("plain: expected everything optional to be off, got %s", key)
		}
	}
}

// checkSpread: replicas are spread over nodes, and a configuration that changes is rolled out.
func checkSpread(t *testing.T, p *core.PodTemplateSpec) {
	t.Helper()
	s := p.Spec.TopologySpreadConstraints
	if len(s) != 1 || !selects(s[0].LabelSelector, p.Labels) {
		t.Errorf("expected replicas to be spread over nodes, got %v", s)
	}
	if p.Annotations["checksum/config"] == "" {
		t.Error("a changed configuration is not rolled out")
	}
}

// The rules of the chart are those that Prometheus reads in docker/prometheus.
func TestChartRules(t *testing.T) {
	text, err := os.ReadFile("../../prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var want monitoring.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(text, &want); err != nil {
		t.Fatal(err)
	}
	got := render(t, "gateway")["PrometheusRule radsec-gw"].(*monitoring.PrometheusRule)
	if len(want.Groups) == 0 || !reflect.DeepEqual(got.Spec, want) {
		t.Errorf("expected the %d groups of rules.yml, got %d", len(want.Groups), len(got.Spec.Groups))
	}
}

// The modes differ in FreeRADIUS, and the policy opens what it is told to.
func TestChartModes(t *testing.T) {
	sidecar := render(t, "sidecar")["Deployment radsec-gw"].(*apps.Deployment)
	if c := sidecar.Spec.Template.Spec.InitContainers; len(c) != 1 || c[0].Name != "freeradius" {
		t.Errorf("sidecar: expected FreeRADIUS, got %v", c)
	}
	gateway := render(t, "gateway")
	if c := gateway["Deployment radsec-gw"].(*apps.Deployment).Spec.Template.Spec.InitContainers; len(c) != 0 {
		t.Errorf("gateway: expected no FreeRADIUS, got %v", c)
	}
	if s := gateway["Service radsec-gw-coa"].(*core.Service); len(s.Spec.Ports) != 1 || s.Spec.Ports[0].Protocol != core.ProtocolUDP || s.Spec.ExternalTrafficPolicy != core.ServiceExternalTrafficPolicyLocal {
		t.Errorf("gateway: expected UDP with the senders' addresses, got %v", s.Spec)
	}
	if s := gateway["Service radsec-gw-dtls"].(*core.Service); len(s.Spec.Ports) != 1 || s.Spec.Ports[0].Protocol != core.ProtocolUDP || s.Spec.ExternalTrafficPolicy != core.ServiceExternalTrafficPolicyLocal {
		t.Errorf("gateway: expected UDP with the clients' addresses, got %v", s.Spec)
	}
	p := gateway["NetworkPolicy radsec-gw"].(*networking.NetworkPolicy)
	if len(p.Spec.Egress) != 3 || p.Spec.Egress[1].To[0].IPBlock.CIDR != "10.0.20.0/24" || p.Spec.Egress[2].To[0].PodSelector == nil {
		t.Errorf("gateway: expected DNS, and the servers and NATS of the values, got %v", p.Spec.Egress)
	}
	if p := render(t, "sidecar")["NetworkPolicy radsec-gw"].(*networking.NetworkPolicy); len(p.Spec.PolicyTypes) != 1 {
		t.Errorf("sidecar: expected Ingress alone, got %v", p.Spec.PolicyTypes)
	}
}

// Values that would make a gateway that cannot run are refused, with what to set.
func TestChartRefuses(t *testing.T) {
	for _, c := range []struct {
		path  string
		value any
		want  string
	}{
		{"mode", "both", "mode"},
		{"replica", "3", "replica"},
		{"tls.existingSecret", "", "tls.existingSecret"},
		{"secrets.existingSecret", "", "secrets.existingSecret"},
		{"existingConfigMap", "", "set config"},
		{"image.tag", "", "image.tag"},
		{"image.digest", "sha256:12", "digest"},
		{"service.type", "ExternalName", "type"},
		{"goMemoryLimit", "400M", "goMemoryLimit"},
		{"metrics.podMonitor.tokenSecret.key", "", "tokenSecret.key"},
		{"dtls.targetPort", 83, "targetPort"},
		{"spool.enabled", true, "exclude each other"}, // with autoscaling, which the file has
		{"spool.size", "2G", "size"},
		{"dynamicAuthorization.from", nil, "dynamicAuthorization.from"},
	} {
		v := values(t, "gateway")
		at, keys := v, strings.Split(c.path, ".")
		for _, key := range keys[:len(keys)-1] {
			if at[key] == nil {
				at[key] = map[string]any{}
			}
			at = at[key].(map[string]any)
		}
		at[keys[len(keys)-1]] = c.value
		if _, err := template(v); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: expected an error with %q, got %v", c.path, c.value, c.want, err)
		}
	}
}

// README.md has every value with its default, and no other.
func TestChartReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chart, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)` \\| ").FindAllSubmatch(text, -1) {
		got = append(got, string(m[1]))
	}
	v, err := chartutil.ReadValuesFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := leaves("", v)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("expected the README to have the values\n%v\ngot\n%v", want, got)
	}
}

// leaves returns the paths of the values; those that users fill as they like count as one.
func leaves(path string, v map[string]any) (all []string) {
	for key, value := range v {
		m, ok := value.(map[string]any)
		if ok && len(m) > 0 && key != "resources" && key != "tokenSecret" {
			all = append(all, leaves(path+key+".", m)...)
		} else {
			all = append(all, path+key)
		}
	}
	return all
}
