package crlfetch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/files"
	"radsec-gw/identity"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// Config is what a Fetcher needs.
type Config struct {
	Reader  *files.Reader // accesses the files
	Log     *slog.Logger
	Metrics *metrics.CRLFetches
	Version string // of the program, for the servers' logs
	// Dial connects to a server. nil: by TCP, but not to this machine itself or its link
	// where a certificate or a redirect leads there.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Settings says what is fetched. It is immutable.
type Settings struct {
	Sets      []Set
	Refresh   time.Duration // lists are fetched at least this often
	Directory string        // where they are kept; "": in memory only
}

// Set is the lists that one listener uses.
type Set struct {
	URLs    []string            // of the configuration
	Issuers []*x509.Certificate // that may have signed them
	Points  bool                // the distribution points of certificates are fetched, too
}

// maxFetches bounds the fetches at the same time: each may hold a list in memory.
const maxFetches = 4

// Descriptors is how many descriptors a Fetcher uses at most, look-ups of names and a file
// included.
const Descriptors = 3*maxFetches + 1

// Fetcher fetches revocation lists and keeps the last good ones.
type Fetcher struct {
	// static after construction
	cfg     Config
	slots   chan struct{} // holds a value for each fetch in progress
	parsing chan struct{} // holds a value while a list is parsed, which takes several times its size
	changed chan struct{} // of capacity 1
	offered chan string   // distribution points of clients' certificates
	refused logs.Limiter  // of log lines about offered URLs that were not taken
	disk    logs.Limiter  // of log lines about the files
	running sync.WaitGroup

	known atomic.Pointer[map[string]bool] // the URLs that are fetched; replaced as a whole

	mu       locks.Mutex[locks.CRLFetcher] // guards what follows, and the states of the sources
	ctx      context.Context               // of Run; nil: it has not begun
	ended    bool                          // Run waits for the goroutines
	loaded   string                        // the directory whose files have been read; "": none, or some could not be
	settings *Settings                     // nil: before the first Prepare
	sources  map[string]*source            // by URL
}

// New returns a Fetcher without settings.
func New(cfg Config) *Fetcher {
	f := &Fetcher{cfg: cfg, slots: make(chan struct{}, maxFetches), parsing: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		offered: make(chan string, maxPoints), sources: map[string]*source{}}
	f.known.Store(&map[string]bool{})
	return f
}

// Prepare adds what s has and the Fetcher does not, with the lists on disk, for which it
// waits some seconds at most; ctx ends that. Nothing of before is removed. Commit must
// follow. Only one goroutine at a time may call Prepare and Commit.
func (f *Fetcher) Prepare(ctx context.Context, s *Settings) {
	stored, loaded := f.load(ctx, s)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = loaded
	first := f.settings == nil
	f.settings = merged(f.settings, s)
	for _, url := range s.urls() {
		if f.sources[url] == nil {
			f.add(newSource(f, url, false, first))
		}
		f.sources[url].point = false
	}
	for _, url := range s.points() {
		if f.sources[url] == nil && f.countPoints() < maxPoints {
			f.add(newSource(f, url, true, false))
		}
	}
	for _, kept := range stored {
		src := f.sources[kept.url]
		if src == nil && kept.point && s.usesPoints() && f.countPoints() < maxPoints {
			src = newSource(f, kept.url, true, false)
			f.add(src)
		}
		if src != nil && src.lists == nil {
			f.restore(src, kept)
		}
	}
	f.publish()
}

// Commit removes what s does not have, and begins to fetch what is new. If the CAs, the
// interval or the directory have changed everything is fetched, and written, again.
func (f *Fetcher) Commit(s *Settings) {
	f.mu.Lock()
	defer f.mu.Unlock()
	urls := s.urls()
	again := !slices.EqualFunc(f.settings.issuers(), s.issuers(), (*x509.Certificate).Equal)
	again = again || f.settings.Refresh != s.Refresh
	moved := f.settings.Directory != s.Directory
	f.settings = s
	for url, src := range f.sources {
		if slices.Contains(urls, url) || src.point && s.usesPoints() {
			src.unsaved = src.unsaved || moved && src.lists != nil
			if again || moved {
				src.request()
			}
			continue
		}
		src.stop()
		delete(f.sources, url)
		f.cfg.Metrics.Remove(url)
	}
	f.publish()
	f.start()
}

// Run fetches until ctx is done, and returns when every goroutine of the Fetcher has ended.
// It must be called once only.
func (f *Fetcher) Run(ctx context.Context) {
	f.mu.Lock()
	f.ctx = ctx
	f.start()
	f.mu.Unlock()
	f.takeOffers(ctx)
	f.mu.Lock()
	f.ended = true // no goroutine is started from now on
	f.mu.Unlock()
	f.running.Wait()
}

// start starts the sources that do not run, and removes files that nobody needs. Called with
// mu held.
func (f *Fetcher) start() {
	if f.ctx == nil || f.ended || f.settings == nil {
		return
	}
	for _, src := range f.sources {
		src.start(f.ctx)
	}
	if dir := f.settings.Directory; dir != "" {
		ctx, loaded := f.ctx, f.loaded == dir
		f.running.Go(func() { f.tidy(ctx, dir, loaded) })
	}
}

// add adds a source. Called with mu held.
func (f *Fetcher) add(s *source) {
	f.sources[s.url] = s
	f.cfg.Metrics.Add(s.url, time.Time{})
}

// publish replaces known. Called with mu held.
func (f *Fetcher) publish() {
	known := map[string]bool{}
	for url := range f.sources {
		known[url] = true
	}
	f.known.Store(&known)
}

// notify tells the receiver of Changed that there is something new.
func (f *Fetcher) notify() {
	select {
	case f.changed <- struct{}{}:
	default: // it has not received the last
	}
}

// Changed returns a channel that receives a value when the result of Lists has changed.
func (f *Fetcher) Changed() <-chan struct{} { return f.changed }

// Refresh requests that everything is fetched now. It does not wait.
func (f *Fetcher) Refresh() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, src := range f.sources {
		src.request()
	}
}

