package radsecproxy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// covers is what routed looks up, one entry at a time. It reports whether an entry of realms
// matches a realm in lower case, or every realm that another entry, a suffix, matches.
func covers(entry, realm string) bool {
	switch {
	case entry == "*" || entry == realm:
		return true
	case strings.HasPrefix(realm, "~"):
		return false
	case strings.HasPrefix(entry, "*."):
		return strings.HasSuffix(realm, entry[1:])
	case strings.HasPrefix(entry, "~") && realm != "" && !strings.HasPrefix(realm, "*"):
		re, err := regexp.Compile("(?i)" + entry[1:])
		return err == nil && re.MatchString(realm)
	}
	return false
}

// What covers an entry is the first that a comparison with each one finds.
func TestCoveringAgreesWithComparison(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	candidates := []string{
		"*", "", "a", "a.b", "b.a.b", ".b", "a..b", "*.b", "*.a.b", "*.b.a.b", "*..b", "~a", "~b$", "~^a", `~\.b$`, "~.", "~^$", `~^b\.`,
	}
	for range 2000 {
		var r routed
		var entries []string
		for range 8 {
			entry, want := candidates[random.IntN(len(candidates))], ""
			known := false
			for _, earlier := range entries {
				if covers(earlier, entry) && entry != "*" || earlier == "*" {
					want, known = earlier, true
					break
				}
			}
			got, found := r.covering(entry)
			if got != want || found != known {
				t.Fatalf("seed %d: after %q, %q is covered by %q, %v; expected %q, %v", seed, entries, entry, got, found, want, known)
			}
			if written, coveredBy := r.add(entry); coveredBy == "" && (written != "" || entry == "" && !known) {
				entries = append(entries, written)
			}
		}
	}
}

// Tens of thousands of realms take seconds.
func TestTimeIsBounded(t *testing.T) {
	var text strings.Builder
	for i := range 400 {
		fmt.Fprintf(&text, "realm /@pattern%d\\.example$/ {\n}\n", i)
	}
	for i := range 60_000 {
		fmt.Fprintf(&text, "realm r%d.example.org {\n}\n", i)
	}
	begin := time.Now()
	if _, err := importText(text.String(), nil); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("expected an import in a few seconds, took %v", took)
	}
}
