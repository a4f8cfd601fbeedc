package compare

import (
	"strings"
	"testing"

	"radsec-gw/bench/peers"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want string
	}{
		{[]float64{3, 1, 2}, "2 (1–3)"},
		{[]float64{1, 2}, "1.50 (1–2)"},
		{[]float64{0, 0}, "0"},
		{[]float64{26.04}, "26.0"},
		{[]float64{47123.4, 46000.2}, "46562 (46000–47123)"},
	} {
		if got, ok := spreadOf(c.in); !ok || got.String() != c.want {
			t.Errorf("%v is printed as %q, want %q", c.in, got, c.want)
		}
	}
	if _, ok := spreadOf(nil); ok {
		t.Error("nothing has a spread")
	}
}

// The build before a change is compared with the gateway within each round.
func TestTableWithBefore(t *testing.T) {
	var samples []sample
	for round, v := range []struct{ now, before float64 }{{9, 10}, {22, 20}, {30, 30}} {
		samples = append(samples,
			sample{Case: "pap-8x16", Subject: peers.Gateway, Round: round, Values: map[metric]float64{cpu: v.now}},
			sample{Case: "pap-8x16", Subject: peers.Before, Round: round, Values: map[metric]float64{cpu: v.before}})
	}
	c, err := parseCase("pap-8x16")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := printTable(&b, []testCase{c}, []peers.Subject{peers.Gateway, peers.Before}, samples); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| pap-8x16 | before | – | 20 (10–30) |",
		"| pap-8x16 | CPU µs each | 1 (0.90–1.10) |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, b.String())
		}
	}
}

// Ratios are taken within a round, and rounds in which one side failed do not count.
func TestTable(t *testing.T) {
	var samples []sample
	add := func(round int, s peers.Subject, v float64) {
		samples = append(samples, sample{Case: "mixed-8x16", Subject: s, Round: round, Values: map[metric]float64{cpu: v}})
	}
	add(0, peers.Gateway, 8)
	add(0, peers.Radsecproxy, 20)
	add(1, peers.Gateway, 9)
	add(1, peers.Radsecproxy, 30)
	add(2, peers.Gateway, 100)
	samples = append(samples, sample{Case: "mixed-8x16", Subject: peers.Radsecproxy, Round: 2, Error: "it did not start"})
	c, err := parseCase("mixed-8x16")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := printTable(&b, []testCase{c}, []peers.Subject{peers.Gateway, peers.Radsecproxy}, samples); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| mixed-8x16 | radsec-gw | – | 9 (8–100) |",
		"| mixed-8x16 | radsecproxy | – | 25 (20–30) |",
		"| mixed-8x16 | CPU per exchange to radsecproxy's ≤ 0.35 | 0.35 (0.30–0.40) | yes |",
		"Round 3, mixed-8x16, radsecproxy failed: it did not start",
		"Medians of 3 rounds",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, b.String())
		}
	}
}
