package locks

import "testing"

// Each class has one place in the order, and each lock a name of its own.
func TestClassesHaveOnePlaceEach(t *testing.T) {
	classes, names := map[any]bool{}, map[string]bool{}
	for _, group := range order {
		for _, l := range group {
			if classes[l.class] {
				t.Errorf("%T is in the order twice", l.class)
			}
			if l.name == "" || names[l.name] {
				t.Errorf("%T has the name %q, expected one that no other lock has", l.class, l.name)
			}
			classes[l.class], names[l.name] = true, true
		}
	}
}
