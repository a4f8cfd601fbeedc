// Package crlfetch fetches revocation lists by HTTP in the background, and keeps the last
// good ones, also on disk.
//
// Nobody waits for a fetch. A [Fetcher] has a goroutine for each URL, which fetches at once,
// then before the list is out of date and at least at an interval, and after a failure again
// soon, with growing pauses. [Fetcher.Lists] returns what is there now, and
// [Fetcher.Changed] tells when that has changed.
//
// HTTP without TLS is enough, because lists are signed (RFC 5280 §8): whoever is on the way
// can withhold a newer list, and nothing else. So an answer is taken only if it is complete,
// a configured CA has signed it, it is not from the future, and not older than the list in
// use. Any other answer, and none, leaves the last good list in use.
//
// URLs are those of the configuration and, if that allows it, those of the distribution
// points (RFC 5280 §4.2.1.13) of certificates: of configured CAs, and of clients whose
// certificates have verified, which [Fetcher.Offer] hands over.
//
//	fetcher.go   Fetcher: which URLs are fetched, and what was
//	source.go    one URL: its goroutine and its state
//	schedule.go  when it is fetched next
//	get.go       one HTTP request, bounded in time, size and redirects
//	failure.go   why it failed, and what to do
//	accept.go    whether what came is taken
//	points.go    distribution points
//	store.go     the lists on disk
//	file.go      the form of a file there
//
// The order of a change of the configuration is Prepare, which adds what is new, then the
// change itself with the Lists of then, then Commit, which removes what is gone; or, if the
// change fails, Commit with the settings of before.
package crlfetch
