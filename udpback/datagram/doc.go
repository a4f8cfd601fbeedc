// Package datagram sends and receives UDP datagrams in batches: on 64-bit Linux by
// sendmmsg(2) and recvmmsg(2), up to [BatchSize] with one system call, elsewhere one by
// one. Nothing is allocated for a datagram.
//
// There are two kinds of socket. A [Conn] is connected to one address: the kernel drops
// datagrams from any other. [NewDialer] returns a function that opens them. A [Listener]
// exchanges datagrams with any number of peers; one of [NewLocalListener] notes in each [Peer]
// to which address of this machine its datagram came, and answers from there, although the
// socket is bound to all of them.
//
// Both receive in the same way: Receive calls a function with an [Inbox] for each batch
// that has arrived, and returns only with an error, as net.ErrClosed after Close. The
// Inbox, and every slice that its methods return, is valid until that function returns;
// then the memory is used again. To keep a datagram, copy it.
//
// Send keeps no reference to the packets that it is given once it has returned.
//
// One goroutine receives from a socket. Any number may send, and Close, at any time.
package datagram
