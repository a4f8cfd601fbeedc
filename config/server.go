package config

import (
	"net/netip"
	"time"

	"radsec-gw/config/defaults"
)

// Server is one [[server]]: a RADIUS server that speaks UDP.
type Server struct {
	// The name in routes, logs and metrics. Unique; not NAME@ADDRESS with the NAME of
	// another server, which is the form of the names that expand gives.
	// Required.
	Name string

	// An IP address or a host name, without port. A name is looked up in the background
	// (resolve_interval), and no request waits for that: while it has no address the
	// server is down. It should be on this machine or in a private network: `check` warns
	// about other addresses.
	// Required.
	Address string

	// UDP ports. 0: this server does not offer it. A port that no route uses is neither
	// opened nor checked.
	// Default: 1812
	AuthPort uint16
	// Default: 1813
	AcctPort uint16
	// Default: 3799
	CoAPort uint16

	// The secret shared with this server, as for a client: secret, secret_file or
	// secret_env. `check` warns about 12 bytes or less.
	// Required, one of the three.
	Secret Secret

	// Whether the server's replies to Access-Request must have a Message-Authenticator.
	// Without it they can be forged (CVE-2024-3596): set false only for servers that cannot
	// send one.
	// Default: true
	RequireMessageAuthenticator bool // in replies to Access-Request

	// How to find out whether the server is alive: "status-server" (RFC 5997),
	// "access-request" for servers without Status-Server, "none".
	// Default: "status-server"
	Health string // one of Healths

	// The user of "access-request", created for this purpose: it may be rejected as well as
	// accepted. The password as for a secret: health_password, health_password_file or
	// health_password_env, at most 128 bytes.
	// Required with health = "access-request", and only there.
	HealthUser string
	// Required with health = "access-request", one of the three.
	HealthPassword Secret // 1..128 bytes (RFC 2865 §5.2)

	// Each port of the server has a state of its own: up, suspect, failing or down. Only
	// replies that verify count. This many requests that fall due for a second
	// transmission, with no reply to anything since they were sent, make it suspect: new
	// requests prefer other servers, and it is checked.
	// Default: 3
	SuspectAfter int // ≥ 1

	// This many overdue requests, with none answered since, make it failing while its
	// health checks are answered: it is up and does not do its work, as when its database hangs.
	// New requests prefer other servers, those that wait there move on, one request at a
	// time still tries it, and after three answered requests it is up again. A request is
	// overdue when it has waited four times as long as any answer took recently, but no
	// longer than 10s or the slowest answer; on a route whose patience is above 10s, when
	// it has waited as long as that or was given up. Without effect with health = "none".
	// Default: 5
	FailingAfter int // ≥ 1

	// A port from which nothing was received for this long is checked even if it is up; varied
	// by up to 2s (RFC 3539 §3.4.1). At least "6s".
	// Default: "30s"
	WatchdogInterval time.Duration // Tw, ≥ 6s

	// The time between checks of a port that is suspect, failing or down, and for the
	// answer to each. Also how soon a request tries a port that is failing, or down with
	// health "none", or down without ever having answered a check, as a server without
	// Status-Server does not; then after twice and four times as long. A request that is
	// silent has its port checked at once.
	// Default: "3s"
	ProbeInterval time.Duration // > 0

	// This many checks in a row without an answer make a port that is suspect or failing
	// down; with health "none" silent requests make it down at once.
	// Default: 3
	DownAfter int // ≥ 1

	// This many replies make a port up again that is down. One is enough for a port that is
	// suspect.
	// Default: 3
	UpAfter int // ≥ 1

	// How often a host name in address is looked up, in the background; it is also looked
	// up when the server is silent, and at SIGHUP; "0s": only then. At least "1s". While no
	// look-up succeeds the last addresses stay in use. Requests that wait for a server that
	// has moved go to its new address at once. Of several addresses one is used at a time,
	// as long as the name has it and something is received from there.
	// Default: "30s"
	ResolveInterval time.Duration

	// Whether each address of the host name is a server of its own, called NAME@ADDRESS in
	// log and metrics, which exists as long as the name has the address: for Kubernetes'
	// headless services. Routes name the server as usual; every balance but "failover"
	// spreads the requests over the addresses. At most 64 of a route are used.
	// Default: false
	Expand bool

	// Whether it is a NAS, the last hop of CoA and Disconnect. Such a request of a route
	// goes to the NAS which its Operator-NAS-Identifier, NAS-Identifier, NAS-IP-Address or
	// NAS-IPv6-Address names; the others of these may be unknown. One that names two gets a
	// NAK with Error-Cause 403 (RFC 5176 §3). One that names only others goes to the
	// servers of the route that are not NASes, or gets a NAK with 403. One that names none
	// goes to those, too, or to the only NAS of the route, or gets a NAK with 402.
	// Operator-Name and Operator-NAS-Identifier are removed from a request to a NAS (RFC
	// 8559 §4.2), and it gets no loop_marker: hostapd 2.10 refuses a request with a
	// Proxy-State.
	// Default: false
	NAS bool

	// The NAS's values of NAS-Identifier and Operator-NAS-Identifier, compared byte by
	// byte, and of NAS-IP-Address and NAS-IPv6-Address. The first identifier, or else the
	// first address, is added to a request that has none of the three NAS attributes. Only
	// with nas = true, and one of them is required where address is a host name.
	// Default: [], none
	NASIdentifier []string
	// Default: address, where it is an IP address and nas is true
	NASIPAddress []netip.Addr // with NAS: Address, if that is one

	// The local address of the sockets to this server: the one that it knows as a client,
	// where this machine has several. Where address is a host name, only its addresses of
	// the same family are used. While no interface has the address, the requests wait or go
	// to other servers, and the log says so.
	// Default: "", the system chooses by its routes
	Source netip.Addr

	// Names of [[rule]] that change its requests, after those of the client and
	// the route. They are applied in the order of the file.
	// Default: []
	RulesRequest []string // names of rules, no doubles

	// Names of [[rule]] that change the replies it sends, before those of the
	// route and the client.
	// Default: []
	RulesReply []string // likewise

	// Maintenance: the server gets no new requests, as before it is updated or moved. It
	// finishes what it has: requests in flight, and conversations that it has begun, such as
	// EAP, as long as it answers. Health checks go on. Where all servers of a route are in
	// maintenance its requests are answered as on_unreachable says, and /readyz counts the
	// route as not served. Set it and request a reload, or use PUT
	// /api/v1/servers/NAME/maintenance: see docs/failover.md.
	// Default: false
	Maintenance bool

	// UDP sockets that may be opened to it, 1 to 1024; each carries 256 requests at
	// the same time.
	// Default: 64
	MaxSockets int // 1..1024

	// When a request is sent again (RFC 5080 §2.2.1): first after
	// retransmit_initial, then after twice the time before, at most retransmit_max
	// ("0s": no bound), each varied by up to a tenth at random. It is sent at most
	// retransmit_count times (0: no bound, up to 100), and fails after retransmit_duration.
	// The defaults send at 0, 2, 6 and 14 s and give up at 30 s. When a server that was
	// silent or failing answers again, the requests that wait for it are sent once more
	// within a second or two, which counts, too.
	// Default: "2s"
	RetransmitInitial time.Duration // IRT, > 0
	// Default: "16s"
	RetransmitMax time.Duration // MRT, ≥ IRT or 0
	// Default: 5
	RetransmitCount int // MRC, 0..100
	// Default: "30s"
	RetransmitDuration time.Duration // MRD, ≥ IRT
}

