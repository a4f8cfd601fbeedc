package explain

import (
	"fmt"
	"io"

	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/rules"
)

// printRules prints the attribute rules of each place, in the order in which a request and
// its reply pass them.
func printRules(w io.Writer, p *gateway.Plan) {
	uses := p.Config.RuleUses()
	if len(uses) == 0 {
		return
	}
	fmt.Fprintf(w, "\nAttribute rules: requests pass those of the client, the route and the server, replies the other way round\n")
	for _, use := range uses {
		what := "requests"
		if use.Reply {
			what = "replies"
		}
		fmt.Fprintf(w, "  %s of %s\n", what, placeOf(p.Config, &use))
		for _, line := range p.RuleLines(use.Names) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

// placeOf names the client, the route or the server that uses rules.
func placeOf(cfg *config.Config, use *config.RuleUse) string {
	switch use.Of {
	case "client":
		return fmt.Sprintf("client %q", cfg.Clients[use.Index].Name)
	case "server":
		return fmt.Sprintf("server %q", cfg.Servers[use.Index].Name)
	}
	return fmt.Sprintf("route %d, of %s", use.Index+1, realmList(&cfg.Routes[use.Index]))
}

// Presets prints the presets of attribute rules, attribute by attribute.
func Presets(w io.Writer) {
	for _, preset := range rules.Presets() {
		fmt.Fprintf(w, "%s: %s\n", preset.Name, preset.Summary)
		fmt.Fprintln(w)
	}
}
