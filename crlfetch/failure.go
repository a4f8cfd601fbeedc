package crlfetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"

	"radsec-gw/metrics"
)

// failure is why an attempt failed.
type failure struct {
	result metrics.Fetch
	text   string
}

func (f *failure) Error() string { return f.text }

func failf(r metrics.Fetch, format string, args ...any) *failure {
	return &failure{r, fmt.Sprintf(format, args...)}
}

// advice returns what to do about the failure.
func (f *failure) advice() string {
	switch f.result {
	case metrics.FetchUnreachable:
		return "check the name and the port of the URL, and that packet filters let this machine connect to it"
	case metrics.FetchTimeout:
		return "check the way to the server, and that it is not overloaded"
	case metrics.FetchInterrupted:
		return "see the log of the server, or of a proxy before it"
	case metrics.FetchStatus:
		return "check the path of the URL, and that the server allows this machine to read it"
	case metrics.FetchRedirect:
		return "configure a URL that answers by http without leading elsewhere"
	case metrics.FetchLocalAddress:
		return "if that is meant, configure the URL itself in [listen].crl"
	case metrics.FetchTooLarge:
		return "have the CA remove expired certificates from the list or divide it, or copy it to a file of [listen].crl, which may be larger"
	case metrics.FetchMalformed:
		return "check with a browser or curl what the URL returns: expected a revocation list in DER or PEM"
	case metrics.FetchForeign:
		return "check that the URL is that of a configured CA's list"
	case metrics.FetchFuture:
		return "compare the clocks of this machine and of the CA"
	case metrics.FetchOlder:
		return "have the server deliver the newest list: a cache on the way, or one of several servers, has an old one"
	case metrics.FetchStale:
		return "have the CA publish a newer list at this URL"
	}
	return ""
}

// classify returns the failure that an error of the HTTP client is, of a request with the
// context ctx.
func classify(ctx context.Context, err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return failf(metrics.FetchTimeout, "the whole answer did not arrive within %v", fetchTimeout)
	}
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err // without the URL
	}
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return failf(metrics.FetchUnreachable, "%v", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return failf(metrics.FetchInterrupted, "the connection ended before the whole answer had arrived: %v", err)
	case op != nil:
		return failf(metrics.FetchInterrupted, "the connection failed before the whole answer had arrived: %v", err)
	}
	return failf(metrics.FetchMalformed, "the server's answer cannot be read: %v", err)
}
