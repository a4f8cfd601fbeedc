package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A chart is a line in a box; the newest value is at the right edge. It has at most
// chartPoints points: of more values, each point is the highest of several.
const (
	chartWidth  = 120
	chartHeight = 26
	wideWidth   = 240
	wideHeight  = 48
	chartPoints = 96
)

// Chart is a small inline SVG.
type Chart struct {
	Width, Height int
	Path          string // of an SVG path; "" when there is nothing to draw
	Label         string // alternative text
}

// chartOf draws the values, the oldest first, from zero at the bottom to the highest at the
// top. format writes a value for people.
func chartOf(values []float32, step time.Duration, what string, width, height int, format func(float64) string) Chart {
	c := Chart{Width: width, Height: height}
	if len(values) == 0 {
		c.Label = what + ": nothing measured yet"
		return c
	}
	points := thinned(values)
	top := float32(0)
	for _, v := range points {
		top = max(top, v)
	}
	var path strings.Builder
	lastX, lastY := 0, 0
	for i, v := range points {
		x, y := width, height-1
		if len(points) > 1 {
			x = width * i / (len(points) - 1)
		}
		if top > 0 {
			y -= int(v / top * float32(height-2))
		}
		if i == 0 {
			if len(points) == 1 {
				x = 0
			}
			fmt.Fprintf(&path, "M%d %d", x, y)
		} else {
			path.WriteString("l" + strconv.Itoa(x-lastX) + " " + strconv.Itoa(y-lastY))
		}
		lastX, lastY = x, y
	}
	if len(points) == 1 {
		fmt.Fprintf(&path, "h%d", width)
	}
	c.Path = path.String()
	span := time.Duration(len(values)) * step
	c.Label = fmt.Sprintf("%s over the last %s: now %s, at most %s", what, formatDuration(span), format(float64(values[len(values)-1])), format(float64(top)))
	return c
}

// thinned returns at most chartPoints values, each the highest of those that it stands for.
func thinned(values []float32) []float32 {
	each := (len(values) + chartPoints - 1) / chartPoints
	if each <= 1 {
		return values
	}
	var out []float32
	for end := len(values); end > 0; end -= each { // from the newest: that is shown by itself with its neighbors
		top := float32(0)
		for _, v := range values[max(0, end-each):end] {
			top = max(top, v)
		}
		out = append(out, top)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// formatRate writes a number of requests a second.
func formatRate(v float64) string {
	if v >= 100 || v == 0 {
		return strconv.FormatFloat(v, 'f', 0, 64) + "/s"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + "/s"
}

// formatCount writes a number of things.
func formatCount(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }

// formatBytes writes a number of bytes in the largest unit of which there is at least one.
func formatBytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n)/(1<<10), "KMGT"
	for v >= 1<<10 && len(unit) > 1 {
		v, unit = v/(1<<10), unit[1:]
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") + " " + unit[:1] + "iB"
}

// formatReply writes the time to a reply, given in seconds.
func formatReply(v float64) string {
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
	case days > 0 && hours > 0:
		return plural(days, "day") + " " + plural(hours, "hour")
	case days > 0:
		return plural(days, "day")
	case hours > 0 && minutes > 0:
		return plural(hours, "hour") + " " + plural(minutes, "minute")
	case hours > 0:
		return plural(hours, "hour")
	case minutes > 0 && seconds > 0:
		return plural(minutes, "minute") + " " + plural(seconds, "second")
	case minutes > 0:
		return plural(minutes, "minute")
	}
	return plural(seconds, "second")
}

// shortUnits are the units of formatDuration as tables have them.
var shortUnits = strings.NewReplacer(" days", " d", " day", " d", " hours", " h", " hour", " h", " minutes", " min", " minute", " min", " seconds", " s", " second", " s")

// formatAge writes a length of time like formatDuration, shorter.
func formatAge(d time.Duration) string { return shortUnits.Replace(formatDuration(max(0, d))) }
