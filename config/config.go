// Package config is the gateway's TOML file as documented types.
//
// Load reads a file strictly: unknown keys, bad values and dangling names are
// all reported at once, each with its line, its key and what was expected
// (mistakes.go). The way through the package:
//
//	load.go      the order in which a file is read
//	table.go     one TOML table, read key by key
//	listen.go, client.go, server.go, route.go   a table each
//	values.go    the forms of single values (durations, networks, …)
//	locate.go    from a key to its line
//	defaults.go  every default, in one place
//	warnings.go  what is allowed but deserves a second look
//
// The package knows no other part of the gateway but files and certs, which read
// what the file names, and routing, which has the syntax of realms: package gateway
// translates these types into the others' once, at the edge. config.example.toml is
// the manual for the people who write the file.
package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// Config is one whole file, checked, with defaults applied and relative paths
// resolved. It is immutable after Load.
type Config struct {
	Path    string // the file it came from
	Listen  Listen
	Clients []Client // in file order: the first match wins
	Servers []Server // names are unique
	Routes  []Route  // in file order, which matters to patterns only
	Routing Routing
	Metrics Metrics
	Log     Log
	Tap     Tap

	places         places   // lines for Warnings; nil when built by hand
	secretWarnings Mistakes // what Warnings gives of the secrets
	secretFiles    []SecretFile
}

// Values of Listen.ClientAuth.
const (
	AuthRequire  = "require"  // a certificate of the CA, or no connection
	AuthOptional = "optional" // verified when given
	AuthNone     = "none"     // never asked for: clients are told apart by network only
)

// Listen is [listen]: the RadSec side.
type Listen struct {
	Address     []netip.AddrPort // default 0.0.0.0:2083 (RFC 6614 §2.1); at least one
	Certificate string           // path of a PEM chain, leaf first; required
	PrivateKey  string           // path of its PEM key; required
	ClientCA    string           // path of PEM certificates; required unless ClientAuth is "none"
	ClientAuth  string           // AuthRequire (default), AuthOptional, AuthNone
	MinTLS      uint16           // tls.VersionTLS12 (default) or tls.VersionTLS13
	// CipherSuites are those allowed under TLS 1.2; nil (default): Go's own choice.
	CipherSuites   []uint16
	CRL            []string // paths of revocation lists, PEM or DER, each signed by a certificate of ClientCA, Intermediates or a client's CA; default none
	Intermediates  []string // paths of certificates that are known, not trusted by themselves; default none
	CRLStale       string   // CRLStaleAccept (default), CRLStaleRefuse
	RadiusVersions []string // RFC 9765; default "1.0", "1.1"; nil: ALPN is not used

	SilentTimeout    time.Duration // default 3s, > 0
	HandshakeTimeout time.Duration // default 10s, > 0
	IdleTimeout      time.Duration // default 10m; 0: never
	PacketTimeout    time.Duration // default 30s, > 0: a started packet must be whole by then
	WriteTimeout     time.Duration // default 10s, > 0: a peer that reads nothing for that long is closed (RFC 3539 §2.8)

	MaxConnections          int // default 10000, ≥ 1
	MaxConnectionsPerSource int // of one IPv4 address or IPv6 /64; default 0: no limit
	MaxHandshakes           int // at the same time; more wait; default 512, ≥ 1
	MaxPacketsPerConnection int // default 0: no limit; closed after that many
	MaxOutstanding          int // unanswered requests of one connection; default 0: as many as there are Identifiers; 4096 in RADIUS/1.1

	SessionTicketKeys string         // path; default "": keys made at random, known to this gateway alone
	ProxyProtocol     []netip.Prefix // load balancers that begin with a PROXY header; default none
	ReloadInterval    time.Duration  // how often the files are looked at for changes; default 10s; 0: only on SIGHUP
	DrainTimeout      time.Duration  // what is in flight at SIGTERM has so long to finish; default 30s; 0: nothing is waited for
}

// Values of Listen.CRLStale.
const (
	CRLStaleAccept = "accept" // an old list is better than none; a warning and a metric say so
	CRLStaleRefuse = "refuse" // no certificate of an issuer whose list is out of date
)

// SANIP is what a client's certificate must have as SAN iPAddress.
type SANIP struct {
	Source    bool         // the address that the connection comes from
	Addresses []netip.Addr // or one of these
}

// Values of Client.RequireMessageAuthenticator.
const (
	RequireNever  = "never"
	RequireAccess = "access" // in Access-Request
	RequireAll    = "all"    // in Access-, CoA- and Disconnect-Request; an Accounting-Request need not have one (RFC 3579 §3.3)
)

// Names of the kinds of packets in Client.Packets and Route.Packets.
const (
	PacketAccess     = "access"
	PacketAccounting = "accounting"
	PacketCoA        = "coa"
	PacketDisconnect = "disconnect"
)

