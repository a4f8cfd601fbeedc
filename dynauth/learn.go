package dynauth

import (
	"layeh.com/radius"

	"time"

	"radsec-gw/wire"
)

// Arrived learns from a verified request of the client which NAS the connection carries
// (RC9). It returns that NAS, for Answered; nil if requests are not sent down to the client.
// It is called by the connection's read loop.
func (l *Link) Arrived(v *wire.View, now time.Duration) *NAS {
	if !l.client.Reverse() {
		return nil
	}
	l.used.Store(int64(now))
	var n names
	n.read(v)
	t := l.server.learned
	var keys keyList
	keys.identity(&t.hasher, &n)
	hash := l.identity(&n)
	all := hash
	for i := range keys.n {
		all = all*31 + keys.keys[i]
	}
	if nas := l.carried.Load(); nas != nil && all == l.lastHash && now-l.lastClaim < refreshEvery && !nas.gone.Load() {
		l.carry(nas, now)
		return nas
	}
	lim := l.server.lim()
	nas := t.nas(l.client, hash, &n, now, &lim)
	if nas == nil {
		return nil
	}
	l.carry(nas, now)
	if last := l.carried.Swap(nas); last != nil && last.hash != nas.hash {
		l.several.Store(true)
	}
	l.lastHash, l.lastClaim = all, now
	l.claim(nas, &n, &keys, now, &lim)
	return nas
}

// carry records that the connection carries a NAS.
func (l *Link) carry(nas *NAS, now time.Duration) {
	if nas.carry(l, now) {
		l.server.connected(nas)
	}
}

// identity returns the hash of what a NAS calls itself, and of its client. One without a name
// is known by its connection.
func (l *Link) identity(n *names) key {
	h := &l.server.learned.hasher
	all := l.clientHash
	for _, name := range [...][]byte{n.nasIdentifier, n.nasIP, n.nasIPv6} {
		all = all*31 + h.key(kindAddress, name)
	}
	if n.nasIdentifier == nil && n.nasIP == nil && n.nasIPv6 == nil {
		all = all*31 + l.deviceHash
	}
	return all
}

// claim has the NAS have its names, unless they are those of another client's.
func (l *Link) claim(nas *NAS, n *names, keys *keyList, now time.Duration, lim *limits) {
	s := l.server
	dir := s.directory.Load()
	for i := range keys.n {
		kind := keys.kinds[i]
		if kind == kindNASIdentifier {
			if owner := dir.byIdentifier[string(keys.names[i])]; owner != nil && owner != l.client {
				s.metrics.ClaimRefused()
				s.logClaim(l, n, owner.name)
				continue
			}
		}
		if other, ok := s.learned.claimIdentity(keys.keys[i], kind, nas, now, lim); !ok {
			s.metrics.ClaimRefused()
			s.logClaim(l, n, other.client.name)
			continue
		}
		s.nameOfNAS(nas, keys.keys[i], kind, keys.names[i])
	}
}

// Renamed learns the names of the NAS in a copy of a request that attribute rules have
// changed: its servers know it by these.
func (l *Link) Renamed(nas *NAS, v *wire.View, now time.Duration) {
	if nas == nil {
		return
	}
	var n names
	n.read(v)
	var keys keyList
	keys.identity(&l.server.learned.hasher, &n)
	lim := l.server.lim()
	l.claim(nas, &n, &keys, now, &lim)
}

// Granted is what an Access-Accept gives a session; empty: nothing.
type Granted struct {
	Class    []byte
	UserName []byte // which the NAS then uses in accounting (RFC 2865 §5.1)
}

// Answered learns from the server's answer to a request, before which a session is only what
// a client says (RC9): an Access-Accept, or an Accounting-Response. Another is passed over.
// The request v came from the NAS, which may be nil. It may be called from any goroutine.
func (l *Link) Answered(nas *NAS, v *wire.View, answer wire.Code, granted Granted, now time.Duration) {
	if nas == nil || answer != radius.CodeAccessAccept && answer != radius.CodeAccountingResponse {
		return
	}
	var n names
	n.read(v)
	t := l.server.learned
	lim := l.server.lim()
	how := claimInterim
	if answer == radius.CodeAccessAccept {
		how = claimAccepted
	} else {
		granted = Granted{Class: n.class}
		switch n.status {
		case acctStart:
			how = claimStarted
		case acctOn, acctOff:
			nas.epoch.Add(1)
			return
		case acctStop:
			l.stop(nas, &n)
			return
		}
	}
	var keys keyList
	keys.sessions(&t.hasher, &n, granted.Class)
	if len(granted.UserName) > 0 && len(n.calling) > 0 {
		keys.add(kindStation, t.station(n.calling, granted.UserName), nil)
	}
	for i := range keys.n {
		t.claimSession(keys.keys[i], keys.kinds[i], nas, how, now, &lim)
	}
}

// stop ends a session at its NAS (RFC 2866 §5.1). Its Class and Acct-Multi-Session-Id may be
// those of others.
func (l *Link) stop(nas *NAS, n *names) {
	t := l.server.learned
	if len(n.session) > 0 {
		t.release(t.key(kindSession, n.session), nas)
	}
	if len(n.calling) > 0 && len(n.userName) > 0 {
		t.release(t.station(n.calling, n.userName), nas)
	}
}
