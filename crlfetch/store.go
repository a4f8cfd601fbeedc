package crlfetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"radsec-gw/logs"
)

const (
	maxStored  = 4 * maxBody         // bytes of a file, in PEM; larger ones are not written
	maxEntries = 10000               // in the directory
	tempAge    = time.Hour           // after which a half-written file is nobody's
	pointAge   = 30 * 24 * time.Hour // since the list of a certificate's URL is out of date, after which its file is removed
)

const unread = "fetched revocation lists cannot be read from disk"

// load reads the files of the URLs of s that are not there yet, and those of URLs that
// certificates have named. Files that cannot be used are skipped, and logged. loaded is the
// directory if all of its files have been read.
func (f *Fetcher) load(ctx context.Context, s *Settings) (list []*stored, loaded string) {
	wanted, known, needed := f.missing(s)
	if !needed || s.Directory == "" {
		return nil, s.Directory
	}
	from := f.cfg.Reader.Snapshot(ctx)
	names, err := from.List(s.Directory, maxEntries)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // it is made with the first list
			return nil, s.Directory
		}
		f.storeFailed(unread, "check that the gateway's user may read crl_directory, and that its disk answers", err)
		return nil, ""
	}
	loaded = s.Directory
	for _, name := range names {
		if !fileName.MatchString(name) || known[name] || !wanted[name] && !s.usesPoints() {
			continue
		}
		path := filepath.Join(s.Directory, name)
		data, err := from.Read(path, maxStored)
		if err != nil {
			f.storeFailed(unread, "check that the gateway's user may read the files in crl_directory, and that its disk answers", err)
			loaded = ""
			continue
		}
		var one *stored
		err = from.Parse(path, func() (err error) { one, err = decode(name, data); return err })
		switch {
		case err != nil:
			f.storeFailed(unread, "the next fetch replaces the file; until then its lists are missing", fmt.Errorf("%s: %w", name, err))
		case wanted[name] || one.point && !one.abandoned(time.Now()):
			list = append(list, one)
		}
	}
	return list, loaded
}

// missing returns the names of the files that s needs and of those that need not be read,
// because their URLs are there, and whether any must be read.
func (f *Fetcher) missing(s *Settings) (wanted, known map[string]bool, needed bool) {
	wanted, known = map[string]bool{}, map[string]bool{}
	for url := range *f.known.Load() {
		known[nameOf(url)] = true
	}
	f.mu.Lock()
	needed = f.settings == nil || f.loaded != s.Directory || s.usesPoints() && !f.settings.usesPoints()
	f.mu.Unlock()
	for _, url := range slices.Concat(s.urls(), s.points()) {
		name := nameOf(url)
		wanted[name] = true
		needed = needed || !known[name]
	}
	return wanted, known, needed
}

// abandoned reports whether the lists of a certificate's URL have long been out of date.
func (s *stored) abandoned(now time.Time) bool {
	return !slices.ContainsFunc(s.lists, func(l *x509.RevocationList) bool {
		return l.NextUpdate.IsZero() || now.Before(l.NextUpdate.Add(pointAge))
	})
}

// save writes the lists to disk if they are not there yet. It waits some seconds at most; a
// later fetch tries again.
func (s *source) save(ctx context.Context) {
	f := s.fetcher
	f.mu.Lock()
	dir := f.settings.Directory
	if dir == "" || !s.unsaved || s.stopped {
		f.mu.Unlock()
		return
	}
	content := stored{url: s.url, point: s.point, fetched: s.tried, tag: s.tag, lists: sorted(s.lists)}
	f.mu.Unlock()
	path, text := filepath.Join(dir, nameOf(s.url)), content.encode()
	err := fmt.Errorf("%s: the lists take %d bytes, expected at most %d", path, len(text), maxStored)
	if len(text) <= maxStored {
		err = f.cfg.Reader.Call(ctx, path, func() error { return write(path, text) })
	}
	if err != nil {
		if ctx.Err() == nil {
			f.storeFailed("a revocation list cannot be kept on disk; it is in use, and a restart would have to fetch it", "check that the disk has space and that the gateway's user may write to crl_directory", err)
		}
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.settings.Directory == dir { // only this goroutine replaces lists
		s.unsaved = false
	}
}

// write replaces a file as a whole, also if the machine stops meanwhile.
func write(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	t, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = t.Write(text)
	if err == nil {
		err = t.Sync()
	}
	if err = errors.Join(err, t.Close()); err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		os.Remove(t.Name())
		return err
	}
	if d, err := os.Open(dir); err == nil { // the new name is to last, too, where a directory can be synced
		d.Sync()
		d.Close()
	}
	return nil
}

// tidy removes the files of URLs that are no longer fetched, if all files have been read, and
// what was left half written. Files with other names stay.
func (f *Fetcher) tidy(ctx context.Context, dir string, loaded bool) {
	from := f.cfg.Reader.Snapshot(ctx)
	names, err := from.List(dir, maxEntries)
	if err != nil {
		return // load has logged it
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		temp := tempName.MatchString(name)
		if !temp && !(loaded && fileName.MatchString(name)) {
			continue
		}
		err := f.cfg.Reader.Call(ctx, path, func() error {
			if info, err := os.Lstat(path); err != nil || temp && time.Since(info.ModTime()) < tempAge || f.needs(name) {
				return err
			}
			return os.Remove(path)
		})
		if err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrNotExist) {
			f.storeFailed("a file that is no longer needed cannot be removed from crl_directory", "check that the gateway's user may write there", err)
		}
	}
}

// needs reports whether a file is that of a URL that is fetched.
func (f *Fetcher) needs(name string) bool {
	for url := range *f.known.Load() {
		if nameOf(url) == name {
			return true
		}
	}
	return false
}

// storeFailed counts and logs that a file cannot be read, written or removed.
func (f *Fetcher) storeFailed(what, advice string, err error) {
	f.cfg.Metrics.CountStoreError()
	f.disk.Log(func() logs.Line {
		return logs.Line{Log: f.cfg.Log, Level: slog.LevelWarn, Text: what, Fields: []any{"err", err, "advice", advice}}
	})
}
