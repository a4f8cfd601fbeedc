package explain

import (
	"fmt"
	"io"

	"radsec-gw/gateway"
)

// printDescriptors prints how many connections a process with the limits of this one could
// accept, and returns warnings.
func printDescriptors(w io.Writer, p *gateway.Plan) (warnings []string) {
	d, err := p.Descriptors()
	if err != nil {
		return []string{err.Error()}
	}
	fmt.Fprintf(w, "\nDescriptors: %d for this process: at most %d RadSec connections and %d sockets to servers\n", d.Limit, d.Connections, d.UDP)
	if text := d.Shortage(p.Config); text != "" {
		warnings = append(warnings, text)
	}
	return warnings
}
