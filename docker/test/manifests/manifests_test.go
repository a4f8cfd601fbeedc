// Package manifests holds the Kubernetes manifests to the API's own types,
// strictly: a field that the API does not know is a mistake.
package manifests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// objects are the decoded documents of all manifests, by kind and name.
type objects map[string]any

func load(t *testing.T) objects {
	t.Helper()
	files, err := filepath.Glob("../../kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	all := objects{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.add(t, f, text)
	}
	return all
}

// add decodes the documents of a file, strictly.
func (all objects) add(t *testing.T, f string, text []byte) {
	t.Helper()
	for i, doc := range bytes.Split(text, []byte("\n---\n")) {
		var head struct {
			meta.TypeMeta
			meta.ObjectMeta `json:"metadata"`
		}
		if err := yaml.Unmarshal(doc, &head); err != nil {
			t.Fatalf("%s, document %d: %v", f, i, err)
		}
		if head.Kind == "" && len(bytes.TrimSpace(doc)) == 0 {
			continue
		}
		to := typeOf(head.APIVersion + "/" + head.Kind)
		if to == nil {
			t.Fatalf("%s, document %d: unexpected %s %s", f, i, head.APIVersion, head.Kind)
		}
		if err := yaml.UnmarshalStrict(doc, to); err != nil {
			t.Errorf("%s, %s %s: %v", f, head.Kind, head.Name, err)
		}
		key := head.Kind + " " + head.Name
		if all[key] != nil || head.Name == "" {
			t.Errorf("%s: %q has no name or is there twice", f, key)
		}
		all[key] = to
	}
}

func typeOf(kind string) any {
	switch kind {
	case "apps/v1/Deployment":
		return new(apps.Deployment)
	case "apps/v1/StatefulSet":
		return new(apps.StatefulSet)
	case "v1/Service":
		return new(core.Service)
	case "v1/ConfigMap":
		return new(core.ConfigMap)
	case "v1/Secret":
		return new(core.Secret)
	case "policy/v1/PodDisruptionBudget":
		return new(policy.PodDisruptionBudget)
	case "autoscaling/v2/HorizontalPodAutoscaler":
		return new(autoscaling.HorizontalPodAutoscaler)
	case "networking.k8s.io/v1/NetworkPolicy":
		return new(networking.NetworkPolicy)
	case "monitoring.coreos.com/v1/PodMonitor":
		return new(monitoring.PodMonitor)
	case "monitoring.coreos.com/v1/PrometheusRule":
		return new(monitoring.PrometheusRule)
	}
	return nil
}

func TestStrictDecoding(t *testing.T) {
	all := load(t)
	for _, want := range []string{"Deployment radius", "Deployment radsec-gw", "Service radius", "Service radsec-gw",
		"PodDisruptionBudget radsec-gw", "HorizontalPodAutoscaler radsec-gw", "NetworkPolicy radsec-gw", "NetworkPolicy radius", "PodMonitor radsec-gw", "PodMonitor radius",
		"ConfigMap radsec-gw", "ConfigMap radsec-gw-sidecar", "Secret radsec-gw-tls", "Secret radsec-gw-secrets"} {
		if all[want] == nil {
			t.Errorf("there is no %s", want)
		}
	}
	if err := yaml.UnmarshalStrict([]byte("spec: {replica: 1}"), new(apps.Deployment)); err == nil {
		t.Error("strict decoding takes a field that the API does not know")
	}
}

// What names another thing must find it.
func TestReferences(t *testing.T) { checkReferences(t, load(t)) }

func checkReferences(t *testing.T, all objects) {
	t.Helper()
	pods := map[string]*core.PodTemplateSpec{}
	for key, o := range all {
		w, ok := asWorkload(o)
		if !ok {
			continue
		}
		pods[key] = w.template
		if !selects(w.selector, w.template.Labels) {
			t.Errorf("%s does not select its own pods", key)
		}
		if w.minReady < 10 {
			t.Errorf("%s: expected a pod to be ready for 10 s before the next one ends, got %d", key, w.minReady)
		}
		checkPod(t, all, key, w)
	}
	for key, o := range all {
		found := false
		switch o := o.(type) {
		case *core.Service:
			found = anyPod(pods, &meta.LabelSelector{MatchLabels: o.Spec.Selector})
			affinity := core.ServiceAffinityNone
			if strings.HasSuffix(o.Name, "-dtls") {
				affinity = core.ServiceAffinityClientIP // its session is at one replica
			}
			if o.Spec.Type != core.ServiceTypeClusterIP && o.Spec.ExternalTrafficPolicy != core.ServiceExternalTrafficPolicyLocal ||
				o.Spec.SessionAffinity != affinity {
				t.Errorf("%s: traffic policy %q, affinity %q", key, o.Spec.ExternalTrafficPolicy, o.Spec.SessionAffinity)
			}
		case *policy.PodDisruptionBudget:
			found = anyPod(pods, o.Spec.Selector)
		case *networking.NetworkPolicy:
			found = anyPod(pods, &o.Spec.PodSelector)
		case *monitoring.PodMonitor:
			found = anyPod(pods, &o.Spec.Selector) && checkPodMonitor(o)
		case *autoscaling.HorizontalPodAutoscaler:
			r := o.Spec.ScaleTargetRef
			found = all[r.Kind+" "+r.Name] != nil && o.Spec.MinReplicas != nil && *o.Spec.MinReplicas >= 2 && o.Spec.MaxReplicas > *o.Spec.MinReplicas
		default:
			found = true
		}
		if !found {
			t.Errorf("%s finds nothing of what it names", key)
		}
	}
}

