package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A whole run: what a test checks is killed, what none checks survives, and a test that
// fails with nothing changed is skipped.
func TestRun(t *testing.T) {
	root := sample(t, map[string]string{
		"wire/all.go": sampleCode,
		"wire/all_test.go": `package wire

import "testing"

func TestSum(t *testing.T) {
	if n, err := All([]byte{9, 1, 2, 3, 0, 4, 5}, 0, true); n != 20 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestAlwaysFails(t *testing.T) { t.Error("fails") }
`,
		"tools/mutants/accepted": "# a comment\nwire/all.go loop [return] return i -> return 0\n\tNo test reaches it.\n" +
			"wire/all.go gone [return] return i -> return 0\n\tThere is no such function.\n",
	})
	out := filepath.Join(t.TempDir(), "survivors")
	o := &options{root: root, least: 20 * time.Second, slow: time.Minute, jobs: 2, cache: t.TempDir(), out: out}
	err := mutate(o, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "accepted:4: there is no such mutant: wire/all.go gone") {
		t.Errorf("expected an error for the entry of line 4, got %v", err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	survivors := string(text)
	for key, survives := range map[string]bool{
		"All [negate] c == 0 -> c != 0":         false,
		"All [remove] n++ -> nothing":           false,
		"All [constant] b[1:] -> b[0:]":         false,
		"All [case] case 2: -> case 2: nothing": true,
		"All [boundary] len(b) < most || !ok && s&3 == 1 -> len(b) <= most || !ok && s&3 == 1": false,
		"loop [negate] next() -> !next()":    true,
		"loop [return] return i -> return 0": false, // accepted
	} {
		if got := strings.Contains(survivors, "wire/all.go "+key+"\n"); got != survives {
			t.Errorf("%s: expected survivor %t, got %t", key, survives, got)
		}
	}
	// The second run knows all of it.
	again := &options{root: root, least: 20 * time.Second, slow: time.Minute, jobs: 2, cache: o.cache, out: out + "2"}
	began := time.Now()
	mutate(again, t.TempDir())
	t.Logf("the second run took %v", time.Since(began))
	if text, _ := os.ReadFile(out + "2"); string(text) != survivors {
		t.Errorf("expected the survivors of the first run\n%s, got\n%s", survivors, text)
	}
}
