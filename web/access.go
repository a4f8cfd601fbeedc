package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// guard returns a handler that calls h for callers with the token, or for every caller
// if there is none. The token is sent as "Authorization: Bearer TOKEN" (RFC 6750 §2.1), or as the
// password of Basic (RFC 7617) with any user, which browsers support.
func (s *Server) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.authorized(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="radsec-gw", charset="UTF-8"`)
			w.Header().Add("WWW-Authenticate", `Bearer realm="radsec-gw"`)
			http.Error(w, "give the token of [metrics] as a bearer token, or as the password with any user name", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// authorized reports whether the caller has sent the token, or none is configured.
func (s *Server) authorized(r *http.Request) bool {
	token := s.current.Load().token
	return len(token) == 0 || matches(sentToken(r), token)
}

// sentToken returns what the caller has sent as the token, or "".
func sentToken(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
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
