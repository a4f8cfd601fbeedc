package explain

import (
	"fmt"
	"io"

	"radsec-gw/gateway"
)

// printDescriptors prints how many connections the process could take under the
// limits of this shell, and returns what deserves a second look.
func printDescriptors(w io.Writer, p *gateway.Plan) (warnings []string) {
	d, err := p.Descriptors()
	if err != nil {
		return []string{err.Error()}
	}
	fmt.Fprintf(w, "\nDescriptors: %d here, so at most %d RadSec connections and %d sockets to servers\n", d.Limit, d.Connections, d.UDP)
	if text := d.Warning(p.Config); text != "" {
		warnings = append(warnings, text)
	}
	return warnings
}
