package spool

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// routesOf returns what is known of the routes, by name.
func (b *bed) routesOf() map[string]RouteState {
	all := map[string]RouteState{}
	for _, r := range b.Routes(10) {
		all[r.Route] = r
	}
	return all
}

// What is known of a route follows its records: they are sent, its servers stay silent, one
// answers.
//
// Rules: SP14
func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		b.add(sample{"s1", start, 0}, sample{"s2", start, 0}, sample{"s2", stop, 0})
		other := b.entry(sample{"s3", start, 0})
		other.Record.Route = "b"
		if err := b.Add(other); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		want := func(when string, route string, want RouteState) {
			t.Helper()
			if got := b.routesOf()[route]; got != want {
				t.Errorf("%s: expected %+v, got %+v", when, want, got)
			}
		}
		want("in flight", "a", RouteState{Route: "a", Records: 3, Sending: 1, Ready: 1})
		want("in flight", "b", RouteState{Route: "b", Records: 1, Sending: 1})
		if list := b.Routes(1); len(list) != 1 || list[0].Route != "a" {
			t.Errorf("of one route, expected that with the most records, got %+v", list)
		}
		b.owner.end(Silent)
		want("silent", "a", RouteState{Route: "a", Records: 3, Ready: 1, Silent: true, Resumes: FirstPause})
		pass(FirstPause + 100*time.Millisecond)
		want("one is tried", "a", RouteState{Route: "a", Records: 3, Sending: 1, Silent: true})
		b.owner.set(answering)
		b.owner.end(Answered)
		pass(time.Minute)
		for _, name := range []string{"a", "b"} {
			got := b.routesOf()[name]
			if got.Answered <= 0 || got.Answered > 2*time.Minute {
				t.Errorf("%s: expected that a server has answered in the last minutes, got %v", name, got.Answered)
			}
			got.Answered = 0
			if want := (RouteState{Route: name}); got != want {
				t.Errorf("answered: expected %+v, got %+v", want, got)
			}
		}
	})
}

// The state says why the last commit has failed, until one succeeds.
//
// Rules: SP10
func TestStateOfADiskThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		disk := b.disturbed()
		b.Start(t.Context())
		b.owner.set(holding)
		full := errors.New("no space")
		for i, want := range []error{nil, full, nil} {
			disk().fail(want)
			b.add(sample{"s", interim, i + 1})
			pass(100 * time.Millisecond)
			if err := b.State().Err; err != want {
				t.Errorf("commit %d: expected %v, got %v", i+1, want, err)
			}
		}
	})
}

// The state has the length of the files of records that were set aside, those included that
// are being sent again.
//
// Rules: SP12
func TestStateHasWhatWasSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		for _, step := range []struct {
			name, text string
			want       int64
		}{{asideName, "four", 4}, {retryName, "to send", 11}, {asideName, "", 7}, {retryName, "", 0}} {
			path := filepath.Join(b.Directory(), step.name)
			err := os.WriteFile(path, []byte(step.text), 0o600)
			if step.text == "" {
				err = os.Remove(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			pass(1100 * time.Millisecond)
			if got := b.State().Aside; got != step.want {
				t.Errorf("%s with %q: expected %d bytes, got %d", step.name, step.text, step.want, got)
			}
		}
	})
}

// A spool that is closed has no series.
func TestClosedSpoolHasNoSeries(t *testing.T) {
	b := newBed(t, "", roomy)
	has := func() bool {
		families, err := b.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "radsec_gw_spool_records" {
				return true
			}
		}
		return false
	}
	if !has() {
		t.Error("expected series while it is open")
	}
	b.close()
	if has() {
		t.Error("expected no series when it is closed")
	}
}
