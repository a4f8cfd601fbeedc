package handshake_test

import (
	"testing"

	"radsec-gw/dtlsfront/handshake"
)

// A cookie that pion has not made is accepted, and the keys that it exports fit: with another
// version of pion this has to be found out before a client does.
// Rules: DT5
func TestSelfTest(t *testing.T) {
	if err := handshake.SelfTest(t.Context()); err != nil {
		t.Error(err)
	}
}

func BenchmarkSelfTest(b *testing.B) {
	for b.Loop() {
		if err := handshake.SelfTest(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
