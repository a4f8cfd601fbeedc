package audit

import (
	"net/netip"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"layeh.com/radius"

	"radsec-gw/logs"
	"radsec-gw/wire"
)

// requestLog writes a line for each request.
type requestLog struct {
	// static after construction
	json    bool
	privacy *privacy
	out     *logs.Output
}

func newRequestLog(cfg *Config, p *privacy) *requestLog {
	return &requestLog{json: cfg.JSON, privacy: p, out: cfg.Out}
}

// ended writes the line of a request.
func (r *requestLog) ended(e *Event) {
	s := r.privacy.pool.Get().(*scratch)
	defer r.privacy.pool.Put(s)
	f := fields{json: r.json, to: s.beginLine(s.line[:0], r.json, "INFO", time.Now())}
	f.text("msg", "request")
	f.origin(e)
	f.text("kind", e.Kind.String())
	if v := e.Request; v != nil {
		f.octets("realm", r.privacy.realmName(s, e.Realm))
		f.octets("user", r.privacy.userName(s, v.UserName()))
		f.octets("station", r.privacy.stationID(s, v.CallingStationID()))
	}
	f.outcome(e)
	s.line = endLine(f.to, r.json)
	r.out.Put(logs.KindRequest, s.line)
}

// origin appends where a request comes from. Of one that a UDP server has sent, the client is
// that of its NAS, if that is known.
func (f *fields) origin(e *Event) {
	if e.reverse() {
		f.text("sender", e.Sender)
		f.address("from", e.From)
		if e.Client == "" {
			return
		}
	}
	f.text("client", e.Client)
	f.address("peer", e.Peer)
}

// outcome appends how a request ended.
func (f *fields) outcome(e *Event) {
	if e.Server != "" {
		f.text("server", e.Server)
		f.text("port", string(e.Port))
	}
	f.text("fate", e.Fate.String())
	if len(e.Reply) >= wire.MinLength {
		code := wire.Code(e.Reply[0])
		f.text("reply", wire.CodeName(code))
		if cause := causeIn(code, e.Reply); cause != 0 {
			f.number("error_cause", int64(cause))
		}
	}
	f.begin("ms")
	f.to = appendMilliseconds(f.to, e.Duration)
	if e.reverse() { // it is sent once
		return
	}
	f.number("tries", int64(e.Tries))
	if e.Unverified > 0 {
		f.number("unverified_replies", int64(e.Unverified))
		f.text("unverified_because", e.UnverifiedWhy.String())
		f.text("unverified_from", e.UnverifiedFrom)
	}
}

// causeIn returns the Error-Cause of a reply that can have one, 0 for none.
func causeIn(code wire.Code, reply []byte) uint32 {
	switch code {
	case radius.CodeAccessAccept, radius.CodeAccessChallenge, radius.CodeAccountingResponse:
		return 0
	}
	var v wire.View
	if v.Parse(reply) != nil {
		return 0
	}
	return v.ErrorCause()
}

// beginLine starts a line as log/slog does, so that both can be parsed alike.
// All but the milliseconds is kept for the lines of the same second.
func (s *scratch) beginLine(to []byte, json bool, level string, now time.Time) []byte {
	if second := now.Unix(); second != s.second {
		s.second = second
		s.date = now.AppendFormat(s.date[:0], "2006-01-02T15:04:05.")
		s.zone = now.AppendFormat(s.zone[:0], "Z07:00")
	}
	if json {
		to = append(to, `{"time":"`...)
	} else {
		to = append(to, "time="...)
	}
	to = append(to, s.date...)
	to = appendThousandths(to, now.Nanosecond()/1e6)
	to = append(to, s.zone...)
	if json {
		to = append(append(to, `","level":"`...), level...)
		return append(to, '"')
	}
	return append(append(to, " level="...), level...)
}

// appendMilliseconds appends d as milliseconds with three digits after the point.
func appendMilliseconds(to []byte, d time.Duration) []byte {
	µs := max(d.Microseconds(), 0)
	to = strconv.AppendInt(to, µs/1000, 10)
	return appendThousandths(append(to, '.'), int(µs%1000))
}

// appendThousandths appends three digits; n is 0 to 999.
func appendThousandths(to []byte, n int) []byte {
	return append(to, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
}

func endLine(to []byte, json bool) []byte {
	if json {
		to = append(to, '}')
	}
	return append(to, '\n')
}

// fields appends the fields of a line.
type fields struct {
	json bool
	to   []byte
}

func (f *fields) begin(key string) {
	if f.json {
		f.to = append(f.to, ',', '"')
		f.to = append(f.to, key...)
		f.to = append(f.to, '"', ':')
		return
	}
	f.to = append(f.to, ' ')
	f.to = append(f.to, key...)
	f.to = append(f.to, '=')
}

func (f *fields) number(key string, n int64) {
	f.begin(key)
	f.to = strconv.AppendInt(f.to, n, 10)
}

// address appends an address and port.
func (f *fields) address(key string, a netip.AddrPort) {
	f.begin(key)
	if f.json {
		f.to = append(f.to, '"')
	}
	f.to = a.AppendTo(f.to)
	if f.json {
		f.to = append(f.to, '"')
	}
}

// identifier appends the Identifier of a packet, or its Token in RADIUS/1.1 (RFC 9765
// §4.2.1).
func (f *fields) identifier(v *wire.View) {
	if v.Is11() {
		f.number("token", int64(v.Token()))
		return
	}
	f.number("identifier", int64(v.Identifier()))
}

// text appends a string of the program or of the configuration.
func (f *fields) text(key, s string) {
	f.begin(key)
	f.to = appendValue(f.to, s, f.json)
}

// octets appends a value that a peer has sent, or nothing when it is empty.
func (f *fields) octets(key string, b []byte) {
	if len(b) == 0 {
		return
	}
	f.begin(key)
	f.to = appendValue(f.to, b, f.json)
}

// appendValue appends s so that nothing in it ends the value or the line.
func appendValue[T string | []byte](to []byte, s T, json bool) []byte {
	if plain(s) {
		if !json {
			return append(to, s...)
		}
		to = append(to, '"')
		to = append(to, s...)
		return append(to, '"')
	}
	if !json {
		return strconv.AppendQuote(to, string(s))
	}
	return appendJSON(to, string(s))
}

// plain reports whether s needs no quoting: it is printable ASCII without characters
// that have a meaning in either form.
func plain[T string | []byte](s T) bool {
	if len(s) == 0 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=' {
			return false
		}
	}
	return true
}

// appendJSON appends a JSON string (RFC 8259 §7); invalid UTF-8
// becomes U+FFFD. What a terminal might obey is escaped.
func appendJSON(to []byte, s string) []byte {
	const digits = "0123456789abcdef"
	to = append(to, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			to = append(to, '\\', byte(r))
		case r < ' ' || r >= 0x7f && r <= 0xffff && !unicode.IsPrint(r): // C1, line separators, changes of direction
			to = append(to, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		default:
			to = utf8.AppendRune(to, r)
		}
	}
	return append(to, '"')
}
