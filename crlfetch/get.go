package crlfetch

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"radsec-gw/metrics"
)

const (
	fetchTimeout = 30 * time.Second // from the look-up of the name to the last byte
	dialTimeout  = 10 * time.Second // for the connection alone
	maxBody      = 16 << 20         // about 450,000 revoked certificates; parsing takes several times that
	maxHeader    = 64 << 10         // bytes
	maxRedirects = 3
	maxValidator = 256 // bytes of an ETag; an http date has 29
)

// validators are what a server calls an answer, to be asked whether it is still the same (RFC
// 9110 §8.8).
type validators struct{ etag, modified string }

// answer is a good answer.
type answer struct {
	body      []byte
	tag       validators
	unchanged bool // the server has what the validators name
}

// get requests a URL once. tag has the validators of what is there already. point says that a
// certificate names the URL, not the operator.
func (f *Fetcher) get(ctx context.Context, url string, tag validators, point bool) (answer, *failure) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var remote atomic.Bool // somebody else than the operator chose the host
	remote.Store(point)
	transport := f.transport(&remote)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if next.URL.Hostname() != via[0].URL.Hostname() {
			remote.Store(true)
		}
		return checkRedirect(next, via)
	}}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, failf(metrics.FetchMalformed, "%v", err) // config has parsed it
	}
	q.Header.Set("User-Agent", "radsec-gw/"+f.cfg.Version)
	q.Header.Set("Accept", "application/pkix-crl, application/x-pem-file, */*;q=0.1")
	if tag.etag != "" {
		q.Header.Set("If-None-Match", tag.etag)
	}
	if tag.modified != "" {
		q.Header.Set("If-Modified-Since", tag.modified)
	}
	a, err := client.Do(q)
	if err != nil {
		return answer{}, classify(ctx, err)
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusNotModified && tag != (validators{}) {
		return answer{tag: tag, unchanged: true}, nil
	}
	return read(ctx, a)
}

// read reads the body of an answer.
func read(ctx context.Context, a *http.Response) (answer, *failure) {
	switch {
	case a.StatusCode >= 300 && a.StatusCode < 400 && a.StatusCode != http.StatusNotModified:
		return answer{}, failf(metrics.FetchRedirect, "the server redirects with status %s, without saying where", clip(a.Status))
	case a.StatusCode != http.StatusOK:
		return answer{}, failf(metrics.FetchStatus, "expected status 200, got %s", clip(a.Status))
	case a.ContentLength > maxBody:
		return answer{}, tooLarge()
	case a.Header.Get("Content-Encoding") != "" && a.Header.Get("Content-Encoding") != "identity":
		return answer{}, failf(metrics.FetchMalformed, "the answer is encoded as %q, which was not asked for", clip(a.Header.Get("Content-Encoding")))
	}
	body, err := io.ReadAll(io.LimitReader(a.Body, maxBody+1))
	switch {
	case err != nil:
		return answer{}, classify(ctx, err)
	case len(body) > maxBody:
		return answer{}, tooLarge()
	}
	return answer{body: body, tag: validators{validatorOf(a, "ETag"), validatorOf(a, "Last-Modified")}}, nil
}

func tooLarge() *failure {
	return failf(metrics.FetchTooLarge, "the answer is too large: expected at most %d bytes", maxBody)
}

// validatorOf returns a validator of an answer; "" if it cannot be kept in a line of a file.
func validatorOf(a *http.Response, name string) string {
	v := a.Header.Get(name)
	if len(v) > maxValidator || !isPrintable(v) {
		return ""
	}
	return v
}

// transport returns a transport for one fetch. It uses no proxy, whatever the environment
// says, keeps no connection and asks for no compression, so that a small answer cannot become
// a large one.
func (f *Fetcher) transport(remote *atomic.Bool) *http.Transport {
	dial := f.cfg.Dial
	if dial == nil {
		d := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
			if remote.Load() {
				return checkAddress(address)
			}
			return nil
		}}
		dial = d.DialContext
	}
	return &http.Transport{DialContext: dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader}
}

// checkRedirect refuses what a redirect must not lead to. Lists are signed, so https would add
// nothing but certificates to verify, which may need the list.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case next.URL.Scheme != "http":
		return failf(metrics.FetchRedirect, "the server redirects to %s, which is not http: expected http, because lists are signed", clip(next.URL.Redacted()))
	case len(via) > maxRedirects:
		return failf(metrics.FetchRedirect, "the server redirects more than %d times", maxRedirects)
	}
	next.Header.Del("Referer") // of the URL before
	return nil
}

// checkAddress refuses addresses that only this machine or its link has: who writes a
// certificate or a redirect must not reach what listens there and trusts the machine.
func checkAddress(address string) error {
	a, err := netip.ParseAddrPort(address)
	ip := a.Addr().Unmap()
	if err != nil || ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return failf(metrics.FetchLocalAddress, "it leads to %s, an address of this machine or its link", address)
	}
	return nil
}
