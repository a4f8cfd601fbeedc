package gateway

import (
	"fmt"
	"maps"
	"reflect"
	"strings"

	"radsec-gw/config"
	"radsec-gw/sessions"
)

// ofWholeGateway reports whether a field of [listen] has no key in [[listener]].
func ofWholeGateway(field string) bool {
	switch field {
	case "ReadableKeys", "CRLDirectory", "CRLRefresh", "KeyLogFile", "ReloadInterval", "DrainTimeout":
		return true
	}
	return false
}

// withTable returns a change that puts a table before the [[client]].
func withTable(table string, see func(*Gateway) any) keyChange {
	const client = "[[client]]\nname = \"campus\""
	return keyChange{client, table + client, see}
}

// accepts observes whether a front accepts a client that its clients does not name.
func accepts(name string) func(*Gateway) any {
	return func(g *Gateway) any {
		for _, f := range g.current.Load().files.fronts {
			if f.Name == name {
				return f.Accepts(&config.Client{Name: "another", Transports: []string{"tls"}})
			}
		}
		return true
	}
}

// listenerChanges has the keys of [[listener]] and [[certificate]].
func listenerChanges() map[string]keyChange {
	all := map[string]keyChange{"Listen.Clients": {"", `clients = ["campus"]`, accepts("listen")}}
	const listener = "[[listener]]\nname = \"l\"\n"
	const address = "address = [\"127.0.0.1:0\"]\n"
	changes := listenChanges()
	maps.Copy(changes, crlChanges())
	for name, c := range changes {
		field := strings.TrimPrefix(name, "Listen.")
		text := address + c.to + "\n"
		switch field {
		case "Address":
			text = "address = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n"
		case "ClientCA":
			text = address + "client_ca = \"certs/other/ca.pem\"\n"
		}
		if !ofWholeGateway(field) {
			all["Listeners.Listen."+field] = withTable(listener+text, likeListen(c.see))
		}
	}
	all["Listeners.Name"] = withTable(listener+address, func(g *Gateway) any { return g.current.Load().fronts.named("l") != nil })
	all["Listeners.Transport"] = withTable(listener+address+"transport = \"dtls\"\n", func(g *Gateway) any {
		f := g.current.Load().fronts.named("l")
		return f != nil && f.dtls != nil
	})
	all["Clients.Transports"] = keyChange{"", `transports = ["tls", "dtls"]`, func(g *Gateway) any { return g.clients[0].Config().OverDTLS != nil }}
	const client = "[[client]]\nname = \"campus\"\n"
	ofPSK := func(see func(*sessions.Client) bool) keyChange {
		return keyChange{client, listener + address + "transport = \"dtls\"\n" + client + "transports = [\"dtls\"]\npsk_identity = \"ap\"\npsk = \"a key of sixteen\"\n", func(g *Gateway) any {
			f := g.current.Load().fronts.named("l")
			return f != nil && len(f.dtls.Config().Clients) > 0 && see(f.dtls.Config().Clients[0])
		}}
	}
	all["Clients.PSKIdentity"] = ofPSK(func(c *sessions.Client) bool { return c.PSKIdentity == "ap" })
	all["Clients.PSK"] = ofPSK(func(c *sessions.Client) bool { return string(c.PSK) == "a key of sixteen" })
	all["Listeners.Listen.Clients"] = withTable(listener+address+"clients = [\"campus\"]\n", accepts("l"))
	all["Listeners.Listen.CRL"] = withTable(listener+address+"crl = [\"ca.crl\"]\n", func(g *Gateway) any { // it counts for both
		f := g.current.Load().fronts.named("l")
		return f != nil && len(f.tls.Config().CRLs)+len(g.listen().Config().CRLs) == 2
	})

	more := func(g *Gateway) any { return len(g.listen().Config().Certificates) }
	certificate := "[[certificate]]\n" + otherPair
	all["Certificates.Certificate"], all["Certificates.PrivateKey"] = withTable(certificate, more), withTable(certificate, more)
	all["Certificates.Names"] = withTable(certificate+"names = [\"a.example\"]\n", func(g *Gateway) any {
		return fmt.Sprint(g.listen().Config().Certificates) != "[]" && g.listen().Config().Certificates[0].Names != nil
	})
	all["Certificates.Listeners"] = withTable(listener+address+certificate+"listeners = [\"l\"]\n", func(g *Gateway) any {
		f := g.current.Load().fronts.named("l")
		return f != nil && len(f.tls.Config().Certificates) > len(g.listen().Config().Certificates)
	})
	return all
}

// likeListen reports whether what see observes of [listen] is the same of the listener "l", if
// there is one.
func likeListen(see func(*Gateway) any) func(*Gateway) any {
	return func(g *Gateway) any {
		current := g.current.Load()
		f := current.fronts.named("l")
		if f == nil {
			return true
		}
		of := new(Gateway)
		of.current.Store(&generation{Plan: current.Plan, fronts: fronts{f}})
		return reflect.DeepEqual(see(of), see(g))
	}
}
