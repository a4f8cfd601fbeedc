package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

// The sizes that one answer may have, in bytes before compression, and how many elements
// each list has to begin with: fewer if that would be too large.
const (
	maxPage = 300_000
	maxJSON = 1_000_000

	pageEach, pageList = 60, 250
	jsonEach, jsonList = 200, 1000
)

// longestQuery bounds each value of a query.
const longestQuery = 100 // bytes

// snapshot assembles the status of now.
func (s *Server) snapshot() *status.Snapshot {
	now := time.Now()
	out := s.cfg.Snapshot(now, s.sampler.changed)
	out.Time, out.Version, out.Commit = now.UTC(), s.cfg.Version, s.cfg.Commit
	out.StartedAt, out.UptimeSeconds = s.started.UTC(), int64(now.Sub(s.started)/time.Second)
	out.LogLevel = strings.ToLower(s.cfg.Logs.Level().String())
	ready := s.readiness()
	out.Ready, out.Reasons = ready.Ready, ready.Reasons
	s.sampler.fill(out)
	out.FindProblems()
	return out
}

// renderStatus renders a view of a snapshot. Lists are cut further until it fits. The result
// is valid until the next call; shared makes one at a time.
func (s *Server) renderStatus(snapshot *status.Snapshot, r request) (body []byte, err error) {
	write, most, limits := renderPage, maxPage, status.Limits{Each: pageEach, List: pageList}
	if r.format == formatJSON {
		write, most, limits = renderJSON, maxJSON, status.Limits{Each: jsonEach, List: jsonList}
	}
	for {
		cut := snapshot.Cut(r.view, limits)
		if r.format == formatPage || r.view.Server != "" {
			for i := range cut.Servers {
				p := &cut.Servers[i]
				p.History = s.sampler.historyOf(p.Name, p.Port)
			}
		}
		s.rendered.Reset()
		err = write(&s.rendered, cut, r.view, limits)
		body = s.rendered.Bytes()
		if err != nil || len(body) <= most || limits.Each <= 1 && limits.List <= 1 {
			return body, err
		}
		limits.Each, limits.List = max(1, limits.Each*2/3), max(1, limits.List*2/3)
	}
}

// renderJSON writes a snapshot as JSON.
func renderJSON(out *bytes.Buffer, snapshot *status.Snapshot, _ status.View, _ status.Limits) error {
	return json.NewEncoder(out).Encode(snapshot)
}

// viewOf returns the view that a query asks for.
func viewOf(q url.Values) (v status.View, err error) {
	for key, values := range q {
		value := values[0]
		if len(values) > 1 || len(value) > longestQuery {
			return v, fmt.Errorf("expected one %s of at most %d bytes", strconv.Quote(key[:min(len(key), longestQuery)]), longestQuery)
		}
		switch key {
		case "q":
			v.Text = strings.ToLower(strings.TrimSpace(value))
		case "server":
			v.Server = value
		case "client":
			v.Client = value
		case "all":
			if v.List = value; value != "" && !slices.Contains(status.Lists, value) {
				return v, fmt.Errorf("expected all to be one of %s", strings.Join(status.Lists, ", "))
			}
		case "from":
			if v.From, err = strconv.Atoi(value); err != nil || v.From < 0 {
				return v, errors.New("expected from to be a number from 0")
			}
		default:
			return v, fmt.Errorf("expected q, server, client, all or from, got %s", strconv.Quote(key[:min(len(key), longestQuery)]))
		}
	}
	if v.List == "" {
		v.From = 0
	}
	return v, nil
}

// serveStatus returns a handler that answers with the status in a format.
func (s *Server) serveStatus(f format) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			http.Error(w, "expected a query of name=value, separated by &, with %XX for other bytes", http.StatusBadRequest)
			return
		}
		view, err := viewOf(query)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		got, err := s.shared.get(r.Context(), request{f, view})
		switch {
		case errors.Is(err, errBusy):
			w.Header().Set("Retry-After", "1")
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		case err != nil:
			http.Error(w, "the status cannot be shown", http.StatusInternalServerError)
			slog.New(s.cfg.Logs).Error("the status cannot be shown", "error", err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", pagePolicy)
		if f == formatJSON {
			h.Set("Content-Type", "application/json")
		}
		h.Set("Vary", "Accept-Encoding")
		if metrics.AcceptsGzip(r.Header) {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(got.zipped)))
			w.Write(got.zipped) // what fails here is the caller's connection
			return
		}
		h.Set("Content-Length", strconv.Itoa(got.size))
		if plain, err := gzip.NewReader(bytes.NewReader(got.zipped)); err == nil {
			_, _ = io.Copy(w, plain) // likewise
		}
	}
}
