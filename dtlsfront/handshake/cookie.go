package handshake

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/pion/dtls/v4"

	"radsec-gw/dtlsfront/hello"
	"radsec-gw/dtlsfront/record"
)

// replaceCookie overwrites the cookie of a pion connection that waits for a ClientHello to
// return it. sent is the HelloVerifyRequest that pion has written: only if its cookie is the
// one that is overwritten was the right field found.
//
// pion has no option for this. Its slice is reached by reflection, which gives read access to
// fields of other packages; only the octets that the slice points to are changed, and pion
// made these for this connection. No other goroutine uses them: DetachedConn.HandleDatagram
// has returned, so the handshake waits for the next datagram.
func replaceCookie(conn *dtls.DetachedConn, sent, cookie []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this pion/dtls has another layout: %v", r)
		}
	}()
	state := reflect.ValueOf(conn).Elem().FieldByName("conn").Elem().FieldByName("state").Elem().Elem()
	theirs := state.FieldByName("Cookie").Bytes()
	r, _, ok := record.Next(sent, 0)
	switch {
	case len(theirs) != hello.CookieSize || len(cookie) != hello.CookieSize:
		return fmt.Errorf("this pion/dtls has a cookie of %d octets, expected %d", len(theirs), hello.CookieSize)
	case !ok || !bytes.HasSuffix(r.Fragment, theirs):
		return errors.New("this pion/dtls did not send the cookie that it keeps")
	}
	copy(theirs, cookie)
	return nil
}
