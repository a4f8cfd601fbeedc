package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"

	"radsec-gw/config/defaults"
)

// UDP says where RunUDP sends, instead of the fields of Config about the RadSec server.
type UDP struct {
	Name    string     // of the server, for the transcript; "" for none
	Address string     // host:port
	Source  netip.Addr // local address; the zero Addr: the system chooses
	// RequireMessageAuthenticator is whether a reply to an Access-Request must have one, as
	// the gateway demands by default (CVE-2024-3596).
	RequireMessageAuthenticator bool

	firstWait time.Duration // before the second transmission; 0: firstWait
}

// The gateway's default schedule of retransmissions (RFC 5080 §2.2.1), without the variation.
const (
	firstWait   = defaults.RetransmitInitial // IRT
	longestWait = defaults.RetransmitMax     // MRT
	maxSends    = defaults.RetransmitCount   // MRC
)

// UDPTimeout is how long RunUDP waits for the answer where Config.Timeout is 0 (MRD).
const UDPTimeout = defaults.RetransmitDuration

// RunUDP is like Run, but sends the request over UDP, as a gateway does, and sends it again
// while no reply arrives. Config.Secret is the secret shared with the server, and
// Config.Timeout bounds the whole; 0 is 30 s.
func RunUDP(ctx context.Context, cfg Config, to UDP, w io.Writer) (*Result, error) {
	r := &Result{}
	if cfg.Secret == "" {
		return r, &ConfigError{errors.New("-secret: expected the secret that is shared with the server")}
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = UDPTimeout
	}
	cfg = cfg.withDefaults()
	request, err := newRequest(&cfg)
	if err != nil {
		return r, &ConfigError{err}
	}
	request.Identifier = byte(rand.N(256))
	if r.Sent, err = Sign(request); err != nil {
		return r, &ConfigError{fmt.Errorf("the request cannot be encoded: %w", err)}
	}
	conn, err := to.dial(ctx)
	if err != nil {
		return r, err
	}
	defer conn.Close()
	t := &transcript{w: w, secret: []byte(cfg.Secret)}
	fmt.Fprintf(w, "sending over UDP to %s%s from %s\n", to.nameText(), conn.RemoteAddr(), conn.LocalAddr())
	if err := t.sent(r); err != nil {
		return r, err
	}
	ignored := &ignoredDatagrams{w: w, begun: time.Now()}
	if err := r.exchangeUDP(ctx, conn, cfg.Timeout, cmp.Or(to.firstWait, firstWait), ignored); err != nil {
		return r, fmt.Errorf("no reply to the %v: %w", request.Code, to.explain(ctx, err, conn, request.Code, ignored))
	}
	if err := r.verify(t.secret); err != nil {
		return r, err
	}
	r.requireMessageAuthenticator(to.RequireMessageAuthenticator)
	err = t.received(r)
	if !r.Verified() {
		err = fmt.Errorf("%w; the gateway drops such a reply", err)
	}
	return r, err
}

func (to *UDP) nameText() string {
	if to.Name == "" {
		return ""
	}
	return to.Name + ", "
}

// dial opens the socket. Its errors say what to check.
func (to *UDP) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: UDPTimeout}
	if to.Source.IsValid() {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(to.Source, 0))
	}
	conn, err := d.DialContext(ctx, "udp", to.Address)
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("sending from %s: %w: no interface of this machine has that address (source of the [[server]])", to.Source, err)
	case err != nil:
		return nil, fmt.Errorf("opening a socket to %s: %w", to.Address, err)
	}
	return conn, nil
}