// Client is one [[client]]: who may connect and what it may send. All the
// conditions that are given must hold; with none of them given, every
// certificate of the CA matches.
type Client struct {
	Name         string         // required, unique; the label in logs and metrics
	Networks     []netip.Prefix // source ranges, masked; empty: any
	Fingerprints [][32]byte     // SHA-256 of the certificate's DER; empty: any
	SANDNS       []string       // dNSName, lower case, may start with "*."; empty: any
	SANIP        SANIP          // iPAddress; zero: any
	CA           []string       // paths of PEM certificates, one of which its path must pass through; empty: one of Listen.ClientCA
	SANURI       []string       // uniformResourceIdentifier; empty: any
	SANNAIRealm  []string       // NAIRealm (RFC 7585 §2.2); empty: any
	SubjectRDN   []string       // attributes of the subject, TYPE=value; empty: any
	Subject      []string       // distinguished names in the form of RFC 2253; empty: any
	Issuer       []string       // likewise
	CommonName   []string       // of the subject; "*" stands for any characters; empty: any
	PolicyOID    []string       // certificate policies, dotted; empty: any
	Secret       Secret         // default "radsec" (RFC 6614 §2.3); never empty
	Packets      []string       // default all four kinds; at least one, no doubles
	Realms       []string       // which it may send, in the forms of Route.Realms; empty: all
	Operators    []string       // beside Realms: which Operator-Names it may send, in the forms of Route.Operators

	RequireMessageAuthenticator    string // RequireNever (default), RequireAccess, RequireAll
	RequireEAPMessageAuthenticator bool   // default true (RFC 3579 §3.2)
	VerifyRequestAuthenticator     bool   // default true (RFC 2866 §3, RFC 5176 §2.3)

	MaxConnections   int // default 100; 0: only listen.max_connections limits
	PacketsPerSecond int // on all its connections; default 0: no limit
	OctetsPerSecond  int // likewise

	// ReversePath is what a CoA or Disconnect gets whose sender is not among the
	// servers of the user's realm: ReversePathOff (default), ReversePathDrop, ReversePathNAK.
	ReversePath string
}

// Values of Client.ReversePath.
const (
	ReversePathOff  = "off"
	ReversePathDrop = "drop" // silence (RFC 5176 §6.1)
	ReversePathNAK  = "nak"  // a NAK with Error-Cause 502 (RFC 8559 §4.3.1)
)

// Values of Server.Health.
const (
	HealthStatusServer  = "status-server"  // RFC 5997
	HealthAccessRequest = "access-request" // for servers without Status-Server
	HealthNone          = "none"           // only real traffic tells
)

