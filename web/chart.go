package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A chart is a line in a box of chartWidth by chartHeight; the newest sample is
// at the right edge.
const (
	chartWidth  = 120
	chartHeight = 26
)

// Chart is a small inline SVG.
type Chart struct {
	Points string // of a polyline; "" when there is nothing to draw
	Label  string // alternative text
}

// chartOf draws the values, the oldest first, from zero at the bottom to the
// highest at the top. format writes a value for people.
func chartOf(values []float64, what string, format func(float64) string) Chart {
	if len(values) == 0 {
		return Chart{Label: what + ": nothing measured yet"}
	}
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	var points strings.Builder
	step := float64(chartWidth) / (keepSamples - 1)
	first := float64(chartWidth) - step*float64(len(values)-1)
	for i, v := range values {
		y := float64(chartHeight - 1)
		if top > 0 {
			y -= v / top * (chartHeight - 2)
		}
		if i > 0 {
			points.WriteByte(' ')
		}
		points.WriteString(strconv.FormatFloat(first+step*float64(i), 'f', 1, 64))
		points.WriteByte(',')
		points.WriteString(strconv.FormatFloat(y, 'f', 1, 64))
	}
	span := time.Duration(len(values)) * sampleEvery
	return Chart{Points: points.String(), Label: fmt.Sprintf("%s over the last %s: now %s, at most %s",
		what, formatDuration(span), format(values[len(values)-1]), format(top))}
}

// formatRate writes a number of requests a second.
func formatRate(v float64) string {
	if v >= 100 || v == 0 {
		return strconv.FormatFloat(v, 'f', 0, 64) + "/s"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + "/s"
}

// formatTrip writes a round trip given in seconds.
func formatTrip(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v < 0.01:
		return strconv.FormatFloat(v*1e3, 'f', 2, 64) + " ms"
	case v < 1:
		return strconv.FormatFloat(v*1e3, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " s"
}

// formatDuration writes a length of time in its two largest units.
func formatDuration(d time.Duration) string {
	plural := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	d = d.Round(time.Second)
	days, hours := int(d.Hours())/24, int(d.Hours())%24
	minutes, seconds := int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days >= 10:
		return plural(days, "day")
	case days > 0:
		return plural(days, "day") + " " + plural(hours, "hour")
	case hours > 0:
		return plural(hours, "hour") + " " + plural(minutes, "minute")
	case minutes > 0 && seconds > 0:
		return plural(minutes, "minute") + " " + plural(seconds, "second")
	case minutes > 0:
		return plural(minutes, "minute")
	}
	return plural(seconds, "second")
}
