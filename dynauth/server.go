package dynauth

import (
	"hash/maphash"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/audit"
	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Server sends the CoA-Requests and Disconnect-Requests of UDP servers down the RadSec
// connections of their NASes, and the answers back (RFC 5176, draft-ietf-radext-reverse-coa).
type Server struct {
	// static after construction
	log     *slog.Logger
	metrics *metrics.DynAuth
	hub     *audit.Hub // nil: requests are not reported
	now     func() time.Duration
	buffers *udpback.Buffers
	seed    maphash.Seed
	learned *learned
	limits  logLimits

	config    atomic.Pointer[Config]
	directory atomic.Pointer[directory]
	others    atomic.Pointer[Others] // nil: there are none
	draining  atomic.Bool

	requests sync.Pool // *request
	workers  sync.Pool // *worker
	replies  sync.Pool // *Replies
	editors  sync.Pool // *rules.Editor
	seq      atomic.Uint64

	mu     locks.Mutex[locks.DynAuth] // guards the fields below
	dups   duplicates
	newest *request // by deadline
	oldest *request
	timer  *time.Timer   // calls expire; nil: it was never needed
	wake   time.Duration // when it does; 0: it does not
}

// Config is the configuration of a Server. It is immutable.
type Config struct {
	// Senders are those who may send requests, beside the Servers: each from its networks.
	Senders []Sender
	// Servers may send requests, too, from any of their addresses.
	Servers    []*udpback.Server
	RequireMA  bool // requests without Message-Authenticator are dropped
	Timestamps Timestamps
	Timeout    time.Duration // how long a NAS may take to answer
	MaxLearned int           // keys
	Lifetime   time.Duration // of a key that is not seen again
}

// Sender is a Dynamic Authorization Client (RFC 5176 §2.1) that is not a server.
type Sender struct {
	Name     string
	Networks []netip.Prefix
	Secret   *wire.ServerSecret
}

// Timestamps says how the Event-Timestamp of requests and of the answers to them is checked
// (RFC 5176 §6.3).
type Timestamps struct {
	// Window is how far from now it may be, and how long an answer is kept for duplicates;
	// 0: it is not checked.
	Window      time.Duration
	Require     bool // a request must have one
	DropReplies bool // an answer outside the window is dropped
}

// New returns a Server that has no listener yet, whose requests wait for their answers on
// the clock of back. It reports the outcome of each request to hub, unless that is nil.
func New(back *udpback.Backend, cfg *Config, m *metrics.DynAuth, hub *audit.Hub, log *slog.Logger) *Server {
	s := &Server{log: log, metrics: m, hub: hub, now: back.Now, buffers: &back.Buffers, seed: maphash.MakeSeed(), learned: newLearned(m)}
	s.dups.last = map[dupKey]uint64{}
	s.requests.New = func() any { return new(request) }
	s.workers.New = func() any { return newWorker(s) }
	s.replies.New = func() any { return newReplies(s) }
	s.editors.New = func() any { return rules.NewEditor() }
	s.directory.Store(newDirectory(nil))
	s.config.Store(cfg)
	return s
}

// Configure replaces the configuration and the clients. Requests that were sent down keep
// their deadlines.
func (s *Server) Configure(cfg *Config, clients []*Client) {
	s.config.Store(cfg)
	s.directory.Store(newDirectory(clients))
}

// Drain makes the Server take no new requests. Those that were sent down can still be
// answered, and duplicates of answered ones get their answers (RC18).
func (s *Server) Drain() { s.draining.Store(true) }

// Learned returns the at most n NASes that were seen last, and how many there are.
func (s *Server) Learned(n int) (rows []Row, total int) { return s.learned.rows(s.now(), n) }

// lim returns the bounds of the learned table.
func (s *Server) lim() limits {
	c := s.config.Load()
	return limits{c.MaxLearned, s.directory.Load().reverse, c.Lifetime}
}

// sender is where a request may come from, and the secret that it must be signed with.
type sender struct {
	name   string
	secret *wire.ServerSecret
}

// maxSecrets is how many secrets are tried for one request, which costs a digest each: more
// servers than anybody has at one address.
const maxSecrets = 64

// senders returns who may have sent a request from an address to a local one: of several,
// each with its secret. If the local address is a client's source and the servers know that
// with a secret of its own, this comes first (ID6).
func (s *Server) senders(found []sender, from, local netip.Addr) []sender {
	cfg := s.config.Load()
	for _, server := range cfg.Servers {
		if server.HasAddress(from) {
			found = addSender(found, sender{server.Name, server.Secret()})
		}
	}
	for i := range cfg.Senders {
		one := &cfg.Senders[i]
		if slices.ContainsFunc(one.Networks, func(p netip.Prefix) bool { return p.Contains(from) }) {
			found = addSender(found, sender{one.Name, one.Secret})
		}
	}
	if len(found) == 0 {
		return nil
	}
	if c := s.directory.Load().source(local); c != nil {
		if own := c.config.Load().SourceSecret; own != nil {
			found = slices.Insert(found, 0, sender{found[0].name, own})
		}
	}
	return found[:min(len(found), maxSecrets)]
}

// addSender adds a sender unless its secret is there already.
func addSender(list []sender, one sender) []sender {
	if slices.ContainsFunc(list, func(had sender) bool { return had.secret.Equal(one.secret) }) {
		return list
	}
	return append(list, one)
}
