package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// guard lets through who knows the token, and everybody when there is none. The
// token comes as "Authorization: Bearer TOKEN" (RFC 6750 §2.1), or as the
// password of Basic (RFC 7617) with any user, which browsers can ask for.
func (s *Server) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.knows(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="radsec-gw", charset="UTF-8"`)
			w.Header().Add("WWW-Authenticate", `Bearer realm="radsec-gw"`)
			http.Error(w, "give the token of [metrics] as a bearer token, or as the password with any user name", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// knows reports whether the caller knows the token; true when there is none.
func (s *Server) knows(r *http.Request) bool {
	token := s.now.Load().token
	return len(token) == 0 || matches(given(r), token)
}

// given returns what the caller has given as the token, "" for nothing.
func given(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// matches compares in a time that says nothing about the token, its length included.
func matches(came string, token []byte) bool {
	a, b := sha256.Sum256([]byte(came)), sha256.Sum256(token)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
