package status

import "time"

// Snapshot is the state of a gateway at one moment. Times are RFC 3339 in UTC, and null for
// never or unknown. Lists are sorted: what is wrong first, then what is busiest. They are cut
// to a bounded length, and Omitted says by how much.
type Snapshot struct {
	Time          time.Time `json:"time"`           // when it was made
	Version       string    `json:"version"`        // of the program
	Commit        string    `json:"commit"`         // that it was built from
	StartedAt     time.Time `json:"started_at"`     // when the gateway started
	UptimeSeconds int64     `json:"uptime_seconds"` // since then
	LogLevel      string    `json:"log_level"`      // "debug", "info", "warn" or "error"

	Ready   bool     `json:"ready"`   // what /readyz says
	Reasons []string `json:"reasons"` // why it is not ready

	Summary         Summary          `json:"summary"`          // the figures of the whole gateway
	Problems        []Problem        `json:"problems"`         // what an operator should act on
	Servers         []Server         `json:"servers"`          // the ports of the servers
	Routes          []Route          `json:"routes"`           // of the configuration
	Listeners       []Listener       `json:"listeners"`        // [listen], then each [[listener]]
	Clients         []Client         `json:"clients"`          // of the configuration
	Connections     []Connection     `json:"connections"`      // that are open; those first whose certificates expire first
	ReverseCoA      *ReverseCoA      `json:"reverse_coa"`      // null: it is not configured
	NASes           []NAS            `json:"nases"`            // that reverse CoA has learned, at most the 1000 that were seen last, the last first
	Spool           *Spool           `json:"spool"`            // null: no route has had spool = true since the start
	SpoolRoutes     []SpoolRoute     `json:"spool_routes"`     // whose records the spool has, or had; at most the 1000 with the most
	Cluster         *Cluster         `json:"cluster"`          // null: nothing is shared with other gateways
	Certificates    []Certificate    `json:"certificates"`     // of the gateway and of issuers
	RevocationLists []RevocationList `json:"revocation_lists"` // the newest of each issuer
	RevocationURLs  []RevocationURL  `json:"revocation_urls"`  // that revocation lists are fetched from, those first that fail
	Files           []File           `json:"files"`            // that were read
	Reloads         []Reload         `json:"reloads"`          // the last 20, the newest first, the start included
	Refusals        []Refusal        `json:"refusals"`         // what was refused, by reason, most first
	Events          []Event          `json:"events"`           // warnings and errors of the log, repeats folded
	History         History          `json:"history"`          // of the last hour and day; empty in a view that is narrowed to a server, a client or a list

	Omitted map[string]int `json:"omitted"` // by the name of a list: how many of its elements are not in it
}

// Summary has the figures of the whole gateway. Counts are since its start unless they say
// otherwise.
type Summary struct {
	Connections       int64      `json:"connections"`         // of known clients, open now
	SilentConnections int64      `json:"silent_connections"`  // open, and nothing received yet
	Handshakes        int64      `json:"handshakes"`          // in progress now
	HandshakesWaiting int64      `json:"handshakes_waiting"`  // for one of the slots of max_handshakes
	SlotsFull         uint64     `json:"slots_full"`          // times that a handshake found all slots taken
	RequestsPerSecond float64    `json:"requests_per_second"` // sent to servers in the last seconds, without retransmissions
	ReplySeconds      float64    `json:"reply_seconds"`       // mean time to a server's reply in the last seconds; 0: nothing was answered
	InFlight          int64      `json:"in_flight"`           // requests that wait for a server
	Requests          uint64     `json:"requests"`            // packets from clients
	Relayed           uint64     `json:"relayed"`             // of these, answered by a server
	Accepts           uint64     `json:"accepts"`             // Access-Accept packets to clients
	Rejects           uint64     `json:"rejects"`             // Access-Reject
	Challenges        uint64     `json:"challenges"`          // Access-Challenge
	ServersUp         int        `json:"servers_up"`          // ports of servers
	ServersTotal      int        `json:"servers_total"`       // ports of servers
	RoutesServed      int        `json:"routes_served"`       // routes that are not unserved
	RoutesTotal       int        `json:"routes_total"`        // routes
	ClientsConnected  int        `json:"clients_connected"`   // clients with a connection
	ClientsTotal      int        `json:"clients_total"`       // clients
	LoadedAt          time.Time  `json:"loaded_at"`           // when what is in use was read
	LastReloadAt      *time.Time `json:"last_reload_at"`      // null: none since the start
	LastReload        string     `json:"last_reload"`         // its result: "taken", "kept" or "refused"; "" for none
	ExpiresFirstAt    *time.Time `json:"expires_first_at"`    // when the first of the gateway's own certificates and its issuers expires
	DescriptorLimit   int        `json:"descriptor_limit"`    // RLIMIT_NOFILE
	MaxConnections    int        `json:"max_connections"`     // that it accepts, as descriptors allow
	LogLinesLost      uint64     `json:"log_lines_lost"`      // because nobody reads them, or what they are written to is full
}

