package probe

import (
	"slices"
	"strings"
	"testing"

	"layeh.com/radius"
)

// An Access-Accept on the RadSec leg, as the gateway writes it for the request with the Request
// Authenticator of RFC 2865 §7.1.
// Rules: P30, P38, P39
func TestPrintAccept(t *testing.T) {
	packet := mustHex(t, `
		02 07 00 b4 88 bc 91 fe dd 1a 9d 7c 47 08 29 f4 b6 86 0c 85 50 12 49 17 d5 7f 53 6b 9e 4c 28 55
		22 5f 89 ff 30 80 1a 3a 00 00 01 37 10 34 9a 01 59 20 da b5 3c d8 00 f9 8c 06 24 91 24 0e 84 57
		40 ed 88 6a 96 f2 3a 86 59 38 10 4c 99 05 09 fb 98 06 84 52 73 ea 71 3d 72 58 c1 0d 1d 62 55 73
		1a 3a 00 00 01 37 11 34 9a 02 b2 5f 0b ae 14 e6 7a d8 59 ef 78 43 11 61 eb 17 15 9d 64 51 ce 00
		8a 64 aa 5a 89 48 17 7e b9 5d f3 b4 b1 50 ea f8 7b 21 04 cf e2 09 2b 7d 12 4d 45 15 01 9a 03 8d
		d7 03 8e f6 fa 6a a0 d1 15 70 2e 18 c2 66 19 21 05 70 73 31`)
	reply, err := radius.Parse(packet, []byte("radsec"))
	if err != nil {
		t.Fatal(err)
	}
	authenticator := [16]byte(mustHex(t, "0f403f9473978057bd83d5cb98f4227a"))
	printer := &attributePrinter{secret: []byte("radsec"), authenticator: authenticator, secrets: true}
	want := []string{
		"MS-MPPE-Send-Key = 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"MS-MPPE-Recv-Key = 0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
		`Tunnel-Password:1 = "tunnelpw"`,
		`Proxy-State = 0x707331 "ps1"`,
	}
	// Its MS-MPPE-Recv-Key holds octets that are all printable: shown in both ways.
	if got := printer.lines(reply.Attributes); len(got) != 4 || !strings.HasPrefix(got[1], want[1]) || got[0] != want[0] || !slices.Equal(got[2:], want[2:]) {
		t.Errorf("printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err := VerifyMessageAuthenticator(packet, []byte("radsec"), authenticator); err != nil {
		t.Errorf("its Message-Authenticator: %v, want verified", err)
	}
	printer.secrets = false
	if got := printer.lines(reply.Attributes); got[2] != "Tunnel-Password:1 = (hidden)" {
		t.Errorf("printed %q, want the password hidden", got[2])
	}
}

// Attributes of each type and layout, well-formed and not.
func TestPrintForms(t *testing.T) {
	for _, c := range []struct {
		name, attributes string
		want             []string
	}{
		{"text, integer with a name, address, date", "01 05 62 6f 62  06 06 00 00 00 02  08 06 c0 00 02 01  37 06 00 00 00 01",
			[]string{`User-Name = "bob"`, "Service-Type = 2 (Framed-User)", "Framed-IP-Address = 192.0.2.1", "Event-Timestamp = 1970-01-01T00:00:01Z"}},
		{"a tag or none", "40 06 01 00 00 0d  51 04 01 37  51 04 31 30",
			[]string{"Tunnel-Type:1 = 13", `Tunnel-Private-Group-Id:1 = "7"`, `Tunnel-Private-Group-Id = "10"`}},
		{"an IPv6 prefix", "61 08 00 20 20 01 0d b8", []string{"Framed-IPv6-Prefix = 2001:db8::/32"}},
		{"an extended type", "f1 07 04 00 00 00 04", []string{"Original-Packet-Code = 4"}},
		{"unknown", "c8 03 01  1a 09 00 00 00 0b 01 03 ff", []string{"Attribute 200 = 0x01", "Vendor-Specific 11.1 = 0xff"}},
		{"two in one Vendor-Specific", "1a 0c 00 00 00 09 01 03 61 02 03 62", []string{`Cisco-AVPair = "a"`, `Vendor-Specific 9.2 = 0x62 "b"`}},
		{"nested", "1a 0b 00 00 a0 98 05 05 09 03 ff", []string{"Vendor-Specific 41112.5.9 = 0xff"}},
		{"causes", "65 06 00 00 01 f6  65 06 00 00 01 fc  65 06 00 00 03 e7",
			[]string{"Error-Cause = 502 (Proxy-Request-Not-Routable: no route matches this realm and kind of request; of CoA and Disconnect sent by UDP, no connected NAS is the one that it names)",
				"Error-Cause = 508 (Multiple-Session-Selection-Unsupported)", "Error-Cause = 999 (unknown cause)"}},
		{"an IPv4 prefix", "9b 08 00 18 c0 00 02 00  9b 08 00 21 c0 00 02 00",
			[]string{"PMIP6-Home-IPv4-HoA = 192.0.2.0/24", "PMIP6-Home-IPv4-HoA = 0x0021c0000200"}},
		{"64 bits", "7c 0a 00 00 00 01 00 00 00 00", []string{"MIP6-Feature-Vector = 4294967296"}},
		{"WiMAX in two parts", "1a 0a 00 00 60 b5 01 04 80 61  1a 0a 00 00 60 b5 01 04 00 62", []string{`Vendor-Specific 24757.1 = 0x6162 "ab"`}},
		{"Lucent's two octets of type", "1a 0a 00 00 12 ee 01 00 04 ff", []string{"Vendor-Specific 4846.256 = 0xff"}},
		{"impossible lengths", "08 03 01  1a 06 00 00 00 09  1a 08 00 00 00 09 01 09  1a 07 00 00 00 09 01  45 02",
			[]string{"Framed-IP-Address = 0x01", "Vendor-Specific = 0x00000009", "Vendor-Specific 9 = 0x0109 (its length is out of range)", "Vendor-Specific 9 = 0x01 (not an attribute)",
				"Tunnel-Password = 0x (cannot be revealed: expected 2 octets of salt and a multiple of 16, got 0)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			attributes, err := radius.ParseAttributes(mustHex(t, c.attributes))
			if err != nil {
				t.Fatal(err)
			}
			printer := &attributePrinter{secret: []byte("radsec"), secrets: true}
			if got := printer.lines(attributes); !slices.Equal(got, c.want) {
				t.Errorf("printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// Printing must not panic or write a control character, whatever a server sends.
func FuzzPrint(f *testing.F) {
	f.Add([]byte{26, 12, 0, 0, 0, 9, 1, 3, 0x61, 2, 3, 0x62})
	f.Add([]byte{26, 10, 0, 0, 0x60, 0xb5, 5, 4, 0x80, 0x61, 69, 2, 64, 2, 81, 3, 1})
	f.Add([]byte{26, 11, 0, 0, 0xa0, 0x98, 5, 5, 2, 3, 0xff, 241, 3, 4, 97, 4, 0, 129})
	f.Fuzz(func(t *testing.T, b []byte) {
		attributes, err := radius.ParseAttributes(b)
		if err != nil {
			return
		}
		printer := &attributePrinter{secret: []byte("radsec"), secrets: true}
		for _, line := range printer.lines(attributes) {
			if strings.ContainsAny(line, "\x00\x1b\n") {
				t.Errorf("printed a control character: %q", line)
			}
		}
	})
}
