package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The severities of problems and events.
const (
	Error   = "error"
	Warning = "warning"
)

// The sources of problems and events.
const (
	FromGateway = "gateway"
	FromServer  = "server"
	FromPeer    = "peer"
)

// ExpiresSoon is how long before its expiry a certificate is a problem: enough time to get
// another.
const ExpiresSoon = 14 * 24 * time.Hour

// crowded is the share of its Identifiers in use above which a port is a problem.
const crowded = 0.75

// FindProblems adds to Problems what is wrong with what the snapshot holds, and sorts them
// and the other lists: what is wrong first, then what is busiest.
func (s *Snapshot) FindProblems() {
	s.sort()
	for i := range s.Servers {
		s.addServer(&s.Servers[i])
	}
	ports := s.portWords()
	for i := range s.Routes {
		s.addRoute(&s.Routes[i], ports)
	}
	if s.Spool != nil {
		s.addSpool(s.Spool)
	}
	if s.Cluster != nil {
		s.addCluster(s.Cluster)
	}
	for i := range s.Certificates {
		s.addCertificate(&s.Certificates[i])
	}
	for i := range s.RevocationLists {
		s.addList(&s.RevocationLists[i])
	}
	for i := range s.RevocationURLs {
		s.addURL(&s.RevocationURLs[i])
	}
	for i := range s.Clients {
		s.addClient(&s.Clients[i])
	}
	for i := range s.Refusals {
		s.addRefusal(&s.Refusals[i])
	}
	slices.SortStableFunc(s.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank(a.Severity, Error, Warning), rank(b.Severity, Error, Warning)),
			cmp.Compare(rank(a.Source, FromGateway, FromServer, FromPeer), rank(b.Source, FromGateway, FromServer, FromPeer)))
	})
}

// add adds a problem; since may be nil. The result is valid until the next call.
func (s *Snapshot) add(severity, kind, source, subject, text string, since *time.Time) *Problem {
	s.Problems = append(s.Problems, Problem{Severity: severity, Kind: kind, Source: source, Subject: subject, Text: text, Since: since})
	return &s.Problems[len(s.Problems)-1]
}

func (s *Snapshot) addServer(p *Server) {
	add := func(severity, kind, text string, since *time.Time) {
		s.add(severity, kind, FromServer, p.Name+" "+p.Port, text, since).Server = p.Names()
	}
	switch p.State {
	case "down":
		add(Error, "server_down", "down: "+p.Why, p.Since)
	case "failing":
		add(Error, "server_failing", "failing: "+p.Why, p.Since)
	case "up":
		if p.Why != "" { // it is assumed to be up: nothing can ask it
			add(Error, "server_no_socket", p.Why, nil)
		}
	case "suspect":
		add(Warning, "server_suspect", "suspect: "+p.Why, p.Since)
	}
	if p.UnverifiedNow > 0 && p.State == "up" {
		add(Warning, "replies_unverified", fmt.Sprintf("%d replies in a row did not verify: %s", p.UnverifiedNow, unverifiedCause(p)), p.LastReplyAt)
	}
	if isCrowded(p) {
		add(Warning, "server_overloaded", fmt.Sprintf("%d of at most %d requests are in flight: it does not keep up, or max_sockets is too low",
			p.InFlight, p.Capacity), nil)
	}
}

// isCrowded reports whether most of a port's Identifiers are in use.
func isCrowded(p *Server) bool {
	return p.Capacity > 0 && float64(p.InFlight) >= crowded*float64(p.Capacity)
}

// unverifiedCause says why replies of a port that is up do not verify, as far as that is
// known: unsigned ones can be told from others, and wrong secrets not from late answers.
func unverifiedCause(p *Server) string {
	switch {
	case p.Unsigned > 0 && p.Mismatched == 0:
		return "they have no Message-Authenticator: update the server or have it sign, or set require_message_authenticator = false for it and accept the risk (CVE-2024-3596)"
	case p.Unsigned > 0 || p.Mismatched == 0:
		return "some replies have no Message-Authenticator, or the secrets here and on the server differ, or answers come after their requests were given up; the log says what was seen"
	case p.LastReplyAt == nil:
		return "nor did any before; the likeliest cause is that the secret here and on the server differ"
	case isCrowded(p):
		return "though others did; nearly all Identifiers are in use, so they are likely answers that were too late, to requests that were given up: the server does not keep up"
	}
	return "though others did; they may be answers that were too late, or forged, or the secret was changed on one side"
}

