package explain

import (
	"fmt"
	"io"
	"text/tabwriter"

	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/rules"
)

// printRules prints the attribute rules of each place, in the order in which a request and
// its reply pass them.
func printRules(w io.Writer, p *gateway.Plan) {
	if uses := p.Config.RuleUses(); len(uses) > 0 {
		fmt.Fprintf(w, "\nAttribute rules: requests pass those of the client, the route and the server, replies the other way round\n")
		printUses(w, p, uses, "requests of", "replies of")
	}
	if uses := p.Config.ReverseRuleUses(); len(uses) > 0 {
		fmt.Fprintf(w, "\nAttribute rules of CoA and Disconnect that are sent to a client, and of its answers\n")
		printUses(w, p, uses, "requests to", "answers of")
	}
}

// printUses prints the rules of each of the uses, under what passes them.
func printUses(w io.Writer, p *gateway.Plan, uses []config.RuleUse, requests, replies string) {
	for _, use := range uses {
		what := requests
		if use.Reply {
			what = replies
		}
		fmt.Fprintf(w, "  %s %s\n", what, placeOf(p.Config, &use))
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

// Presets prints the presets of attribute rules, attribute by attribute under what is done
// with it in which packets, with why and where that is published.
func Presets(w io.Writer) {
	for i, preset := range rules.Presets() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %s\n", preset.Name, preset.Summary)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		heading := ""
		for _, s := range preset.Steps {
			if h := s.Packets + ", " + s.Action; h != heading {
				heading = h
				fmt.Fprintf(t, "  %s\n", h)
			}
			what := s.Attribute
			switch s.Action {
			case "reject":
				what += " ~ '" + s.Value + "'"
			case "default":
				what += " = " + s.Value
			}
			fmt.Fprintf(t, "    %s\t%s (%s)\n", what, s.Reason, s.Source)
		}
		t.Flush()
	}
}
