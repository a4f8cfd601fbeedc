package config

import (
	"net/netip"
	"slices"
	"time"
)

// DynamicAuthorization is [dynamic_authorization]: the CoA and Disconnect that are sent to the
// gateway over UDP, for clients with ReverseCoA.
type DynamicAuthorization struct {
	// IP addresses and UDP ports to listen on for CoA-Request and Disconnect-Request (RFC
	// 5176), as a NAS does, for example ["127.0.0.1:3799"]. Each request goes to the client
	// with reverse_coa = true whose NAS or session it names, on a connection that the client
	// has opened, and the answer comes back. Every [[server]] may send, from each of its
	// addresses and with its secret, and so may each [[dynamic_authorization.sender]]; requests
	// of others, and those whose authenticator is wrong, are dropped and counted. RADIUS over
	// UDP hides little: `check` warns of an address that is neither of this machine alone nor of
	// a private network. event_timestamp_window, require_event_timestamp and
	// reply_event_timestamp of [routing] hold here, too. Port 0: any free one.
	// Default: [], none
	Address []netip.AddrPort

	// How long the NAS may take to answer. A request is sent to it once, and never again; when
	// this time is over its sender gets no answer, since nobody knows whether the NAS has
	// acted, and an answer that comes later is dropped. From "1s" to "5m".
	// Default: "30s"
	Timeout time.Duration // 1s..5m

	// Whether requests without a Message-Authenticator are dropped. One that is present is
	// verified in any case.
	// Default: false
	RequireMessageAuthenticator bool

	// How many sessions and names of NASes are remembered, which are learned from the requests
	// of clients with reverse_coa = true: those that were not seen for the longest time are
	// forgotten first. At least 1000.
	// Default: 500000
	MaxLearned int // ≥ 1000

	// How long a session or the name of a NAS is remembered that is not seen again. At least
	// "1m".
	// Default: "24h"
	LearnedLifetime time.Duration // ≥ 1m

	Senders []Sender // in file order; names are unique
}

// Sender is one [[dynamic_authorization.sender]]: who may send CoA and Disconnect beside the
// servers.
type Sender struct {
	// The name in logs and metrics. Unique.
	// Default: the first of networks
	Name string

	// The addresses that it sends from: ranges or single addresses, IPv4 or IPv6.
	// Required.
	Networks []netip.Prefix // masked; at least one

	// The secret shared with it, as for a client: secret, secret_file or secret_env. `check`
	// warns about 12 bytes or less.
	// Required, one of the three.
	Secret Secret
}

// Bounds of [dynamic_authorization].
const (
	shortestAnswerTime = time.Second
	longestAnswerTime  = 5 * time.Minute
	fewestLearned      = 1000
	shortestLearned    = time.Minute
)

func defaultDynamicAuthorization() DynamicAuthorization {
	return DynamicAuthorization{Timeout: 30 * time.Second, MaxLearned: 500_000, LearnedLifetime: 24 * time.Hour}
}

// readDynamicAuthorization reads [dynamic_authorization].
func readDynamicAuthorization(t *table) DynamicAuthorization {
	d := defaultDynamicAuthorization()
	readListeners(t, "3799", &d.Address)
	if t.duration("timeout", &d.Timeout, "") && (d.Timeout < shortestAnswerTime || d.Timeout > longestAnswerTime) {
		t.r.wrong(joinKey(t.path, "timeout"), "expected a duration from %v to %v, got %v", shortestAnswerTime, longestAnswerTime, d.Timeout)
	}
	t.flag("require_message_authenticator", &d.RequireMessageAuthenticator)
	t.number("max_learned", &d.MaxLearned, fewestLearned, unlimited)
	if t.duration("learned_lifetime", &d.LearnedLifetime, "") && d.LearnedLifetime < shortestLearned {
		t.r.wrong(joinKey(t.path, "learned_lifetime"), "expected %v or more, got %v", shortestLearned, d.LearnedLifetime)
	}
	senders := t.tables("sender")
	for _, one := range senders {
		d.Senders = append(d.Senders, readSender(one))
	}
	uniqueNames(t.r, senders, func(i int) string { return d.Senders[i].Name })
	t.done()
	return d
}

// readSender reads one [[dynamic_authorization.sender]].
func readSender(t *table) Sender {
	var s Sender
	if t.text("name", &s.Name) {
		if err := checkName(s.Name); err != nil {
			t.r.wrong(joinKey(t.path, "name"), "%v", err)
		}
	}
	t.require("networks", `the addresses that it sends from, such as ["192.0.2.53"]`)
	given := t.texts("networks", func(path, text string) {
		p, err := parseNetwork(text)
		switch {
		case err != nil:
			t.r.wrong(path, "%v", err)
		case slices.Contains(s.Networks, p):
			t.r.wrong(path, "%q is listed twice: remove one", text)
		}
		s.Networks = append(s.Networks, p)
		if !t.has("name") && s.Name == "" {
			s.Name = text
		}
	})
	if list, _ := t.values["networks"].([]any); given && len(list) == 0 {
		t.r.wrong(joinKey(t.path, "networks"), "expected at least one address or range, got an empty array")
	}
	t.secret("secret", &s.Secret, true)
	t.done()
	return s
}