// Problem is something that an operator should act on.
type Problem struct {
	Severity string     `json:"severity"` // "error" or "warning"
	Kind     string     `json:"kind"`     // a name that stays the same, listed in docs/status.md
	Source   string     `json:"source"`   // "gateway", "server" or "peer": who causes it
	Subject  string     `json:"subject"`  // what it is about: a server and its port, a route, a client, a file, an issuer, the reason of replies_dropped, "configuration" or "certificates" of a reload; "" for the gateway
	Text     string     `json:"text"`     // what is wrong, and what to do
	Since    *time.Time `json:"since"`    // null: unknown

	Server  Names    `json:"-"` // of the server that it is about; zero: of none
	Servers []string `json:"-"` // of the route that it is about, as configured
	Client  string   `json:"-"` // as Server
}

// Server is one port of one server; of an expanded name, one for each address.
type Server struct {
	Name              string     `json:"name"`                        // as configured; NAME@ADDRESS for an address of an expanded name
	Port              string     `json:"port"`                        // "auth", "acct" or "coa"
	Address           string     `json:"address"`                     // where it is reached now
	State             string     `json:"state"`                       // "up", "suspect", "failing", "down" or "maintenance"
	Since             *time.Time `json:"state_since"`                 // since when it is in this state
	Why               string     `json:"why"`                         // "" while it is up, if a socket to it can be opened
	Checked           bool       `json:"checked"`                     // its health checks count
	LastCheckAt       *time.Time `json:"last_check_at"`               // when the last health check was sent
	LastCheckAnswerAt *time.Time `json:"last_check_answer_at"`        // when the last answer to one arrived
	LastReplyAt       *time.Time `json:"last_reply_at"`               // the last that verified, to a request or a check
	LastAnswerAt      *time.Time `json:"last_answer_at"`              // the last that verified, to a request
	InFlight          int64      `json:"in_flight"`                   // requests that wait for its reply
	Capacity          int64      `json:"capacity"`                    // the most that can be in flight
	Sent              uint64     `json:"sent"`                        // requests, without retransmissions
	Resent            uint64     `json:"resent"`                      // retransmissions
	Answered          uint64     `json:"answered"`                    // verified replies
	Unanswered        uint64     `json:"unanswered"`                  // to the end of their schedule
	Moved             uint64     `json:"moved"`                       // requests that went on to another server
	Unverified        uint64     `json:"unverified"`                  // datagrams that were not a verified reply to a request
	UnverifiedNow     int64      `json:"unverified_since_last_reply"` // replies that did not verify since the last that did
	RequestsPerSecond float64    `json:"requests_per_second"`         // sent to it in the last seconds
	ReplySeconds      float64    `json:"reply_seconds"`               // mean in the last seconds; 0: nothing was answered
	History           *Series    `json:"history,omitempty"`           // of the last hour, or of the last day once an hour is over; only with ?server=

	Configured string `json:"-"` // its name in the configuration, without an address
	Unsigned   uint64 `json:"-"` // replies that were dropped because they have no Message-Authenticator
	Mismatched uint64 `json:"-"` // replies of which an authenticator does not verify
}