// Lists returns the last good lists of a set that an issuer of the set has signed, in a
// fixed order. awaited reports whether a URL of the set has not delivered any: from the
// beginning for a URL that the first settings had, once a fetch has failed for others.
func (f *Fetcher) Lists(s *Set) (lists []*x509.RevocationList, awaited bool) {
	for _, from := range f.inUse(s) {
		usable := 0
		for _, l := range from.lists {
			if _, err := identity.SignerOf(l, s.Issuers); err == nil {
				lists = append(lists, l)
				usable++
			}
		}
		awaited = awaited || from.awaited || usable == 0 && len(from.lists) > 0 && !from.point
	}
	slices.SortFunc(lists, func(a, b *x509.RevocationList) int {
		return cmp.Or(a.ThisUpdate.Compare(b.ThisUpdate), bytes.Compare(a.Raw, b.Raw))
	})
	return slices.CompactFunc(lists, func(a, b *x509.RevocationList) bool { return bytes.Equal(a.Raw, b.Raw) }), awaited
}

// delivered is what a URL has delivered.
type delivered struct {
	lists          map[listKey]*x509.RevocationList
	point, awaited bool
}

// inUse returns what the URLs of a set have delivered.
func (f *Fetcher) inUse(s *Set) (all []delivered) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for url, src := range f.sources {
		if configured := slices.Contains(s.URLs, url); configured || s.Points && src.point {
			all = append(all, delivered{src.lists, !configured, configured && src.awaited})
		}
	}
	return all
}

// Sources returns the state of each URL, sorted: what fails first.
func (f *Fetcher) Sources() []State {
	f.mu.Lock()
	list := make([]State, 0, len(f.sources))
	for _, src := range f.sources {
		list = append(list, src.view())
	}
	f.mu.Unlock()
	slices.SortFunc(list, func(a, b State) int {
		if failed := a.Err != ""; failed != (b.Err != "") {
			if failed {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.URL, b.URL)
	})
	return list
}

// merged returns settings that accept what either of two does: while the configuration
// changes both are in use.
func merged(a, b *Settings) *Settings {
	if a == nil {
		return b
	}
	return &Settings{Sets: slices.Concat(a.Sets, b.Sets), Refresh: a.Refresh, Directory: a.Directory}
}

// urls returns the URLs of the configuration, each once.
func (s *Settings) urls() (list []string) {
	for i := range s.Sets {
		list = append(list, s.Sets[i].URLs...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// issuers returns the issuers of all sets.
func (s *Settings) issuers() (list []*x509.Certificate) {
	for i := range s.Sets {
		list = append(list, s.Sets[i].Issuers...)
	}
	return list
}

// usesPoints reports whether a set has distribution points.
func (s *Settings) usesPoints() bool {
	return slices.ContainsFunc(s.Sets, func(set Set) bool { return set.Points })
}
