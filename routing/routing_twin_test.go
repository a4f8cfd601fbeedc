package routing

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/wire"
)

// twin is the table as a plain list, searched in the order that the documentation of
// the package gives: slow, and hard to get wrong. ASCII only.
type twin []Rule

func (rules twin) lookup(kind wire.Kind, realm string) (int, bool) {
	realm = strings.ToLower(realm)
	best, bestRank, found := 0, 0, false
	for _, rule := range rules {
		if !slices.Contains(rule.Kinds, kind) {
			continue
		}
		for _, r := range rule.Realms {
			if rank := rankOf(r, realm); rank > bestRank { // of equals the first rule wins
				best, bestRank, found = rule.Group, rank, true
			}
		}
	}
	return best, found
}

// rankOf returns how well an entry of a rule matches a realm in lower case; 0: not.
func rankOf(entry, realm string) int {
	const exact, suffix, pattern, fallback = 100000, 1000, 2, 1
	if entry == "*" {
		return fallback
	}
	if expr, ok := strings.CutPrefix(entry, "~"); ok {
		if realm != "" && regexp.MustCompile(strings.ToLower(expr)).MatchString(realm) {
			return pattern
		}
		return 0
	}
	entry = strings.ToLower(entry)
	if below, ok := strings.CutPrefix(entry, "*"); ok {
		if strings.HasSuffix(realm, below) {
			return suffix + len(below)
		}
		return 0
	}
	if entry == realm {
		return exact
	}
	return 0
}

// The table answers as the plain list does, on random rules and realms made of
// few labels, so that they meet often.
// Rules: P137, P138, P140
func TestTableAgainstTwin(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	labels := []string{"a", "B", "c", "ab", "", "Ba"}
	name := func(low int) string {
		var list []string
		for range low + random.IntN(4) {
			list = append(list, labels[random.IntN(len(labels))])
		}
		return strings.Join(list, ".")
	}
	entries := []func() string{
		func() string { return name(0) },
		func() string { return "*.a." + name(1) },
		func() string { return "*.b.a" },
		func() string { return "~^" + labels[random.IntN(len(labels))] + "." },
		func() string { return "*" },
	}
	hits, lookups := 0, 0
	for range 300 {
		var rules []Rule
		for i := range random.IntN(20) {
			rule := Rule{Realms: []string{entries[random.IntN(len(entries))]()}, Kinds: both[random.IntN(2):], Group: i}
			if _, err := New(append(slices.Clone(rules), rule), Options{}); err == nil { // no doubles
				rules = append(rules, rule)
			}
		}
		table := mustNew(t, Options{}, rules...)
		for range 100 {
			kind, realm := both[random.IntN(2)], name(0)
			got, gotOK := table.Lookup(kind, []byte(realm))
			want, wantOK := twin(rules).lookup(kind, realm)
			if got != want || gotOK != wantOK {
				t.Fatalf("seed %d: %v of %q goes to %d, %v; the plain list says %d, %v\n%+v", seed, kind, realm, got, gotOK, want, wantOK, rules)
			}
			lookups++
			if gotOK {
				hits++
			}
		}
	}
	if hits < lookups/10 || hits == lookups {
		t.Errorf("%d of %d realms were routed: such random input proves little", hits, lookups)
	}
}
