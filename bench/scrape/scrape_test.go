package scrape

import "testing"

const page = `# HELP requests What became of requests.
# TYPE requests counter
requests{client="a",fate="relayed"} 3
requests{client="a",fate="no route"} 2
requests{client="b",fate="relayed"} 40
requests_more{client="a"} 500
goroutines 7
`

func TestSum(t *testing.T) {
	m := Parse(page)
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"requests", nil, 45},
		{"requests", []string{`client="a"`}, 5},
		{"requests", []string{`client="a"`, `fate="no route"`}, 2},
		{"requests", []string{`client="c"`}, 0},
		{"goroutines", nil, 7},
	} {
		if got := m.Sum(c.name, c.labels...); got != c.want {
			t.Errorf("Sum(%s, %q) is %v, expected %v", c.name, c.labels, got, c.want)
		}
	}
	if got := m[`requests{client="a",fate="no route"}`]; got != 2 {
		t.Errorf("a label's value with a blank: got %v, expected 2", got)
	}
}
