package detail

import (
	"encoding/binary"
	"testing"
	"time"
)

// The time zone of a server is the difference between local time and UTC in a record.
func TestZoneOf(t *testing.T) {
	header := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		ahead time.Duration
		known bool
	}{{0, true}, {2 * time.Hour, true}, {-9*time.Hour - 30*time.Minute, true}, {5*time.Hour + 45*time.Minute, true}, {time.Second, false}, {24 * time.Hour, false}, {-1000000 * time.Hour, false}} {
		if z := zoneOf(header, header.Add(-c.ahead).Unix()); z.known != c.known || z.known && z.ahead != c.ahead {
			t.Errorf("%v: expected known %t, got %v", c.ahead, c.known, z)
		}
	}
}

// A date is in the zone that it names if clocks have changed since, and else in that of the record.
// Without that it is understood in UTC only, or with a number.
func TestParseTime(t *testing.T) {
	hours := func(h float64) zone { return zone{time.Duration(h * float64(time.Hour)), true} }
	for _, c := range []struct {
		name string
		zone zone
		want float64 // hours ahead of UTC
	}{
		{"UTC", zone{}, 0}, {"GMT", hours(1), 0}, {"-03", zone{}, -3}, {"+0530", zone{}, 5.5}, {"+14", zone{}, 14},
		{"CEST", hours(2), 2}, {"CEST", hours(1), 2}, {"CET", hours(2), 1}, {"CST", hours(8), 8}, {"CST", hours(-5), -6}, {"BST", hours(6), 6},
		{"IST", hours(5.5), 5.5}, {"LHDT", hours(11), 11},
	} {
		got, err := parseTime("\"Jul  1 2026 11:59:58 "+c.name+"\"", c.zone)
		want := time.Date(2026, 7, 1, 11, 59, 58, 0, time.UTC).Add(-time.Duration(c.want * float64(time.Hour))).Unix()
		if err != nil || int64(binary.BigEndian.Uint32(got)) != want {
			t.Errorf("%s, %v: expected %x, got %x, %v", c.name, c.zone, want, got, err)
		}
	}
	for _, name := range []string{"CET", "XYZ", "", "-3", "+25"} {
		if got, err := parseTime("\"Jul  1 2026 11:59:58 "+name+"\"", zone{}); err == nil {
			t.Errorf("%q: expected an error, got %x", name, got)
		}
	}
}
