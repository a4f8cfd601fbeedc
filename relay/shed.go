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
func (l *Link) Refuse(p []byte, fate metrics.Fate) {
	b := l.work()
	if l.process(b) != nil { // what came before it, which may have its Token
		return
	}
	if err := l.parse(&b.view, p); err != nil {
		l.refused = l.malformed(err)
		return
	}
	if b.view.Kind() == wire.KindOther {
		l.notRequest(b.view.Code())
		return
	}
	x := l.newExchange(&b.view)
	defer l.gateway.recycle(x)
	switch {
	case x.Kind == wire.KindStatus:
		x.end(fate, nil)
	case l.admit11(b, x):
		l.decline(b, x, fate, causeResources)
	}
}
