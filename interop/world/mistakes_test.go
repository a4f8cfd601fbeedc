//go:build linux

package world

import (
	"context"
	"fmt"
	"html"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/bench/scrape"
	"radsec-gw/interop/testbed"
)

// page is where operators find what the gateway says of each mistake; the tests hold it to that.
const page = "../../docs/mistakes.md"

// surfaces are the places where the gateway says something, by the names that the page gives them.
var surfaces = []string{"log", "/readyz", "metric", "alert", "status page", "JSON", "tap", "probe"}

// night is one mistake in a world of its own, and what was said of it.
type night struct {
	*world
	t      *testing.T
	g      *gateway
	tap    *process.Process
	before scrape.Metrics    // when the gateway had just started
	said   map[string]string // by surface
}

// Each mistake of the page is made, and the gateway says of it what the page promises: at least
// three surfaces name the cause. None names that of another: a warning or error of the log
// is one that the page lists, or says how a server or a request is doing.
func TestMistakesAtNight(t *testing.T) {
	sections := readPage(t)
	if len(mistakes) < 20 {
		t.Errorf("%d mistakes are made, expected at least 20", len(mistakes))
	}
	var groups alerts
	t.Run("mistakes", func(t *testing.T) {
		for title, make := range mistakes {
			t.Run(title, func(t *testing.T) {
				t.Parallel()
				n := newNight(t)
				make(n)
				n.listen()
				if t.Failed() {
					return
				}
				s, ok := sections[title]
				if !ok {
					t.Errorf("%s has no section %q; what was said:\n%s", page, title, n)
					return
				}
				n.compare(t, s)
				groups.add(title, n, s["alert"])
			})
		}
	})
	for title := range sections {
		if mistakes[title] == nil {
			t.Errorf("%s: %q is not among the mistakes that this test makes", page, title)
		}
	}
	groups.check(t)
}

func newNight(t *testing.T) *night {
	w := newWorld(t)
	return &night{world: w, t: t, said: map[string]string{}}
}

// begin starts the gateway, and a tap beside it.
func (n *night) begin(s setup) {
	n.t.Helper()
	dir, err := os.MkdirTemp("", "tap") // short: a socket's path has at most 108 bytes
	n.must(err)
	n.t.Cleanup(func() { os.RemoveAll(dir) })
	s.tap = dir + "/tap"
	if !s.only { // one that is bound to a certificate: check warns of others
		s.clients, s.only = s.clients+"\n[[client]]\nname = \"trial\"\nsan_dns = [\"client\", \"bobs-controller\"]\n", true
	}
	n.g = n.start(s)
	testbed.Eventually(3*time.Second, func() bool { // the first check is answered, if it ever is
		return n.g.Metrics().Sum("radsec_gw_server_probes_total", `result="answered"`) > 0
	})
	n.before = n.g.Metrics()
	n.gateway.do(func() { n.tap, err = process.Start(exec.Command(testbed.Program(), "tap", "-socket", s.tap)) })
	n.must(err)
	n.t.Cleanup(n.tap.Kill)
	n.must(n.tap.Await("showing", patience))
}

// listen collects what each surface says now.
func (n *night) listen() {
	n.t.Helper()
	status, body, _ := n.g.Get("/readyz", patience)
	n.said["/readyz"] = fmt.Sprintf("%d %s", status, body)
	_, n.said["metric"], _ = n.g.Get("/metrics", patience)
	_, n.said["status page"], _ = n.g.Get("/", patience)
	n.said["status page"] = visible(n.said["status page"])
	_, n.said["JSON"], _ = n.g.Get("/api/v1/status", patience)
	n.said["log"] = n.g.Printed()
	n.said["tap"] = n.tap.Printed()
}

// probe runs radsec-gw probe as a client of the gateway, and keeps what it prints.
func (n *night) probe(args ...string) {
	n.t.Helper()
	f := built.files
	command := append([]string{"probe"}, args...)
	if !strings.Contains(strings.Join(args, " "), "-server ") {
		command = append(command, "-address", "127.0.0.1:2083", "-ca", f.CA)
		if !strings.Contains(strings.Join(args, " "), "-cert ") {
			command = append(command, "-cert", f.ClientCert, "-key", f.ClientKey)
		}
	}
	ctx, cancel := context.WithTimeout(n.t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, testbed.Program(), command...)
	var p *process.Process
	var err error
	n.gateway.do(func() { p, err = process.Start(cmd) })
	n.must(err)
	<-p.Exited()
	n.said["probe"] += p.Printed()
}

