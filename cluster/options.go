package cluster

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/certs"
	"radsec-gw/logs"
)

// The most bytes that are read of a file.
const (
	maxCredentials  = 64 << 10
	maxCertificates = 16 << 20
	maxKey          = 64 << 10
)

// options returns how to connect. ended is called when the connection is closed for good.
func (c *Conn) options(ended func()) *nats.Options {
	o := nats.GetDefaultOptions()
	o.Servers, o.Name, o.Timeout = c.cfg.URLs, c.cfg.Name, c.times.dial
	o.PingInterval, o.MaxPingsOut, o.FlusherTimeout = c.times.ping, c.times.pings, c.times.write
	o.MaxReconnect, o.CustomReconnectDelayCB = -1, c.delay
	o.ReconnectBufSize = -1 // publishing fails while there is no connection
	o.IgnoreAuthErrorAbort = true
	o.IgnoreDiscoveredServers = true // a user's password goes to the configured servers only
	o.SkipHostLookup = true          // dial looks up, within its time
	o.CustomDialer = dialer{c}
	if c.cfg.Prefix != "" {
		o.InboxPrefix = c.cfg.Prefix + ".inbox"
	}
	o.NoCallbacksAfterClientClose = true
	o.ConnectedCB = c.up
	o.ReconnectedCB = func(nc *nats.Conn) {
		c.cfg.Metrics.Reconnected()
		c.up(nc)
	}
	o.DisconnectedErrCB = func(_ *nats.Conn, err error) { c.lost(err) }
	o.ReconnectErrCB = func(_ *nats.Conn, err error) { c.failed(err) }
	o.AsyncErrorCB = c.handleError
	o.ClosedCB = func(*nats.Conn) { ended() }
	if c.cfg.CredentialsFile != "" {
		o.UserJWT = func() (string, error) {
			from, err := c.credentials()
			if err != nil {
				return "", err
			}
			return from.UserJWT()
		}
		o.SignatureCB = func(nonce []byte) ([]byte, error) {
			from, err := c.credentials()
			if err != nil {
				return nil, err
			}
			return from.SignatureCB(nonce)
		}
	}
	c.addTLS(&o)
	return &o
}

// addTLS makes the connection encrypted if a file for that is configured. Otherwise the URL
// decides, or the server.
func (c *Conn) addTLS(o *nats.Options) {
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	o.Secure = c.cfg.CA != "" || c.cfg.Certificate != "" || slices.ContainsFunc(c.cfg.URLs, func(s string) bool { return strings.HasPrefix(s, "tls://") })
	if c.cfg.CA != "" {
		o.RootCAsCB = func() (*x509.CertPool, error) {
			list, err := parseFile(c, c.cfg.CA, maxCertificates, certs.ParseCA)
			if err != nil {
				return nil, err
			}
			return list.Pool(), nil
		}
	}
	if c.cfg.Certificate != "" {
		o.TLSCertCB = func() (pair tls.Certificate, err error) {
			chain, err := parseFile(c, c.cfg.Certificate, maxCertificates, certs.ParseCertificates)
			if err != nil {
				return pair, err
			}
			var key crypto.Signer
			if key, err = parseFile(c, c.cfg.PrivateKey, maxKey, certs.ParseKey); err != nil {
				return pair, err
			}
			return certs.Join(c.cfg.Certificate, chain, c.cfg.PrivateKey, key)
		}
	}
}

// parseFile reads a file, which may have changed since it was read last.
func parseFile[T any](c *Conn, path string, limit int64, parse func(file string, data []byte) (T, error)) (out T, err error) {
	from := c.files.Snapshot(c.ctx)
	b, err := from.Read(path, limit)
	if err != nil {
		return out, fmt.Errorf("cannot read %s: %w", path, err)
	}
	err = from.Parse(path, func() (err error) {
		out, err = parse(path, b)
		return err
	})
	return out, err
}

// credentials reads the file with the credentials.
func (c *Conn) credentials() (*nats.Options, error) {
	return parseFile(c, c.cfg.CredentialsFile, maxCredentials, func(path string, b []byte) (*nats.Options, error) {
		o, err := parseCredentials(b)
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return o, err
	})
}

