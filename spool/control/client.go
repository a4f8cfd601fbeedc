package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/metrics"
	"radsec-gw/spool"
)

// Client asks about the records of a spool. It must be closed.
type Client struct {
	http    http.Client
	close   func()
	running bool
}

// Open returns a Client for the spool in a directory: of the gateway that has it open, or of its
// own.
func Open(ctx context.Context, directory string) (*Client, error) {
	if c, err := connect(ctx, directory); err == nil || errors.Is(err, fs.ErrPermission) {
		return c, err
	}
	return openOwn(ctx, directory)
}

// OpenShared returns a Client for records that are not in the directory, but in a store that
// several gateways share: only a gateway that runs can read them.
func OpenShared(ctx context.Context, directory string) (*Client, error) {
	c, err := connect(ctx, directory)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("no gateway answers: with store = \"jetstream\" one must run, and its log says whether its spool is open: %w", err)
	}
	return c, err
}

// connect returns a Client of the gateway that has the spool in a directory open.
func connect(ctx context.Context, directory string) (*Client, error) {
	path := filepath.Join(directory, SocketName)
	dial := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", path) }
	c, err := dial(ctx)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%s: %w; run this as root or as the gateway's user", path, err)
	}
	if err != nil {
		return nil, err
	}
	c.Close()
	client := newClient(dial, func() {})
	client.running = true
	return client, nil
}

func newClient(dial func(context.Context) (net.Conn, error), close func()) *Client {
	return &Client{close: close, http: http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}
}

// openOwn opens the database of a spool that no gateway has open.
func openOwn(ctx context.Context, directory string) (*Client, error) {
	if !spool.Exists(directory) { // made by root, it would be one that the gateway cannot open
		return nil, fmt.Errorf("%s: there is no spool; is this the directory of [spool] in the configuration? The gateway makes it when it starts; with store = \"jetstream\" a gateway must run that has its records there", directory)
	}
	unlimited := spool.Limits{MaxOctets: math.MaxInt64, MaxRecords: math.MaxInt, MaxAge: math.MaxInt64, Rate: 1, Window: 1, Attempts: 1}
	s := spool.New(spool.Config{Directory: directory, Limits: unlimited, Metrics: metrics.New(prometheus.NewRegistry()).Spool(), Log: slog.New(slog.DiscardHandler)})
	s.Start(ctx)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := func() {
		cancel()
		s.Close(ctx)
	}
	if err := s.State().Err; err != nil {
		stop()
		return nil, err
	}
	l := pipes{conns: make(chan net.Conn), done: ctx.Done()}
	go http.Serve(l, handler(s))
	return newClient(l.dial, func() {
		closing, done := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer done()
		cancel()
		s.Close(closing)
	}), nil
}

// pipes is a listener in memory.
type pipes struct {
	conns chan net.Conn
	done  <-chan struct{}
}

func (p pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (pipes) Close() error { return nil }

// Addr implements net.Listener.
func (pipes) Addr() net.Addr { return &net.UnixAddr{Net: "pipe"} }

// Running reports whether a gateway has the spool open.
func (c *Client) Running() bool { return c.running }

// Close ends the use of the spool.
func (c *Client) Close() { c.close() }

// do sends a request and returns the body of its answer.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://spool"+path+"?"+query.Encode(), body)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
		answer.Body.Close()
		return nil, errors.New(strings.TrimSpace(string(text)))
	}
	return answer.Body, nil
}

// Each calls f with what people see of each record, the oldest first, until f reports false.
func (c *Client) Each(ctx context.Context, f func(Line) bool) error {
	body, err := c.do(ctx, http.MethodGet, "/records", nil, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	in := json.NewDecoder(body)
	for {
		var l Line
		if err := in.Decode(&l); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if !f(l) {
			return nil
		}
	}
}

// Export writes the records with these numbers, all if there are none, in the detail format.
func (c *Client) Export(ctx context.Context, out io.Writer, numbers []uint64) error {
	query := url.Values{}
	if len(numbers) > 0 {
		query.Set("numbers", joined(numbers))
	}
	body, err := c.do(ctx, http.MethodGet, "/export", query, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(out, body)
	return err
}

// joined returns numbers with commas between them.
func joined(numbers []uint64) string {
	var b []byte
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, n, 10)
	}
	return string(b)
}

// Retry ends all waits, and brings back what was set aside.
func (c *Client) Retry(ctx context.Context) (r Retried, err error) {
	return r, c.post(ctx, "/retry", nil, nil, &r)
}

// Drop removes the records with these numbers; all if all is set.
func (c *Client) Drop(ctx context.Context, numbers []uint64, all bool) (d Dropped, err error) {
	query := url.Values{}
	if all {
		query.Set("all", "1")
	}
	return d, c.post(ctx, "/drop", query, strings.NewReader(joined(numbers)), &d)
}

// Import stores the records of a file in the detail format. Those without the name of a client
// are of the client that is given.
func (c *Client) Import(ctx context.Context, in io.Reader, client string) (i spool.Imported, err error) {
	query := url.Values{}
	if client != "" {
		query.Set("client", client)
	}
	return i, c.post(ctx, "/import", query, in, &i)
}

// post sends a request whose answer is a value.
func (c *Client) post(ctx context.Context, path string, query url.Values, in io.Reader, out any) error {
	body, err := c.do(ctx, http.MethodPost, path, query, in)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(body).Decode(out)
}
