package detail

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"radsec-gw/wire"
)

// header is the first line of a record in tests.
const header = "Sun Nov  8 07:12:53 2026\n"

// The Reader goes on after each record that it cannot read, and names the line and the reason.
// Rules: SP12, SP14
func TestNextAfterErrors(t *testing.T) {
	long := "\tUser-Name = \"" + strings.Repeat("x", maxLine) + "\"\n"
	for _, c := range []struct {
		name, record string
		line         int
		want         string
	}{
		{"no first line", "\tUser-Name = \"bob\"\n", 3, `expected the first line of a record, a date such as Sat Nov 28 07:12:53 2026, got "User-Name`},
		{"no attribute", header + "\tUser-Name\n", 4, "expected an attribute such as"},
		{"two records in one", header + header, 4, "is an empty line missing"},
		{"a value that is none", header + "\tNAS-Port = 1\n\tNAS-IP-Address = bob\n", 5, `"NAS-IP-Address": expected an IPv4 address, got "bob"`},
		{"a tag where none is", header + "\tNAS-Port:1 = 1\n", 4, "expected no tag"},
		{"a tag too high", header + "\tTunnel-Type:32 = 1\n", 4, "expected a tag up to 31"},
		{"a tag that is none", header + "\tTunnel-Type:x = 1\n", 4, "expected a tag after the colon"},
		{"a tagged number too high", header + "\tTunnel-Type:1 = 16777216\n", 4, "24 bits"},
		{"a path that leads nowhere", header + "\tAttr-26.9 = 0x00\n", 4, "of a vendor and its attribute"},
		{"a path that is none", header + "\tAttr-x = 0x00\n", 4, "expected numbers"},
		{"octets that are none", header + "\tAttr-200 = bob\n", 4, "expected octets such as 0x0a1b"},
		{"a secret", header + "\tTunnel-Password = \"in clear\n", 4, `"Tunnel-Password": expected a double quote at the end`},
		{"another packet", header + "\tPacket-Type = Access-Request\n", 4, "expected an Accounting-Request"},
		{"a Timestamp that is none", header + "\tTimestamp = now\n", 4, "expected seconds since 1970"},
		{"a first line of long ago", "Sun Nov  8 07:12:53 1926\n\tNAS-Port = 1\n", 3, "between 1970 and 2106"},
		{"a line too long", header + long + "\tNAS-Port = 1\n", 4, "expected a line of at most 8191 bytes"},
		{"too many lines", header + strings.Repeat("\tNAS-Port = 1\n", maxLines), 3 + maxLines, "expected a record of at most 4096 lines"},
		{"too many bytes", header + strings.Repeat(long[:maxLine/2]+"\"\n", maxRecord/(maxLine/2)+1), 3 + maxRecord/(maxLine/2), "262144 bytes"},
		{"too many attributes", header + strings.Repeat("\tNAS-Port = 1\n", 680), 3 + 680, "at most 4076 octets"},
		{"a note's time", header + "# Radsec-Gw-Arrived = now\n", 4, "Radsec-Gw-Arrived: expected a time"},
		{"a note's client", header + "# Radsec-Gw-Client = bob\n", 4, "expected a text in double quotes"},
		{"a note's long client", header + "# Radsec-Gw-Client = \"" + strings.Repeat("x", maxClient+1) + "\"\n", 4, "at most 400 bytes"},
		{"a note's address", header + "# Radsec-Gw-Address = \"192.0.2.1\"\n", 4, "Radsec-Gw-Address"},
		{"a note's authenticator", header + "# Radsec-Gw-Authenticator = 0x00\n", 4, "expected 16 octets"},
		{"a note's attribute", header + "# Radsec-Gw-Attribute = 0x0103\n", 4, "whose second octet is its length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := NewReader(strings.NewReader("\n\n" + c.record + "\n" + header + "\tNAS-Port = 7\n\n"))
			_, err := in.Next()
			var bad *RecordError
			if strings.Contains(err.Error(), "in clear") {
				t.Errorf("expected no secret in an error, got %v", err)
			}
			if !errors.As(err, &bad) || bad.Line != c.line || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d: ", c.line)) {
				t.Errorf("expected an error of line %d with %q, got %v", c.line, c.want, err)
			}
			r, err := in.Next()
			if err != nil {
				t.Fatalf("the next record: %v", err)
			}
			sameRecord(t, &Record{Arrived: r.Arrived, Packet: packetOf(attr(5, []byte{0, 0, 0, 7}))}, r)
			if _, err := in.Next(); err != io.EOF {
				t.Errorf("expected the end, got %v", err)
			}
		})
	}
}

// A record that the end of the file cuts off is an error: its last attributes may be missing.
// FreeRADIUS drops it.
func TestNextAtTheEnd(t *testing.T) {
	for _, text := range []string{header, header + "\tNAS-Port = 1", header + "\tNAS-Port = 1\n", header + "\tNAS-Port = 1\n\tTimestamp = 1\n\t", header + "\t" + strings.Repeat("x", 2*maxLine)} {
		in := NewReader(strings.NewReader(text))
		_, err := in.Next()
		if bad := new(RecordError); !errors.As(err, &bad) {
			t.Errorf("%.40q: expected an error of the record, got %v", text, err)
		}
		if _, err := in.Next(); err != io.EOF {
			t.Errorf("%.40q: expected the end, got %v", text, err)
		}
	}
	for _, text := range []string{"", "\n", "\n\t\n\r\n \n"} {
		if _, err := NewReader(strings.NewReader(text)).Next(); err != io.EOF {
			t.Errorf("%q: expected the end, got %v", text, err)
		}
	}
}

// An error of reading is not one of a record, and stays.
func TestNextReadError(t *testing.T) {
	broken := errors.New("broken")
	in := NewReader(io.MultiReader(strings.NewReader(header+"\tNAS-Port = 1\n"), iotest.ErrReader(broken)))
	for range 2 {
		_, err := in.Next()
		if bad := new(RecordError); !errors.Is(err, broken) || errors.As(err, &bad) {
			t.Errorf("expected the error of reading, got %v", err)
		}
	}
}

// Lines that end as on Windows, comments, and lines of white space do not make a Reader refuse a
// record.
func TestNextTolerates(t *testing.T) {
	text := strings.ReplaceAll("\n \n"+header+"# a comment\n\t# another\n \nNAS-Port=1\n\tnas-port  =  2 \n\n", "\n", "\r\n")
	r := readAll(t, []byte(text))
	if len(r) != 1 {
		t.Fatalf("expected one record, got %d", len(r))
	}
	sameRecord(t, &Record{Arrived: r[0].Arrived, Packet: packetOf(attr(5, []byte{0, 0, 0, 1}), attr(5, []byte{0, 0, 0, 2}))}, r[0])
	if n := len(packetOf()); n != wire.MinLength {
		t.Errorf("expected a header of %d octets, got %d", wire.MinLength, n)
	}
}
