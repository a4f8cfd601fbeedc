package detail

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"
)

// zone is how far a server's clock is ahead of UTC.
type zone struct {
	ahead time.Duration
	known bool
}

// maxZone is more than any time zone differs from UTC.
const maxZone = 15 * time.Hour

// zoneOf returns the time zone of a server: the difference between a record's first line, which
// is local time, and its Timestamp, of the same second.
func zoneOf(header time.Time, timestamp int64) zone {
	ahead := header.Sub(time.Unix(timestamp, 0))
	return zone{ahead, ahead.Abs() < maxZone && ahead%(15*time.Minute) == 0}
}

// zoneHours are how far zones in which clocks change are ahead of UTC, in hours, by the names that
// FreeRADIUS writes. Other places use some of these names, too. Read only.
var zoneHours = map[string]float64{
	"WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
	"NST": -3.5, "NDT": -2.5, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5,
	"MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "HDT": -9,
	"ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}

// at returns how far the server's clock was ahead of UTC at a time of which it wrote the zone's
// name. A name means what zoneHours says if that is an hour from the zone of the record at most:
// the clocks have changed in between. It may be a number, where zones have no names.
func (z zone) at(name string) (ahead time.Duration, ok bool) {
	if name == "UTC" || name == "GMT" {
		return 0, true
	}
	for _, layout := range []string{"-07", "-0700"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, seconds := t.Zone()
			return time.Duration(seconds) * time.Second, true
		}
	}
	if hours, ok := zoneHours[name]; ok && z.known {
		if ahead = time.Duration(hours * float64(time.Hour)); (ahead - z.ahead).Abs() <= time.Hour {
			return ahead, true
		}
	}
	return z.ahead, z.known
}

// parseTime reads seconds since 1970, or a date as FreeRADIUS writes it, with the name of its
// time zone.
func parseTime(text string, z zone) ([]byte, error) {
	if isQuoted(text) {
		octets, err := unquote(text)
		if err != nil {
			return nil, err
		}
		text = string(octets)
	}
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return binary.BigEndian.AppendUint32(nil, uint32(seconds)), nil
	}
	end := max(strings.LastIndexByte(text, ' '), 0)
	t, err := time.Parse("Jan _2 2006 15:04:05", text[:end])
	if err != nil {
		return nil, errors.New(`expected seconds since 1970, or a time such as "Nov 28 2026 07:12:53 UTC"`)
	}
	ahead, ok := z.at(strings.TrimSpace(text[end:]))
	if !ok {
		return nil, errors.New("expected a time in UTC, or a record whose first line and Timestamp show the time zone: write seconds since 1970 instead")
	}
	if t = t.Add(-ahead); !known(t) {
		return nil, errors.New("expected a time between 1970 and 2106")
	}
	return binary.BigEndian.AppendUint32(nil, uint32(t.Unix())), nil
}
