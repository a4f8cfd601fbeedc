package radsecproxy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"radsec-gw/importer/importertest"
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
			if written, ok := r.add(entry); ok {
				entries = append(entries, written)
			}
		}
	}
}

// The realm of users without one is omitted where an earlier block has it, as others are: the
// gateway allows it once.
func TestUsersWithoutARealmAreRoutedOnce(t *testing.T) {
	d, err := importText("realm /^[^@]+$/ {\n}\nrealm a {\n}\nrealm /^[^@]+$/ {\n}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if written := importertest.Text(t, d); strings.Count(written, "realms = [\"\"]") != 1 || !strings.Contains(written, `"" is omitted: "" before it`) {
		t.Errorf("expected one route of users without a realm, got\n%s", written)
	}
}

// A suffix that is written as a pattern matches what it did.
func TestASuffixAsAPattern(t *testing.T) {
	var r routed
	r.add("~^x")
	if text, ok := r.add("*.a+b.example.org"); text != `~\.a\+b\.example\.org$` || !ok {
		t.Errorf("got %q, %v; expected the suffix with its characters quoted", text, ok)
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

// AccountingResponse becomes accounting = "answer" where accounting has no server. A
// server that is not carried over had the accounting: nothing is acknowledged in its place.
// Rules: AR12
func TestAccountingResponse(t *testing.T) {
	const servers = "client c {\n type tls\n host 192.0.2.3\n}\nserver s {\n type udp\n host 192.0.2.4\n secret 0123456789abcdef\n}\nserver far {\n type tls\n host 192.0.2.5\n}\n"
	for lines, want := range map[string]bool{
		"server s\n AccountingResponse on":                        true,
		"server s\n AccountingResponse off":                       false,
		"server s":                                                false,
		"server s\n accountingServer s\n AccountingResponse on":   false,
		"server s\n accountingServer far\n AccountingResponse on": false,
		"ReplyMessage \"no\"\n AccountingResponse on":             true,
	} {
		d, err := importText(servers+"realm example.org {\n "+lines+"\n}\nrealm * {\n server s\n}\n", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(importertest.Text(t, d), `accounting = "answer"`); got != want {
			t.Errorf("%q: accounting is answered: %t, expected %t", lines, got, want)
		}
	}
}
