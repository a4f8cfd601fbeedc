package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

const (
	facilityLocal0 = 16
	severityInfo   = 6

	// dialAgain is how long the address of a name is used, and how long no connection
	// is tried after a failure.
	dialAgain = time.Minute
	// dialTimeout is how long a name server may take to answer.
	dialTimeout = 10 * time.Second
)

// syslog sends each line as a message of its own (RFC 5424 over UDP, RFC 5426).
// It has a queue of its own, whose goroutine also resolves the server's name: nothing
// else waits for a name server.
type syslog struct {
	// static after construction
	log        *slog.Logger
	dialing    context.Context // ends when close begins
	stop       context.CancelFunc
	sending    context.Context // ends with close; the connection is closed then
	disconnect context.CancelFunc
	prefix     []byte // priority and version
	suffix     []byte // from the host's name to the message

	out *logs.Output // nil until a server is configured; guarded by Hub.mu

	mu     locks.Mutex[locks.Syslog] // guards server
	server string                    // host:port; "": none

	// owned by the goroutine of out
	conn    net.Conn
	unhook  func() bool // stops conn from being closed with sending
	to      string      // the server that conn is for, or that could not be reached
	dialed  time.Time   // when that was
	failed  error       // why conn is nil
	stale   bool        // conn failed: this host may have another address now
	limiter logs.Limiter
	message []byte
}

func newSyslog(log *slog.Logger) *syslog {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-"
	}
	s := &syslog{log: log,
		prefix: fmt.Appendf(nil, "<%d>1 ", facilityLocal0*8+severityInfo),
		suffix: fmt.Appendf(nil, " %s radsec-gw %d - - ", host, os.Getpid()),
	}
	s.dialing, s.stop = context.WithCancel(context.Background())
	s.sending, s.disconnect = context.WithCancel(context.Background())
	return s
}

// configure changes the server. The first server starts the queue. Called with Hub.mu
// held.
func (s *syslog) configure(federation, server string, m *metrics.Metrics) {
	if federation == "" {
		server = ""
	}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	if server != "" && s.out == nil {
		s.out = logs.NewOutput(s)
		m.Logs("syslog", s.out)
	}
}

// close sends what is queued, within a second, and ends the queue. Without a connection
// to the server it does not wait for one.
func (s *syslog) close() {
	s.stop()
	s.out.Close()
	s.disconnect()
}

// errNoServer is returned by Write for lines still queued when the server was removed
// from the configuration, or when the process ends without a connection. Package logs
// counts them as lost.
var errNoServer = fmt.Errorf("no connection to a syslog server: %w", net.ErrClosed)

// Write implements io.Writer for whole lines. It is called by one goroutine.
func (s *syslog) Write(p []byte) (sent int, err error) {
	if err := s.connect(); err != nil {
		return 0, err
	}
	for line := range bytes.Lines(p) {
		b := append(s.message[:0], s.prefix...)
		b = time.Now().UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
		b = append(b, s.suffix...)
		b = append(b, bytes.TrimSuffix(line, []byte{'\n'})...)
		s.message = b
		if _, err := s.conn.Write(b); err != nil {
			s.stale = !errors.Is(err, syscall.ECONNREFUSED)
			s.report(err)
			return sent, err
		}
		sent += len(line)
	}
	return sent, nil
}

// connect connects to the server unless conn is its connection. A name is resolved again
// after dialAgain. After close has begun, connect does not wait for a name server.
func (s *syslog) connect() error {
	s.mu.Lock()
	server := s.server
	s.mu.Unlock()
	_, err := netip.ParseAddrPort(server)
	named, known, ending := err != nil, s.to == server, s.dialing.Err() != nil
	switch {
	case server == "":
		return errNoServer
	case known && ending && s.conn != nil:
		return nil
	case ending && (known || named):
		return errNoServer
	case known && !s.stale && (s.conn != nil && !named || time.Since(s.dialed) < dialAgain):
		return s.failed
	}
	return s.dial(server)
}

// dial connects to the server. When that fails it keeps an existing connection to it.
func (s *syslog) dial(server string) error {
	ctx, cancel := context.WithTimeout(s.sending, dialTimeout)
	defer cancel()
	defer context.AfterFunc(s.dialing, func() { // resolving a name may take long
		if _, err := netip.ParseAddrPort(server); err != nil {
			cancel()
		}
	})()
	conn, err := new(net.Dialer).DialContext(ctx, "udp", server)
	s.dialed, s.stale = time.Now(), false
	if err != nil {
		s.report(err)
		if s.to == server && s.conn != nil { // the known address may still be right
			return nil
		}
	}
	if s.conn != nil {
		s.unhook()
		s.conn.Close()
	}
	if err == nil {
		s.unhook = context.AfterFunc(s.sending, func() { conn.Close() })
	}
	s.to, s.conn, s.failed = server, conn, err
	return err
}

// report logs an error, at most once a minute.
func (s *syslog) report(err error) {
	if s.dialing.Err() != nil {
		return
	}
	s.mu.Lock()
	server := s.server
	s.mu.Unlock()
	s.limiter.Log(func() logs.Line {
		return logs.Line{Log: s.log, Level: slog.LevelWarn, Text: "F-Ticks cannot be sent to the syslog server; they are kept until the queue is full",
			Fields: []any{"fticks_syslog", server, "error", err}}
	})
}
