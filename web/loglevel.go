package web

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// showLevel answers GET /loglevel.
func (s *Server) showLevel(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, strings.ToLower(s.cfg.Logs.Level().String()))
}

// changeLevel answers PUT /loglevel, whose body is "debug", "info", "warn" or
// "error". It needs a token even if reading needs none: otherwise anyone who can reach the
// port could hide what happens next.
func (s *Server) changeLevel(w http.ResponseWriter, r *http.Request) {
	if len(s.current.Load().token) == 0 {
		http.Error(w, "the level can be changed here only when [metrics] has a token; SIGUSR1 and SIGUSR2 change it without", http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "expected a body of one word", http.StatusRequestEntityTooLarge)
		return
	}
	var level slog.Level
	word := strings.ToLower(strings.TrimSpace(string(body)))
	switch word {
	case "debug":
		level = slog.LevelDebug
	case "info":
		level = slog.LevelInfo
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	default:
		http.Error(w, "expected debug, info, warn or error as the body", http.StatusBadRequest)
		return
	}
	s.cfg.Logs.SetLevel(level)
	slog.New(s.cfg.Logs).Warn("the log level was changed over HTTP", "level", word, "from", r.RemoteAddr)
	s.showLevel(w, r)
}
