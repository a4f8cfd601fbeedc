package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"radsec-gw/config"
)

// printRouting prints what holds for all routes.
func printRouting(w io.Writer, cfg *config.Config) {
	r := &cfg.Routing
	fmt.Fprintf(w, "\nAn Access-Request that no route takes, or that its client may not send: %s\n", r.OnUnroutable)
	fmt.Fprintf(w, "An Accounting-Request likewise: %s\n", accountingAnswer(r.OnUnroutable))
	fmt.Fprintf(w, "In RADIUS/1.1 both get a Protocol-Error instead; CoA and Disconnect get a NAK\n")
	fmt.Fprintf(w, "The realm of a User-Name: %s\n", formatWords(r.RealmFormats))
	fmt.Fprintf(w, "Requests that a server sends back: %s\n", markerWords(r))
}

// accountingAnswer returns what accounting gets without a server, by the policy for
// Access-Request: there is no reject for it.
func accountingAnswer(policy string) string {
	if policy == config.AnswerProtocolError {
		return policy
	}
	return config.AnswerSilent
}

// formatWords says where a realm is looked for.
func formatWords(formats []string) string {
	var list []string
	for _, f := range formats {
		list = append(list, map[string]string{
			config.FormatSuffix:  "user@realm",
			config.FormatPrefix:  `REALM\user`,
			config.FormatMachine: "host/name.realm",
		}[f])
	}
	return strings.Join(list, ", then ")
}

// markerWords says how loops are found.
func markerWords(r *config.Routing) string {
	switch {
	case !r.LoopMarker:
		return "not looked for (loop_marker is false)"
	case r.LoopMarkerSecret.Len() > 0:
		return "refused, by a Proxy-State that all gateways with this loop_marker_secret know"
	}
	return "refused, by a Proxy-State that only this process knows"
}

// nasWords says which CoA and Disconnect are for a server that is a NAS.
func nasWords(s *config.Server) []string {
	if !s.NAS {
		return nil
	}
	var list []string
	for _, id := range s.NASIdentifier {
		list = append(list, fmt.Sprintf("%q", id))
	}
	for _, a := range s.NASIPAddress {
		list = append(list, a.String())
	}
	return []string{fmt.Sprintf("a NAS: it gets the CoA and Disconnect that are for %s, without Operator-Name and Operator-NAS-Identifier", strings.Join(list, ", "))}
}

// lastHopWords says which server of a route gets a CoA or Disconnect; nothing where
// none of them is a NAS.
func lastHopWords(servers []*config.Server, r *config.Route) []string {
	isNAS := func(s *config.Server) bool { return s.NAS }
	dynamic := slices.Contains(r.Packets, config.PacketCoA) || slices.Contains(r.Packets, config.PacketDisconnect)
	if !dynamic || !slices.ContainsFunc(servers, isNAS) {
		return nil
	}
	var others []string
	for _, s := range servers {
		if !s.NAS {
			others = append(others, s.Name)
		}
	}
	rest := "one for another NAS gets a NAK with Error-Cause 403, one that names none a NAK with 402"
	switch {
	case len(others) > 0:
		rest = "all others go to " + strings.Join(others, ", ")
	case len(servers) == 1:
		rest = "so does one that names none; one for another NAS gets a NAK with Error-Cause 403"
	}
	return []string{"CoA and Disconnect go to the NAS that they name; " + rest}
}
