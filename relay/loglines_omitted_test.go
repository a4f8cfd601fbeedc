package relay

import (
	"bytes"
	"crypto/md5"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// foreign returns 18 octets, a salt and a block, which the server's secret and the
// request's authenticator decrypt to a length octet of 255.
func foreign(s []byte) []byte {
	stream := md5.Sum(append(append([]byte(serverText), s[4:20]...), 0x80, 1))
	stream[0] ^= 255
	return append([]byte{0x80, 1}, stream[:]...)
}

// inside makes an attribute of a vendor's in the layout of RFC 2865 §5.26.
func inside(number byte, value ...byte) []byte {
	return append([]byte{number, byte(2 + len(value))}, value...)
}

// omissionRow is a request, or its reply, that is passed on without an attribute.
type omissionRow struct {
	name    string
	v11     bool
	code    radius.Code
	attrs   []attr
	reply   radius.Code
	back    func(s []byte) []attr
	counted string
	fields  string // of the line, after those that each has
}

var (
	clearKey    = []byte("\xff\xf8key-in-clear\xf9\xfa") // 16 octets, none a length that fits
	oddPassword = attr{2, clearKey[:15]}
	fullRequest = append(fill(200, 4096-20-18-18-21), nemo) // 21 octets remain; the marker has 22
)

// omissionRows has each reason, in both directions and both versions of RADIUS.
var omissionRows = []omissionRow{
	{"no space for the marker", false, 1, fullRequest, 3, nil, "loop_marker=1", "kind=access packet=Access-Request attribute=Proxy-State omitted=1"},
	{"no space for the marker, 1.1", true, 1, fullRequest, 3, nil, "loop_marker=1", "kind=access packet=Access-Request attribute=Proxy-State omitted=1"},

	{"a password beside EAP", false, 1, []attr{nemo, oddPassword, eap(2, 1, 0, 4), mac, oddPassword}, 3, nil, "user_password=2", "kind=access packet=Access-Request attribute=User-Password omitted=2"},
	{"a password beside EAP, 1.1", true, 1, []attr{nemo, {2, make([]byte, 129)}, eap(2, 1, 0, 4)}, 3, nil, "user_password=1", "kind=access packet=Access-Request attribute=User-Password omitted=1"},
	{"a password in accounting, 1.1", true, 4, []attr{nemo, {2, make([]byte, 129)}}, 5, nil, "user_password=1", "kind=accounting packet=Accounting-Request attribute=User-Password omitted=1"},

	{"EAP in accounting", false, 4, []attr{nemo, eap(2, 1, 0, 4), eap(1), mac}, 5, nil, "eap_message=2", "kind=accounting packet=Accounting-Request attribute=EAP-Message omitted=2"},
	{"EAP in accounting, 1.1", true, 4, []attr{nemo, eap(2, 1, 0, 4)}, 5, nil, "eap_message=1", "kind=accounting packet=Accounting-Request attribute=EAP-Message omitted=1"},
	{"EAP in an Accounting-Response", false, 4, []attr{nemo}, 5, func([]byte) []attr { return []attr{mac, eap(3, 1, 0, 4)} },
		"eap_message=1", "kind=accounting packet=Accounting-Response attribute=EAP-Message omitted=1"},
	{"EAP in an Accounting-Response, 1.1", true, 4, []attr{nemo}, 5, func([]byte) []attr { return []attr{mac, eap(3, 1, 0, 4)} },
		"eap_message=1", "kind=accounting packet=Accounting-Response attribute=EAP-Message omitted=1"},

	{"a key whose length does not fit, to the server", true, 1, []attr{nemo, vendor(311, append([]byte{16, 99}, clearKey...)...)}, 3, nil,
		"unreadable=1", "kind=access packet=Access-Request attribute=MS-MPPE-Send-Key omitted=1"},
	{"a signature whose length does not fit", true, 43, []attr{nemo, vendor(9, 18, 99)}, 44, nil,
		"unreadable=1", "kind=coa packet=CoA-Request attribute=Vendor-9-Attr-18 omitted=1"},
	{"a container that is malformed, to the server", true, 1, []attr{nemo, vendor(41112, inside(5, 2, 99)...)}, 3, nil,
		"unreadable=1", "kind=access packet=Access-Request attribute=Vendor-41112-Attr-5 omitted=1"},
	{"a value of WiMAX without its last part", true, 1, []attr{nemo, vendor(24757, 5, 4, 0x80, 1), vendor(24757, 5, 4, 0x80, 2)}, 3, nil,
		"unreadable=1", "kind=access packet=Access-Request attribute=WiMAX-MSK omitted=1"},

	{"keys in clear", true, 1, []attr{nemo}, 2, func([]byte) []attr {
		return []attr{mac, vendor(311, inside(17, clearKey...)...), {69, clearKey}, {214, clearKey[:15]}, vendor(311, inside(12, clearKey[:15]...)...), {2, clearKey[:15]}}
	}, "unreadable=5", "kind=access packet=Access-Accept attribute=MS-MPPE-Recv-Key omitted=5"},
	{"a LEAP key in clear", true, 1, []attr{nemo}, 2, func([]byte) []attr {
		return []attr{mac, vendor(9, inside(1, append([]byte("leap:session-key="), clearKey...)...)...)}
	}, "unreadable=1", "kind=access packet=Access-Accept attribute=Cisco-AVPair omitted=1"},
	{"a key whose length does not fit, to the client", true, 1, []attr{nemo}, 2, func([]byte) []attr {
		return []attr{mac, vendor(4846, append([]byte{0, 214, 99}, clearKey...)...)}
	}, "unreadable=1", "kind=access packet=Access-Accept attribute=Lucent-Send-Secret omitted=1"},
	{"two TLVs of a container, and so the container", true, 40, []attr{nemo}, 41, func([]byte) []attr {
		return []attr{mac, vendor(41112, inside(5, 2, 3, 9, 3, 3, 7)...)}
	}, "unreadable=2", "kind=disconnect packet=Disconnect-ACK attribute=UBNT-Tunnel-Password omitted=2"},
	{"one TLV of a container", true, 1, []attr{nemo}, 3, func([]byte) []attr {
		return []attr{mac, vendor(41112, inside(5, 1, 3, 7, 3, 3, 7)...)}
	}, "unreadable=1", "kind=access packet=Access-Reject attribute=UBNT-Tunnel-Password-Keyid omitted=1"},

	{"keys of another secret", true, 1, []attr{nemo}, 11, func(s []byte) []attr {
		return []attr{mac, {69, append([]byte{1}, foreign(s)...)}, vendor(311, inside(16, foreign(s)...)...), vendor(41112, inside(5, inside(2, foreign(s)...)...)...)}
	}, "other_secret=3", "kind=access packet=Access-Challenge attribute=Tunnel-Password omitted=3"},

	{"nothing, though much of it is odd", false, 1, []attr{nemo, vendor(311, append([]byte{16, 99}, clearKey...)...), vendor(9, 18, 99), proxyState("x")}, 3, func(s []byte) []attr {
		return []attr{mac, vendor(311, inside(17, clearKey...)...), {69, append([]byte{1}, foreign(s)...)}, {241, []byte{3, 0, 0, 16, 0}}, proxyState("x")}
	}, "", ""},
	{"nothing but what ends here, 1.1", true, 1, []attr{nemo, vendor(9, inside(18, 1)...), {80, nil}, {241, []byte{4, 0, 0, 0, 1}}, proxyState("x")}, 2, func(s []byte) []attr {
		return []attr{mac, vendor(9, inside(17, 1)...), {241, []byte{3, 0, 0, 16, 0}}, vendor(24757, 86, 3, 0), proxyState("x")}
	}, "", ""},
}

// Omitted attributes are counted by reason, and logged once with client, server and attribute,
// in both directions and both versions of RADIUS. Their values are never logged.
// Rules: P8, P15, P35, P40
func TestOmittedAttributes(t *testing.T) {
	for _, row := range omissionRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Marker = NewMarker(MarkerKey{1}, []string{"a"})
				b.net.setServe(func(s []byte) [][]byte {
					back := []attr{mac}
					if row.back != nil {
						back = row.back(s)
					}
					return [][]byte{respond(s, row.reply, back...)}
				})
				conn, p := b.open()
				q := makeRequest(row.code, 9, 1, row.attrs...)
				if row.v11 {
					conn, p = b.open11()
					q = makeRequest11(row.code, 9, row.attrs...)
				}
				b.send(conn, q)
				if a := one(t, "the client got", p.got()); radius.Code(a[0]) != row.reply {
					t.Fatalf("the client got %v, expected %v", radius.Code(a[0]), row.reply)
				}
				if got := b.counts("radsec_gw_omitted_attributes_total", "reason"); got != row.counted {
					t.Errorf("counted: %q, expected %q", got, row.counted)
				}
				line := b.log.String()
				if row.counted == "" {
					if line != "" {
						t.Errorf("the log has %q, expected nothing", line)
					}
					return
				}
				if !strings.Contains(line, "level=WARN ") || strings.Count(line, "\n") != 1 ||
					!strings.HasSuffix(line, `" client=campus connection=192.0.2.1:1024 server=a `+row.fields+"\n") {
					t.Errorf("the log has %q, expected a warning with the fields %q", line, row.fields)
				}
				if strings.Contains(line, "in-clear") {
					t.Errorf("the log has the value: %q", line)
				}
			})
		})
	}
}

// Repeated omissions are logged once a minute for each reason, and all are counted.
func TestOmittedAttributesAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.net.setServe(func(s []byte) [][]byte {
			if s[0] == 4 {
				return [][]byte{respond(s, 5)}
			}
			return [][]byte{respond(s, 2, mac, attr{69, bytes.Repeat([]byte{9}, 7)})}
		})
		conn, _ := b.open11()
		for i := range 20 {
			b.send(conn, makeRequest11(4, uint32(2*i), nemo, eap(2, 1, 0, 4)))
			b.send(conn, makeRequest11(1, uint32(2*i+1), nemo))
		}
		if got := b.counts("radsec_gw_omitted_attributes_total", "client", "reason"); got != "campus/eap_message=20 campus/unreadable=20" {
			t.Errorf("counted: %s", got)
		}
		pass(2 * time.Minute)
		if got := b.log.String(); strings.Count(got, "\n") != 4 || strings.Count(got, "suppressed=18\n") != 2 {
			t.Errorf("two minutes later the log has the following, expected two lines for each reason:\n%s", got)
		}
	})
}
