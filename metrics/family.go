package metrics

import (
	"sync/atomic"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// A family is one counter with all the series that one owner can have of it. An owner is
// a client, a port of a server, or a route; its name is the first labels.
type family struct {
	name, help string
	labels     []string   // after the owner's; none: the owner has one series
	values     [][]string // of labels, one element for each series
}

// families are the counters that owners of one kind have. The code that creates, reads and
// exposes counts ranges over the list, so that a counter is added in one place.
type families struct {
	// static after construction
	list  []family
	owner []string             // the names of an owner's labels
	pairs [][][]*dto.LabelPair // of the values of each series of each family
	sizes []int                // how many series an owner can have of each family
	limit int                  // how many owners have series of their own; 0: all

	// guarded by Metrics.mu
	shown  int               // owners that have series of their own
	others map[string]*owner // by the labels after the first: what has the label "other"
}

// other is the label of what has no series of its own: the counts of all such owners
// together. No owner has it for itself.
const other = "other"

// newFamilies returns the families of owners with these labels, of which limit have series
// of their own; 0: all have.
func newFamilies(list []family, limit int, labels ...string) *families {
	f := &families{list: list, owner: labels, limit: limit, others: map[string]*owner{}}
	for _, one := range list {
		if len(one.labels) == 0 {
			one.values = [][]string{nil}
		}
		var pairs [][]*dto.LabelPair
		for _, values := range one.values {
			pairs = append(pairs, labelPairs(one.labels, values))
		}
		f.pairs = append(f.pairs, pairs)
		f.sizes = append(f.sizes, len(one.values))
	}
	return f
}

// owner are the labels and the counts of a client, a port of a server, or a route.
type owner struct {
	// static after construction
	values   []string         // of the labels
	pairs    []*dto.LabelPair // the labels
	counters counters
	own      bool // it has series of its own

	created time.Time
}

// create returns an owner whose labels have these values. Called with Metrics.mu held.
func (f *families) create(now time.Time, values ...string) owner {
	o := owner{values: values, pairs: labelPairs(f.owner, values), counters: newCounters(f.sizes), created: now}
	if o.own = f.limit == 0 || f.shown < f.limit && values[0] != other; o.own {
		f.shown++
	}
	return o
}

// remove is called when an owner that create has returned is no longer used. The counts of
// one without series of its own stay with the others': a counter must not decrease. Called
// with Metrics.mu held.
func (f *families) remove(o *owner) {
	if o.own {
		f.shown--
		return
	}
	rest := f.rest(o)
	for i := range o.counters {
		for k := range o.counters[i] {
			rest.counters[i][k].n.Add(o.counters[i][k].n.Load())
		}
	}
}

// rest returns what has the counts of the removed owners without series of their own that
// had the same labels after the first as o.
func (f *families) rest(o *owner) *owner {
	key := o.values[len(o.values)-1]
	if len(o.values) == 1 {
		key = ""
	}
	rest := f.others[key]
	if rest == nil {
		values := append([]string{other}, o.values[1:]...)
		rest = &owner{values: values, pairs: labelPairs(f.owner, values), counters: newCounters(f.sizes), created: o.created}
		f.others[key] = rest
	}
	return rest
}

// count is the count of one series. It is exposed from its first increment on.
type count struct {
	n     atomic.Uint64
	since int64 // when it was last known to be zero, in milliseconds of Unix time; 0: it was not exposed yet. Guarded by Metrics.mu.
}

// counters are the counts of one owner, by family and then in the order of the family's
// values.
type counters [][]count

func newCounters(sizes []int) counters {
	total := 0
	for _, n := range sizes {
		total += n
	}
	all := make([]count, total)
	c := make(counters, len(sizes))
	for i, n := range sizes {
		c[i], all = all[:n:n], all[n:]
	}
	return c
}

// total returns the sum over the series of a family.
func (c counters) total(family int) (n uint64) {
	for i := range c[family] {
		n += c[family][i].n.Load()
	}
	return n
}

// enumeration is a closed list whose String is the label value.
type enumeration interface {
	~uint8
	String() string
}

// valuesOf returns the values of a label for an enumeration of n.
func valuesOf[E enumeration](n E) (values [][]string) {
	for e := range n {
		values = append(values, []string{e.String()})
	}
	return values
}

// pairsOf returns the values of two labels for enumerations of n and m, in the order of
// the first, then of the second.
func pairsOf[E, F enumeration](n E, m F) (values [][]string) {
	for e := range n {
		for f := range m {
			values = append(values, []string{e.String(), f.String()})
		}
	}
	return values
}
