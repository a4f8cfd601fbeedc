package status

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func ago(d time.Duration) *time.Time { return new(now.Add(-d)) }

// FindProblems finds what is wrong with each list, with since when and why.
//
// Fault O8.
func TestFindProblems(t *testing.T) {
	s := &Snapshot{Time: now,
		Servers: []Server{
			{Name: "a", Port: "auth", State: "up", UnverifiedNow: 7, LastReplyAt: ago(time.Hour)},
			{Name: "a", Port: "acct", State: "up", InFlight: 192, Capacity: 256},
			{Name: "b", Port: "auth", State: "suspect", Since: ago(time.Second), Why: "silent"},
			{Name: "b", Port: "acct", State: "down", Since: ago(time.Minute), Why: "nothing has ever arrived from it"},
			{Name: "c", Port: "auth", State: "failing", Since: ago(time.Minute), Why: "it answers checks"},
			{Name: "d", Port: "auth", State: "maintenance", Since: ago(time.Minute)},
			{Name: "e", Port: "auth", State: "up", InFlight: 191, Capacity: 256},
			{Name: "f", Port: "auth", State: "up", Why: "no socket to it can be opened"}},
		Routes:          []Route{{Number: 1, Realms: []string{"example.org"}, State: "unserved", Unserved: []string{"acct"}, Servers: []string{"b"}, Since: ago(time.Minute)}, {Number: 2, State: "degraded"}},
		Certificates:    []Certificate{{For: "ca", File: "ca.pem", Subject: "CN=CA", ExpiresAt: now}, {For: "metrics", File: "m.pem", Subject: "CN=m", ExpiresAt: now.Add(ExpiresSoon - 1)}, {For: "server", Place: 1, ExpiresAt: now}},
		RevocationLists: []RevocationList{{Issuer: "CN=x", Stale: true, NextUpdate: ago(time.Hour)}, {Issuer: "CN=y", Stale: true, Refused: true}, {Issuer: "CN=z"}},
		RevocationURLs:  []RevocationURL{{URL: "http://a/", State: "failing", Refused: true, FailingAt: ago(time.Hour)}, {URL: "http://b/", State: "failing", Lists: 1}, {URL: "http://c/", State: "failing"}, {URL: "http://d/", State: "ok"}, {URL: "http://e/", State: "waiting", Refused: true}},
		Clients:         []Client{{Name: "campus", Connections: 1, Subject: "CN=ap", ExpiresAt: ago(-time.Hour)}, {Name: "gone", ExpiresAt: ago(-time.Hour)}, {Name: "fine", Connections: 1, ExpiresAt: ago(-ExpiresSoon)}},
	}
	s.Cluster = &Cluster{Server: "nats://n0:4222", Error: "EOF", Since: *ago(time.Minute)}
	s.Spool = &Spool{Directory: "spool", Error: "no space left on device", Records: 801, RecordsLimit: 1000, Octets: 801, OctetsLimit: 1000, OldestAt: ago(61 * time.Minute), MaxAge: 86400, SetAsideBytes: 1}
	s.Refusals = []Refusal{{What: "reply", Reason: "missing_message_authenticator", Count: 6, FirstAt: ago(time.Hour), LastAt: ago(time.Minute), Began: ago(2 * time.Minute)}, {What: "reply", Reason: "unmatched", LastAt: ago(0)},
		{What: "reply", Reason: "malformed", LastAt: ago(6 * time.Minute)}, {What: "connection", Reason: "not_tls", LastAt: ago(0)}}
	s.FindProblems()
	var got []string
	for _, p := range s.Problems {
		since := "–"
		if p.Since != nil {
			since = now.Sub(*p.Since).String()
		}
		got = append(got, fmt.Sprintf("%s %s %s [%s] %s", p.Severity, p.Source, p.Kind, p.Subject, since))
	}
	want := `error gateway spool_cannot_store [spool] –
error gateway certificate_expired [ca.pem] 0s
error gateway revocation_list_stale [CN=y] –
error gateway revocation_list_missing [http://a/] 1h0m0s
error gateway revocation_list_missing [http://c/] –
error server server_down [b acct] 1m0s
error server server_failing [c auth] 1m0s
error server server_no_socket [f auth] –
error server route_unserved [example.org] 1m0s
warning gateway cluster_down [nats://n0:4222] 1m0s
warning gateway certificate_expires [m.pem] –
warning gateway revocation_list_stale [CN=x] 1h0m0s
warning gateway revocation_list_not_fetched [http://b/] –
warning server server_suspect [b auth] 1s
warning server replies_unverified [a auth] 1h0m0s
warning server server_overloaded [a acct] –
warning server spool_filling [spool] –
warning server spool_filling [spool] –
warning server spool_not_sent [spool] 1h1m0s
warning server spool_set_aside [spool] –
warning server replies_dropped [missing_message_authenticator] 2m0s
warning peer client_certificate_expires [campus] –`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nexpected\n%s", text, want)
	}
}