func (s *Snapshot) addRoute(r *Route, ports map[portKey]PortWords) {
	if r.State != "unserved" {
		return
	}
	var texts []string
	for _, port := range r.Unserved {
		texts = append(texts, UnservedText(port, r.Servers, func(server string) PortWords { return ports[portKey{server, port}] }))
	}
	s.add(Error, "route_unserved", FromServer, r.Name(), strings.Join(texts, "; "), r.Since).Servers = r.Servers
}

func (s *Snapshot) addCertificate(c *Certificate) {
	remaining := c.ExpiresAt.Sub(s.Time)
	subject := c.File
	switch {
	case remaining <= 0 && c.For == "server" && c.Place == 1: // certificate_refused says so
	case remaining <= 0:
		at := c.ExpiresAt
		s.add(Error, "certificate_expired", FromGateway, subject, "the certificate of "+c.Subject+" has expired", &at)
	case remaining < ExpiresSoon:
		s.add(Warning, "certificate_expires", FromGateway, subject,
			fmt.Sprintf("the certificate of %s expires on %s", c.Subject, c.ExpiresAt.UTC().Format("2006-01-02 15:04 MST")), nil)
	}
}

func (s *Snapshot) addList(l *RevocationList) {
	switch {
	case !l.Stale:
	case l.Refused:
		s.add(Error, "revocation_list_stale", FromGateway, l.Issuer, "the revocation list is out of date, and certificates that its issuer has issued are refused (crl_stale)", l.NextUpdate)
	default:
		s.add(Warning, "revocation_list_stale", FromGateway, l.Issuer, "the revocation list is out of date; it still counts", l.NextUpdate)
	}
}

// addURL adds a URL that does not deliver its lists.
func (s *Snapshot) addURL(u *RevocationURL) {
	switch {
	case u.Refused && u.State == "failing":
		s.add(Error, "revocation_list_missing", FromGateway, u.URL, "its revocation list has not been fetched yet, and certificates of issuers without a list are refused (crl_stale): "+u.Why, u.FailingAt)
	case u.State == "failing" && u.Lists == 0:
		s.add(Error, "revocation_list_missing", FromGateway, u.URL, "its revocation list has not been fetched yet, and certificates that it may revoke are accepted: "+u.Why, u.FailingAt)
	case u.State == "failing":
		s.add(Warning, "revocation_list_not_fetched", FromGateway, u.URL, "fetching its revocation list fails, and the last good one stays in use: "+u.Why, u.FailingAt)
	}
}

func (s *Snapshot) addClient(c *Client) {
	if c.Connections == 0 || c.ExpiresAt == nil || c.ExpiresAt.Sub(s.Time) >= ExpiresSoon {
		return
	}
	expires := "expires"
	if !c.ExpiresAt.After(s.Time) { // the connection is older
		expires = "expired"
	}
	s.add(Warning, "client_certificate_expires", FromPeer, c.Name,
		fmt.Sprintf("the client's certificate (%s) %s on %s", c.Subject, expires, c.ExpiresAt.UTC().Format("2006-01-02 15:04 MST")), nil).Client = c.Name
}

const (
	// spoolFilling is the share of a limit of the spool above which it is a problem: what arrives
	// while it is full is not stored.
	spoolFilling = 0.8
	// spoolOld is the age of a record that is a problem: a restart of a server takes less. With a
	// short max_age it is half of that.
	spoolOld = time.Hour
	// spoolAnswered is how long after a server has answered a record of a route its records are
	// not a problem: there may be many, and the oldest is still old.
	spoolAnswered = 15 * time.Minute
)

// addSpool adds what keeps accounting from being stored, and from being sent later.
func (s *Snapshot) addSpool(p *Spool) {
	add := func(severity, kind, source, text string, since *time.Time) {
		s.add(severity, kind, source, p.Directory, text, since)
	}
	if p.Error != "" {
		add(Error, "spool_cannot_store", FromGateway, "accounting that no server answers is not stored, and not acknowledged: "+p.Error, nil)
	}
	for _, of := range []struct {
		limit   string
		n, most int64
	}{{"max_records", int64(p.Records), int64(p.RecordsLimit)}, {"max_octets", p.Octets, p.OctetsLimit}} {
		if of.most > 0 && float64(of.n) > spoolFilling*float64(of.most) {
			add(Warning, "spool_filling", FromServer, fmt.Sprintf("%.0f %% of %s are in use (%d of %d); what arrives while it is full is not stored, and not acknowledged", 100*float64(of.n)/float64(of.most), of.limit, of.n, of.most), nil)
		}
	}
	if maxAge := time.Duration(p.MaxAge) * time.Second; p.OldestAt != nil && s.Time.Sub(*p.OldestAt) > min(spoolOld, maxAge/2) && !p.SentElsewhere && !s.spoolIsSent() {
		add(Warning, "spool_not_sent", FromServer, "the oldest record has no server's answer yet; it is dropped when it is older than max_age", p.OldestAt)
	}
	if p.SetAsideBytes > 0 {
		add(Warning, "spool_set_aside", FromServer, "records were set aside because no server answered them, although it answered others: see in set-aside.detail what is wrong with them, then send them again with radsec-gw spool retry, or remove the file", nil)
	}
}

