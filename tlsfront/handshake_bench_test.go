package tlsfront

import (
	"crypto/tls"
	"io"
	"testing"
)

// The cost of a connection, including the client's part: connect, send one packet to the
// client, close.
func BenchmarkHandshake(b *testing.B) {
	for _, resume := range []bool{false, true} {
		name := "full"
		if resume {
			name = "resumed"
		}
		b.Run(name, func(b *testing.B) {
			f := startTCP(b, nil)
			cfg := f.clientConfig()
			if resume {
				cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			}
			for b.Loop() {
				c := must(tls.Dial("tcp", f.addr, cfg))
				p := <-f.opened
				p.session.Send(packet(20, 1))
				p.session.Flush()
				if _, err := io.ReadFull(c, make([]byte, 20)); err != nil {
					b.Fatal(err)
				}
				c.Close()
				<-p.closed
			}
		})
	}
}