// Route is one route of the configuration.
type Route struct {
	Number     int        `json:"number"`     // its place in the configuration, from 1
	Realms     []string   `json:"realms"`     // and operators; at most 10
	Packets    []string   `json:"packets"`    // the kinds of requests
	Balance    string     `json:"balance"`    // as configured
	Servers    []string   `json:"servers"`    // at most 10
	Accounting string     `json:"accounting"` // as configured: "relay" or "answer" (acknowledged by the gateway, and not kept)
	Spool      bool       `json:"spool"`      // as configured: whether accounting that no server answers goes to the spool
	OnReject   string     `json:"on_reject"`  // as configured: "answer" or "next"
	State      string     `json:"state"`      // "served", "degraded" (a server of it is not up), "unserved" or "refuses" (it has no servers, on purpose)
	Unserved   []string   `json:"unserved"`   // the ports at which every server is down or in maintenance
	Since      *time.Time `json:"since"`      // since when it is unserved
}

// Listener is what RadSec clients connect to: [listen] or a [[listener]].
type Listener struct {
	Name           string     `json:"name"`            // as configured; "listen" is [listen]
	Transport      string     `json:"transport"`       // "tls" or "dtls"
	Addresses      []string   `json:"addresses"`       // IP addresses and ports, TCP or UDP
	Connections    int64      `json:"connections"`     // of known clients, open now
	MaxConnections int        `json:"max_connections"` // at a time
	Clients        []string   `json:"clients"`         // that it accepts, at most 10; empty: all
	Certificates   int        `json:"certificates"`    // that it presents, each to those who can verify it
	ExpiresAt      *time.Time `json:"expires_at"`      // the first of these
	Error          string     `json:"error"`           // why clients refuse one of these; "" if they do not
}

// Client is one [[client]] of the configuration.
type Client struct {
	Name        string     `json:"name"`         // as configured
	Connections int64      `json:"connections"`  // open now
	LastSeenAt  *time.Time `json:"last_seen_at"` // now while it is connected; null: not since the start
	Remote      string     `json:"remote"`       // the address of its newest connection
	Subject     string     `json:"subject"`      // of the certificate of its newest connection; "" without one
	PSKIdentity string     `json:"psk_identity"` // of the pre-shared key of its newest connection; "" without one
	ExpiresAt   *time.Time `json:"expires_at"`   // that certificate
	Requests    uint64     `json:"requests"`     // packets from it
	Relayed     uint64     `json:"relayed"`      // of these, answered by a server or, Status-Server and accounting of some routes, by the gateway
	Accepts     uint64     `json:"accepts"`      // Access-Accept packets to it
	Rejects     uint64     `json:"rejects"`      // Access-Reject packets to it
	Other       uint64     `json:"not_relayed"`  // packets that ended otherwise
}

// Connection is one RadSec connection that is open now.
type Connection struct {
	Client      string     `json:"client"`       // its name
	Listener    string     `json:"listener"`     // that it came by
	Remote      string     `json:"remote"`       // the address and port that it comes from
	Subject     string     `json:"subject"`      // of its certificate; "" without one
	PSKIdentity string     `json:"psk_identity"` // of its pre-shared key; "" without one
	ExpiresAt   *time.Time `json:"expires_at"`   // its certificate; null without one
	TLS         string     `json:"tls"`          // the version
	Since       time.Time  `json:"since"`        // when its handshake was done
}

// ReverseCoA is the CoA and Disconnect that UDP servers send to the gateway, for the NASes of
// clients with reverse_coa.
type ReverseCoA struct {
	Listening []string `json:"listening"` // the IP addresses and UDP ports of [dynamic_authorization]
	Clients   int      `json:"clients"`   // that have reverse_coa
	Pending   int64    `json:"pending"`   // requests that were sent to a NAS and wait for its answer
	NASes     int      `json:"nases"`     // that are learned, those included that the list does not have
}

// NAS is a NAS that was learned from the requests of a client with reverse_coa.
type NAS struct {
	Name       string    `json:"name"`         // its NAS-Identifier and addresses, as it calls itself; cut and escaped
	Client     string    `json:"client"`       // that it is of
	Connection string    `json:"connection"`   // where the connection comes from that a request for it goes down, an address and port; "closed": none is open that has carried it
	LastSeenAt time.Time `json:"last_seen_at"` // its last request
}

