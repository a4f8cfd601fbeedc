package web

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"radsec-gw/metrics"
)

func (b *bed) pageText() string {
	b.t.Helper()
	status, body, header := b.ask("GET", "/", "")
	if status != 200 || header.Get("Content-Type") != "text/html; charset=utf-8" {
		b.t.Fatalf("the page: %d, %s", status, header.Get("Content-Type"))
	}
	return body
}

func TestThePageShowsWhatAnOperatorAsks(t *testing.T) {
	b := newBed(t, nil)
	b.busy()
	b.m.TLS().AddSilent(17)
	b.m.TLS().AddHandshaking(5)
	b.m.TLS().AddQueued(3)
	b.m.TLS().CountSlotsFull()
	text := b.pageText()
	for _, want := range []string{
		"v1.2.3", "(abc)", "not ready", "no server is up for coa", "<bdi>example.org</bdi>", "access, accounting · failover",
		`class="badge suspect">suspect<`, `class="badge failing">failing<`, `class="badge down">down<`,
		`>radius-a <span class="quiet">acct</span> <bdi class="address quiet">10.0.0.7:1813</bdi>`, "radius-b.internal (no address)", `<polyline points="`, "requests over the last 8 minutes 15 seconds: now",
		"<bdi>campus</bdi>", "192.0.2.7:40000", "CN=ap-1.campus.example", "in 3 days 1 hour", ">soon<",
		"RadSec connection refused", "fingerprint is not among its 2", "the server is down",
		"Without a client yet: 17 silent, 5 in a TLS handshake, 3 waiting for one of its slots, which were full 1 times.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// The page shows the gateway's own certificate, and why clients refuse it.
func TestThePageShowsTheOwnCertificate(t *testing.T) {
	b := newBed(t, func(c *Config) {
		c.Certificate = func() Certificate {
			return Certificate{Subject: "CN=<gw>", NotAfter: time.Now().Add(-26 * time.Hour), Findings: []string{"the certificate of CN=<gw> expired"}}
		}
	})
	text := b.pageText()
	for _, want := range []string{"Certificate: <bdi>CN=&lt;gw&gt;</bdi>", ">soon<", "expired 1 day 2 hours ago", "<li>the certificate of CN=&lt;gw&gt; expired</li>"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// The page shows what keeps some clients from connecting while the gateway is ready.
func TestThePageShowsNotices(t *testing.T) {
	b := newBed(t, func(c *Config) {
		c.Notices = func() []string { return []string{"the revocation list of CN=<ca> has been out of date"} }
	})
	text := b.pageText()
	for _, want := range []string{`<strong class="badge up">ready</strong>`, "<li>the revocation list of CN=&lt;ca&gt; has been out of date</li>"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Each address of an expanded server has a row of its own in place of the server's.
func TestThePageShowsTheAddressesOfAnExpandedServer(t *testing.T) {
	b := newBed(t, nil)
	for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
		s := b.m.Server("radius-a@"+address, "auth")
		s.SetState(metrics.StateUp)
		s.SetAddress(address + ":1812")
	}
	text := b.pageText()
	for row, want := range map[string]bool{
		`>radius-a@10.0.0.1 <span class="quiet">auth</span> <bdi class="address quiet">10.0.0.1:1812</bdi>`: true,
		`>radius-a@10.0.0.2 <span class="quiet">auth</span> <bdi class="address quiet">10.0.0.2:1812</bdi>`: true,
		`>radius-a <span class="quiet">auth</span>`:                                                         false,
		`>radius-a <span class="quiet">acct</span>`:                                                         true,
	} {
		if got := strings.Contains(text, row); got != want {
			t.Errorf("expected a row with %s: %v, got %v", row, want, got)
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
	b := newBed(t, func(c *Config) {
		c.Routes = func() []Route {
			return []Route{{Realms: []string{evil}, Packets: []string{"access"}, Servers: []string{evil}, Balance: evil}}
		}
		c.Version, c.Commit = evil, evil
	})
	b.why = evil
	clean := shape(t, newBed(t, func(c *Config) {
		c.Routes = func() []Route {
			return []Route{{Realms: []string{"r"}, Packets: []string{"access"}, Servers: []string{"s"}}}
		}
	}), "plain")
	if got := shape(t, b, evil); got != clean {
		t.Errorf("hostile names change the page's elements:\n%s\nwithout them:\n%s", got, clean)
	}
}

// shape fills the page with a name everywhere and returns its elements in order.
func shape(t *testing.T, b *bed, name string) string {
	t.Helper()
	b.why = name
	b.m.Client(name)
	for _, r := range b.server.cfg.Routes() {
		server := b.m.Server(r.Servers[0], "auth")
		server.SetState(metrics.StateUp)
		server.SetAddress(name)
	}
	b.m.Opened(&metrics.Connection{Client: name, Subject: "CN=" + name, Version: name, NotAfter: time.Now().Add(time.Hour), Remote: netip.MustParseAddrPort("192.0.2.1:1")})
	b.logs.Handle(t.Context(), record(name))
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

func TestChartsAndWords(t *testing.T) {
	c := chartOf([]float64{0, 5, 10}, "requests", formatRate)
	if c.Points != "118.0,25.0 119.0,13.0 120.0,1.0" || c.Label != "requests over the last 15 seconds: now 10.0/s, at most 10.0/s" {
		t.Errorf("chart %+v", c)
	}
	if c := chartOf(nil, "requests", formatRate); c.Points != "" || c.Label == "" {
		t.Errorf("an empty chart %+v", c)
	}
	for d, want := range map[time.Duration]string{
		0: "0 seconds", time.Second: "1 second", 61 * time.Second: "1 minute 1 second", time.Hour + time.Minute: "1 hour 1 minute",
		25 * time.Hour: "1 day 1 hour", 400 * time.Hour: "16 days",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v reads %q, want %q", d, got, want)
		}
	}
	for v, want := range map[float64]string{0: "–", 0.0005: "0.50 ms", 0.02: "20 ms", 3: "3.0 s"} {
		if got := formatTrip(v); got != want {
			t.Errorf("%v s reads %q, want %q", v, got, want)
		}
	}
}

func TestSamplesAreDifferences(t *testing.T) {
	b := newBed(t, nil)
	s := b.m.Server("radius-a", "auth")
	at := time.Unix(1000, 0)
	s.Count(metrics.ServerSent, 1000)
	b.server.sampler.observe(at)
	s.Count(metrics.ServerSent, 50)
	s.Count(metrics.ServerTimeouts, 1)
	for range 3 {
		s.CountReply(metrics.ReplyAccepted)
		s.ObserveReply(2 * time.Millisecond)
	}
	b.server.sampler.observe(at.Add(5 * time.Second))
	got := b.server.sampler.of(endpoint{"radius-a", "auth"})
	if len(got) != 1 || got[0].rate != 10 || got[0].trip < 0.0019 || got[0].trip > 0.0021 {
		t.Errorf("samples %+v, want one of 10 a second, 2 ms, a quarter lost", got)
	}
	for i := range 2 * keepSamples {
		b.server.sampler.observe(at.Add(time.Duration(10+5*i) * time.Second))
	}
	if n := len(b.server.sampler.of(endpoint{"radius-a", "auth"})); n != keepSamples {
		t.Errorf("%d samples are kept, want %d", n, keepSamples)
	}
}

// A server that was removed has no samples; one that was added again begins without any.
func TestSamplesOfServersThatGo(t *testing.T) {
	b := newBed(t, nil)
	key := endpoint{"radius-a", "auth"}
	b.m.Server(key.server, key.port).Count(metrics.ServerSent, 1000)
	at := time.Unix(1000, 0)
	drop := func() { b.m.KeepServers(func(name string, _ metrics.Port) bool { return name != "radius-a" }) }
	b.server.sampler.observe(at)
	b.server.sampler.observe(at.Add(5 * time.Second))
	drop()
	b.m.Server(key.server, key.port).Count(metrics.ServerSent, 5) // before the next reading
	b.server.sampler.observe(at.Add(10 * time.Second))
	if got := b.server.sampler.of(key); len(got) != 0 {
		t.Errorf("a server that is back should have no samples yet, but it has %+v", got)
	}
	b.m.Server(key.server, key.port).Count(metrics.ServerSent, 10)
	b.server.sampler.observe(at.Add(15 * time.Second))
	if got := b.server.sampler.of(key); len(got) != 1 || got[0].rate != 2 {
		t.Errorf("a server that is back should have one sample of 2 a second, but it has %+v", got)
	}
	drop()
	b.server.sampler.observe(at.Add(20 * time.Second))
	if got := b.server.sampler.of(key); len(got) != 0 {
		t.Errorf("a server that is gone should have no samples, but it has %+v", got)
	}
}
