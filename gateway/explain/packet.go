package explain

import (
	"cmp"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"radsec-gw/audit"
	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/identity"
	"radsec-gw/rules"
	"radsec-gw/web/status"
	"radsec-gw/wire"
)

// MaxPacketFile is the size in bytes of the longest packet in hexadecimal digits, with space
// between them.
const MaxPacketFile = 4 * wire.MaxLength

// PacketOptions is a packet to be explained.
type PacketOptions struct {
	Packet      []byte            // of a file: octets, or hexadecimal digits
	Request     []byte            // likewise, of the request that a reply answers; nil for a request
	Client      string            // the name of the client; "": the only one
	Server      string            // one of the servers of the route; "": all, and for a reply the first
	Certificate *x509.Certificate // of the client; nil: its facts are missing
}

// Packet prints a packet before and after the attribute rules between a client and the
// servers, each with what the rules have changed.
func Packet(w io.Writer, p *gateway.Plan, o PacketOptions) error {
	client, err := clientNamed(p.Config, o.Client)
	if err != nil {
		return err
	}
	if o.Server != "" && serverNamed(p.Config, o.Server) == nil {
		return fmt.Errorf("expected -server with the name of a [[server]], one of %q, got %q", serverNames(p.Config), o.Server)
	}
	v, err := parsePacket(o.Packet)
	if err != nil {
		return err
	}
	x := &explained{w: w, plan: p, client: client, facts: factsFor(client, o.Certificate), server: o.Server,
		digests: wire.NewDigests(), editor: rules.NewEditor(), other: rules.NewEditor()}
	if o.Certificate == nil {
		fmt.Fprintln(w, "Without a certificate (-certificate FILE) the facts of one are missing.")
	}
	if !wire.IsReply(v.Code()) {
		return x.request(v)
	}
	if o.Request == nil {
		return fmt.Errorf("expected the request that this %s answers (-request FILE): its route and its User-Name decide what the rules do", wire.CodeName(v.Code()))
	}
	request, err := parsePacket(o.Request)
	if err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	if !wire.Answers(request.Code(), v.Code()) {
		return fmt.Errorf("expected the request that this %s answers (-request FILE), got %s, which it does not answer", wire.CodeName(v.Code()), wire.CodeName(request.Code()))
	}
	return x.reply(request, v)
}

// explained is a packet on its way through the rules.
type explained struct {
	w             io.Writer
	plan          *gateway.Plan
	client        *config.Client
	server        string // the only one that is looked at; "": all
	facts         *rules.Facts
	digests       *wire.Digests
	editor, other *rules.Editor
}

// request prints a request as its client sends it, and as each server gets it.
func (x *explained) request(v *wire.View) error {
	if v.Kind() == wire.KindOther || v.Kind() == wire.KindStatus {
		return fmt.Errorf("expected a request that is forwarded, got %s", wire.CodeName(v.Code()))
	}
	x.print(fmt.Sprintf("%s as client %q sends it", wire.CodeName(v.Code()), x.client.Name), nil, v)
	changed, err := x.fromClient(v)
	if err != nil {
		fmt.Fprintf(x.w, "\nIt is refused by the rules of client %q: %v\n", x.client.Name, err)
		return nil
	}
	x.print(fmt.Sprintf("After the rules of client %q%s", x.client.Name, x.names(v.Kind(), x.client.RulesRequest)), v, changed)
	route, servers, err := x.destination(changed)
	if err != nil {
		fmt.Fprintf(x.w, "\nNo server gets it: %v.\n", err)
		return nil
	}
	r := &x.plan.Config.Routes[route]
	fmt.Fprintf(x.w, "\nIt is forwarded by route %d, of %s.\n", route+1, realmList(r))
	for _, name := range servers {
		passage, err := x.plan.Passage(x.client, route, name, v.Kind(), x.facts)
		if err != nil {
			return err
		}
		last, err := passage.ToServer(x.editor, x.digests, changed)
		if err != nil {
			fmt.Fprintf(x.w, "\nIt is refused by the rules of the route and of server %q: %v\n", name, err)
			continue
		}
		x.print(fmt.Sprintf("For server %q, after the rules of the route and the server%s", name, x.names(v.Kind(), r.RulesRequest, serverNamed(x.plan.Config, name).RulesRequest)), changed, last)
	}
	fmt.Fprint(x.w, "\nThe gateway also writes Message-Authenticator anew, and withholds Proxy-State from the server.\n")
	return nil
}