// The problem of replies that do not verify names the causes that are possible, and no others.
func TestUnverifiedRepliesNameTheirCause(t *testing.T) {
	for _, row := range []struct {
		says   string
		server Server
		want   []string
	}{
		{"only unsigned ones", Server{Unsigned: 3, LastReplyAt: ago(0)}, []string{"no Message-Authenticator"}},
		{"no reply has ever verified", Server{Mismatched: 3}, []string{"secret"}},
		{"others have verified", Server{Mismatched: 3, LastReplyAt: ago(0)}, []string{"secret", "too late", "forged"}},
		{"most Identifiers are in use", Server{Mismatched: 3, LastReplyAt: ago(0), InFlight: 200, Capacity: 256}, []string{"too late", "given up", "does not keep up"}},
		{"of both kinds", Server{Unsigned: 1, Mismatched: 3, LastReplyAt: ago(0)}, []string{"no Message-Authenticator", "secret", "given up"}},
		{"not counted", Server{}, []string{"no Message-Authenticator", "secret", "given up"}},
	} {
		row.server.State, row.server.UnverifiedNow = "up", 3
		s := &Snapshot{Time: now, Servers: []Server{row.server}}
		s.FindProblems()
		text := s.Problems[0].Text
		got := slices.DeleteFunc([]string{"no Message-Authenticator", "secret", "too late", "given up", "forged", "does not keep up"},
			func(cause string) bool { return !strings.Contains(text, cause) })
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q names %q, expected %q", row.says, text, got, row.want)
		}
	}
}

// The spool is a problem above a limit, and not at it; records are old sooner if they are dropped
// soon. A spool in order has none.
//
// Rules: SP10, SP11, SP12
func TestProblemsOfTheSpool(t *testing.T) {
	day, week := int64(86400), int64(7*86400)
	for _, row := range []struct {
		spool Spool
		want  []string // kind, and what its text has
	}{
		{Spool{Records: 800, RecordsLimit: 1000, Octets: 800, OctetsLimit: 1000, OldestAt: ago(time.Hour), MaxAge: day}, nil},
		{Spool{Error: "no space"}, []string{"spool_cannot_store", "not acknowledged: no space"}},
		{Spool{Records: 801, RecordsLimit: 1000, Octets: 1, OctetsLimit: 1000}, []string{"spool_filling", "80 % of max_records are in use (801 of 1000)"}},
		{Spool{Records: 1, RecordsLimit: 1000, Octets: 999, OctetsLimit: 1000}, []string{"spool_filling", "100 % of max_octets are in use (999 of 1000)"}},
		{Spool{OldestAt: ago(61 * time.Minute), MaxAge: week}, []string{"spool_not_sent", "older than max_age"}},
		{Spool{OldestAt: ago(16 * time.Minute), MaxAge: 1800}, []string{"spool_not_sent", "older than max_age"}},
		{Spool{OldestAt: ago(14 * time.Minute), MaxAge: 1800}, nil},
		{Spool{OldestAt: ago(61 * time.Minute), MaxAge: week, SentElsewhere: true}, nil},
		{Spool{SetAside: 3}, nil}, // they were sent again, or removed
		{Spool{SetAsideBytes: 1}, []string{"spool_set_aside", "radsec-gw spool retry"}},
	} {
		s := &Snapshot{Time: now, Spool: &row.spool}
		s.FindProblems()
		if row.want == nil && len(s.Problems) == 0 {
			continue
		}
		if len(s.Problems) != 1 || row.want == nil || s.Problems[0].Kind != row.want[0] || !strings.Contains(s.Problems[0].Text, row.want[1]) {
			t.Errorf("%+v: got %+v, expected %q", row.spool, s.Problems, row.want)
		}
	}
}

// Old records are not a problem while servers answer records of each route that has some.
//
// Rules: SP10
func TestOldRecordsThatAreSent(t *testing.T) {
	for _, row := range []struct {
		routes []SpoolRoute
		want   bool
	}{
		{nil, true},
		{[]SpoolRoute{{Route: "a", Records: 1, LastAnswerAt: ago(15 * time.Minute)}}, false},
		{[]SpoolRoute{{Route: "a", Records: 1, LastAnswerAt: ago(16 * time.Minute)}}, true},
		{[]SpoolRoute{{Route: "a", Records: 1}}, true},
		{[]SpoolRoute{{Route: "a", Records: 1, LastAnswerAt: ago(0)}, {Route: "b"}, {Route: "c", LastAnswerAt: ago(time.Hour)}}, false},
		{[]SpoolRoute{{Route: "a", Records: 1, LastAnswerAt: ago(0)}, {Route: "b", Records: 1}}, true},
		{[]SpoolRoute{{Route: "a", LastAnswerAt: ago(0)}}, true}, // the records are in none of them
	} {
		s := &Snapshot{Time: now, Spool: &Spool{OldestAt: ago(2 * time.Hour), MaxAge: 86400}, SpoolRoutes: row.routes}
		s.FindProblems()
		if got := len(s.Problems) == 1; got != row.want {
			t.Errorf("%+v: got %+v, expected a problem: %v", row.routes, s.Problems, row.want)
		}
	}
}

