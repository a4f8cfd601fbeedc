package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// IsURL reports whether an entry of Listen.CRL is a URL, not a path.
func IsURL(entry string) bool { return strings.HasPrefix(entry, "http://") }

// CRLURLs returns the entries of CRL that are URLs.
func (l *Listen) CRLURLs() (urls []string) {
	for _, entry := range l.CRL {
		if IsURL(entry) {
			urls = append(urls, entry)
		}
	}
	return urls
}

// FetchedLists returns the URLs that the fronts' lists are fetched from, each once, and whether
// those that certificates name are fetched, too.
func (c *Config) FetchedLists() (urls []string, points bool) {
	for _, f := range c.Fronts() {
		for _, url := range f.Listen.CRLURLs() {
			if !slices.Contains(urls, url) {
				urls = append(urls, url)
			}
		}
		points = points || f.Listen.CRLDistributionPoints
	}
	return urls, points
}

// readFetching reads how the whole gateway fetches lists.
func readFetching(t *table, l *Listen) {
	if t.text("crl_directory", &l.CRLDirectory) && l.CRLDirectory != "" {
		l.CRLDirectory = t.r.resolve(joinKey(t.path, "crl_directory"), l.CRLDirectory)
	}
	if t.duration("crl_refresh", &l.CRLRefresh, "") && l.CRLRefresh < leastCRLRefresh {
		t.r.wrong(joinKey(t.path, "crl_refresh"), "expected at least 1m, got %q", t.values["crl_refresh"])
	}
}

// leastCRLRefresh is the least of Listen.CRLRefresh: CAs publish lists daily, few hourly.
const leastCRLRefresh = time.Minute

// readCRL reads where revocation lists are and what an old one means.
func readCRL(t *table, l *Listen) {
	override(t, "crl", &l.CRL)
	readLists(t, &l.CRL)
	t.choice("crl_stale", &l.CRLStale, CRLStaleAccept, CRLStaleRefuse)
	t.flag("crl_distribution_points", &l.CRLDistributionPoints)
	if l.ClientAuth != AuthNone {
		return
	}
	if len(l.CRL) > 0 && (t.has("crl") || t.has("client_auth")) {
		t.r.wrong(joinKey(t.path, "crl"), "client_auth is \"none\": expected no revocation lists, because no client shows a certificate")
	}
	if l.CRLDistributionPoints && (t.has("crl_distribution_points") || t.has("client_auth")) {
		t.r.wrong(joinKey(t.path, "crl_distribution_points"), "client_auth is \"none\": expected false, because no client shows a certificate")
	}
}

// readLists reads the array of files and URLs. One that has a mistake is "", so that the others
// keep their places.
func readLists(t *table, to *[]string) {
	list, _ := t.values["crl"].([]any)
	all := make([]string, len(list))
	seen := map[string]bool{}
	t.textsByIndex("crl", func(i int, at, name string) {
		if !strings.Contains(name, "://") {
			all[i], _ = t.readable(at, name, MaxCRL)
			return
		}
		switch err := checkListURL(name); {
		case err != nil:
			t.r.wrong(at, "%v", err)
		case seen[name]:
			t.r.wrong(at, "%q is listed twice: remove one", name)
		default:
			all[i], seen[name] = name, true
		}
	})
	if len(all) > 0 {
		*to = all
	}
}

// checkListURL checks the URL of a revocation list.
func checkListURL(text string) error {
	const maxURL = 2048
	u, err := url.Parse(text)
	switch {
	case strings.HasPrefix(text, "https://"):
		return fmt.Errorf("expected a URL that begins with http://, got %q: lists are signed, so http is enough, and the certificate of an https server might need the list", text)
	case !IsURL(text):
		return fmt.Errorf("expected a path or a URL that begins with http://, got %q", text)
	case len(text) > maxURL:
		return fmt.Errorf("expected a URL of at most %d bytes, got one of %d", maxURL, len(text))
	case err != nil || u.Hostname() == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("expected a URL such as \"http://crl.example.org/ca.crl\", got %q", text)
	case u.User != nil:
		return fmt.Errorf("expected a URL without a user name, got one with %q: lists are public", u.User.Username())
	case u.Fragment != "":
		return fmt.Errorf("expected a URL without a fragment, got %q", text)
	}
	return nil
}