// fromClient returns the request after the rules of the client, in memory of its own.
func (x *explained) fromClient(v *wire.View) (*wire.View, error) {
	passage, err := x.plan.Passage(x.client, -1, "", v.Kind(), x.facts)
	if err != nil {
		return nil, err
	}
	changed, err := passage.FromClient(x.editor, x.digests, v)
	if err != nil || changed == v {
		return changed, err
	}
	own := *changed
	own.Packet = slices.Clone(changed.Packet)
	return &own, nil
}

// reply prints a reply as a server sends it, and as the client gets it.
func (x *explained) reply(request, reply *wire.View) error {
	changed, err := x.fromClient(request)
	if err != nil {
		return fmt.Errorf("the request never reaches a server: %w", err)
	}
	route, servers, err := x.destination(changed)
	if err != nil {
		return fmt.Errorf("no server gets the request: %w", err)
	}
	r := &x.plan.Config.Routes[route]
	s := serverNamed(x.plan.Config, servers[0])
	passage, err := x.plan.Passage(x.client, route, s.Name, request.Kind(), x.facts)
	if err != nil {
		return err
	}
	secret, err := wire.NewServerSecret(s.Secret.Bytes())
	if err != nil {
		return err
	}
	x.print(fmt.Sprintf("%s as server %q sends it", wire.CodeName(reply.Code()), s.Name), nil, reply)
	last, err := passage.Reply(x.editor, x.other, x.digests, reply, request, changed, request.Authenticator(), secret)
	if err != nil {
		fmt.Fprintf(x.w, "\nThe rules cannot change it, so the client gets what it would get without a reply: %v\n", err)
		return nil
	}
	x.print(fmt.Sprintf("For client %q, after the rules of the server, the route and the client%s", x.client.Name, x.names(request.Kind(), s.RulesReply, r.RulesReply, x.client.RulesReply)), reply, last)
	return nil
}

// destination returns the route of a request that has passed the rules of its client, and those
// of its servers that are looked at, at least one. The error says why no server gets it.
func (x *explained) destination(v *wire.View) (route int, servers []string, err error) {
	why, err := x.plan.Refuses(x.client, v)
	if err != nil {
		return 0, nil, err
	}
	if why != "" {
		return 0, nil, errors.New(why)
	}
	route, realm, ok := x.plan.RouteOf(v)
	if !ok {
		return 0, nil, fmt.Errorf("no route matches its realm %s", status.RealmText(string(realm)))
	}
	r := &x.plan.Config.Routes[route]
	name := fmt.Sprintf("route %d, of %s,", route+1, realmList(r))
	switch {
	case v.Kind() == wire.KindAccounting && r.Accounting == config.AccountingAnswer:
		return 0, nil, fmt.Errorf("%s has it acknowledged by the gateway itself (accounting = %q)", name, r.Accounting)
	case len(r.Servers) == 0:
		return 0, nil, fmt.Errorf("%s has no servers", name)
	case x.server == "":
		return route, r.Servers, nil
	case !slices.Contains(r.Servers, x.server):
		return 0, nil, fmt.Errorf("%s has no server %q, but %q", name, x.server, r.Servers)
	}
	return route, []string{x.server}, nil
}

