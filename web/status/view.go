package status

import (
	"slices"
	"strings"
)

// View is the part of a snapshot that a caller asks for. The zero value is everything that
// fits.
type View struct {
	Text   string // only what has this text in one of its fields, ignoring case
	Server string // only this server, by its name, and its routes
	Client string // only this client, by its name, and its connections
	List   string // only this list, one of Lists, and more of it
	From   int    // the first element of List
}

// Lists are the names of the lists that a View can ask for.
var Lists = []string{"problems", "servers", "routes", "listeners", "clients", "connections", "nases", "spool_routes", "certificates", "revocation_lists", "revocation_urls", "files", "reloads", "refusals", "events"}

// Limits says how much a View may have.
type Limits struct {
	Each int // elements of each list
	List int // elements of View.List
}

// mostOfKind is how many problems of one kind are shown if not all problems are: a thousand
// servers that are down must not displace the other problems.
const mostOfKind = 10

// mostTexts bounds the lists in an element, such as the realms of a route.
const mostTexts = 10

// Cut returns the part of the snapshot that a view asks for, within the limits. Both share
// elements, which must not be changed.
func (s *Snapshot) Cut(v View, l Limits) *Snapshot {
	c := &cutter{view: v, configured: v.Server, limits: l, text: strings.ToLower(v.Text), omitted: map[string]int{}}
	for i := range s.Servers {
		if s.Servers[i].Name == v.Server {
			c.configured = s.Servers[i].Configured
		}
	}
	out := *s
	out.Reasons = append([]string{}, s.Reasons[:min(len(s.Reasons), l.Each)]...)
	c.omit("reasons", len(s.Reasons)-len(out.Reasons))
	out.Problems = cutProblems(c, s.Problems)
	out.Servers = cut(c, "servers", s.Servers, func(p *Server) bool {
		return c.isServer(p.Names()) && v.Client == "" && c.has(p.Name, p.Name+" "+p.Port, p.Address, p.State, p.Why)
	})
	out.Routes = cut(c, "routes", s.Routes, func(r *Route) bool {
		return v.Client == "" && (v.Server == "" || slices.Contains(r.Servers, c.configured)) &&
			(c.has(r.State, r.Balance) || c.has(r.Realms...) || c.has(r.Servers...) || c.has(r.Packets...))
	})
	out.Listeners = cut(c, "listeners", s.Listeners, func(l *Listener) bool {
		return c.unnamed() && (c.has(l.Name, l.Error) || c.has(l.Addresses...) || c.has(l.Clients...))
	})
	out.Clients = cut(c, "clients", s.Clients, func(p *Client) bool {
		return (v.Client == "" || p.Name == v.Client) && v.Server == "" && c.has(p.Name, p.Subject, p.PSKIdentity, p.Remote)
	})
	out.Connections = cut(c, "connections", s.Connections, func(p *Connection) bool {
		return (v.Client == "" || p.Client == v.Client) && v.Server == "" && c.has(p.Client, p.Listener, p.Subject, p.PSKIdentity, p.Remote)
	})
	out.NASes = cut(c, "nases", s.NASes, func(p *NAS) bool {
		return (v.Client == "" || p.Client == v.Client) && v.Server == "" && c.has(p.Name, p.Client, p.Connection)
	})
	out.SpoolRoutes = cut(c, "spool_routes", s.SpoolRoutes, func(p *SpoolRoute) bool { return c.unnamed() && c.has(p.Route, p.State) })
	out.Certificates = cut(c, "certificates", s.Certificates, func(p *Certificate) bool {
		return c.unnamed() && c.has(p.For, p.File, p.Subject, p.Issuer, p.Fingerprint)
	})
	out.RevocationLists = cut(c, "revocation_lists", s.RevocationLists, func(p *RevocationList) bool { return c.unnamed() && c.has(p.Issuer) })
	out.RevocationURLs = cut(c, "revocation_urls", s.RevocationURLs, func(p *RevocationURL) bool { return c.unnamed() && c.has(p.URL, p.State, p.Why) })
	out.Files = cut(c, "files", s.Files, func(p *File) bool { return c.unnamed() && c.has(p.Path, p.Key) })
	out.Reloads = cut(c, "reloads", s.Reloads, func(p *Reload) bool {
		return c.unnamed() && (c.has(p.By, p.What, p.Result) || c.has(p.Mistakes...))
	})
	out.Refusals = cut(c, "refusals", s.Refusals, func(p *Refusal) bool { return c.unnamed() && c.has(p.What, p.Reason, p.Example, p.Text) })
	out.Events = cut(c, "events", s.Events, c.hasEvent)
	for i := range out.Routes {
		out.Routes[i].Realms, out.Routes[i].Servers = clipped(out.Routes[i].Realms), clipped(out.Routes[i].Servers)
	}
	for i := range out.Listeners {
		out.Listeners[i].Clients = clipped(out.Listeners[i].Clients)
	}
	if !c.unnamed() || v.List != "" {
		none := Series{RequestsPerSecond: []float32{}, ReplySeconds: []float32{}}
		out.History = History{Hour: none, Day: none}
	}
	out.Omitted = c.omitted
	return &out
}

