package relay

import "time"

// unverifiedRow is a request whose server has another secret, in the request log.
var unverifiedRow = requestLogRow{"a server with another secret", makeRequest(4, 1, 1, nemo), func(b *bed, conn *Connection, q []byte) {
	b.net.setServe(func(s []byte) [][]byte {
		reply := respond(s, 5)
		reply[4] ^= 255
		return [][]byte{reply, reply}
	})
	b.send(conn, q)
	pass(time.Minute)
}, []string{"accounting 192.0.2.1:1024 example.org server_unverified a acct 4 20000 8 bad_response_authenticator a"}}
