package web

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

func (b *bed) pageText() string {
	b.t.Helper()
	status, body, header := b.ask("GET", "/", "")
	if status != 200 || header.Get("Content-Type") != "text/html; charset=utf-8" {
		b.t.Fatalf("the page: %d, %s", status, header.Get("Content-Type"))
	}
	return body
}

// The page shows each part of the state, what is wrong first.
//
// Fault O8.
func TestThePageShowsWhatAnOperatorAsks(t *testing.T) {
	b := newBed(t, nil)
	b.busy()
	b.m.Server("radius-b", "coa").SetState(metrics.StateDown)
	text := b.pageText()
	for _, want := range []string{
		"v1.2.3", "(abc)", ">ready<", "<bdi>example.org</bdi>", "access, accounting (to the spool if no server answers)</span>", "access, accounting (answered here, not kept)</span>", "failover",
		`class="badge suspect">suspect<`, `class="badge failing">failing<`, `class="badge down">down<`, `class="badge unserved">unserved<`,
		`<bdi>radius-a</bdi></a> <span class="quiet">acct</span> <bdi class="address quiet">10.0.0.7:1813</bdi>`, "radius-b.internal (no address)", `<path d="M0 `, "requests over the last ",
		"<bdi>campus</bdi>", "192.0.2.7:40000", "CN=ap-1.campus.example", "in 3 d", ">soon<",
		"RadSec connection refused", "fingerprint is not among its 2", "203.0.113.9", "61 times",
		"gw.toml:7: server[0].secret: expected a text, got 7", "CN=gw.example.org", "out of date, still counts", "listen.certificate",
		"Without a client yet: 17 silent, 5 in a TLS handshake, 3 waiting for one of its slots, which were full 1 times.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	order := []string{`id="now"`, `id="problems"`, "the reload was refused", "radius-b coa", "radius-b acct", "radius-a acct", `id="history"`, `id="servers"`}
	for i, at := 0, 0; i < len(order); i++ {
		next := strings.Index(text[at:], order[i])
		if next < 0 {
			t.Fatalf("%q is not on the page after %q", order[i], order[max(0, i-1)])
		}
		at += next
	}
}

// The last answer of a server is one to a request. Answers to health checks, which a failing server
// still gives, are shown as that.
func TestAnswersToChecksAreNoAnswersToRequests(t *testing.T) {
	b := newBed(t, nil)
	b.busy()
	_, row, _ := strings.Cut(b.pageText(), `<span class="badge failing">`)
	row, _, _ = strings.Cut(row, "</tr>")
	cells := strings.Split(row, "<td ")
	for label, want := range map[string]string{"Last check": "answered 3 min", "Last answer": "6 min"} {
		i := slices.IndexFunc(cells, func(cell string) bool { return strings.Contains(cell, `data-label="`+label+`"`) })
		if text := regexp.MustCompile("<[^>]*>").ReplaceAllString(cells[max(0, i)], ""); i < 0 || !strings.Contains(text, want) {
			t.Errorf("%s of the failing server reads %q, expected %q", label, text, want)
		}
	}
}

// The page shows which NASes reverse CoA has learned: of which client, on which connection, and
// how old that is. It has no section for it where it is not configured.
// Rules: RC19
func TestThePageShowsReverseCoA(t *testing.T) {
	b := newBed(t, nil)
	b.busy()
	_, section, _ := strings.Cut(b.pageText(), `<h2 id="nases">Reverse CoA</h2>`)
	section, _, _ = strings.Cut(section, "</section>")
	text := regexp.MustCompile(`\s+`).ReplaceAllString(regexp.MustCompile("<[^>]*>").ReplaceAllString(section, " "), " ")
	for _, want := range []string{"Listening on 127.0.0.1:3799 , [::1]:3799 . Clients with reverse_coa: 1. Requests that wait for a NAS: 6. NASes learned: 4231, those seen last first.",
		" ap-1 10.1.0.7 campus 192.0.2.7:40000 3 min ago ", " ap-2 campus closed 2 h ago "} {
		if !strings.Contains(text, want) {
			t.Errorf("the section lacks %q:\n%s", want, text)
		}
	}
	b = newBed(t, nil)
	b.busy()
	b.state.ReverseCoA.Listening, b.state.NASes = nil, nil
	if text := b.pageText(); !strings.Contains(text, "Not listening: [dynamic_authorization] has no address.") || strings.Contains(text, `data-table="nases"`) {
		t.Error("without addresses and NASes, expected the page to say that nothing listens, and no table")
	}
	b = newBed(t, nil)
	b.busy()
	b.state.ReverseCoA = nil
	if strings.Contains(b.pageText(), "Reverse CoA") {
		t.Error("the page has a section for reverse CoA, which is not configured")
	}
}

// The page shows whether the spool can store, what it has and how full it is, and for each route
// whether its servers get anything. It has no section for it where no route uses it.
// Rules: SP14
func TestThePageShowsTheSpool(t *testing.T) {
	section := func(b *bed) string {
		_, section, _ := strings.Cut(b.pageText(), `<h2 id="spool_routes">Accounting spool</h2>`)
		section, _, _ = strings.Cut(section, "</section>")
		return regexp.MustCompile(`\s+`).ReplaceAllString(regexp.MustCompile("<[^>]*>").ReplaceAllString(section, " "), " ")
	}
	b := newBed(t, nil)
	b.busy()
	text := section(b)
	for _, want := range []string{" can store in spool ", " Records 801000 of 1000000 ", " Size 300 MiB of 1 GiB ", " Oldest 3 h ago at most 7 d ", " Not on disk yet 12 ", " In flight 33 ",
		" Stored 900000 ", " Answered 98000 ", " Refused 2 ", " Dropped 5 ", " Set aside 4 1.7 KiB in the file ", " example.org paused next record in ", " s 700000 1 2 h ago ", " (imported) sending 101000 32 "} {
		if !strings.Contains(text, want) {
			t.Errorf("the section lacks %q:\n%s", want, text)
		}
	}
	whole := b.pageText()
	for _, problem := range []string{"80 % of max_records are in use", "the oldest record has no server&#39;s answer yet", "records were set aside"} {
		if !strings.Contains(whole, problem) {
			t.Errorf("the page lacks the problem %q", problem)
		}
	}
	b = newBed(t, nil)
	b.busy()
	b.state.Spool, b.state.SpoolRoutes = &status.Spool{Error: "no space left on device", Directory: "/var/spool"}, nil
	if text := section(b); !strings.Contains(text, " cannot store no space left on device in /var/spool ") || !strings.Contains(text, " Oldest – at most ") || strings.Contains(text, "Route State") {
		t.Errorf("a spool that cannot store and is empty: got\n%s", text)
	}
	b = newBed(t, nil)
	b.busy()
	b.state.Spool, b.state.SpoolRoutes = nil, nil
	if strings.Contains(b.pageText(), "Accounting spool") {
		t.Error("the page has a section for the spool, which no route uses")
	}
}

// The page shows whether the gateway is connected to NATS, since when, and how many others there
// are. It has no section for them if nothing is shared.
//
// Rules: GW1, GW2
func TestThePageShowsTheCluster(t *testing.T) {
	section := func(b *bed) string {
		_, section, _ := strings.Cut(b.pageText(), `<h2 id="cluster">Other gateways</h2>`)
		section, _, _ = strings.Cut(section, "</section>")
		return regexp.MustCompile(`\s+`).ReplaceAllString(regexp.MustCompile("<[^>]*>").ReplaceAllString(section, " "), " ")
	}
	b := newBed(t, nil)
	b.busy()
	text := section(b)
	for _, want := range []string{" connected to nats://n0:4222 since 3 h ago , prefix site-a ", " Other gateways 2 ", " Told 5000 ", " Learned 6000 ", " Dropped 7 ", " Ignored 8 ", " Connected again 1 "} {
		if !strings.Contains(text, want) {
			t.Errorf("the section lacks %q:\n%s", want, text)
		}
	}
	b = newBed(t, nil)
	b.busy()
	b.state.Cluster = &status.Cluster{Prefix: "site-a", Error: "connection refused", Since: time.Now()}
	if text := section(b); !strings.Contains(text, " not connected connection refused since ") {
		t.Errorf("without a connection: got\n%s", text)
	}
	b = newBed(t, nil)
	b.busy()
	b.state.Cluster = nil
	if strings.Contains(b.pageText(), "Other gateways") {
		t.Error("the page has a section for other gateways, although nothing is shared")
	}
}

// The title counts all problems, those that are not shown included.
func TestTheTitleCountsProblems(t *testing.T) {
	for n, want := range map[int]string{0: "<title>ready · radsec-gw</title>", 1: "<title>ready · 1 problem · radsec-gw</title>", 1000: "<title>ready · 1000 problems · radsec-gw</title>"} {
		b := newBed(t, nil)
		for range n {
			b.state.Problems = append(b.state.Problems, status.Problem{Severity: status.Error, Kind: "server_down", Text: "down"})
		}
		if text := b.pageText(); !strings.Contains(text, want) {
			t.Errorf("with %d problems the page lacks %q; it begins with\n%.400s", n, want, text)
		}
	}
}

// A certificate that has expired is not one that expires soon.
func TestExpiredIsNotSoon(t *testing.T) {
	for remaining, want := range map[time.Duration]string{-time.Hour: "down expired", time.Hour: "suspect soon", 2 * status.ExpiresSoon: ""} {
		b := newBed(t, nil)
		at := time.Now().Add(remaining)
		b.state = status.Snapshot{Clients: []status.Client{{Name: "campus", ExpiresAt: &at}}, Connections: []status.Connection{{Client: "campus", ExpiresAt: &at}},
			Certificates: []status.Certificate{{For: "ca", ExpiresAt: at}}}
		text := b.pageText()
		for _, table := range []string{"clients", "connections", "certificates"} {
			_, rows, _ := strings.Cut(text, `data-table="`+table+`"`)
			rows, _, _ = strings.Cut(rows, "</table>")
			badge := regexp.MustCompile(`<span class="badge ([a-z]+)">([a-z]+)</span>`).FindStringSubmatch(rows)
			if got := strings.Join(badge[min(len(badge), 1):], " "); got != want {
				t.Errorf("%s: what expires in %v has the badge %q, expected %q", table, remaining, got, want)
			}
		}
	}
}

// What a color says is also said by a sign and a word, and every state of a server has both
// colors.
func TestEveryStateHasItsBadge(t *testing.T) {
	for state := range metrics.NumStates {
		name := state.String()
		for _, want := range []string{".badge." + name, ".badge." + name + "::before { content: \""} {
			if !strings.Contains(pageStyle, want) {
				t.Errorf("the style has no %s", want)
			}
		}
		if n := strings.Count(pageStyle, "--"+name+": #"); n != 2 {
			t.Errorf("expected a light and a dark colour for %s, got %d", name, n)
		}
	}
}

// Nothing that a peer or the configuration supplies becomes markup.
func TestHostileNamesAreEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'--></style></main>{{.Version}}`
	clean, got := shape(t, "plain"), shape(t, evil)
	if got != clean {
		t.Errorf("hostile names change the page's elements:\n%s\nwithout them:\n%s", got, clean)
	}
}

