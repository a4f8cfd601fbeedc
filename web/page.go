package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pagePolicy allows the page's own style and script, by their digests, and nothing else:
// what a peer might inject is neither run nor fetched.
var pagePolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; style-src '" +
	digest(pageStyle) + "'; script-src '" + digest(pageScript) + "'"

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// maxShown bounds the connections on the page.
const maxShown = 200

// expiresSoon is how long before its expiry a certificate is marked: enough time to get another.
const expiresSoon = 14 * 24 * time.Hour

// pageData is what page.html shows.
type pageData struct {
	Style           template.CSS
	Script          template.JS
	Version, Commit string
	Uptime, Now     string
	Readiness       Readiness
	Notices         []string
	Own             *pageOwn
	Routes          []pageRoute
	Clients         []pageClient
	Unfinished      metrics.Unfinished
	Connections     []pageConnection
	MoreConnections int
	Entries         []pageEntry
	Level           string
	ChartWidth      int
	ChartHeight     int
}

// pageOwn is the gateway's own certificate.
type pageOwn struct {
	Subject            string
	Expires, ExpiresIn string
	Soon               bool
	Findings           []string
}

type pageRoute struct {
	Names     []string
	Packets   string
	Balance   string
	Endpoints []pageEndpoint
}

type pageEndpoint struct {
	Server, Address         string
	Port                    metrics.Port
	State                   string
	Outstanding             int64
	Rate, Trip              string
	RateChart               Chart
	TripChart               Chart
	Answered, Unheard       uint64
	Resent, Bad             uint64
	ChartWidth, ChartHeight int
}

type pageClient struct {
	Name                     string
	Connections              int64
	Requests, Relayed, Other uint64
}

type pageConnection struct {
	Client, Remote, Subject, TLS, Since string
	Expires, ExpiresIn                  string
	Soon                                bool
}

type pageEntry struct {
	Time, Level, Message string
	Fields               []logs.Field
}

// page answers with the status page.
func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, s.pageData(time.Now())); err != nil {
		http.Error(w, "the status page cannot be made", http.StatusInternalServerError)
		slog.New(s.cfg.Logs).Error("the status page cannot be made", "error", err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Write(out.Bytes()) // what fails here is the caller's connection
}

func (s *Server) pageData(now time.Time) *pageData {
	d := &pageData{
		Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Version: s.cfg.Version, Commit: s.cfg.Commit,
		Uptime: formatDuration(now.Sub(s.started)), Now: now.UTC().Format("2006-01-02 15:04:05 UTC"),
		Readiness: s.ready(),
		Level:     strings.ToLower(s.cfg.Logs.Level().String()),
	}
	if s.cfg.Notices != nil {
		d.Notices = s.cfg.Notices()
	}
	if s.cfg.Certificate != nil {
		d.Own = pageOwnOf(s.cfg.Certificate(), now)
	}
	counts := byEndpoint(s.cfg.Metrics.Servers())
	for _, r := range s.cfg.Routes() {
		d.Routes = append(d.Routes, s.pageRoute(&r, counts))
	}
	for _, c := range s.cfg.Metrics.Clients() {
		relayed := c.Fates[metrics.FateRelayed]
		status := c.Fates[metrics.FateStatusAnswered]
		d.Clients = append(d.Clients, pageClient{Name: c.Name, Connections: c.Connections,
			Requests: c.Requests, Relayed: relayed + status, Other: c.Requests - relayed - status})
	}
	d.Unfinished = s.cfg.Metrics.TLS().Unfinished()
	all := s.cfg.Metrics.Connections()
	for _, c := range all[:min(len(all), maxShown)] {
		d.Connections = append(d.Connections, pageConnectionOf(c, now))
	}
	d.MoreConnections = max(0, len(all)-maxShown)
	for _, e := range s.cfg.Logs.Recent() {
		d.Entries = append(d.Entries, pageEntry{Time: e.Time.UTC().Format("01-02 15:04:05"),
			Level: strings.ToLower(e.Level.String()), Message: e.Message, Fields: e.Fields})
	}
	return d
}

func (s *Server) pageRoute(r *Route, counts map[endpoint][]*metrics.ServerCounts) pageRoute {
	route := pageRoute{Names: r.names(), Packets: strings.Join(r.Packets, ", "), Balance: r.Balance}
	for _, server := range r.Servers {
		for _, port := range r.ports() {
			for _, c := range counts[endpoint{server, port}] {
				route.Endpoints = append(route.Endpoints, s.pageEndpoint(c))
			}
		}
	}
	return route
}

func (s *Server) pageEndpoint(c *metrics.ServerCounts) pageEndpoint {
	var rates, trips []float64
	for _, one := range s.sampler.of(endpoint{c.Name, c.Port}) {
		rates, trips = append(rates, one.rate), append(trips, one.trip)
	}
	e := pageEndpoint{Server: c.Name, Port: c.Port, Address: c.Address, State: c.State.String(), Outstanding: c.Outstanding,
		Rate: formatRate(last(rates)), Trip: formatTrip(last(trips)),
		RateChart: chartOf(rates, "requests", formatRate), TripChart: chartOf(trips, "round trip", formatTrip),
		Answered: c.Answered, Unheard: c.Counts[metrics.ServerTimeouts], Resent: c.Counts[metrics.ServerResent], Bad: c.Bad,
		ChartWidth: chartWidth, ChartHeight: chartHeight}
	return e
}

func last(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[len(values)-1]
}

func pageOwnOf(c Certificate, now time.Time) *pageOwn {
	p := &pageOwn{Subject: logs.Clip(c.Subject), Findings: c.Findings}
	p.Expires, p.ExpiresIn, p.Soon = expiryOf(c.NotAfter, now)
	return p
}

// expiryOf returns when a certificate expires, how far that is from now, and whether it is
// time to renew it.
func expiryOf(notAfter, now time.Time) (expires, expiresIn string, soon bool) {
	remaining := notAfter.Sub(now)
	expires, soon = notAfter.UTC().Format("2006-01-02"), remaining < expiresSoon
	if remaining < 0 {
		return expires, fmt.Sprintf("expired %s ago", formatDuration(-remaining)), soon
	}
	return expires, "in " + formatDuration(remaining), soon
}

func pageConnectionOf(c *metrics.Connection, now time.Time) pageConnection {
	p := pageConnection{Client: c.Client, Remote: c.Remote.String(), Subject: logs.Clip(c.Subject), TLS: c.Version,
		Since: formatDuration(now.Sub(c.Since))}
	if c.NotAfter.IsZero() {
		p.Expires = "no certificate"
		return p
	}
	p.Expires, p.ExpiresIn, p.Soon = expiryOf(c.NotAfter, now)
	return p
}
