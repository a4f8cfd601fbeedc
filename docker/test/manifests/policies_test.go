package manifests

import (
	"maps"
	"slices"
	"testing"

	networking "k8s.io/api/networking/v1"
)

// A policy that takes another Deployment's pods in would cut what they need, and
// pods without one have metrics that everybody reads.
func TestNetworkPolicies(t *testing.T) {
	all := load(t)
	checkPolicies(t, all)
	if p, ok := all["NetworkPolicy radius"].(*networking.NetworkPolicy); ok && slices.Contains(p.Spec.PolicyTypes, networking.PolicyTypeEgress) {
		t.Error("NetworkPolicy radius restricts what FreeRADIUS may ask: LDAP, SQL")
	}
}

func checkPolicies(t *testing.T, all objects) {
	t.Helper()
	for key, o := range all {
		p, ok := o.(*networking.NetworkPolicy)
		if !ok {
			continue
		}
		for other, o := range all {
			w, ok := asWorkload(o)
			if !ok {
				continue
			}
			if got, want := selects(&p.Spec.PodSelector, w.template.Labels), w.name == p.Name; got != want {
				t.Errorf("%s selects the pods of %s: %v, expected %v", key, other, got, want)
			}
		}
		checkIngress(t, key, p)
	}
	for key, o := range all {
		if w, ok := asWorkload(o); ok && all["NetworkPolicy "+w.name] == nil {
			t.Errorf("%s has no NetworkPolicy", key)
		}
	}
}

// checkIngress: RadSec from anywhere, metrics from Prometheus, CoA from its senders if at all,
// nothing else.
func checkIngress(t *testing.T, key string, p *networking.NetworkPolicy) {
	open := map[string]bool{}
	for _, rule := range p.Spec.Ingress {
		for _, port := range rule.Ports {
			open[port.Port.String()] = len(rule.From) == 0
		}
	}
	if open["coa"] {
		t.Errorf("%s lets everyone send CoA and Disconnect, which UDP does not protect", key)
	}
	delete(open, "coa") // optional
	if from, ok := open["radsec-dtls"]; ok && !from {
		t.Errorf("%s does not let everyone in over DTLS", key)
	}
	delete(open, "radsec-dtls") // optional
	if !slices.Contains(p.Spec.PolicyTypes, networking.PolicyTypeIngress) || !maps.Equal(open, map[string]bool{"radsec": true, "metrics": false}) {
		t.Errorf("%s: types %v, ports and whether they are open to all %v; expected radsec open, metrics not", key, p.Spec.PolicyTypes, open)
	}
}