// String is all that was said, for a person who writes the page.
func (n *night) String() string {
	var b strings.Builder
	for _, surface := range surfaces {
		text := n.said[surface]
		if surface == "metric" {
			text = n.changed()
		}
		fmt.Fprintf(&b, "=== %s\n%s\n", surface, text)
	}
	return b.String()
}

// changed lists the series that are not as they were when the gateway had started.
func (n *night) changed() string {
	var b strings.Builder
	for series, v := range scrape.Parse(n.said["metric"]) {
		if v != n.before[series] && strings.HasPrefix(series, "radsec_gw_") && !strings.Contains(series, "_bucket{") {
			fmt.Fprintln(&b, series, v)
		}
	}
	return b.String()
}

// section is what the page says of one mistake: by surface, the texts that are found there.
type section map[string][]string

// may is the surface of texts that the log may have as well.
const may = "log, perhaps"

var (
	heading = regexp.MustCompile(`^### (.*)$`)
	row     = regexp.MustCompile(`^\| ([^|]*) \| (.*) \|$`)
	code    = regexp.MustCompile("`([^`]+)`")
)

// readPage reads the page: a section for each mistake, with a table of surfaces.
func readPage(t *testing.T) map[string]section {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]section{}
	var current section
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if m := heading.FindStringSubmatch(line); m != nil {
			current = section{}
			sections[m[1]] = current
		}
		m := row.FindStringSubmatch(line)
		if current == nil || m == nil {
			continue
		}
		surface := strings.Trim(m[1], "`")
		says, perhaps, _ := strings.Cut(m[2], "; perhaps also ")
		for _, quoted := range code.FindAllStringSubmatch(says, -1) {
			current[surface] = append(current[surface], quoted[1])
		}
		for _, quoted := range code.FindAllStringSubmatch(perhaps, -1) {
			current[may] = append(current[may], quoted[1])
		}
	}
	return sections
}

// compare checks the page's section against what was said.
func (n *night) compare(t *testing.T, s section) {
	t.Helper()
	named := 0
	for _, surface := range surfaces {
		if len(s[surface]) > 0 {
			named++
		}
		if surface == "alert" { // checked for all mistakes together
			continue
		}
		for _, text := range s[surface] {
			if !n.says(surface, text) {
				said := n.said[surface]
				if surface == "metric" {
					said = n.changed()
				}
				t.Errorf("%s does not say %q; it says:\n%.4000s", surface, text, said)
			}
		}
	}
	if len(s["/readyz"]) == 0 && !strings.HasPrefix(n.said["/readyz"], "200 ") {
		t.Errorf("/readyz should answer 200 where its row has a dash; it says:\n%.4000s", n.said["/readyz"])
	}
	if named < 3 {
		t.Errorf("%d surfaces name the cause, expected at least three", named)
	}
	for line := range strings.Lines(n.said["log"]) {
		if serious := strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR"); serious && !listed(line, slices.Concat(s["log"], s[may])) {
			t.Errorf("the log says what the page does not list: %s", line)
		}
	}
}

// says reports whether a surface says a text. A metric says it when the series is there and
// not 0, with the labels that the text names among its own.
func (n *night) says(surface, text string) bool {
	if surface != "metric" {
		return strings.Contains(n.said[surface], text)
	}
	name, labels, _ := strings.Cut(strings.TrimSuffix(text, "}"), "{")
	var wanted []string
	if labels != "" {
		wanted = strings.Split(labels, ",")
	}
	return scrape.Parse(n.said["metric"]).Sum(name, wanted...) != 0
}

// listed reports whether a line of the log has one of the texts.
func listed(line string, texts []string) bool {
	for _, text := range texts {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

var tag = regexp.MustCompile(`(?s)<style.*?</style>|<script.*?</script>|<[^>]*>`)

// visible is the text that a browser shows of a page.
func visible(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(page, " "))), " ")
}

// settle waits until a series has a value above 0, and fails the test where that takes too long.
func (n *night) settle(name string, labels ...string) {
	n.t.Helper()
	if !testbed.Eventually(2*patience, func() bool { return n.g.Metrics().Sum(name, labels...) > 0 }) {
		n.t.Errorf("%s%q stays 0 for %v", name, labels, 2*patience)
	}
	time.Sleep(200 * time.Millisecond) // what is said with it
}
