package relay

import (
	"bytes"

	"radsec-gw/rules"
	"radsec-gw/wire"
)

// AttributeRules are the attribute rules of one place, for requests and for replies. The
// zero AttributeRules changes nothing. It is immutable.
type AttributeRules struct{ Request, Reply *rules.Chain }

// any reports whether there are rules for requests of a kind, or for the replies to them.
func (a *AttributeRules) any(kind wire.Kind) bool {
	return a.Request.Applies(kind) || a.Reply.Applies(kind)
}

// Passage is the attribute rules that one request to a server and its reply pass. A request
// passes those of its client, by which it is routed, then those of its route and its server; a
// reply passes them in the opposite order (AR2).
type Passage struct {
	Kind   wire.Kind          // of the request
	Facts  *rules.Facts       // of its connection
	Secret *wire.ClientSecret // that the request came with
	Client AttributeRules
	Server AttributeRules // of the route and the server together
}

// FromClient returns the request after the rules of its client. Like all views that the
// methods return, it may be inside e.
func (p *Passage) FromClient(e *rules.Editor, d *wire.Digests, v *wire.View) (*wire.View, error) {
	return p.request(p.Client.Request, e, d, v)
}

// ToServer returns what FromClient has returned after the rules of the route and the server.
func (p *Passage) ToServer(e *rules.Editor, d *wire.Digests, v *wire.View) (*wire.View, error) {
	return p.request(p.Server.Request, e, d, v)
}

func (p *Passage) request(chain *rules.Chain, e *rules.Editor, d *wire.Digests, v *wire.View) (*wire.View, error) {
	if !chain.Applies(p.Kind) {
		return v, nil
	}
	return chain.Apply(e, v, p.Kind, p.Facts, d.SealRequest(v, p.Secret))
}

// Reply returns the reply of a server after the rules, those of the server first. Before
// them it loses the facts that the request was given (ID4), and if it has the User-Name that
// was sent, it gets that of the client's own request (RFC 2865 §5.1). own is this request,
// changed what FromClient returned for it, sent the Request Authenticator that the server
// got, from its secret, other a second Editor.
func (p *Passage) Reply(e, other *rules.Editor, d *wire.Digests, reply, own, changed *wire.View, sent *[16]byte, from *wire.ServerSecret) (*wire.View, error) {
	for _, chain := range [...]*rules.Chain{p.Client.Request, p.Server.Request} {
		reply = chain.StripFacts(e, reply, p.Kind, p.Facts)
	}
	reply, err := p.restoreUserName(e, other, d, reply, own, changed)
	if err != nil {
		return nil, err
	}
	seal := d.SealReply(sent, from)
	for _, chain := range [...]*rules.Chain{p.Server.Reply, p.Client.Reply} {
		if !chain.Applies(p.Kind) {
			continue
		}
		if reply, err = chain.Apply(e, reply, p.Kind, p.Facts, seal); err != nil {
			return nil, err
		}
	}
	return reply, nil
}

// restoreUserName returns the reply with the client's own User-Name, if it has the one that
// was sent. What was sent is computed again, because the request may have been sent to
// several servers, each with rules of its own.
func (p *Passage) restoreUserName(e, other *rules.Editor, d *wire.Digests, reply, own, changed *wire.View) (*wire.View, error) {
	there := p.Server.Request.ChangesUserName(p.Kind)
	if reply.UserName() == nil || !there && !p.Client.Request.ChangesUserName(p.Kind) {
		return reply, nil
	}
	if there {
		var err error
		if changed, err = p.ToServer(other, d, changed); err != nil {
			return nil, err
		}
	}
	name := changed.UserName()
	if name == nil || bytes.Equal(name, own.UserName()) {
		return reply, nil
	}
	return rules.ReplaceUserName(e, reply, name, own.UserName())
}
