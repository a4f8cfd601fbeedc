package udpback

// ShareIssuer is told that a server issued a State: Hash of the State, and ServerID of the server's
// name, of an address of an expanded name NAME@ADDRESS. It must not wait.
type ShareIssuer func(state uint64, server uint32)

// ShareIssuers has share told of every State that a server of a group with several issues from now
// on, so that other gateways can be given it by RememberIssuer.
//
// All gateways compute Hash alike, without a key. So a client could construct a State with the hash
// of another, which is of no use to it: its own requests would go to the server that issued
// that, and no others.
func (b *Backend) ShareIssuers(share ShareIssuer) { b.issuers.share.Store(&share) }

// RememberIssuer remembers that a server issued a State, as another gateway has told: see
// ShareIssuer. If no server here has that name it does nothing. Like what is learned here, it is
// overwritten by others in time.
func (b *Backend) RememberIssuer(state uint64, server uint32) {
	b.issuers.mu.Lock()
	number := b.issuers.byID[server]
	b.issuers.mu.Unlock()
	if number != 0 {
		b.issuers.remember(state, number)
	}
}