// spoolIsSent reports whether the servers of every route that has records in the spool have answered
// one lately.
func (s *Snapshot) spoolIsSent() bool {
	sent := false
	for i := range s.SpoolRoutes {
		r := &s.SpoolRoutes[i]
		if r.Records == 0 {
			continue
		}
		if r.LastAnswerAt == nil || s.Time.Sub(*r.LastAnswerAt) > spoolAnswered {
			return false
		}
		sent = true
	}
	return sent
}

// addCluster adds that nothing is shared.
func (s *Snapshot) addCluster(c *Cluster) {
	if c.Connected {
		return
	}
	text := "not connected to NATS: nothing is shared with other gateways, and requests are served as without them"
	if c.Error != "" {
		text += ": " + c.Error
	}
	s.add(Warning, "cluster_down", FromGateway, c.Server, text, &c.Since)
}

// repliesRecently is how long after the last one dropped replies are a problem.
const repliesRecently = 5 * time.Minute

// addRefusal adds replies that were dropped lately. What peers cause is not a problem of
// the gateway: it is in Refusals only.
func (s *Snapshot) addRefusal(r *Refusal) {
	if r.What != "reply" || r.Reason == "unmatched" || r.LastAt == nil || s.Time.Sub(*r.LastAt) > repliesRecently {
		return
	}
	s.add(Warning, "replies_dropped", FromServer, r.Reason, fmt.Sprintf("%d replies of servers were dropped; the log says of which server, and why", r.Count), r.Began)
}

// Name returns the realms of the route as they are displayed.
func (r *Route) Name() string {
	if len(r.Realms) == 0 {
		return fmt.Sprintf("route %d", r.Number)
	}
	return Title(r.Realms)
}

// Title returns a text that names a route, of whose realms each is a RealmText.
func Title(realms []string) string { return few(realms, 3) }

// RealmText returns a realm of the configuration as it is displayed.
func RealmText(realm string) string {
	switch realm {
	case "":
		return "(no realm)"
	case "*":
		return "* (default)"
	}
	return realm
}

// few joins the first texts of a list.
func few(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

// rank returns the place of a value in an order; a value that is not in it comes last.
func rank(value string, order ...string) int {
	if i := slices.Index(order, value); i >= 0 {
		return i
	}
	return len(order)
}

// sort sorts the lists but Problems: what is wrong first, then what is busiest.
func (s *Snapshot) sort() {
	slices.SortStableFunc(s.Servers, func(a, b Server) int {
		return cmp.Or(cmp.Compare(serverRank(&a), serverRank(&b)), cmp.Compare(b.RequestsPerSecond, a.RequestsPerSecond), cmp.Compare(b.Sent, a.Sent))
	})
	slices.SortStableFunc(s.Routes, func(a, b Route) int {
		return cmp.Compare(rank(a.State, "unserved", "degraded"), rank(b.State, "unserved", "degraded"))
	})
	slices.SortStableFunc(s.SpoolRoutes, func(a, b SpoolRoute) int {
		return cmp.Or(cmp.Compare(rank(a.State, "paused", "trying"), rank(b.State, "paused", "trying")), cmp.Compare(b.Records, a.Records))
	})
	slices.SortStableFunc(s.Clients, func(a, b Client) int {
		return cmp.Or(cmp.Compare(s.clientRank(&a), s.clientRank(&b)), cmp.Compare(b.Requests, a.Requests), cmp.Compare(b.Connections, a.Connections))
	})
	slices.SortStableFunc(s.Refusals, func(a, b Refusal) int { return cmp.Compare(b.Count, a.Count) })
	slices.SortStableFunc(s.Events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(rank(a.Severity, Error, Warning), rank(b.Severity, Error, Warning)), b.LastAt.Compare(a.LastAt))
	})
}

func serverRank(p *Server) int {
	if p.State == "up" {
		return 10
	}
	return rank(p.State, "down", "failing", "suspect", "maintenance")
}

func (s *Snapshot) clientRank(c *Client) int {
	if c.Connections > 0 && c.ExpiresAt != nil && c.ExpiresAt.Sub(s.Time) < ExpiresSoon {
		return 0
	}
	return 1
}