// shape puts a name into each text of the state and returns the page's elements in order.
func shape(t *testing.T, name string) string {
	t.Helper()
	b := newBed(t, func(c *Config) { c.Version, c.Commit = name, name })
	b.busy()
	b.why = name
	fillTexts(reflect.ValueOf(&b.state).Elem(), name)
	root, err := html.Parse(strings.NewReader(b.pageText()))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		one := n.Data
		for _, a := range n.Attr {
			one += " " + a.Key
		}
		list = append(list, one)
	}
	return strings.Join(list, "\n")
}

// fillTexts sets every text in a value.
func fillTexts(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		if _, isTime := v.Interface().(time.Time); isTime {
			return
		}
		for i := range v.NumField() {
			fillTexts(v.Field(i), text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fillTexts(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fillTexts(v.Index(i), text)
		}
	}
}

// The policy names the digests of the style and script that the page really has.
func TestThePolicyAllowsThePagesOwnScriptOnly(t *testing.T) {
	b := newBed(t, nil)
	_, body, header := b.ask("GET", "/", "")
	policy := header.Get("Content-Security-Policy")
	for element, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
		m := regexp.MustCompile(`(?s)<` + element + `>(.*?)</` + element + `>`).FindStringSubmatch(body)
		if m == nil || !strings.Contains(policy, directive+" '"+digest(m[1])+"'") {
			t.Errorf("the policy %q does not allow the page's %s", policy, element)
		}
	}
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the policy %q allows more than it should", policy)
	}
	for _, outside := range []string{`src="http`, `href="http`, "url(", "@import"} {
		if strings.Contains(body, outside) {
			t.Errorf("the page has an asset from outside: %s", outside)
		}
	}
}

// The structure that accessibility requires: one h1, headings without gaps, named sections, headers of
// tables with a scope, charts with words, a language.
func TestThePageCanBeReadAloud(t *testing.T) {
	b := newBed(t, nil)
	b.busy()
	root, err := html.Parse(strings.NewReader(b.pageText()))
	if err != nil {
		t.Fatal(err)
	}
	ids, level := map[string]bool{}, 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		at := map[string]string{}
		for _, a := range n.Attr {
			at[a.Key] = a.Val
		}
		if id := at["id"]; id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "html":
			if at["lang"] == "" {
				t.Error("the page has no language")
			}
		case "h1", "h2", "h3":
			next := int(n.Data[1] - '0')
			if next > level+1 {
				t.Errorf("an h%d follows an h%d", next, level)
			}
			level = next
		case "th":
			if at["scope"] == "" {
				t.Error("a table header has no scope")
			}
		case "svg":
			if at["role"] != "img" || at["aria-label"] == "" {
				t.Error("a chart has no alternative text")
			}
		}
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "aria-labelledby" && !ids[a.Val] {
				t.Errorf("a section is named by %s, which is not there", a.Val)
			}
		}
	}
}
