package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// fticks writes F-Ticks (draft-johansson-fticks-00): one line for each login
// that a home server has accepted or rejected. Federations draw their
// statistics of roaming from them.
type fticks struct {
	// static after construction
	begin   []byte // up to the realm
	middle  []byte // from the realm to the station
	privacy *privacy
	json    bool
	syslog  *syslog // nil: lines go to the log
	lines   *lines
}

func newFTicks(cfg *Config, p *privacy) (*fticks, error) {
	f := &fticks{privacy: p, json: cfg.JSON,
		begin:  []byte("F-TICKS/" + cfg.Federation + "/1.0#REALM="),
		middle: []byte("#VISCOUNTRY=" + cfg.Country),
	}
	if cfg.Institution != "" {
		f.middle = append(f.middle, "#VISINST="+cfg.Institution...)
	}
	f.middle = append(f.middle, "#CSI="...)
	out := cfg.Out
	if cfg.Syslog != "" {
		s, err := newSyslog(cfg.Syslog, cfg.Version)
		if err != nil {
			return nil, err
		}
		f.syslog, out = s, s
	}
	f.lines = newLines(out, cfg.Metrics.Queue("fticks", "bytes", lineBuffer))
	return f, nil
}

func (f *fticks) close() {
	if f.syslog != nil {
		f.syslog.conn.Close()
	}
}

// ended writes the tick of a login that a server has decided. The rounds
// between and what the gateway itself refuses are no logins.
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
	realm := realmOf(e.Request.UserName())
	if realm == nil { // not roaming
		return
	}
	s := f.privacy.pool.Get().(*scratch)
	defer f.privacy.pool.Put(s)
	to := s.line[:0]
	if f.syslog == nil {
		to = s.beginLine(to, f.json, time.Now())
		if f.json {
			to = append(to, `,"msg":"`...)
		} else {
			to = append(to, ` msg="`...)
		}
	}
	to = append(to, f.begin...)
	to = appendTick(to, realm)
	to = append(to, f.middle...)
	if station := f.privacy.stationID(s, e.Request.CallingStationID()); station != nil {
		to = appendTick(to, station)
	} else {
		to = append(to, "undisclosed"...)
	}
	to = append(to, "#RESULT="...)
	to = append(to, result...)
	to = append(to, '#')
	if f.syslog == nil {
		to = append(to, '"')
		if f.json {
			to = append(to, '}')
		}
	}
	s.line = append(to, '\n')
	f.lines.put(s.line)
}

// appendTick appends what a peer has sent with everything replaced that could
// be taken for the end of the value or of the line.
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

// syslog sends each line as a message of its own (RFC 5424 over UDP, RFC 5426).
type syslog struct {
	conn   net.Conn
	prefix []byte // priority and version
	suffix []byte // from the host's name to the message
}

const (
	facilityLocal0 = 16
	severityInfo   = 6
)

func newSyslog(address, version string) (*syslog, error) {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return nil, fmt.Errorf("F-Ticks to the syslog server %q: %w", address, err)
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-"
	}
	return &syslog{conn: conn,
		prefix: fmt.Appendf(nil, "<%d>1 ", facilityLocal0*8+severityInfo),
		suffix: fmt.Appendf(nil, " %s radsec-gw %d - - ", host, os.Getpid()),
	}, nil
}

// Write implements io.Writer for whole lines.
func (s *syslog) Write(p []byte) (int, error) {
	var failed error
	var b []byte
	for line := range bytes.Lines(p) {
		b = append(b[:0], s.prefix...)
		b = time.Now().UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
		b = append(b, s.suffix...)
		b = append(b, bytes.TrimSuffix(line, []byte{'\n'})...)
		if _, err := s.conn.Write(b); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return len(p), failed
}

var _ io.Writer = (*syslog)(nil)
