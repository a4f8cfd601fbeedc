package faulty

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Faults is how a server misbehaves. The zero value is a good server. The
// percentages, 0..100, are drawn for each datagram by itself.
type Faults struct {
	DropIn, DropOut float64       // lost on the way to the server, and on the way back
	Delay           time.Duration // between a request and its reply
	Jitter          time.Duration // added to Delay, uniform in 0..Jitter: replies overtake each other
	Double          float64       // replies sent twice
	Reorder         float64       // replies delayed until the next one is sent, or reorderHold
	Corrupt         float64       // replies whose Response Authenticator is wrong
	Stall           bool          // everything is swallowed
	NoStatus        bool          // Status-Server is swallowed
}

// reorderHold is how long a reply is delayed at most.
const reorderHold = 20 * time.Millisecond

// Set changes one fault by its name, as flags and commands give it:
// "drop-in", "drop-out", "drop" (both), "delay", "jitter", "double", "reorder",
// "corrupt", "stall", "no-status".
func (f *Faults) Set(name, value string) error {
	switch name {
	case "drop":
		if err := percent(&f.DropIn, name, value); err != nil {
			return err
		}
		f.DropOut = f.DropIn
		return nil
	case "drop-in":
		return percent(&f.DropIn, name, value)
	case "drop-out":
		return percent(&f.DropOut, name, value)
	case "double":
		return percent(&f.Double, name, value)
	case "reorder":
		return percent(&f.Reorder, name, value)
	case "corrupt":
		return percent(&f.Corrupt, name, value)
	case "delay":
		return span(&f.Delay, name, value)
	case "jitter":
		return span(&f.Jitter, name, value)
	case "stall":
		return onOff(&f.Stall, name, value)
	case "no-status":
		return onOff(&f.NoStatus, name, value)
	}
	return fmt.Errorf("unknown fault %q: expected drop, drop-in, drop-out, delay, jitter, double, reorder, corrupt, stall or no-status", name)
}

func percent(to *float64, name, value string) error {
	p, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
	if err != nil || !(p >= 0 && p <= 100) {
		return fmt.Errorf("%s: expected a percentage from 0 to 100, got %q", name, value)
	}
	*to = p
	return nil
}

func span(to *time.Duration, name, value string) error {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > time.Minute {
		return fmt.Errorf("%s: expected a duration from 0s to 1m such as 50ms, got %q", name, value)
	}
	*to = d
	return nil
}

func onOff(to *bool, name, value string) error {
	switch value {
	case "on", "true", "":
		*to = true
	case "off", "false":
		*to = false
	default:
		return fmt.Errorf("%s: expected on or off, got %q", name, value)
	}
	return nil
}

// String names the faults that are not zero.
func (f Faults) String() string {
	var words []string
	add := func(name string, value any, is bool) {
		if is {
			words = append(words, fmt.Sprintf("%s %v", name, value))
		}
	}
	add("drop-in", f.DropIn, f.DropIn > 0)
	add("drop-out", f.DropOut, f.DropOut > 0)
	add("delay", f.Delay, f.Delay > 0)
	add("jitter", f.Jitter, f.Jitter > 0)
	add("double", f.Double, f.Double > 0)
	add("reorder", f.Reorder, f.Reorder > 0)
	add("corrupt", f.Corrupt, f.Corrupt > 0)
	add("stall", "on", f.Stall)
	add("no-status", "on", f.NoStatus)
	if words == nil {
		return "none"
	}
	return strings.Join(words, ", ")
}
