package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// Printing, logging and marshalling never show a secret.
func TestSecretStaysHidden(t *testing.T) {
	s := NewSecret("tiger")
	in := struct{ S Secret }{s}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "in", in)
	j, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{
		fmt.Sprint(s), s.String(), s.GoString(), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v", in, &in, in), log.String(), string(j),
	} {
		if strings.Contains(printed, "tiger") || strings.Contains(printed, "7469") || !strings.Contains(printed, hidden) {
			t.Errorf("a secret was printed as %s", printed)
		}
	}
}

// A mistake in a secret does not show it.
func TestMistakesHideSecrets(t *testing.T) {
	for _, bad := range []string{"secret=['tiger']", "secret='tiger'\nsecret_env='tigers'", "secret={tiger=1}", "secret='tiger'\nsecret='tiger'", "secret=tiger", "secret='tiger\n'", "secret=tiger'", "health_password=tiger", "secret='a'tiger"} {
		if _, err := load(t, goodListen+goodClient+bad+"\n"); err == nil || strings.Contains(err.Error(), "tiger") {
			t.Errorf("%s: expected a mistake without the secret, got %v", bad, err)
		}
	}
}
