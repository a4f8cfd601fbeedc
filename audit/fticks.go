package audit

import (
	"time"

	"layeh.com/radius"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// fticks writes F-Ticks (draft-johansson-fticks-00): one line for each login
// that a home server has accepted or rejected. Federations make their statistics of
// roaming from them.
type fticks struct {
	// static after construction
	begin   []byte // up to the realm
	middle  []byte // from the realm to the station
	privacy *privacy
	json    bool
	bare    bool // without time and level: syslog adds its own
	out     *logs.Output
}

// newFTicks returns an fticks configured by cfg. It writes to syslog when cfg names a
// server.
func newFTicks(cfg *Config, p *privacy, syslog *logs.Output) *fticks {
	f := &fticks{privacy: p, json: cfg.JSON, out: cfg.Out,
		begin:  []byte("F-TICKS/" + cfg.Federation + "/1.0#REALM="),
		middle: []byte("#VISCOUNTRY=" + cfg.Country),
	}
	if cfg.Institution != "" {
		f.middle = append(f.middle, "#VISINST="+cfg.Institution...)
	}
	f.middle = append(f.middle, "#CSI="...)
	if cfg.Syslog != "" {
		f.bare, f.out = true, syslog
	}
	return f
}

// ended writes the line of a login that a server has accepted or rejected. Challenges, and
// requests that the gateway itself rejects, are not logins.
func (f *fticks) ended(e *Event) {
	if e.Kind != wire.KindAccess || e.Fate != metrics.FateRelayed || e.Request == nil || len(e.Reply) < wire.MinLength {
		return
	}
	result := ""
	switch wire.Code(e.Reply[0]) {
	case radius.CodeAccessAccept:
		result = "OK"
	case radius.CodeAccessReject:
		result = "FAIL"
	default:
		return
	}
	if len(e.Realm) == 0 { // not roaming
		return
	}
	s := f.privacy.pool.Get().(*scratch)
	defer f.privacy.pool.Put(s)
	to := s.line[:0]
	if !f.bare {
		to = s.beginLine(to, f.json, "INFO", time.Now())
		if f.json {
			to = append(to, `,"msg":"`...)
		} else {
			to = append(to, ` msg="`...)
		}
	}
	to = append(to, f.begin...)
	to = appendTick(to, e.Realm)
	to = append(to, f.middle...)
	if station := f.privacy.stationID(s, e.Request.CallingStationID()); station != nil {
		to = appendTick(to, station)
	} else {
		to = append(to, "undisclosed"...)
	}
	to = append(to, "#RESULT="...)
	to = append(to, result...)
	to = append(to, '#')
	if !f.bare {
		to = append(to, '"')
		if f.json {
			to = append(to, '}')
		}
	}
	s.line = append(to, '\n')
	f.out.Put(logs.KindFTicks, s.line)
}

// appendTick appends a value that a peer has sent, with everything replaced that could
// end the value or the line.
func appendTick(to, value []byte) []byte {
	for _, c := range value {
		switch {
		case c >= 'A' && c <= 'Z':
			c = lower(c)
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == ':', c == '_':
		default:
			c = '?'
		}
		to = append(to, c)
	}
	return to
}
