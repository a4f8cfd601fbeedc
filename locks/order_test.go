package locks

import (
	"slices"
	"testing"
)

// Each class has one place in the order, and a name.
func TestClassesHaveOnePlaceEach(t *testing.T) {
	classes := []any{SocketSweeping{}, Server{}, SocketSet{}, Socket{}, Exchange{}, HealthPort{}, Backend{}, Issuers{}}
	var listed []any
	for _, o := range order {
		if listed = append(listed, o.class); o.name == "" {
			t.Errorf("%T has no name", o.class)
		}
	}
	if !slices.Equal(listed, classes) {
		t.Errorf("the order is %T, expected %T", listed, classes)
	}
}
