package crlfetch

import (
	"bytes"
	"context"
	"crypto/x509"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"radsec-gw/logs"
)

const (
	maxPoints    = 64 // URLs that certificates name
	maxURL       = 2048
	pointsBurst  = 8           // new ones that are taken at once
	pointsPacing = time.Second // for each further one
)

// Offer hands over the URLs of distribution points in a certificate that has verified. It
// never waits. What is fetched already, or is not http, is ignored.
func (f *Fetcher) Offer(urls []string) {
	known := *f.known.Load()
	for _, u := range urls {
		if known[u] || !usablePoint(u) {
			continue
		}
		select {
		case f.offered <- u:
		default: // a later handshake offers it again
			f.cfg.Metrics.CountPointRefused()
		}
	}
}

// usablePoint reports whether a URL in a certificate can be fetched.
func usablePoint(text string) bool {
	if len(text) > maxURL || !strings.HasPrefix(text, "http://") || !isPrintable(text) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}

// takeOffers takes what was offered until ctx is done: a few at once, then one a second.
func (f *Fetcher) takeOffers(ctx context.Context) {
	tokens, last := pointsBurst, time.Now()
	for {
		var u string
		select {
		case u = <-f.offered:
		case <-ctx.Done():
			return
		}
		if n := int(time.Since(last) / pointsPacing); n > 0 {
			tokens, last = min(tokens+n, pointsBurst), last.Add(time.Duration(n)*pointsPacing)
		}
		if tokens == 0 {
			select {
			case <-time.After(pointsPacing - time.Since(last)):
				tokens, last = 1, time.Now()
			case <-ctx.Done():
				return
			}
		}
		if f.takePoint(ctx, u) {
			tokens--
		}
	}
}

// takePoint begins to fetch a URL, and reports whether it is a new one.
func (f *Fetcher) takePoint(ctx context.Context, u string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sources[u] != nil || f.settings == nil || !f.settings.usesPoints() || ctx.Err() != nil {
		return false
	}
	if f.countPoints() >= maxPoints {
		f.cfg.Metrics.CountPointRefused()
		f.refused.Log(func() logs.Line {
			return logs.Line{Log: f.cfg.Log, Level: slog.LevelWarn, Text: "a certificate names another URL of a revocation list, which is not fetched: there are too many",
				Fields: []any{"url", u, "most", maxPoints, "advice", "put the URLs that count into [listen].crl"}}
		})
		return false
	}
	f.cfg.Log.Info("a certificate names a URL of a revocation list, which is fetched from now on", "url", u)
	src := newSource(f, u, true, false)
	f.add(src)
	f.publish()
	src.start(ctx)
	return true
}

// countPoints returns how many URLs of certificates there are. Called with mu held.
func (f *Fetcher) countPoints() (n int) {
	for _, src := range f.sources {
		if src.point {
			n++
		}
	}
	return n
}

// points returns the URLs that configured certificates name: those that another configured
// certificate has issued, because that one must have signed the list.
func (s *Settings) points() (list []string) {
	for i := range s.Sets {
		set := &s.Sets[i]
		if !set.Points {
			continue
		}
		for _, c := range set.Issuers {
			issued := func(by *x509.Certificate) bool {
				return bytes.Equal(by.RawSubject, c.RawIssuer) && !bytes.Equal(by.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) && c.CheckSignatureFrom(by) == nil
			}
			if slices.ContainsFunc(c.CRLDistributionPoints, usablePoint) && slices.ContainsFunc(set.Issuers, issued) {
				list = append(list, slices.DeleteFunc(slices.Clone(c.CRLDistributionPoints), func(u string) bool { return !usablePoint(u) })...)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// isPrintable reports whether a text has only the printable characters of ASCII.
func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// clip returns what a server sent as it may be logged.
func clip(s string) string { return logs.Clip(s) }
