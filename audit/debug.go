package audit

import (
	"encoding/binary"
	"time"

	"radsec-gw/logs"
	"radsec-gw/wire"
)

// debugLog writes the way of each request, one line for each step, at level debug.
type debugLog struct {
	// static after construction
	json    bool
	privacy *privacy
	out     *logs.Output
}

func newDebugLog(cfg *Config, p *privacy) *debugLog {
	return &debugLog{json: cfg.JSON, privacy: p, out: cfg.Out}
}

// begin starts a line about a request. end must be called.
func (d *debugLog) begin(msg string, e *Event) (s *scratch, f fields) {
	s = d.privacy.pool.Get().(*scratch)
	f = fields{json: d.json, to: s.beginLine(s.line[:0], d.json, "DEBUG", time.Now())}
	f.text("msg", msg)
	if e.Number != 0 {
		f.number("request", int64(e.Number))
	}
	if e.reverse() {
		f.text("sender", e.Sender)
		f.address("from", e.From)
	}
	if e.Client != "" {
		f.text("client", e.Client)
	}
	return s, f
}

func (d *debugLog) end(s *scratch, f fields) {
	s.line = endLine(f.to, d.json)
	d.out.Put(logs.KindDebug, s.line)
	d.privacy.pool.Put(s)
}

// arrived writes the line of a request that has arrived.
func (d *debugLog) arrived(e *Event) {
	s, f := d.begin("request arrived", e)
	f.peer(e)
	f.text("kind", e.Kind.String())
	if v := e.Request; v != nil {
		f.identifier(v)
		f.number("octets", int64(len(v.Packet)))
		f.octets("realm", d.privacy.realmName(s, e.Realm))
		f.octets("user", d.privacy.userName(s, v.UserName()))
		f.octets("station", d.privacy.stationID(s, v.CallingStationID()))
	}
	d.end(s, f)
}

// peer appends where the client's connection comes from, unless there is none because a UDP
// server has sent the request.
func (f *fields) peer(e *Event) {
	if !e.reverse() || e.Client != "" {
		f.address("peer", e.Peer)
	}
}

// reverseStep writes the line of a step between the gateway and a NAS.
func (d *debugLog) reverseStep(st *Step) {
	msg := "request sent to the NAS"
	if st.Kind == StepReplied {
		msg = "reply of the NAS received"
	}
	s, f := d.begin(msg, &st.Event)
	f.address("address", st.Remote)
	if st.Local.IsValid() {
		f.address("source", st.Local)
	}
	if len(st.Packet) >= wire.MinLength {
		f.text("packet", wire.CodeName(wire.Code(st.Packet[0])))
		if st.V11 {
			f.number("token", int64(binary.BigEndian.Uint32(st.Packet[4:])))
		} else {
			f.number("identifier", int64(st.Packet[1]))
		}
		f.number("octets", int64(len(st.Packet)))
	}
	if st.Kind == StepReplied {
		f.text("result", st.Result.String())
	}
	d.end(s, f)
}

// step writes the line of a step between the gateway and a server.
func (d *debugLog) step(st *Step) {
	if st.reverse() {
		d.reverseStep(st)
		return
	}
	msg := "request sent"
	switch {
	case st.Kind == StepSent && st.Check:
		msg = "health check sent"
	case st.Kind == StepResent:
		msg = "request sent again"
	case st.Kind == StepMoves:
		msg = "request moves on"
	case st.Kind == StepReplied && st.verified():
		msg = "reply received"
	case st.Kind == StepReplied:
		msg = "reply ignored"
	}
	s, f := d.begin(msg, &st.Event)
	if st.Kind == StepSent && st.Route != "" {
		f.text("route", st.Route)
	}
	f.text("server", st.Server)
	f.text("port", string(st.Port))
	f.address("address", st.Remote)
	if st.Local.IsValid() {
		f.address("source", st.Local)
	}
	if len(st.Packet) >= wire.MinLength {
		f.text("packet", wire.CodeName(wire.Code(st.Packet[0])))
		f.number("identifier", int64(st.Packet[1]))
		f.number("octets", int64(len(st.Packet)))
	}
	if st.Kind == StepReplied {
		f.text("result", st.Result.String())
		if !st.verified() {
			f.text("because", st.meaning())
		}
	} else if st.Kind != StepMoves {
		f.number("transmission", int64(st.Sends))
	}
	if st.Why != "" && st.Kind != StepResent {
		f.text("because", st.Why)
	}
	d.end(s, f)
}

// ended writes the line of a request that has ended.
func (d *debugLog) ended(e *Event) {
	s, f := d.begin("request ended", e)
	f.peer(e)
	f.text("kind", e.Kind.String())
	if e.Request != nil {
		f.identifier(e.Request)
	}
	if e.Route != "" {
		f.text("route", e.Route)
	}
	f.outcome(e)
	d.end(s, f)
}
