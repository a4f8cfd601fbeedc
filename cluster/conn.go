package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/files"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// Config says how a gateway connects to NATS.
type Config struct {
	URLs            []string // of the servers, at least one; they may have passwords
	CredentialsFile string   // "": none
	CA              string   // the file with the CAs that the servers are verified with; "": those of the system
	Certificate     string   // the file with the certificate that is presented; "": none
	PrivateKey      string   // its key; given when Certificate is
	Name            string   // what the NATS server calls this connection
	Prefix          string   // what replies to requests are sent below, so that this is all that the gateway must be allowed; "": anywhere

	Metrics *metrics.Cluster
	Log     *slog.Logger
}

// times are those of a connection. They are shorter in tests.
type times struct {
	dial    time.Duration // for connecting, with TLS and credentials
	ping    time.Duration // between two pings
	pings   int           // that may be unanswered
	write   time.Duration // until a server that does not read is given up
	wait    time.Duration // the shortest between two attempts with all servers
	spread  time.Duration // added at random, so that gateways do not all come at once
	watched time.Duration // between two looks at why an attempt has failed
	denied  time.Duration // before subscriptions that were denied are made again, the first time
}

// defaultTimes notice a server that is silent after 8 s: the fourth ping finds three unanswered.
var defaultTimes = times{dial: 2 * time.Second, ping: 2 * time.Second, pings: 3, write: 5 * time.Second, wait: 500 * time.Millisecond, spread: 1500 * time.Millisecond, watched: time.Second, denied: 30 * time.Second}

// Conn is a connection to one of some NATS servers, made again whenever it is lost, until Close.
// All methods may be called from any goroutine, and none but Wait and Close waits.
type Conn struct {
	// static after construction
	cfg    Config
	times  times
	files  *files.Reader
	hide   *strings.Replacer // removes the passwords of the URLs
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when run has ended

	nc        atomic.Pointer[nats.Conn] // nil: never connected
	connected atomic.Bool

	connectedLog, lostLog, refusedLog, errorLog, deniedLog, jetStreamLog logs.Limiter

	mu      locks.Mutex[locks.ClusterConn] // guards the fields below
	state   State
	denials denials
	changed chan struct{} // closed, and made anew, when the connection is made or lost
}

// State is the state of a connection.
type State struct {
	Connected bool
	Server    string    // its URL without a password; of the last one if it is lost; "": never connected
	Since     time.Time // when it was connected, or lost, or Open was called
	Error     string    // why it is not connected, as far as that is known
}

// Open connects in the background, as often as it takes. It does not wait, and never fails.
func Open(c Config) *Conn { return open(c, defaultTimes) }

func open(cfg Config, t times) *Conn {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Conn{cfg: cfg, times: t, files: files.NewReader(), hide: hider(cfg.URLs), done: make(chan struct{}), changed: make(chan struct{}), state: State{Since: time.Now()}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	cfg.Metrics.Use()
	go c.run()
	return c
}

// hider returns what removes users, passwords and tokens of URLs from a text.
func hider(urls []string) *strings.Replacer {
	var pairs []string
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil || u.User == nil {
			continue
		}
		if user, _, ok := strings.Cut(strings.TrimPrefix(s, u.Scheme+"://"), "@"); ok && user != "" {
			pairs = append(pairs, user+"@", "")
		}
		if password, ok := u.User.Password(); ok && password != "" {
			pairs = append(pairs, password, "[secret]")
		} else if name := u.User.Username(); name != "" { // a token
			pairs = append(pairs, name, "[secret]")
		}
	}
	return strings.NewReplacer(pairs...)
}

// run connects until the Conn is closed.
func (c *Conn) run() {
	defer close(c.done)
	for c.ctx.Err() == nil {
		ended := make(chan struct{})
		o := c.options(func() { close(ended) })
		nc, err := o.Connect()
		if err != nil {
			c.failed(err)
			c.pause(c.delay(0))
			continue
		}
		c.watch(nc, ended)
		nc.Close()
		c.lost(nats.ErrConnectionClosed) // so that it is not used any longer
	}
}

// watch returns when the connection is closed for good, which nothing but Close should do. While it
// is lost, watch learns why connecting again fails: the library tells that for some errors only.
func (c *Conn) watch(nc *nats.Conn, ended <-chan struct{}) {
	t := time.NewTicker(c.times.watched)
	defer t.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-ended:
			return
		case <-t.C:
			if !c.connected.Load() {
				c.failed(nc.LastError())
			} else {
				c.tryDenied(nc, time.Now())
			}
		}
	}
}

// pause waits, unless the Conn is closed.
func (c *Conn) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// delay returns how long to wait when no server could be connected to.
func (c *Conn) delay(int) time.Duration { return c.times.wait + rand.N(c.times.spread) }

// NATS returns the connection for subscriptions and publishing; nil before it is connected for the
// first time. It stays the same when it is lost and made again, and so do its subscriptions.
//
// Its methods may wait for a second or more while it is lost: no goroutine calls them that
// handles packets, and others call Connected first.
func (c *Conn) NATS() *nats.Conn { return c.nc.Load() }

// Connected reports whether there is a connection, as far as is known.
func (c *Conn) Connected() bool { return c.connected.Load() }

// Changed returns a channel that is closed when the connection is made or lost the next time.
func (c *Conn) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Wait waits until there is a connection.
func (c *Conn) Wait(ctx context.Context) (*nats.Conn, error) {
	for {
		changed := c.Changed()
		if nc := c.nc.Load(); nc != nil && c.connected.Load() {
			return nc, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.ctx.Done():
			return nil, nats.ErrConnectionClosed
		}
	}
}

// State returns the state.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Close ends the connection. It returns when everything has ended, or with ctx.
func (c *Conn) Close(ctx context.Context) {
	c.cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
	}
}

// up notes that nc is connected.
func (c *Conn) up(nc *nats.Conn) {
	server := c.hide.Replace(nc.ConnectedUrl())
	c.nc.Store(nc)
	c.change(true, func(s *State) { s.Server, s.Error = server, "" })
	c.cfg.Metrics.SetUp(true)
	c.connectedLog.Log(func() logs.Line {
		return logs.Line{Log: c.cfg.Log, Level: slog.LevelInfo, Text: "connected to NATS", Fields: []any{"server", server}}
	})
}

// lost notes that the connection is lost.
func (c *Conn) lost(err error) {
	if !c.connected.Load() {
		return
	}
	why := c.textOf(err)
	c.change(false, func(s *State) { s.Error = why })
	c.cfg.Metrics.SetUp(false)
	if c.ctx.Err() != nil {
		return
	}
	server := c.State().Server
	c.lostLog.Log(func() logs.Line {
		return logs.Line{Log: c.cfg.Log, Level: slog.LevelWarn, Text: "the connection to NATS is lost, and is tried again: until then nothing is shared with the other gateways, and requests are served as without them; see whether the NATS server runs and can be reached",
			Fields: []any{"server", server, "error", why}}
	})
}

// change changes the state, and wakes those who wait for that.
func (c *Conn) change(connected bool, set func(*State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set(&c.state)
	c.state.Connected, c.state.Since = connected, time.Now()
	c.connected.Store(connected)
	close(c.changed)
	c.changed = make(chan struct{})
}

// textOf returns an error without passwords.
func (c *Conn) textOf(err error) string {
	if err == nil {
		err = nats.ErrConnectionClosed
	}
	return c.hide.Replace(strings.TrimPrefix(err.Error(), "nats: "))
}
