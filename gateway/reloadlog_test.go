package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
	"radsec-gw/web/status"
)

// problemsOf returns the problems that a log of reloads causes, each with the number of the
// reload since which it is one.
func problemsOf(l *reloadLog, start time.Time) string {
	var list []string
	addReloads(&status.Snapshot{}, func(_, kind, _, subject, text string, since time.Time) {
		list = append(list, fmt.Sprintf("%s of %s since %d: %s", kind, subject, int(since.Sub(start)/time.Second), text[strings.LastIndex(text, ": ")+2:]))
	}, l)
	return strings.Join(list, "; ")
}

// What is not in use because it was refused stays a problem until it is in use: certificates
// that are read later do not mend a configuration.
func TestWhatIsNotInUseIsAProblem(t *testing.T) {
	bad, worse := errors.New("A"), keptError{config.Mistakes{{Text: "K"}}}
	type reload struct {
		what string
		err  error
		want string
	}
	for _, reloads := range [][]reload{
		{{"configuration", bad, "reload_refused of configuration since 0: A"},
			{"certificates", nil, "reload_refused of configuration since 0: A"},
			{"configuration", bad, "reload_refused of configuration since 0: A"},
			{"configuration", errors.New("B"), "reload_refused of configuration since 3: B"},
			{"configuration", nil, ""}},
		{{"configuration", bad, "reload_refused of configuration since 0: A"},
			{"certificates", worse, "reload_refused of configuration since 0: A; certificate_kept of certificates since 1: K"},
			{"certificates", nil, "reload_refused of configuration since 0: A"},
			{"configuration", worse, "certificate_kept of configuration since 3: K"},
			{"certificates", nil, ""}},
		{{"certificates", bad, "reload_refused of certificates since 0: A"},
			{"certificates", bad, "reload_refused of certificates since 0: A"},
			{"configuration", bad, "reload_refused of configuration since 2: A"},
			{"certificates", errors.New("C"), "reload_refused of configuration since 2: A; reload_refused of certificates since 3: C"},
			{"certificates", nil, "reload_refused of configuration since 2: A"}},
		{{"certificates", bad, "reload_refused of certificates since 0: A"},
			{"certificates", nil, ""}},
	} {
		l, start := &reloadLog{}, time.Unix(1000, 0)
		l.record(byStart, "configuration", nil, start.Add(-time.Hour))
		for i, r := range reloads {
			l.record(byChange, r.what, r.err, start.Add(time.Duration(i)*time.Second))
			if got := problemsOf(l, start); got != r.want {
				t.Errorf("after %v: got the problems %q, expected %q", reloads[:i+1], got, r.want)
			}
		}
	}
}

// A reload with many mistakes is a few problems, and the last says how many more there are.
func TestManyMistakesAreFewProblems(t *testing.T) {
	for n, want := range map[int]string{1: "0", 3: "2", 4: "2; and 1 more, see the reloads", 30: "2; and 27 more, see the reloads"} {
		l, list := &reloadLog{}, config.Mistakes{}
		for i := range n {
			list = append(list, config.Mistake{Text: fmt.Sprint(i)})
		}
		l.record(byRequest, "configuration", list, time.Unix(1000, 0))
		got := strings.Split(problemsOf(l, time.Unix(1000, 0)), "reload_refused of configuration since 0: ")
		if last := got[len(got)-1]; last != want || len(got) != min(n, mostMistakes)+1 {
			t.Errorf("%d mistakes are %d problems, the last %q, expected %q", n, len(got)-1, last, want)
		}
	}
}

// A configuration that was refused is a problem on the page as long as it is one in the
// metrics, also when a certificate has changed and is in use since.
func TestRefusedConfigurationStaysAProblem(t *testing.T) {
	g := startUnwatched(t)
	good := need(os.ReadFile(g.gw.current.Load().Config.Path))
	edit := func(line string) {
		g.put("gw.toml", bytes.Replace(good, []byte("packet_timeout"), []byte(line+"packet_timeout"), 1))
	}
	edit("unheard_of = 1\n")
	if g.gw.Reload() == nil {
		t.Fatal("expected the reload to be refused")
	}
	edit("# being edited\n") // so that a changed file does not make the gateway read all again
	g.put("ca.pem", append(need(os.ReadFile(filepath.Join(filepath.Dir(g.gw.current.Load().Config.Path), "ca.pem"))), '\n'))
	if err := g.gw.reloadFiles(); err != nil {
		t.Fatalf("expected the changed file to be taken, got %v", err)
	}
	s := statusOf(t, g.gw)
	if p, found := problemOf(s, "reload_refused"); !found || p.Subject != "configuration" || !strings.Contains(p.Text, "unheard_of") || p.Since == nil || s.Reloads[0].What != "certificates" {
		t.Errorf("expected the refused configuration to be a problem after %+v, got %+v", s.Reloads, s.Problems)
	}
	if got := g.scrape()["radsec_gw_config_last_reload_successful{}"]; got != 0 {
		t.Errorf("expected the metric to say so too, got %v", got)
	}
}
