package manifests

import (
	"os"
	"regexp"
	"slices"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// workload is what a Deployment and a StatefulSet have in common.
type workload struct {
	name     string
	selector *meta.LabelSelector
	template *core.PodTemplateSpec
	minReady int32
	claims   []core.PersistentVolumeClaim // of a StatefulSet: a volume for each pod
}

// asWorkload reports whether an object makes pods.
func asWorkload(o any) (workload, bool) {
	switch o := o.(type) {
	case *apps.Deployment:
		return workload{o.Name, o.Spec.Selector, &o.Spec.Template, o.Spec.MinReadySeconds, nil}, true
	case *apps.StatefulSet:
		return workload{o.Name, o.Spec.Selector, &o.Spec.Template, o.Spec.MinReadySeconds, o.Spec.VolumeClaimTemplates}, true
	}
	return workload{}, false
}

// workload returns the Deployment or the StatefulSet with the name.
func (all objects) workload(t *testing.T, name string) workload {
	t.Helper()
	for _, kind := range []string{"Deployment ", "StatefulSet "} {
		if w, ok := asWorkload(all[kind+name]); ok {
			return w
		}
	}
	t.Fatalf("there is neither a Deployment nor a StatefulSet %s", name)
	return workload{}
}

// With a spool each replica has a volume of its own, as the README of the manifests says, and
// its key stays closed to the group. Without one there is none.
func TestChartSpool(t *testing.T) {
	for _, name := range valuesFiles {
		w := render(t, name).workload(t, "radsec-gw")
		if name != "spool" {
			if len(w.claims) > 0 || writes(w.template, "/var/lib/radsec-gw") {
				t.Errorf("%s: expected nothing at /var/lib/radsec-gw, got %v", name, w.claims)
			}
			continue
		}
		checkSpool(t, name, w)
		if c := w.claims[0]; *c.Spec.StorageClassName != "fast" || c.Spec.Resources.Requests.Storage().String() != "4Gi" {
			t.Errorf("expected the storage of the values, got %v", c.Spec)
		}
	}
}

func checkSpool(t *testing.T, name string, w workload) {
	t.Helper()
	if len(w.claims) != 1 || !slices.Equal(w.claims[0].Spec.AccessModes, []core.PersistentVolumeAccessMode{core.ReadWriteOnce}) {
		t.Fatalf("%s: expected one volume for each pod alone, got %v", name, w.claims)
	}
	if !writes(w.template, "/var/lib/radsec-gw") {
		t.Errorf("%s: nothing is mounted at /var/lib/radsec-gw", name)
	}
	if p := w.template.Spec.SecurityContext.FSGroupChangePolicy; p == nil || *p != core.FSGroupChangeOnRootMismatch {
		t.Errorf("%s: Kubernetes opens the spool's key to the group, got the policy %v", name, p)
	}
}

// writes reports whether the gateway has a volume at a path, which it may write to.
func writes(p *core.PodTemplateSpec, path string) bool {
	return slices.ContainsFunc(p.Spec.Containers, func(c core.Container) bool {
		return c.Name == "radsec-gw" && slices.ContainsFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == path && !m.ReadOnly })
	})
}

// What the README of the manifests changes for a spool is what the API knows, and what the chart
// does.
func TestReadmeSpool(t *testing.T) {
	text, err := os.ReadFile("../../kubernetes/README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("README.md has no block of YAML")
	}
	got := new(apps.StatefulSet)
	if err := yaml.UnmarshalStrict(block[1], got); err != nil {
		t.Fatal(err)
	}
	w, _ := asWorkload(got)
	checkSpool(t, "README.md", w)
	want := render(t, "spool")["StatefulSet radsec-gw"].(*apps.StatefulSet)
	if got.Kind != want.Kind || got.Spec.ServiceName != want.Spec.ServiceName || got.Spec.PodManagementPolicy != want.Spec.PodManagementPolicy || got.Spec.UpdateStrategy.Type != want.Spec.UpdateStrategy.Type {
		t.Errorf("expected what the chart makes, got %+v", got.Spec)
	}
}
