package status

import (
	"cmp"
	"fmt"
	"strings"
)

// PortWords says in which state a port of a server is.
type PortWords struct {
	Name       string // of the server, as displayed; "": its name
	State      string // such as "down"; "": not known, as it has not answered
	Unverified bool   // no reply ever verified, and some did not
}

// OnlyUnverified is said of a server whose replies have never verified: what is wrong is then
// the secret of one side, or that the server does not sign, and not the way to it.
const OnlyUnverified = ", and no reply of it has verified"

// maxNamed is how many servers of a route are named.
const maxNamed = 5

// UnservedText says that none of a route's servers serves a port, and in which state each of
// them is.
func UnservedText(port string, servers []string, of func(server string) PortWords) string {
	var list []string
	for _, name := range servers[:min(len(servers), maxNamed)] {
		p := of(name)
		text := cmp.Or(p.Name, name) + ": " + cmp.Or(p.State, "not answered yet")
		if p.Unverified {
			text += OnlyUnverified
		}
		list = append(list, text)
	}
	if n := len(servers) - len(list); n > 0 {
		list = append(list, fmt.Sprintf("and %d more", n))
	}
	return fmt.Sprintf("no server is up for %s (%s)", port, strings.Join(list, ", "))
}

// states are the states of a port, the best first.
var states = []string{"up", "suspect", "failing", "down", "maintenance"}

// portKey is one port of a configured server.
type portKey struct{ server, port string }

// portWords returns the states of the ports of the configured servers: the best of the
// addresses that a server has.
func (s *Snapshot) portWords() map[portKey]PortWords {
	type counts struct{ answered, bad uint64 }
	all, replies := make(map[portKey]PortWords, len(s.Servers)), map[portKey]counts{}
	for i := range s.Servers {
		p := &s.Servers[i]
		key := portKey{p.Configured, p.Port}
		one, known := all[key]
		if !known || rank(p.State, states...) < rank(one.State, states...) {
			one.State = p.State
		}
		r := replies[key]
		r.answered, r.bad = r.answered+p.Answered, r.bad+p.Unsigned+p.Mismatched
		replies[key] = r
		one.Unverified = r.answered == 0 && r.bad > 0
		all[key] = one
	}
	return all
}
