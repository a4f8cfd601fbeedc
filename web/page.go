package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"time"

	"radsec-gw/logs"
	"radsec-gw/web/status"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"rate": formatRate, "reply": formatReply, "bytes": formatBytes,
	"seconds": func(n int64) string { return formatAge(time.Duration(n) * time.Second) },
}).Parse(pageText))

// pagePolicy allows the page's own style and script, by their digests, and nothing else:
// what a peer might inject is neither run nor fetched. The form of the filter goes to the
// page itself.
var pagePolicy = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'; style-src '" +
	digest(pageStyle) + "'; script-src '" + digest(pageScript) + "'"

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// page is what page.html shows: a snapshot, already cut to the view.
type page struct {
	*status.Snapshot
	Style  template.CSS
	Script template.JS
	View   status.View
	list   int // elements of a page of View.List
}

// errTooLarge ends the rendering of a page that is too large.
var errTooLarge = errors.New("the page is too large")

// bounded is a buffer that takes at most a page, and a little more.
type bounded struct{ *bytes.Buffer }

func (b bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPage+1 {
		b.Buffer.Write(p[:min(len(p), max(0, maxPage+1-b.Len()))])
		return 0, errTooLarge
	}
	return b.Buffer.Write(p)
}

// renderPage writes the status page. One that is too large is cut off after maxPage bytes
// and one more.
func renderPage(out *bytes.Buffer, snapshot *status.Snapshot, v status.View, l status.Limits) error {
	err := pageTemplate.Execute(bounded{out}, &page{Snapshot: snapshot, Style: template.CSS(pageStyle), Script: template.JS(pageScript), View: v, list: l.List})
	if errors.Is(err, errTooLarge) {
		err = nil
	}
	return err
}

// Shows reports whether the view has a list.
func (p *page) Shows(list string) bool { return p.View.List == "" || p.View.List == list }

// Whole reports whether the view is of everything.
func (p *page) Whole() bool { return p.View == status.View{} }

// Narrowed describes the view, "" for everything.
func (p *page) Narrowed() string {
	switch {
	case p.View.Server != "":
		return "the server " + logs.Clip(p.View.Server)
	case p.View.Client != "":
		return "the client " + logs.Clip(p.View.Client)
	case p.View.Text != "":
		return "what has “" + logs.Clip(p.View.Text) + "” in it"
	case p.View.List != "":
		return "one list"
	}
	return ""
}

// NumProblems says how many problems there are, with those that the page omits; "" for none.
func (p *page) NumProblems() string {
	switch n := len(p.Problems) + p.Omitted["problems"]; n {
	case 0:
		return ""
	case 1:
		return "1 problem"
	default:
		return strconv.Itoa(n) + " problems"
	}
}

// Text is the text that is filtered by.
func (p *page) Text() string { return p.View.Text }

// link returns the relative address of a view.
func link(v status.View) string {
	q := url.Values{}
	for key, value := range map[string]string{"q": v.Text, "server": v.Server, "client": v.Client, "all": v.List} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if v.From > 0 {
		q.Set("from", strconv.Itoa(v.From))
	}
	return "?" + q.Encode()
}

// More is a link to elements that a list does not have.
type More struct{ Href, Text string }

// Links returns links to what a list omits.
func (p *page) Links(list string) (links []More) {
	n := p.Omitted[list]
	v := p.View
	if v.List == "" {
		if n == 0 {
			return nil
		}
		v.List = list
		return []More{{link(v), strconv.Itoa(n) + " more"}}
	}
	if from := p.View.From; from > 0 {
		v.From = max(0, from-p.list)
		links = append(links, More{link(v), "previous"})
	}
	if n-p.View.From > 0 {
		v.From = p.View.From + p.shown(list)
		links = append(links, More{link(v), "next"})
	}
	return links
}

// shown returns how many elements of a list the page has.
func (p *page) shown(list string) int {
	return map[string]int{"problems": len(p.Problems), "servers": len(p.Servers), "routes": len(p.Routes), "listeners": len(p.Listeners), "clients": len(p.Clients),
		"connections": len(p.Connections), "nases": len(p.NASes), "spool_routes": len(p.SpoolRoutes), "certificates": len(p.Certificates), "revocation_lists": len(p.RevocationLists),
		"revocation_urls": len(p.RevocationURLs), "files": len(p.Files), "reloads": len(p.Reloads), "refusals": len(p.Refusals), "events": len(p.Events)}[list]
}