// parseCredentials returns options with the JWT and the key of credentials. An error does not show
// them.
func parseCredentials(b []byte) (*nats.Options, error) {
	var o nats.Options
	if err := nats.UserCredentialBytes(b)(&o); err != nil {
		return nil, errCredentials
	}
	if jwt, err := o.UserJWT(); err != nil || strings.Count(jwt, ".") != 2 {
		return nil, errCredentials
	}
	if sig, err := o.SignatureCB([]byte("check")); err != nil || len(sig) == 0 {
		return nil, errCredentials
	}
	return &o, nil
}

var errCredentials = errors.New("expected NATS credentials, a user's JWT and the seed of its key between lines such as -----BEGIN NATS USER JWT-----")

// CheckCredentials returns what is wrong with the content of a file with credentials. It has the
// form of a parser of package files.
func CheckCredentials(_ string, b []byte) (struct{}, error) {
	_, err := parseCredentials(b)
	return struct{}{}, err
}

// dialer connects until its Conn is closed.
type dialer struct{ of *Conn }

// Dial implements nats.CustomDialer.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	tcp := net.Dialer{Timeout: d.of.times.dial, KeepAlive: 15 * time.Second}
	return tcp.DialContext(d.of.ctx, network, address)
}

// refusals are the errors by which a server refuses the user, rather than everybody.
var refusals = []error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired}

// failed notes why connecting has failed. A nil err is nothing new.
func (c *Conn) failed(err error) {
	if err == nil || c.ctx.Err() != nil || c.connected.Load() {
		return
	}
	why := c.textOf(err)
	c.mu.Lock()
	same := c.state.Error == why
	c.state.Error = why
	c.mu.Unlock()
	if slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }) || errors.Is(err, errCredentials) {
		c.refusedLog.Log(func() logs.Line { return c.refused(why) })
		return
	}
	if same {
		return // it is logged once, until something else happens
	}
	c.lostLog.Log(func() logs.Line {
		return logs.Line{Log: c.cfg.Log, Level: slog.LevelWarn, Text: "cannot connect to NATS, and tries again: nothing is shared with the other gateways, and requests are served as without them; see whether the NATS servers of [cluster] run and can be reached",
			Fields: []any{"error", why}}
	})
}

// refused is the log line of a user that the servers refuse.
func (c *Conn) refused(why string) logs.Line {
	advice, fields := "see the user in the URLs of nats in [cluster], or give credentials_file", []any{"error", why}
	switch {
	case c.cfg.CredentialsFile != "":
		advice, fields = "see credentials_file of [cluster]", []any{"credentials_file", c.cfg.CredentialsFile, "error", why}
	case c.cfg.Certificate != "":
		advice, fields = "see whether a name of the certificate of [cluster] is a user of the NATS servers, where they have verify_and_map; otherwise see the user in the URLs of nats, or give credentials_file", []any{"certificate", c.cfg.Certificate, "error", why}
	}
	return logs.Line{Log: c.cfg.Log, Level: slog.LevelError, Text: "NATS refuses this gateway, and nothing is shared with the others: " + advice, Fields: fields}
}

// handleError handles an error that belongs to no call.
func (c *Conn) handleError(_ *nats.Conn, sub *nats.Subscription, err error) {
	switch {
	case c.ctx.Err() != nil:
	case !c.connected.Load():
		c.failed(err)
	case errors.Is(err, nats.ErrSlowConsumer): // Sharing and CoA count what was dropped
	case slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }):
		c.refusedLog.Log(func() logs.Line { return c.refused(c.textOf(err)) })
	case errors.Is(err, nats.ErrPermissionViolation):
		c.denied(err)
	default:
		subject := ""
		if sub != nil {
			subject = sub.Subject
		}
		c.errorLog.Log(func() logs.Line {
			return logs.Line{Log: c.cfg.Log, Level: slog.LevelError, Text: "NATS reports an error: see the log of the NATS servers", Fields: []any{"subject", subject, "error", c.textOf(err)}}
		})
	}
}