// Values of Server.Health.
const (
	HealthStatusServer  = "status-server"  // RFC 5997
	HealthAccessRequest = "access-request" // for servers without Status-Server
	HealthNone          = "none"           // only requests are evidence
)

// Healths returns the values of Server.Health.
func Healths() []string {
	return []string{HealthStatusServer, HealthAccessRequest, HealthNone}
}

// HasHostName reports whether the server's address is a host name, and not an IP address.
func (s *Server) HasHostName() bool {
	_, err := netip.ParseAddr(s.Address)
	return err != nil
}

// Port returns the server's port for a kind of packet, 0 when it offers none.
func (s *Server) Port(packet string) uint16 {
	switch packet {
	case PacketAccess:
		return s.AuthPort
	case PacketAccounting:
		return s.AcctPort
	case PacketCoA, PacketDisconnect:
		return s.CoAPort
	}
	return 0
}

func defaultServer() Server {
	return Server{
		AuthPort:                    1812,
		AcctPort:                    1813,
		CoAPort:                     3799,
		RequireMessageAuthenticator: true,
		Health:                      HealthStatusServer,
		MaxSockets:                  defaults.MaxSockets,
		ResolveInterval:             30 * time.Second,
		SuspectAfter:                defaults.SuspectAfter,
		FailingAfter:                defaults.FailingAfter,
		WatchdogInterval:            defaults.WatchdogInterval,
		ProbeInterval:               defaults.ProbeInterval,
		DownAfter:                   defaults.DownAfter,
		UpAfter:                     defaults.UpAfter,
		RetransmitInitial:           defaults.RetransmitInitial,
		RetransmitMax:               defaults.RetransmitMax,
		RetransmitCount:             defaults.RetransmitCount,
		RetransmitDuration:          defaults.RetransmitDuration,
	}
}

// readServer reads one [[server]].
func readServer(t *table) Server {
	s := defaultServer()
	readName(t, &s.Name)
	t.require("address", "an IP address or a host name")
	if t.text("address", &s.Address) {
		if err := checkHost(s.Address); err != nil {
			t.r.wrong(joinKey(t.path, "address"), "%v", err)
		}
	}
	readPort(t, "auth_port", &s.AuthPort)
	readPort(t, "acct_port", &s.AcctPort)
	readPort(t, "coa_port", &s.CoAPort)
	if s.AuthPort == 0 && s.AcctPort == 0 && s.CoAPort == 0 {
		t.r.wrong(t.path, "expected at least one of auth_port, acct_port and coa_port above zero: this server offers nothing")
	}
	t.secret("secret", &s.Secret, true)
	t.flag("require_message_authenticator", &s.RequireMessageAuthenticator)
	t.choice("health", &s.Health, Healths()...)
	readHealth(t, &s)
	t.flag("maintenance", &s.Maintenance)
	readSource(t, &s)
	readRuleNames(t, "rules_request", &s.RulesRequest)
	readRuleNames(t, "rules_reply", &s.RulesReply)
	t.number("max_sockets", &s.MaxSockets, 1, 1024)
	readResolving(t, &s)
	readNAS(t, &s)
	readSchedule(t, &s)
	t.done()
	return s
}