// print prints the attributes of a packet: "-" marks those that only the packet before has,
// "+" those that only this one has.
func (x *explained) print(title string, before, v *wire.View) {
	fmt.Fprintf(x.w, "\n%s, %d octets:\n", title, len(v.Packet))
	list := attributesOf(v)
	if before == nil {
		for _, a := range list {
			fmt.Fprintf(x.w, "    %s\n", a.line)
		}
		return
	}
	old := attributesOf(before)
	if slices.Equal(old, list) {
		fmt.Fprintln(x.w, "    (unchanged)")
		return
	}
	for _, a := range old {
		if i := slices.Index(list, a); i >= 0 {
			for _, added := range list[:i] {
				fmt.Fprintf(x.w, "  + %s\n", added.line)
			}
			fmt.Fprintf(x.w, "    %s\n", a.line)
			list = list[i+1:]
		} else {
			fmt.Fprintf(x.w, "  - %s\n", a.line)
		}
	}
	for _, added := range list {
		fmt.Fprintf(x.w, "  + %s\n", added.line)
	}
}

// attributeLine is an attribute and its line. Two with the same line differ when their values
// are hidden.
type attributeLine struct{ line, value string }

func attributesOf(v *wire.View) (list []attributeLine) {
	all := wire.Reveal(v, nil, nil)
	for i, line := range audit.Attributes(v) {
		list = append(list, attributeLine{line, string(all[i].Value)})
	}
	return list
}

// names lists the rules for packets of a kind that lists of names choose, for a title.
func (x *explained) names(kind wire.Kind, lists ...[]string) string {
	var all []string
	for _, names := range lists {
		all = append(all, x.plan.RuleNames(names, kind)...)
	}
	if len(all) > 0 {
		return " (" + strings.Join(all, ", ") + ")"
	}
	return " (none)"
}

// serverNamed returns a server of the configuration; nil: there is none.
func serverNamed(cfg *config.Config, name string) *config.Server {
	for i := range cfg.Servers {
		if cfg.Servers[i].Name == name {
			return &cfg.Servers[i]
		}
	}
	return nil
}

func serverNames(cfg *config.Config) (names []string) {
	for i := range cfg.Servers {
		names = append(names, cfg.Servers[i].Name)
	}
	return names
}

// clientNamed returns a client of the configuration.
func clientNamed(cfg *config.Config, name string) (*config.Client, error) {
	var names []string
	for i := range cfg.Clients {
		if cfg.Clients[i].Name == name || name == "" && len(cfg.Clients) == 1 {
			return &cfg.Clients[i], nil
		}
		names = append(names, cfg.Clients[i].Name)
	}
	return nil, fmt.Errorf("expected -client with the name of a [[client]], one of %q, got %q", names, name)
}

// factsFor returns the facts of an imagined connection of a client.
func factsFor(c *config.Client, leaf *x509.Certificate) *rules.Facts {
	f := identity.FactsOf(leaf)
	return &rules.Facts{
		Client: c.Name, Peer: netip.AddrPortFrom(gateway.AddressOf(c), 49152), Local: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), 2083),
		Certificate: gateway.CertificateFacts(&f), TLSVersion: "TLS 1.3", RADIUSVersion: "1.0", Connection: 1,
	}
}

// parsePacket reads a packet of a file.
func parsePacket(b []byte) (*wire.View, error) {
	if octets, ok := fromHex(b); ok {
		b = octets
	}
	v := new(wire.View)
	if err := v.Parse(b); err != nil {
		return nil, fmt.Errorf("expected one RADIUS packet, as octets or as hexadecimal digits: %w", err)
	}
	return v, nil
}

// fromHex returns the octets of a text of hexadecimal digits, with blanks or colons between
// them or not.
func fromHex(b []byte) ([]byte, bool) {
	text := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n:", r) {
			return -1
		}
		return r
	}, strings.TrimPrefix(string(b), "0x"))
	octets, err := hex.DecodeString(text)
	return octets, err == nil && len(octets) > 0
}

// realmList says which realms a route is for.
func realmList(r *config.Route) string {
	var all []string
	for _, realm := range r.Realms {
		all = append(all, status.RealmText(realm))
	}
	return cmp.Or(strings.Join(append(all, r.Operators...), ", "), "no realm")
}
