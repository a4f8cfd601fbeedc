package main

import (
	"slices"
	"strings"
	"testing"
)

// Each operator finds its places, and nothing else is touched.
func TestKeys(t *testing.T) {
	root := sample(t, map[string]string{"wire/all.go": sampleCode, "wire/all_test.go": "package wire"})
	mutants, _, text := scanSample(t, root)
	var keys []string
	for _, m := range mutants {
		keys = append(keys, strings.TrimPrefix(m.key, "wire/all.go "))
	}
	want := []string{
		"All [logic] len(b) < most || !ok && s&3 == 1 -> len(b) < most && !ok && s&3 == 1",
		"All [boundary] len(b) < most || !ok && s&3 == 1 -> len(b) <= most || !ok && s&3 == 1",
		"All [negate] len(b) < most || !ok && s&3 == 1 -> len(b) >= most || !ok && s&3 == 1",
		"All [logic] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok || s&3 == 1",
		"All [negate] len(b) < most || !ok && s&3 == 1 -> len(b) < most || ok && s&3 == 1",
		"All [negate] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s&3 != 1",
		"All [bits] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s|3 == 1",
		"All [constant] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s&4 == 1",
		"All [constant] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s&3 == 0",
		"All [return] return 0, errBig -> return 0, nil",
		"All [constant] b[1:] -> b[0:]",
		"All [constant] copy(b[0:1], b) -> copy(b[1:1], b)",
		"All [constant] copy(b[0:1], b) -> copy(b[0:0], b)",
		"All [negate] c == 0 -> c != 0",
		"All [loop] continue -> break",
		"All [remove] n += int(c) -> nothing",
		"All [arithmetic] n += int(c) -> n -= int(c)",
		"All [remove] n++ -> nothing",
		"All [arithmetic] n++ -> n--",
		"All [case] case 2: -> case 2: nothing",
		"All [remove] n = n - 1 -> nothing",
		"All [arithmetic] n = n - 1 -> n = n + 1",
		"All [bits] n <<= 2 -> n >>= 2",
		"All [return] return n, nil -> return 0, nil",
		"loop [negate] next() -> !next()",
		"loop [return] return i -> return 0",
	}
	for _, key := range want {
		if !slices.Contains(keys, key) {
			t.Errorf("expected a mutant %q", key)
		}
	}
	for _, key := range keys {
		if strings.Contains(key, "String") || strings.Contains(key, "most = ") || strings.Contains(key, "errors.New") || strings.Contains(key, "return 1, errBig") || strings.Contains(key, "copy(b[0:2]") {
			t.Errorf("expected nothing changed there: %q", key)
		}
	}
	if a, b := strings.Count(sampleCode, "\n"), strings.Count(text, "\n"); a != b {
		t.Errorf("the changed file has %d lines, expected %d: lines of panics would be wrong", b, a)
	}
}