// checkPodMonitor reports whether Prometheus finds the port, and calls the job radsec-gw.
func checkPodMonitor(m *monitoring.PodMonitor) bool {
	ends := m.Spec.PodMetricsEndpoints
	if len(ends) != 1 || ends[0].Port == nil || *ends[0].Port != "metrics" {
		return false
	}
	if m.Spec.JobLabel != "" {
		return m.Spec.JobLabel == "app.kubernetes.io/name" && m.Spec.Selector.MatchLabels[m.Spec.JobLabel] == "radsec-gw"
	}
	r := ends[0].RelabelConfigs
	return len(r) == 1 && r[0].TargetLabel == "job" && r[0].Replacement != nil && *r[0].Replacement == "radsec-gw"
}

func selects(s *meta.LabelSelector, l map[string]string) bool {
	sel, err := meta.LabelSelectorAsSelector(s)
	return err == nil && !sel.Empty() && sel.Matches(labels.Set(l))
}

func anyPod(pods map[string]*core.PodTemplateSpec, s *meta.LabelSelector) bool {
	for _, p := range pods {
		if selects(s, p.Labels) {
			return true
		}
	}
	return false
}

func checkPod(t *testing.T, all objects, key string, w workload) {
	pod, volumes := &w.template.Spec, []string{}
	for _, c := range w.claims {
		volumes = append(volumes, c.Name)
	}
	for _, v := range pod.Volumes {
		volumes = append(volumes, v.Name)
		// The FreeRADIUS configuration is made from the folder docker/freeradius.
		if v.ConfigMap != nil && v.ConfigMap.Name != "freeradius" && all["ConfigMap "+v.ConfigMap.Name] == nil {
			t.Errorf("%s: no ConfigMap %s", key, v.ConfigMap.Name)
		}
		if v.Secret != nil && all["Secret "+v.Secret.SecretName] == nil {
			t.Errorf("%s: no Secret %s", key, v.Secret.SecretName)
		}
	}
	if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot {
		t.Errorf("%s may run as root", key)
	}
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		for _, m := range c.VolumeMounts {
			if !slices.Contains(volumes, m.Name) {
				t.Errorf("%s, %s: no volume %s", key, c.Name, m.Name)
			}
		}
		if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
			t.Errorf("%s, %s: root is writable or privileges may grow", key, c.Name)
		}
		if c.Name == "radsec-gw" {
			checkProbes(t, key, &c)
			checkTap(t, key, pod, &c)
		}
		// Side by side both would be told to stop at once, and FreeRADIUS would not
		// answer what the gateway still waits for.
		if c.Name == "freeradius" && (c.RestartPolicy == nil || *c.RestartPolicy != core.ContainerRestartPolicyAlways) {
			t.Errorf("%s: FreeRADIUS does not outlive the gateway", key)
		}
	}
}

// checkTap: radsec-gw tap needs a folder that the gateway's user can write, and
// its root is read-only. An emptyDir is root's, and fsGroup's to write.
func checkTap(t *testing.T, key string, pod *core.PodSpec, c *core.Container) {
	mount := slices.IndexFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == "/run/radsec-gw" && !m.ReadOnly })
	if mount < 0 {
		t.Errorf("%s: nothing writable at /run/radsec-gw for the socket of taps", key)
		return
	}
	for _, v := range pod.Volumes {
		if v.Name != c.VolumeMounts[mount].Name {
			continue
		}
		if v.EmptyDir == nil || v.EmptyDir.Medium != core.StorageMediumMemory || v.EmptyDir.SizeLimit == nil {
			t.Errorf("%s: the volume %s is no bounded emptyDir in memory", key, v.Name)
		}
	}
	if s := pod.SecurityContext; s.FSGroup == nil || s.RunAsGroup == nil || *s.FSGroup != *s.RunAsGroup {
		t.Errorf("%s: fsGroup is not the gateway's group", key)
	}
}

func checkProbes(t *testing.T, key string, c *core.Container) {
	for path, p := range map[string]*core.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != path || p.HTTPGet.Port.StrVal != "metrics" {
			t.Errorf("%s: expected a probe of %s on the port metrics, got %v", key, path, p)
		}
	}
	for _, p := range c.Ports {
		if p.Name == "metrics" && p.ContainerPort == 9713 {
			return
		}
	}
	t.Errorf("%s: the port metrics is not 9713", key)
}

// The gateway itself reads the configurations of the ConfigMaps.
func TestConfigurations(t *testing.T) {
	dir := t.TempDir()
	run := func(folder string, args ...string) {
		t.Helper()
		c := exec.Command(args[0], args[1:]...)
		c.Dir = folder
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("../../..", "go", "build", "-o", filepath.Join(dir, "radsec-gw"), "./cmd/radsec-gw")
	run(dir, "./radsec-gw", "certs", "-dir", "certs")
	if err := os.WriteFile(filepath.Join(dir, "freeradius-udp"), []byte("a-secret-for-this-test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer("/certs/", dir+"/certs/", "/run/secrets/", dir+"/")
	all := load(t)
	all["ConfigMap of the chart"] = render(t, "sidecar")["ConfigMap radsec-gw"]
	for key, o := range all {
		if m, ok := o.(*core.ConfigMap); ok {
			if err := os.WriteFile(filepath.Join(dir, "radsec-gw.toml"), []byte(places.Replace(m.Data["radsec-gw.toml"])), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Log(key)
			run(dir, "./radsec-gw", "check", "-config", "radsec-gw.toml")
		}
	}
}