// Names are the names of a server: one of its addresses may have its own.
type Names struct {
	Name       string // as in Server
	Configured string // likewise
}

// Names returns the names of the server.
func (p *Server) Names() Names { return Names{p.Name, p.Configured} }

// clipped returns the first texts of a list.
func clipped(list []string) []string {
	if len(list) <= mostTexts {
		return list
	}
	return append(slices.Clone(list[:mostTexts]), "…")
}

// cutter is a cut in progress.
type cutter struct {
	view       View
	configured string // the configured name of View.Server
	limits     Limits
	text       string // of the view, in lower case
	omitted    map[string]int
}

func (c *cutter) omit(name string, n int) {
	if n > 0 {
		c.omitted[name] = n
	}
}

// unnamed reports whether the view asks for no server and no client.
func (c *cutter) unnamed() bool { return c.view.Server == "" && c.view.Client == "" }

// isServer reports whether the view is not narrowed to a server, or to this one: by its name,
// or by that of the configuration, which all its addresses have.
func (c *cutter) isServer(n Names) bool {
	return c.view.Server == "" || n.Name == c.view.Server || n.Configured == c.view.Server
}

// has reports whether one of the texts has that of the view.
func (c *cutter) has(texts ...string) bool {
	return c.text == "" || slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), c.text) })
}

// isAbout reports whether a problem is about the server or the client that the view asks for.
func (c *cutter) isAbout(p *Problem) bool {
	return (c.isServer(p.Server) || slices.Contains(p.Servers, c.configured)) && (c.view.Client == "" || p.Client == c.view.Client)
}

func (c *cutter) hasEvent(e *Event) bool {
	ofClient := func(f Field) bool { return f.Key == "client" && f.Value == c.view.Client }
	return c.isServer(e.Server) && (c.view.Client == "" || slices.ContainsFunc(e.Fields, ofClient)) &&
		(c.has(e.Message, e.Severity) || slices.ContainsFunc(e.Fields, func(f Field) bool { return c.has(f.Value) }))
}

// cut returns the elements of a list that match, within the limits.
func cut[T any](c *cutter, name string, list []T, match func(*T) bool) []T {
	from, most := 0, c.limits.Each
	switch c.view.List {
	case "":
	case name:
		from, most = c.view.From, c.limits.List
	default:
		return []T{}
	}
	out, n := []T{}, 0
	for i := range list {
		if !match(&list[i]) {
			continue
		}
		if n >= from && len(out) < most {
			out = append(out, list[i])
		}
		n++
	}
	c.omit(name, n-len(out))
	return out
}

// cutProblems is cut for problems, of which it returns some of each kind.
func cutProblems(c *cutter, list []Problem) []Problem {
	seen := map[string]int{}
	all := len(list) <= c.limits.Each || c.view.List == "problems"
	omitted := 0
	out := cut(c, "problems", list, func(p *Problem) bool {
		if !(c.has(p.Kind, p.Subject, p.Text, p.Severity) && c.isAbout(p)) {
			return false
		}
		seen[p.Kind]++
		if !all && seen[p.Kind] > mostOfKind {
			omitted++
			return false
		}
		return true
	})
	if c.view.List == "" {
		c.omit("problems", c.omitted["problems"]+omitted)
	}
	return out
}
