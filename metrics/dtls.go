package metrics

import "github.com/prometheus/client_golang/prometheus"

// Drop is why a datagram or a record of RADIUS/DTLS was not used.
type Drop int

// Why datagrams and records are dropped.
const (
	DropHelloMalformed Drop = iota
	DropHelloOverload
	DropHelloNotAdmitted
	DropHelloInvalidCookie
	DropHandshakeOverflow
	DropUnknown
	DropMalformed
	DropForged
	DropRepeated
	DropMoved
	NumDrops
)

var dropNames = [NumDrops]string{
	DropHelloMalformed:     "hello_malformed",
	DropHelloOverload:      "hello_overload",
	DropHelloNotAdmitted:   "hello_not_admitted",
	DropHelloInvalidCookie: "hello_invalid_cookie",
	DropHandshakeOverflow:  "handshake_overflow",
	DropUnknown:            "no_session",
	DropMalformed:          "malformed",
	DropForged:             "forged",
	DropRepeated:           "repeated",
	DropMoved:              "moved",
}

// String returns the label.
func (d Drop) String() string { return dropNames[d] }

// DTLS is the handle for what arrives on the sockets of RADIUS/DTLS. Its methods may be called
// from any goroutine.
type DTLS struct {
	drops      [NumDrops]prometheus.Counter
	challenges prometheus.Counter
}

func newDTLS(reg prometheus.Registerer) *DTLS {
	d := &DTLS{challenges: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "dtls_cookies_total",
		Help: "ClientHellos of RADIUS/DTLS that were answered with a cookie: anybody can send them, from any address."})}
	drops := counter("dtls_dropped_total", "Datagrams and records of RADIUS/DTLS that were dropped, by why.", "why")
	reg.MustRegister(drops, d.challenges)
	for i := range d.drops {
		d.drops[i] = drops.WithLabelValues(Drop(i).String())
	}
	return d
}

// DTLS returns the handle for the sockets of RADIUS/DTLS.
func (m *Metrics) DTLS() *DTLS { return m.dtls }

// CountDrop counts a datagram or a record that was dropped.
func (d *DTLS) CountDrop(why Drop) { d.drops[why].Inc() }

// CountCookie counts a ClientHello that was answered with a cookie.
func (d *DTLS) CountCookie() { d.challenges.Inc() }
