package config

import (
	"strings"
	"testing"
)

func TestMistakesOfTap(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"tap socket", inListen("[tap]\nsocket='/" + strings.Repeat("x", 100) + "'\n"), []string{`15: tap.socket: expected a path of at most 100 bytes, got 101`}},
	})
}
