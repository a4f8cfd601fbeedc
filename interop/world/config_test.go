//go:build linux

package world

import (
	"fmt"
	"strings"
)

// backend is a [[server]] for access only, unless keys, one each, say otherwise.
func backend(name, address string, keys ...string) string {
	given := strings.Join(keys, "\n")
	text := fmt.Sprintf("[[server]]\nname = %q\naddress = %q\nsecret = %q\n%s\n", name, address, secret, given)
	for _, port := range []string{"acct_port", "coa_port"} {
		if !strings.Contains(given, port) {
			text += port + " = 0\n"
		}
	}
	return text
}

// route is a [[route]] for access, unless keys, one each, say otherwise.
func route(realm string, servers []string, keys ...string) string {
	given := strings.Join(keys, "\n")
	if !strings.Contains(given, "packets") {
		given += "\npackets = [\"access\"]"
	}
	return fmt.Sprintf("[[route]]\nrealms = [%q]\nservers = [\"%s\"]\n%s\n", realm, strings.Join(servers, `", "`), given)
}

// to is the list of a route's servers.
func to(servers ...string) []string { return servers }