// Server is one [[server]]: a RADIUS server that speaks UDP.
type Server struct {
	Name     string // required, unique
	Address  string // an IP address or a host name, without port; required
	AuthPort uint16 // default 1812; 0: not offered
	AcctPort uint16 // default 1813; 0: not offered
	CoAPort  uint16 // default 3799; 0: not offered
	Secret   Secret // required

	RequireMessageAuthenticator bool   // in replies to Access-Request; default true
	Health                      string // HealthStatusServer (default), HealthAccessRequest, HealthNone
	HealthUser                  string // User-Name of the probes; with HealthAccessRequest only, and required there
	HealthPassword              Secret // its password, 1..128 octets; likewise
	MaxSockets                  int    // default 64, 1..1024; 256 requests in flight each

	ResolveInterval time.Duration // how often a host name is looked up; default 30s; 0: only when the server is silent and at SIGHUP
	Expand          bool          // each address of the host name is a server of its own; default false

	NAS           bool         // it is a NAS, the last hop of CoA and Disconnect; default false
	NASIdentifier []string     // what it is called in NAS-Identifier and Operator-NAS-Identifier; with NAS only
	NASIPAddress  []netip.Addr // and in NAS-IP-Address and NAS-IPv6-Address; default the Address, if that is one; with NAS only

	// When a port is believed dead and alive (RFC 3539 §3.4.1, RFC 5997 §4.3).
	SuspectAfter     int           // requests due again in silence that make it suspect; default 3, ≥ 1
	FailingAfter     int           // overdue requests in a row, while probes are answered, that make it failing; default 5, ≥ 1
	WatchdogInterval time.Duration // unheard for so long it is probed; default 30s, ≥ 6s
	ProbeInterval    time.Duration // between probes of a port that is not up; default 3s, > 0
	DownAfter        int           // probes without an answer that make a suspect dead; default 3, ≥ 1
	UpAfter          int           // replies that bring a dead port back; default 3, ≥ 1

	// The schedule of retransmission (RFC 5080 §2.2.1).
	RetransmitInitial  time.Duration // IRT, default 2s, > 0
	RetransmitMax      time.Duration // MRT, default 16s, ≥ IRT; 0: no upper bound
	RetransmitCount    int           // MRC, transmissions in all, default 5; 0: no bound
	RetransmitDuration time.Duration // MRD, default 30s, > 0: the end of the schedule must be set
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

// Values of Route.Balance.
const (
	BalanceFailover         = "failover"          // the first server that is alive
	BalanceLeastOutstanding = "least-outstanding" // the one with the fewest requests in flight
	BalanceSticky           = "sticky"            // the same user to the same server
)

// Values of Route.OnUnreachable and Routing.OnUnroutable.
const (
	AnswerSilent        = "silent"
	AnswerReject        = "reject"         // Access-Reject; accounting gets no answer
	AnswerProtocolError = "protocol-error" // Protocol-Error (RFC 7930 §4)
)

// Route is one [[route]]: which servers answer for which realms.
type Route struct {
	Realms        []string      // "example.org", "*.example.org", "~regexp", "" (no realm), "*" (default); required without Operators
	Operators     []string      // Operator-Names that are no realms, such as "wbaid:EXAMPLE:US" or "wbaid:*"; default none
	Packets       []string      // default access and accounting; at least one, no doubles
	Servers       []string      // required: names of [[server]] that have the ports, no doubles
	Balance       string        // BalanceFailover (default), BalanceLeastOutstanding, BalanceSticky
	MoveOnAfter   int           // transmissions to a silent server before the next one gets the request; default 2, 1..100
	Patience      time.Duration // how long a server may leave a request unanswered, whatever else it answers; default 10s; 0: for ever
	OnUnreachable string        // for Access- and Accounting-Request: AnswerReject (default), AnswerSilent, AnswerProtocolError
}

// Values of Routing.RealmFormats.
const (
	FormatSuffix  = "suffix"  // user@realm
	FormatPrefix  = "prefix"  // REALM\user
	FormatMachine = "machine" // host/name.realm
)

// Routing is [routing]: what holds for all routes.
type Routing struct {
	// RealmFormats are where a User-Name's realm is looked for; the first that finds
	// one counts. Default FormatSuffix; at least one.
	RealmFormats []string
	// LoopMarker adds a Proxy-State to each request towards a server, and refuses a
	// request that comes back with it. Default true.
	LoopMarker bool
	// LoopMarkerSecret is what the marker of all replicas is made from; empty
	// (default): each process has one of its own, made at random.
	LoopMarkerSecret Secret
	// OnUnroutable answers an Access- or Accounting-Request that no route takes or whose
	// kind the client may not send. AnswerReject (default), AnswerSilent, AnswerProtocolError.
	OnUnroutable string
	// CoAByUserName lets CoA and Disconnect without Operator-Name (RFC 5580
	// §4.1) be routed by User-Name's realm. Default true.
	CoAByUserName bool
	// EventTimestampWindow is how far the Event-Timestamp of a CoA or Disconnect
	// may be from now, either way (RFC 5176 §6.3). Default 300s; 0: not looked at.
	EventTimestampWindow  time.Duration
	RequireEventTimestamp bool // drop CoA and Disconnect that have none; default false
	// ReplyEventTimestamp is what becomes of an answer to CoA or Disconnect outside
	// of that window: ReplyAccept (default) or ReplyDrop.
	ReplyEventTimestamp string
}

// Values of Routing.ReplyEventTimestamp.
const (
	ReplyAccept = "accept" // passed on, and warned of
	ReplyDrop   = "drop"   // and warned of
)

// Metrics is [metrics]: the HTTP side.
type Metrics struct {
	Address     string // host:port, default 127.0.0.1:9713; "": not served
	Token       Secret // what a caller must know; empty (default): nothing
	Certificate string // path of a PEM chain; "" (default): HTTP without TLS
	PrivateKey  string // path of its PEM key; given when Certificate is
	PProf       bool   // serve /debug/pprof; default false
}

// Values of Log.User and Log.Station.
const (
	ShowFull = "full"
	ShowHash = "hash" // the same for the same user or station, and nothing else
	ShowCut  = "cut"  // a user's realm, a station's manufacturer
	ShowNone = "none"
)

// Log is [log].
type Log struct {
	Level    slog.Level // default info
	Format   string     // "text" (default) or "json"
	Requests bool       // a line for each request; default false
	User     string     // how a User-Name is shown in it: ShowHash (default), ShowFull, ShowCut, ShowNone
	Station  string     // the same for the Calling-Station-Id, and for CSI in F-Ticks
	HashSalt Secret     // key of ShowHash; empty (default): made at random at each start

	FTicks            string // the federation, such as "eduroam"; "" (default): none are sent
	FTicksCountry     string // ISO 3166-1 alpha-2; required with FTicks
	FTicksInstitution string // default "": left out
	FTicksSyslog      string // host:port, UDP; "" (default): to the log
}

// Tap is [tap].
type Tap struct {
	Socket string // path, default /run/radsec-gw/tap.sock; "": none
}
