package process

import (
	"strings"
	"testing"
	"time"
)

// One goroutine waits for what another prints.
func TestOutputAwait(t *testing.T) {
	var o Output
	has := func(word string) func(string) bool {
		return func(text string) bool { return strings.Contains(text, word) }
	}
	awaited := make(chan bool)
	go func() { awaited <- o.Await(10*time.Second, has("ready")) }()
	for _, line := range []string{"starting\n", "ready, listening on 1\n", "ready, listening on 2\n"} {
		if _, err := o.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if !<-awaited {
		t.Errorf("Await does not see %q", o.String())
	}
	if o.Await(time.Millisecond, has("stopped")) {
		t.Error("Await sees what was not printed")
	}
	if got := o.Count("ready", "on 2"); got != 1 {
		t.Errorf("%d lines contain both words, expected 1", got)
	}
	if got := o.Last(1); got != "ready, listening on 2" {
		t.Errorf("the last line is %q", got)
	}
	o.finish()
	if from := time.Now(); o.Await(time.Hour, has("stopped")) || time.Since(from) > time.Minute {
		t.Error("Await waits for the output of a program that has ended")
	}
}
