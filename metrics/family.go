package metrics

import "github.com/prometheus/client_golang/prometheus"

// A family is one counter with all the series that one owner has of it. An owner is
// a client, a port of a server, or a route; its name is the first labels.
type family struct {
	name, help string
	labels     []string   // after the owner's; none: the owner has one series
	values     [][]string // of labels, one element for each series
}

// families are the counters that owners of one kind have. The code that registers,
// creates, reads and deletes series ranges over the list, so that a counter is added in
// one place.
type families struct {
	// static after construction
	list []family
	vecs []*prometheus.CounterVec
}

// newFamilies registers the families with reg. owner has the names of an owner's labels.
func newFamilies(reg prometheus.Registerer, list []family, owner ...string) *families {
	f := &families{list: list}
	for _, one := range list {
		vec := counter(one.name, one.help, append(owner[:len(owner):len(owner)], one.labels...)...)
		reg.MustRegister(vec)
		f.vecs = append(f.vecs, vec)
	}
	return f
}

// each calls do with the label values of each series of the owner: those of the
// family at index i.
func (f *families) each(owner []string, do func(i int, values []string)) {
	for i, one := range f.list {
		if len(one.labels) == 0 {
			do(i, owner)
			continue
		}
		for _, values := range one.values {
			do(i, append(owner[:len(owner):len(owner)], values...))
		}
	}
}

// create creates all series of an owner, at zero.
func (f *families) create(owner ...string) counters {
	c := make(counters, len(f.list))
	f.each(owner, func(i int, values []string) { c[i] = append(c[i], f.vecs[i].WithLabelValues(values...)) })
	return c
}

// delete deletes all series of an owner: each by itself, because looking for one
// owner's among those of thousands takes long.
func (f *families) delete(owner ...string) {
	f.each(owner, func(i int, values []string) { f.vecs[i].DeleteLabelValues(values...) })
}

// counters are the series of one owner, by family and then in the order of the
// family's values.
type counters [][]prometheus.Counter

// total returns the sum over the series of a family.
func (c counters) total(family int) (n uint64) {
	for _, one := range c[family] {
		n += read(one)
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
