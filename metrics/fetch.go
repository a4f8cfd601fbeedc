package metrics

// Fetch is the result of one attempt to fetch revocation lists. Every attempt gets exactly
// one; the list is closed.
type Fetch uint8

// The results of fetches.
const (
	FetchOK           Fetch = iota // a newer list was received, and is in use
	FetchUnchanged                 // the server has the list that is in use already
	FetchStale                     // the server's list is not older than the one in use, and already out of date; it is in use
	FetchUnreachable               // no connection: the name has no address, or nothing answers there
	FetchTimeout                   // the whole answer did not arrive in time
	FetchInterrupted               // the connection ended before the whole answer had arrived
	FetchStatus                    // the server answered with another status than 200 or, if asked so, 304
	FetchRedirect                  // the server redirects too often, or to something else than http
	FetchLocalAddress              // a redirect, or the URL in a certificate, leads to an address of this machine or its link
	FetchTooLarge                  // the answer is larger than a list may be
	FetchMalformed                 // the answer is not HTTP, or not a complete revocation list
	FetchForeign                   // none of the configured CAs has signed the list
	FetchFuture                    // the list was made in the future
	FetchOlder                     // the list is older than the one in use

	NumFetches // how many there are
)

var fetchNames = [NumFetches]string{
	FetchOK:           "ok",
	FetchUnchanged:    "unchanged",
	FetchStale:        "stale",
	FetchUnreachable:  "unreachable",
	FetchTimeout:      "timeout",
	FetchInterrupted:  "interrupted",
	FetchStatus:       "status",
	FetchRedirect:     "redirect",
	FetchLocalAddress: "local_address",
	FetchTooLarge:     "too_large",
	FetchMalformed:    "malformed",
	FetchForeign:      "foreign",
	FetchFuture:       "future",
	FetchOlder:        "older",
}

// String returns the result's label value.
func (f Fetch) String() string { return nameOf(fetchNames[:], uint8(f)) }

// Failed reports whether a fetch with this result is tried again soon.
func (f Fetch) Failed() bool { return f != FetchOK && f != FetchUnchanged }