// Spool is the accounting that the gateway has stored and acknowledged, and that no server has
// yet.
type Spool struct {
	Directory     string     `json:"directory"`       // in use; relative to the configuration, as far as it is below its directory
	Error         string     `json:"error"`           // why it could not store when it last tried, or is not open; "": it can store
	Records       int        `json:"records"`         // that it has now
	RecordsLimit  int        `json:"records_limit"`   // max_records
	Octets        int64      `json:"octets"`          // of these records
	OctetsLimit   int64      `json:"octets_limit"`    // max_octets
	OldestAt      *time.Time `json:"oldest_at"`       // when the oldest of them arrived; null: there is none
	MaxAge        int64      `json:"max_age_seconds"` // max_age: older ones are dropped
	Waiting       int        `json:"waiting"`         // records that were handed over and are not on the disk yet
	InFlight      int        `json:"in_flight"`       // records that wait for a server's answer
	Stored        uint64     `json:"stored"`          // records since the start
	Answered      uint64     `json:"answered"`        // records that a server has got since the start
	Refused       uint64     `json:"refused"`         // times since the start that a record was not stored, and so not acknowledged
	Dropped       uint64     `json:"dropped"`         // records since the start that were removed although no server has them: too old, damaged, or by an operator
	SetAside      uint64     `json:"set_aside"`       // records since the start that no server answered although it answered others
	SetAsideBytes int64      `json:"set_aside_bytes"` // length of the files that have them, in the directory; 0: there is none
	SentElsewhere bool       `json:"sent_elsewhere"`  // another of the gateways that share the store sends the records
}

// SpoolRoute is the records of one route in the spool.
type SpoolRoute struct {
	Route        string     `json:"route"`          // its realms and operators; "": records that were imported
	Records      int        `json:"records"`        // that the spool has of it now
	InFlight     int        `json:"in_flight"`      // records that wait for a server's answer
	State        string     `json:"state"`          // "sending", "paused" (its servers were silent, and get nothing until resumes_at), "trying" (they were silent, and get one record at a time), "waiting" (each record waits: for the end of its client's own request, or because it stayed unanswered) or "empty"
	ResumesAt    *time.Time `json:"resumes_at"`     // when the pause ends, at the latest; null unless it is paused
	LastAnswerAt *time.Time `json:"last_answer_at"` // when a server last answered a record; null: none has since the spool was opened
}

// Cluster is what the gateway shares with others through NATS.
type Cluster struct {
	Prefix     string    `json:"prefix"`     // of [cluster]: gateways with the same prefix share
	Connected  bool      `json:"connected"`  // to a NATS server
	Server     string    `json:"server"`     // its URL without a password; of the last one if connected is false; "": there was none
	Since      time.Time `json:"since"`      // when it was connected, or lost, or the gateway started
	Error      string    `json:"error"`      // why it is not connected, as far as that is known
	Replicas   int       `json:"replicas"`   // other gateways that were heard of in the last 35 seconds
	Reconnects uint64    `json:"reconnects"` // connections since the start that were made again after a loss
	Sent       uint64    `json:"sent"`       // what was told to the others since the start
	Received   uint64    `json:"received"`   // what was learned from them since the start
	Dropped    uint64    `json:"dropped"`    // what was not told, or not learned, since the start, because a queue was full or there was no connection
	Invalid    uint64    `json:"invalid"`    // messages since the start that were ignored, because they do not have the form that gateways give them
}

// Certificate is one certificate that the gateway has read from a file.
type Certificate struct {
	For         string    `json:"for"`                // "server" (the gateway's own), "client_ca", "ca" (a client's own), "intermediates" or "metrics"
	Place       int       `json:"place"`              // in its file, from 1; a server's chain begins with its own certificate
	File        string    `json:"file"`               // relative to the configuration
	Subject     string    `json:"subject"`            // of the certificate
	Issuer      string    `json:"issuer"`             // of the certificate
	ValidFrom   time.Time `json:"valid_from"`         // notBefore
	ExpiresAt   time.Time `json:"expires_at"`         // notAfter
	ExpiresIn   int64     `json:"expires_in_seconds"` // negative: expired
	Fingerprint string    `json:"fingerprint"`        // as the key fingerprints of a client takes it
}

// RevocationList is the newest revocation list of an issuer.
type RevocationList struct {
	Issuer     string     `json:"issuer"`      // its name
	IssuedAt   time.Time  `json:"issued_at"`   // when it was made
	NextUpdate *time.Time `json:"next_update"` // null: it does not say
	Revoked    int        `json:"revoked"`     // how many certificates it names
	Stale      bool       `json:"stale"`       // its next update is overdue
	Refused    bool       `json:"refused"`     // certificates of the issuer are refused because of that
}