// exchangeUDP sends the request, again and again while nothing arrives, and reads the first
// well-formed datagram that bears its Identifier.
func (r *Result) exchangeUDP(ctx context.Context, conn net.Conn, timeout, wait time.Duration, ignored *ignoredDatagrams) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	begun := time.Now()
	sends := 0
	buffer := make([]byte, radius.MaxPacketLength)
	for {
		if sends < maxSends {
			if _, err := conn.Write(r.Sent); err != nil {
				return err
			}
			if sends++; sends > 1 {
				fmt.Fprintf(ignored.w, "sent again after %v, transmission %d\n", time.Since(begun).Round(time.Second), sends)
			}
		}
		until := begun.Add(timeout)
		if next := time.Now().Add(wait); sends < maxSends && next.Before(until) {
			until = next
		}
		wait = min(2*wait, longestWait)
		if err := conn.SetReadDeadline(until); err != nil {
			return err
		}
		n, err := readReply(conn, buffer, r.Sent[1], ignored)
		switch {
		case err == nil:
			r.Received, r.Took = buffer[:n], time.Since(begun)
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) >= timeout:
			return err
		}
	}
}

// readReply reads datagrams until one bears the Identifier of the request: another is the
// late answer to an earlier probe from this port. It ignores those that are malformed, as the
// gateway does (RFC 2865 §3): a better one may follow.
func readReply(conn net.Conn, buffer []byte, identifier byte, ignored *ignoredDatagrams) (int, error) {
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return 0, err
		}
		if n > 1 && buffer[1] != identifier {
			continue
		}
		if _, err := radius.Parse(buffer[:n], nil); err != nil {
			ignored.add(n, err)
			continue
		}
		return n, nil
	}
}

// ignoredDatagrams are the malformed datagrams that arrived instead of a reply.
type ignoredDatagrams struct {
	w     io.Writer // of the transcript
	begun time.Time
	n     int
	last  string // describes the last one
}

// maxIgnoredLines bounds the lines of a transcript about such datagrams.
const maxIgnoredLines = 10

// String describes the last one, and says how many came before it.
func (i *ignoredDatagrams) String() string {
	if i.n == 1 {
		return i.last
	}
	return fmt.Sprintf("%s, and %d more before it", i.last, i.n-1)
}

// add writes a line about one.
func (i *ignoredDatagrams) add(octets int, err error) {
	i.n++
	i.last = fmt.Sprintf("a datagram of %d octets, which is malformed (%v)", octets, err)
	switch {
	case i.n <= maxIgnoredLines:
		fmt.Fprintf(i.w, "ignored %s, after %v\n", i.last, time.Since(i.begun).Round(10*time.Microsecond))
	case i.n == maxIgnoredLines+1:
		fmt.Fprintln(i.w, "ignored more of them")
	}
}

// explain says what the end without a reply means, and what to check.
func (to *UDP) explain(ctx context.Context, err error, conn net.Conn, code radius.Code, ignored *ignoredDatagrams) error {
	local, _, _ := net.SplitHostPort(conn.LocalAddr().String())
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on UDP port %s: is the RADIUS server running there, and is this its port?", conn.RemoteAddr())
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Errorf("%s cannot be reached from %s: %w", conn.RemoteAddr(), local, err)
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return fmt.Errorf("a packet filter of this machine forbids it: %w", err)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case ignored.n > 0:
		return fmt.Errorf("got nothing but %v, which the gateway would ignore, too: is %s a RADIUS server?", ignored, conn.RemoteAddr())
	}
	hint := ""
	if code == radius.CodeStatusServer {
		hint = "; or it does not answer Status-Server (FreeRADIUS: status_server = yes): try access"
	}
	if code == radius.CodeCoARequest || code == radius.CodeDisconnectRequest {
		hint = "; or, if it is a gateway, the NAS has not answered"
	}
	return fmt.Errorf("silence. The likeliest cause is that the server does not know %s, from which this was sent, as a client, or drops requests whose secret differs: its log says so; or packets do not get through, or its database hangs%s", local, hint)
}

// requireMessageAuthenticator makes an absent Message-Authenticator a failed check where
// the gateway demands one.
func (r *Result) requireMessageAuthenticator(required bool) {
	if !required || !answersAccess(r.Reply.Code) || radius.Code(r.Sent[0]) != radius.CodeAccessRequest || r.Reply.Get(rfc2869.MessageAuthenticator_Type) != nil {
		return
	}
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Field == "Message-Authenticator" {
			c.OK, c.Detail = false, "absent, but required (CVE-2024-3596): update the server or have it sign, or set require_message_authenticator = false for it"
		}
	}
}