// A certificate that has expired while its client was connected has expired, and does not expire.
func TestClientCertificateHasExpired(t *testing.T) {
	for at, want := range map[time.Time]string{now.Add(time.Hour): "(CN=ap) expires on 2026-05-04 04:02 UTC", now.Add(-time.Hour): "(CN=ap) expired on 2026-05-04 02:02 UTC", now: "(CN=ap) expired on"} {
		s := &Snapshot{Time: now, Clients: []Client{{Name: "campus", Connections: 1, Subject: "CN=ap", ExpiresAt: &at}}}
		s.FindProblems()
		if got := s.Problems[0].Text; !strings.Contains(got, want) {
			t.Errorf("at %v the certificate that ends at %v: %q, expected %q", now, at, got, want)
		}
	}
}

// What is wrong comes first in each list, then what is busiest.
func TestOrder(t *testing.T) {
	s := &Snapshot{Time: now,
		Servers: []Server{{Name: "idle", State: "up"}, {Name: "busy", State: "up", RequestsPerSecond: 9}, {Name: "kept", State: "maintenance"}, {Name: "down", State: "down"}, {Name: "suspect", State: "suspect"}},
		Clients: []Client{{Name: "idle"}, {Name: "busy", Requests: 7}, {Name: "expires", Connections: 1, ExpiresAt: ago(0)}},
		Events:  []Event{{Severity: Warning, Message: "new", LastAt: now}, {Severity: Error, Message: "old", LastAt: now.Add(-time.Hour)}}}
	s.FindProblems()
	var got []string
	for _, p := range s.Servers {
		got = append(got, p.Name)
	}
	for _, c := range s.Clients {
		got = append(got, c.Name)
	}
	for _, e := range s.Events {
		got = append(got, e.Message)
	}
	if text := strings.Join(got, " "); text != "down suspect kept busy idle expires busy idle old new" {
		t.Errorf("got the order %s", text)
	}
}

// A thousand problems of one kind do not displace those of other kinds.
//
// Fault S10.
func TestProblemsOfOneKindAreBounded(t *testing.T) {
	s := &Snapshot{}
	for i := range 1000 {
		s.add(Error, "server_down", FromServer, fmt.Sprint("s", i, " auth"), "down", nil)
	}
	s.add(Warning, "server_overloaded", FromServer, "x auth", "busy", nil)
	out := s.Cut(View{}, Limits{Each: 60, List: 250})
	if len(out.Problems) != mostOfKind+1 || out.Omitted["problems"] != 990 {
		t.Errorf("%d problems, %d omitted; expected %d and 990", len(out.Problems), out.Omitted["problems"], mostOfKind+1)
	}
	out = s.Cut(View{List: "problems", From: 900}, Limits{Each: 60, List: 250})
	if len(out.Problems) != 101 || out.Omitted["problems"] != 900 {
		t.Errorf("from 900: %d problems, %d omitted; expected 101 and 900", len(out.Problems), out.Omitted["problems"])
	}
}

// The names and the form of the JSON stay the same: programs read it.
func TestJSON(t *testing.T) {
	s := new(Snapshot)
	fill(reflect.ValueOf(s).Elem())
	got, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/status.json"
	if os.Getenv("STATUS") == "write" {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(want)) != string(got) {
		t.Errorf("the JSON is not that of %s; if a field was added on purpose, run STATUS=write go test ./web/status\n%s", golden, got)
	}
	empty, err := json.Marshal(new(Snapshot).Cut(View{}, Limits{Each: 1, List: 1}))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range append([]string{"reasons"}, Lists...) {
		if !strings.Contains(string(empty), `"`+list+`":[]`) {
			t.Errorf("an empty list of %s is not []: %s", list, empty)
		}
	}
}

// fill sets every field of a value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]int{"servers": 7}))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(now))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

// A gateway that is not connected to NATS has a warning, with the reason if there is one; one that is
// connected has none, even if it is alone.
//
// Rules: GW2
func TestProblemsOfTheCluster(t *testing.T) {
	for _, row := range []struct {
		cluster Cluster
		want    string
	}{
		{Cluster{Connected: true, Server: "nats://n0:4222", Dropped: 3, Invalid: 4}, ""},
		{Cluster{Server: "nats://n0:4222", Since: now}, "requests are served as without them"},
		{Cluster{Error: "connection refused", Since: now}, "requests are served as without them: connection refused"},
	} {
		s := &Snapshot{Time: now, Cluster: &row.cluster}
		s.FindProblems()
		switch {
		case row.want == "" && len(s.Problems) == 0:
		case row.want == "" || len(s.Problems) != 1:
			t.Errorf("%+v: got %+v", row.cluster, s.Problems)
		default:
			if p := s.Problems[0]; p.Kind != "cluster_down" || p.Severity != Warning || p.Source != FromGateway || !strings.HasSuffix(p.Text, row.want) || p.Subject != row.cluster.Server || !p.Since.Equal(now) {
				t.Errorf("%+v: got %+v, expected %q", row.cluster, p, row.want)
			}
		}
	}
}
