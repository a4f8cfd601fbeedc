package relay

import (
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Refuse ends a packet of RADIUS/1.1 that is beyond a limit on its connection or its
// client, with the fate that says which. It is answered as what cannot be forwarded is
// (RFC 9765 §6.1), but for Status-Server, whose silence says that its client sends too
// many (RFC 5997 §4.2). It belongs to the connection's read loop, as Packet does; Flush
// says whether the connection goes on.
func (c *Connection) Refuse(p []byte, fate metrics.Fate) {
	b := c.acquireBurst()
	if c.process(b) != nil { // what came before it, which may have its Token
		return
	}
	if err := c.parse(&b.view, p); err != nil {
		c.closeErr = c.malformed(err)
		return
	}
	if b.view.Kind() == wire.KindOther {
		c.notRequest(b.view.Code())
		return
	}
	req := c.newRequest(&b.view)
	defer c.relay.recycle(req)
	switch {
	case req.Kind == wire.KindStatus:
		req.recordFate(fate, nil)
	case c.admit11(b, req):
		c.decline(b, req, fate, causeResources)
	}
}
