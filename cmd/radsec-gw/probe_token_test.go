package main

import (
	"testing"

	"layeh.com/radius"
)

// The probe begins each connection with a Token that nobody can guess (RFC 9765 §4.2.1).
//
// Rules: P123
func TestTokensOfTheProbeDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 8 {
		b, err := encode11(&radius.Packet{Code: radius.CodeStatusServer}, "")
		if err != nil {
			t.Fatal(err)
		}
		seen[string(b[4:8])] = true
	}
	if len(seen) < 7 { // that two of eight are the same is as likely as one in 150 million
		t.Errorf("eight probes have only %d Tokens", len(seen))
	}
}
