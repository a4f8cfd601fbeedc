package config

import (
	"net/netip"
	"time"
)

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
	t.choice("health", &s.Health, HealthStatusServer, HealthAccessRequest, HealthNone)
	readHealth(t, &s)
	t.number("max_sockets", &s.MaxSockets, 1, 1024)
	readResolving(t, &s)
	readNAS(t, &s)
	readSchedule(t, &s)
	t.done()
	return s
}

// shortestResolveInterval keeps the gateway from being a burden to name servers.
const shortestResolveInterval = time.Second

// readResolving reads how a host name is looked up.
func readResolving(t *table, s *Server) {
	given := t.duration("resolve_interval", &s.ResolveInterval, "only when the server is silent, and at SIGHUP")
	if given && s.ResolveInterval != 0 && s.ResolveInterval < shortestResolveInterval {
		t.r.wrong(joinKey(t.path, "resolve_interval"), "expected \"0s\", or 1s or more, got %v", s.ResolveInterval)
	}
	t.flag("expand", &s.Expand)
	if _, err := netip.ParseAddr(s.Address); err == nil && s.Expand {
		t.r.wrong(joinKey(t.path, "expand"), "expected a host name in address with expand = true, got the IP address %q", s.Address)
	}
}

func readPort(t *table, key string, to *uint16) {
	n := int(*to)
	if t.number(key, &n, 0, 65535) {
		*to = uint16(n)
	}
}

// readHealth reads when a port is believed dead and alive, and whom the probes
// ask for.
func readHealth(t *table, s *Server) {
	user := t.text("health_user", &s.HealthUser)
	password := t.secret("health_password", &s.HealthPassword, s.Health == HealthAccessRequest)
	switch {
	case s.Health == HealthAccessRequest && !user:
		t.require("health_user", `the User-Name for health = "access-request"`)
	case s.Health != HealthAccessRequest && (user || password):
		t.r.wrong(t.path, `health_user and health_password go with health = "access-request" only, got health = %q`, s.Health)
	case user && (s.HealthUser == "" || len(s.HealthUser) > 253):
		t.r.wrong(joinKey(t.path, "health_user"), "expected 1 to 253 octets, got %d", len(s.HealthUser))
	case s.HealthPassword.Len() > 128: // RFC 2865 §5.2
		t.r.wrong(joinKey(t.path, "health_password"), "expected a password of at most 128 octets (RFC 2865 §5.2), got %d", s.HealthPassword.Len())
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