// shortestResolveInterval bounds the load on name servers.
const shortestResolveInterval = time.Second

// readResolving reads how a host name is looked up.
func readResolving(t *table, s *Server) {
	given := t.duration("resolve_interval", &s.ResolveInterval, "only when the server is silent, and at SIGHUP")
	if given && s.ResolveInterval != 0 && s.ResolveInterval < shortestResolveInterval {
		t.r.wrong(joinKey(t.path, "resolve_interval"), "expected \"0s\", or 1s or more, got %v", s.ResolveInterval)
	}
	t.flag("expand", &s.Expand)
	if s.Expand && !s.HasHostName() {
		t.r.wrong(joinKey(t.path, "expand"), "expected a host name in address with expand = true, got the IP address %q", s.Address)
	}
}

// readSource reads the local address.
func readSource(t *table, s *Server) {
	var text string
	if !t.text("source", &text) || text == "" {
		return
	}
	a, err := netip.ParseAddr(text)
	server, _ := netip.ParseAddr(s.Address)
	switch a = a.Unmap(); {
	case err != nil || a.IsUnspecified() || a.IsMulticast():
		t.r.wrong(joinKey(t.path, "source"), "expected an IP address of this machine, got %q", text)
	case server.IsValid() && server.Unmap().Is4() != a.Is4():
		t.r.wrong(joinKey(t.path, "source"), "expected an address of the same family as address (%s), got %q", s.Address, text)
	default:
		s.Source = a
	}
}

func readPort(t *table, key string, to *uint16) {
	n := int(*to)
	if t.number(key, &n, 0, 65535) {
		*to = uint16(n)
	}
}

// readHealth reads the limits of a port's health, and the user of the checks.
func readHealth(t *table, s *Server) {
	user := t.text("health_user", &s.HealthUser)
	password := t.secret("health_password", &s.HealthPassword, s.Health == HealthAccessRequest)
	switch {
	case s.Health == HealthAccessRequest && !user:
		t.require("health_user", `the User-Name for health = "access-request"`)
	case s.Health != HealthAccessRequest && (user || password):
		t.r.wrong(t.path, `health_user and health_password go with health = "access-request" only, got health = %q`, s.Health)
	case user && (s.HealthUser == "" || len(s.HealthUser) > 253):
		t.r.wrong(joinKey(t.path, "health_user"), "expected 1 to 253 bytes, got %d", len(s.HealthUser))
	case s.HealthPassword.Len() > 128: // RFC 2865 §5.2
		t.r.wrong(joinKey(t.path, "health_password"), "expected a password of at most 128 bytes (RFC 2865 §5.2), got %d", s.HealthPassword.Len())
	}
	t.number("suspect_after", &s.SuspectAfter, 1, unlimited)
	t.number("failing_after", &s.FailingAfter, 1, unlimited)
	// RFC 3539 §3.4.1: Tw is not set below 6 seconds.
	if t.duration("watchdog_interval", &s.WatchdogInterval, "") && s.WatchdogInterval < 6*time.Second {
		t.r.wrong(joinKey(t.path, "watchdog_interval"), "expected 6s or more (RFC 3539 §3.4.1), got %v", s.WatchdogInterval)
	}
	t.duration("probe_interval", &s.ProbeInterval, "")
	t.number("down_after", &s.DownAfter, 1, unlimited)
	t.number("up_after", &s.UpAfter, 1, unlimited)
}

// readSchedule reads when requests are sent again and given up (RFC 5080
// §2.2.1, P55, P56).
func readSchedule(t *table, s *Server) {
	t.duration("retransmit_initial", &s.RetransmitInitial, "")
	t.duration("retransmit_max", &s.RetransmitMax, "no upper bound")
	t.number("retransmit_count", &s.RetransmitCount, 0, 100)
	t.duration("retransmit_duration", &s.RetransmitDuration, "")
	if s.RetransmitMax > 0 && s.RetransmitMax < s.RetransmitInitial {
		t.r.wrong(joinKey(t.path, "retransmit_max"), "expected retransmit_initial (%v) or more, got %v; \"0s\" means no upper bound",
			s.RetransmitInitial, s.RetransmitMax)
	}
	if s.RetransmitDuration < s.RetransmitInitial {
		t.r.wrong(joinKey(t.path, "retransmit_duration"), "expected retransmit_initial (%v) or more, got %v",
			s.RetransmitInitial, s.RetransmitDuration)
	}
}
