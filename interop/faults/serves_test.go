package faults

import "testing"

// The bed works unchanged: a test that fails elsewhere fails because of what it changed.
func TestTheBedServes(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.checkSays(0)
	g := b.serve()
	c := g.dial(b.client)
	for _, pair := range [][2]byte{{accessRequest, accessAccept}, {accountingRequest, accountingResponse}, {coaRequest, coaACK}, {disconnectRequest, disconnectACK}} {
		asked := request(pair[0], 1, userName("user@example.org"))
		if got := c.ask(asked); got[0] != pair[1] || !verifies(got, asked, radsecSecret) {
			t.Errorf("code %d is answered with %d, expected %d that verifies", pair[0], got[0], pair[1])
		}
	}
	b.server.answers(func(request []byte) []byte { return reply(request, coaNAK, attribute(101, []byte{0, 0, 1, 247})) })
	if got := c.ask(request(coaRequest, 2)); got[0] != coaNAK || errorCause(got) != 503 {
		t.Errorf("the server's NAK with Error-Cause 503 arrives as code %d with %d", got[0], errorCause(got))
	}
	if status, _ := g.page("/readyz"); status != 200 {
		t.Errorf("/readyz answers %d, expected 200", status)
	}
	if got := len(b.server.requests()); got != 5 {
		t.Errorf("the server got %d requests, expected 5", got)
	}
}