// RevocationURL is a URL that revocation lists are fetched from.
type RevocationURL struct {
	URL         string     `json:"url"`          // as configured, or as in a certificate
	From        string     `json:"from"`         // "configuration" or "certificate": who names it
	State       string     `json:"state"`        // "ok", "failing" (the last attempt failed) or "waiting" (there was none yet)
	Why         string     `json:"why"`          // why the last attempt failed, and what to do; "": it did not
	SucceededAt *time.Time `json:"succeeded_at"` // when lists were fetched, or found unchanged, last
	TriedAt     *time.Time `json:"tried_at"`     // when the last attempt ended
	FailingAt   *time.Time `json:"failing_at"`   // since when attempts have failed
	Lists       int        `json:"lists"`        // that it has delivered and that are in use
	Bytes       int        `json:"bytes"`        // of the last answer
	Revoked     int        `json:"revoked"`      // how many certificates the lists name
	NextUpdate  *time.Time `json:"next_update"`  // when the first of the lists is out of date
	Refused     bool       `json:"refused"`      // certificates of issuers without a list are refused until it delivers one
}

// File is a file that the configuration names, or the configuration itself.
type File struct {
	Path   string    `json:"path"`    // relative to the configuration, as far as it is below its directory
	Key    string    `json:"key"`     // that names it; "" for the configuration
	ReadAt time.Time `json:"read_at"` // when the contents in use were read
}

// Reload is one time that files were read again and something was done about it.
type Reload struct {
	At       time.Time `json:"at"`       // the last time, if it recurred
	By       string    `json:"by"`       // "start", "request" (SIGHUP) or "change" (of a file)
	What     string    `json:"what"`     // "configuration" or "certificates"
	Result   string    `json:"result"`   // "taken", "kept" (all but the gateway's own certificate) or "refused"
	Mistakes []string  `json:"mistakes"` // with file and line
}

// Refusal is what was refused for one reason.
type Refusal struct {
	What    string     `json:"what"`     // "connection", "request" or "reply"
	Reason  string     `json:"reason"`   // as the metrics call it
	Count   uint64     `json:"count"`    // since the start, of the clients and servers that are configured now
	FirstAt *time.Time `json:"first_at"` // null: unknown
	LastAt  *time.Time `json:"last_at"`  // likewise
	Example string     `json:"example"`  // the source address of the last that was logged
	Text    string     `json:"text"`     // what was logged about that

	Began *time.Time `json:"-"` // of those that have gone on, with pauses of minutes, until LastAt
}

// Event is the warnings or errors of one cause.
type Event struct {
	Severity string    `json:"severity"` // "error" or "warning"
	Source   string    `json:"source"`   // "gateway", "server" or "peer"
	Message  string    `json:"message"`  // the text of the log line
	Count    int       `json:"count"`    // how often it was logged, those included that limits suppressed
	FirstAt  time.Time `json:"first_at"` // the first time
	LastAt   time.Time `json:"last_at"`  // the last time
	Fields   []Field   `json:"fields"`   // of the last

	Server Names `json:"-"` // of the server that its fields name; zero: of none
}

// Field is one field of a log line.
type Field struct {
	Key   string `json:"key"`   // its name
	Value string `json:"value"` // what peers choose is cut and escaped
}

// History is what has happened in the last hour and day.
type History struct {
	Hour Series `json:"hour"` // in steps of 15 s
	Day  Series `json:"day"`  // in steps of 5 min
}

// Series has values at equal steps of time, the oldest first. The lists that are not empty
// have the same length.
type Series struct {
	StepSeconds         int64     `json:"step_seconds"`                    // the length of a step
	RequestsPerSecond   []float32 `json:"requests_per_second"`             // sent to servers
	ReplySeconds        []float32 `json:"reply_seconds"`                   // mean; 0: nothing was answered
	UnansweredPerSecond []float32 `json:"unanswered_per_second,omitempty"` // requests that no server answered to the end of their schedule
	InFlight            []float32 `json:"in_flight,omitempty"`             // at the end of the step
	Connections         []float32 `json:"connections,omitempty"`           // at the end of the step
}
