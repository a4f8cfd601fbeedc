package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"radsec-gw/logs"
)

// guard returns a handler that calls h for callers with the token, or if there is none for
// every caller that asks for this host. The token is sent as "Authorization: Bearer TOKEN"
// (RFC 6750 §2.1), or as the password of Basic (RFC 7617) with any user, which browsers
// support.
func (s *Server) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !s.authorized(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="radsec-gw", charset="UTF-8"`)
			w.Header().Add("WWW-Authenticate", `Bearer realm="radsec-gw"`)
			http.Error(w, "give the token of [metrics] as a bearer token, or as the password with any user name", http.StatusUnauthorized)
		case !s.forThisHost(r):
			s.reportHost(r)
			http.Error(w, fmt.Sprintf("expected a request for an IP address, localhost or a name of [metrics].hosts, or with a token; got one for %q", logs.Clip(r.Host)), http.StatusMisdirectedRequest)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// sameOrigin returns a handler that calls h, unless a page of another site has made a browser
// send a request that changes something: the browser may know the token as a password.
func sameOrigin(h http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "expected a request that changes something to come from no other site; got a foreign Origin or Sec-Fetch-Site", http.StatusForbidden)
	}))
	return protection.Handler(h)
}

// authorized reports whether the caller has sent the token, or none is configured.
func (s *Server) authorized(r *http.Request) bool {
	return len(s.current.Load().token) == 0 || s.sentTheToken(r)
}

// sentTheToken reports whether the caller has sent the token. It is false if none is
// configured.
func (s *Server) sentTheToken(r *http.Request) bool {
	token := s.current.Load().token
	return len(token) > 0 && matches(sentToken(r), token)
}

// sentToken returns what the caller has sent as the token, or "". Blanks around it do not
// count in either scheme: a header field cannot carry them (RFC 9110 §5.5).
func sentToken(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return strings.TrimSpace(password)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// matches reports whether got is the token. Its time does not depend on the token, not even
// on its length.
func matches(got string, token []byte) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256(token)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// forThisHost reports whether the request's Host is one of this gateway, or the request has
// the token. A page of another site can make a browser resolve the site's own name to the
// gateway's address, and then read its answers (DNS rebinding); the Host shows it, because it
// is that site's name. An IP address cannot be resolved to another one.
func (s *Server) forThisHost(r *http.Request) bool {
	if s.sentTheToken(r) || r.Host == "" { // no browser sends HTTP/1.0 without Host
		return true
	}
	name := r.Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || name == s.machine && name != "" { // RFC 6761 §6.3
		return true
	}
	for _, host := range s.current.Load().hosts {
		below, wild := strings.CutPrefix(host, "*") // "*" or "*.example.org"
		if name == host || wild && strings.HasSuffix(name, below) {
			return true
		}
	}
	return false
}

// reportHost logs that a request was refused for its Host.
func (s *Server) reportHost(r *http.Request) {
	s.misrouted.Log(func() logs.Line {
		return logs.Line{Log: slog.New(s.cfg.Logs), Level: slog.LevelWarn, Text: "an HTTP request for another host was refused; if the name is the gateway's, add it to [metrics].hosts or set a token",
			Fields: []any{"host", logs.Clip(r.Host), "peer", r.RemoteAddr}}
	})
}