// ServerLink returns the address of the view of one server.
func (p *page) ServerLink(name string) string { return link(status.View{Server: name}) }

// ClientLink returns the address of the view of one client.
func (p *page) ClientLink(name string) string { return link(status.View{Client: name}) }

// Moment is a time as the page shows it.
type Moment struct {
	ISO, Text, Ago string
	Span           string // how long ago, without "ago"
	Seconds        int64  // since it, or until it: for sorting
	Soon           bool   // for an expiry: time to renew
	Expired        bool   // likewise: too late
}

// At returns a time in the past; nil if it is unknown.
func (p *page) At(t any) *Moment {
	at := timeOf(t)
	if at.IsZero() {
		return nil
	}
	ago := p.Time.Sub(at)
	m := &Moment{ISO: at.UTC().Format(time.RFC3339), Text: at.UTC().Format("01-02 15:04:05"), Ago: formatAge(ago) + " ago", Seconds: int64(ago / time.Second)}
	m.Span = formatAge(ago)
	if ago < time.Second {
		m.Ago = "now"
	}
	return m
}

// Expiry returns the end of a certificate or a list; nil if it has none.
func (p *page) Expiry(t any) *Moment {
	at := timeOf(t)
	if at.IsZero() {
		return nil
	}
	remaining := at.Sub(p.Time)
	m := &Moment{ISO: at.UTC().Format(time.RFC3339), Text: at.UTC().Format("2006-01-02"), Ago: "in " + formatAge(remaining), Seconds: int64(remaining / time.Second), Soon: remaining < status.ExpiresSoon, Expired: remaining <= 0}
	if m.Expired {
		m.Ago = "expired " + formatAge(-remaining) + " ago"
	}
	return m
}

// Until returns how long it is until a time; "" if it has none, or is over.
func (p *page) Until(t *time.Time) string {
	if t == nil || !t.After(p.Time) {
		return ""
	}
	return formatAge(max(time.Second, t.Sub(p.Time)))
}

// timeOf returns a time that may be a pointer.
func timeOf(t any) time.Time {
	switch t := t.(type) {
	case time.Time:
		return t
	case *time.Time:
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

// Uptime is how long the gateway has been running.
func (p *page) Uptime() string { return formatDuration(time.Duration(p.UptimeSeconds) * time.Second) }

// RateChart and ReplyChart draw the history of a port.
func (p *page) RateChart(s *status.Series) Chart { return smallChart(s, "requests", formatRate) }

// ReplyChart draws the reply times of a port.
func (p *page) ReplyChart(s *status.Series) Chart { return smallChart(s, "reply time", formatReply) }

func smallChart(s *status.Series, what string, format func(float64) string) Chart {
	if s == nil {
		return chartOf(nil, 0, what, chartWidth, chartHeight, format)
	}
	values := s.RequestsPerSecond
	if what == "reply time" {
		values = s.ReplySeconds
	}
	return chartOf(values, time.Duration(s.StepSeconds)*time.Second, what, chartWidth, chartHeight, format)
}

// Titled is a chart with a title and a line below it.
type Titled struct {
	Title, Note string
	Chart
}

// Charts draw the history of the gateway.
func (p *page) Charts() (list []Titled) {
	for _, of := range []struct {
		name string
		*status.Series
	}{{"last hour", &p.History.Hour}, {"last day", &p.History.Day}} {
		step := time.Duration(of.StepSeconds) * time.Second
		for _, one := range []struct {
			what   string
			values []float32
			format func(float64) string
		}{{"requests", of.RequestsPerSecond, formatRate}, {"reply time", of.ReplySeconds, formatReply}, {"unanswered", of.UnansweredPerSecond, formatRate},
			{"in flight", of.InFlight, formatCount}, {"connections", of.Connections, formatCount}} {
			list = append(list, Titled{one.what + ", " + of.name, noteOf(one.values, step, one.format), chartOf(one.values, step, one.what, wideWidth, wideHeight, one.format)})
		}
	}
	return list
}

// noteOf says what the last and the highest of some values are, and of how long they are.
func noteOf(values []float32, step time.Duration, format func(float64) string) string {
	if len(values) == 0 {
		return "nothing measured yet"
	}
	return "now " + format(float64(values[len(values)-1])) + ", at most " + format(float64(slices.Max(values))) + ", over " + formatAge(time.Duration(len(values))*step)
}
