package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/config"
)

// printDynamic prints where CoA and Disconnect for clients are listened for, who may send
// them, and which clients are sent them; nothing when none are listened for.
func printDynamic(w io.Writer, cfg *config.Config, n names) {
	d := &cfg.DynamicAuthorization
	if len(d.Address) == 0 {
		return
	}
	t := table(w, "Dynamic authorization: CoA and Disconnect for clients, over UDP")
	var addresses []string
	for _, a := range d.Address {
		addresses = append(addresses, a.String())
	}
	fmt.Fprintf(t, "  address\t%s\n", strings.Join(addresses, ", "))
	for i := range cfg.Servers {
		fmt.Fprintf(t, "  may send\tserver %s, from %s\n", cfg.Servers[i].Name, serverAddresses(&cfg.Servers[i], n))
	}
	for i := range d.Senders {
		var networks []string
		for _, p := range d.Senders[i].Networks {
			networks = append(networks, p.String())
		}
		fmt.Fprintf(t, "  may send\tsender %s, from %s\n", d.Senders[i].Name, strings.Join(networks, " or "))
	}
	authenticator := "verified where there is one"
	if d.RequireMessageAuthenticator {
		authenticator = "required"
	}
	fmt.Fprintf(t, "  Message-Authenticator\t%s\n", authenticator)
	fmt.Fprintf(t, "  Event-Timestamp\t%s\n", timestampText(&cfg.Routing))
	fmt.Fprintf(t, "  sent to the client\tonce; without an answer within %v the sender gets none\n", d.Timeout)
	fmt.Fprintf(t, "  learned\tat most %d sessions and names of NASes, each for %v after it was last seen\n", d.MaxLearned, d.LearnedLifetime)
	t.Flush()
	printReverseClients(w, cfg)
}

// printReverseClients prints the clients that are sent CoA and Disconnect, and what of the
// configuration says that a request is for one of them.
func printReverseClients(w io.Writer, cfg *config.Config) {
	if !slices.ContainsFunc(cfg.Clients, func(c config.Client) bool { return c.ReverseCoA }) {
		fmt.Fprintln(w, "  no client is sent them: every request gets a NAK with Error-Cause 502")
		return
	}
	t := table(w, "Clients that are sent CoA and Disconnect")
	defer t.Flush()
	fmt.Fprintln(t, "  name\tNAS\toperator\tsource")
	for i := range cfg.Clients {
		c := &cfg.Clients[i]
		if !c.ReverseCoA {
			continue
		}
		var nases []string
		for _, id := range c.NASIdentifier {
			nases = append(nases, strconv.Quote(id))
		}
		source := "-"
		if c.Source.IsValid() {
			source = c.Source.String()
		} else if c.SourcePool.IsValid() {
			source = fmt.Sprintf("%s, by the certificate's %s", c.SourcePool, poolKeyText(c))
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", c.Name, cmp.Or(strings.Join(nases, ", "), "as learned"), cmp.Or(strings.Join(c.OperatorName, ", "), "-"), source)
	}
}

// serverAddresses lists the addresses of a server, those that its name has now.
func serverAddresses(s *config.Server, n names) string {
	if !s.HasHostName() {
		return s.Address
	}
	var list []string
	for _, a := range n[s.Address].list {
		list = append(list, a.String())
	}
	if len(list) == 0 {
		return s.Address + ", which has no address now"
	}
	return fmt.Sprintf("%s (%s now)", s.Address, strings.Join(list, ", "))
}

// timestampText says what is expected of the Event-Timestamp of a CoA or Disconnect.
func timestampText(r *config.Routing) string {
	text := "not checked where there is one"
	if r.EventTimestampWindow > 0 {
		text = fmt.Sprintf("at most %v from now where there is one", r.EventTimestampWindow)
	}
	if r.RequireEventTimestamp {
		text = strings.Replace(text, " where there is one", "", 1) + ", required"
	}
	return text
}
