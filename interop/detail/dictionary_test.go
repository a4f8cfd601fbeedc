package detail

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"radsec-gw/spool/detail"
	"radsec-gw/wire/dict"
)

// dictionary is FreeRADIUS's.
type dictionary struct {
	attributes map[string]entry             // by name in lower case
	values     map[string]map[string]uint32 // by attribute, then by name, in lower case
	vendors    map[string]uint32            // by name in lower case
	formats    map[uint32]string
}

// entry is an attribute of it.
type entry struct {
	name, kind, flags string
	vendor            uint32
	number            string // with points between its parts; it has a letter if the vendor's space is another
}

// readDictionary reads the dictionary that FreeRADIUS reads.
func readDictionary(t *testing.T) *dictionary {
	t.Helper()
	d := &dictionary{map[string]entry{}, map[string]map[string]uint32{}, map[string]uint32{}, map[uint32]string{}}
	d.read(t, "/usr/share/freeradius/dictionary")
	if len(d.attributes) < 5000 {
		t.Fatalf("FreeRADIUS's dictionary has %d attributes, expected thousands", len(d.attributes))
	}
	return d
}

func (d *dictionary) read(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	vendor, space := uint32(0), ""
	var tlv []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		f := append(strings.Fields(line), "", "", "", "", "")
		name := strings.ToLower(f[1])
		switch strings.ToUpper(f[0]) {
		case "$INCLUDE":
			d.read(t, filepath.Join(filepath.Dir(path), f[1]))
		case "VENDOR":
			d.vendors[name] = d.number(t, f[2])
			if format, ok := strings.CutPrefix(f[3], "format="); ok {
				d.formats[d.vendors[name]] = format
			}
		case "BEGIN-VENDOR":
			if vendor = d.vendors[name]; f[2] != "" {
				space = "x" // in an extended attribute
			}
		case "END-VENDOR":
			vendor, space = 0, ""
		case "BEGIN-TLV":
			tlv = append(tlv, d.attributes[name].number+".")
		case "END-TLV":
			tlv = tlv[:len(tlv)-1]
		case "ATTRIBUTE":
			number := space + f[2]
			if len(tlv) > 0 {
				number = tlv[len(tlv)-1] + f[2]
			}
			if n, err := strconv.ParseUint(number, 0, 32); err == nil {
				number = fmt.Sprint(n)
			}
			d.attributes[name] = entry{f[1], strings.ToLower(f[3]), f[4], vendor, number}
		case "VALUE":
			if d.values[name] == nil {
				d.values[name] = map[string]uint32{}
			}
			d.values[name][strings.ToLower(f[2])] = d.number(t, f[3])
		}
	}
}

func (d *dictionary) number(t *testing.T, text string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// numberOf returns the number of an attribute as FreeRADIUS's dictionary has it.
func numberOf(a *dict.Attribute) string {
	if a.Sub != 0 {
		return fmt.Sprintf("%d.%d", a.Number, a.Sub)
	}
	return fmt.Sprint(a.Number)
}

// kinds are FreeRADIUS's names of types of values.
var kinds = map[dict.Type]string{
	dict.Text: "string", dict.Octets: "octets", dict.Concat: "octets", dict.Integer: "integer", dict.Integer64: "integer64", dict.Time: "date",
	dict.IPv4Addr: "ipaddr", dict.IPv6Addr: "ipv6addr", dict.IPv4Prefix: "ipv4prefix", dict.IPv6Prefix: "ipv6prefix", dict.IfID: "ifid",
}

// Each attribute that is written by name has that name, number, type and tag in FreeRADIUS's
// dictionary, and each value that is written by name has that name there.
// Rules: SP14
func TestNamesAreFreeRADIUSs(t *testing.T) {
	d := readDictionary(t)
	written := 0
	for a := range dict.All() {
		value, ok := sample(a)
		if !ok || a.IsHidden(value) || dict.LayoutOf(a.Vendor) != dict.Layout11 || a.Vendor != 0 && a.Sub != 0 {
			continue
		}
		name, _ := lineOf(a, value)
		if strings.HasPrefix(name, "Attr-") {
			continue
		}
		written++
		e, ok := d.attributes[strings.ToLower(name)]
		kind, _, _ := strings.Cut(e.kind, "[")
		if !ok || e.vendor != a.Vendor || e.number != numberOf(a) || kind != kinds[a.Type] || strings.Contains(e.flags, "has_tag") != a.Tagged {
			t.Errorf("%s: expected an attribute of FreeRADIUS's dictionary like %+v, got %+v", name, *a, e)
		}
		for _, v := range a.Values {
			octets := []byte{byte(v.Number >> 24), byte(v.Number >> 16), byte(v.Number >> 8), byte(v.Number)}
			_, text := lineOf(a, octets)
			if _, err := strconv.Atoi(text); err == nil {
				continue
			}
			if n, ok := d.values[strings.ToLower(name)][strings.ToLower(text)]; !ok || n != v.Number {
				t.Errorf("%s = %s: expected the value %d in FreeRADIUS's dictionary, got %d, %t", name, text, v.Number, n, ok)
			}
		}
	}
	if written < 200 {
		t.Errorf("%d attributes are written by name, expected most", written)
	}
}

// lineOf returns the name and the value that are written for an attribute.
func lineOf(a *dict.Attribute, value []byte) (name, text string) {
	lines := strings.Split(string((&detail.Record{Packet: packetOf(whole(a, value))}).Append(nil)), "\n")
	name, text, _ = strings.Cut(strings.TrimSpace(lines[1]), " = ")
	name, _, _ = strings.Cut(name, ":")
	return name, text
}

// A vendor's attribute that FreeRADIUS writes without a name has the layout that its dictionary
// gives the vendor. In another layout than RFC 2865's it is not written without the vendor's octets.
// Rules: SP14
func TestLayoutsAreFreeRADIUSs(t *testing.T) {
	for vendor, format := range readDictionary(t).formats {
		head := map[string][]byte{"1,1": {4, 3}, "2,1": {0, 4, 4}, "2,2": {0, 4, 0, 5}, "4,0": {0, 0, 0, 4}, "1,1,c": {4, 4, 0}}[format]
		if head == nil {
			t.Errorf("vendor %d has the format %s, expected one that the Reader knows", vendor, format)
		}
		r := parse(t, fmt.Appendf(nil, "Sun Nov  8 07:12:53 2026\n\tAttr-26.%d.4 = 0xff\n\n", vendor))[0]
		want := attr(26, slices.Concat(binary.BigEndian.AppendUint32(nil, vendor), head, []byte{0xff}))
		if got := attributesOf(r.Packet); len(r.Skipped) > 0 || !bytes.Equal(got[0], want) {
			t.Errorf("vendor %d, format %s: expected %x, got %x, skipped %q", vendor, format, want, got, r.Skipped)
		}
		if text := string(r.Append(nil)); format != "1,1" && !strings.Contains(text, fmt.Sprintf("\tAttr-26 = 0x%x\n", want[2:])) {
			t.Errorf("vendor %d, format %s: expected its octets, got\n%s", vendor, format, text)
		}
	}
}

// Every attribute that FreeRADIUS encrypts is hidden to us, so that its ciphertext is never
// written.
// Rules: SP4
func TestEncryptedIsHidden(t *testing.T) {
	number := regexp.MustCompile(`^(\d+)(\.(\d+))?$`)
	for _, e := range readDictionary(t).attributes {
		m := number.FindStringSubmatch(e.number)
		if !strings.Contains(e.flags, "encrypt=") || m == nil {
			continue
		}
		n, _ := strconv.ParseUint(m[1], 10, 16)
		sub, _ := strconv.ParseUint(m[3], 10, 8)
		if a := dict.Lookup(e.vendor, uint16(n), byte(sub)); a == nil || a.Hidden == dict.Clear {
			t.Errorf("FreeRADIUS encrypts %s, %d of vendor %d: expected it hidden in wire/dict", e.name, n, e.vendor)
		}
	}
}

// A Reader takes each of FreeRADIUS's names for what FreeRADIUS means by it: the attribute with its
// number, none of RADIUS, or one that is skipped. It knows each value's name of an attribute that
// it knows.
// Rules: SP14
func TestReaderKnowsFreeRADIUSsNames(t *testing.T) {
	d := readDictionary(t)
	texts := map[string]string{
		"string": `"x"`, "octets": "0x01", "integer": "1", "integer64": "1", "date": "1", "ipaddr": "192.0.2.1", "ipv6addr": "2001:db8::1",
		"ipv4prefix": "10.0.0.0/8", "ipv6prefix": "2001:db8::/32", "ifid": "0:0:0:1", "byte": "1", "short": "1", "signed": "1",
	}
	const first = "Sun Nov  8 07:12:53 2026\n"
	for _, e := range d.attributes {
		kind, _, _ := strings.Cut(e.kind, "[")
		if e.name == "Packet-Type" || texts[kind] == "" {
			continue
		}
		text := texts[kind]
		if strings.HasPrefix(e.name, "Packet-Src-IP") {
			text = "192.0.2.1"
		}
		r := parse(t, []byte(first+"\t"+e.name+" = "+text+"\n\n"))[0]
		attributes := attributesOf(r.Packet)
		isOwn := e.vendor == 0 && len(e.number) > 3 && !strings.Contains(e.number, ".") || strings.HasPrefix(e.name, "FreeRADIUS-")
		switch {
		case len(r.Skipped) == 1:
		case len(attributes) == 0 && e.number == "41":
		case len(attributes) == 0 && !isOwn:
			t.Errorf("%s: expected an attribute, or that it is skipped", e.name)
		case len(attributes) == 1 && numberIn(attributes[0], e.number) != fmt.Sprintf("%d %s", e.vendor, e.number):
			t.Errorf("%s, %s of vendor %d: expected an attribute of that number, got %x", e.name, e.number, e.vendor, attributes[0])
		}
	}
	for a := range dict.All() {
		if e := d.attributes[strings.ToLower(a.Name)]; a.Type != dict.Integer || a.Hidden != dict.Clear || e.vendor != a.Vendor || e.number != numberOf(a) {
			continue
		}
		for name, number := range d.values[strings.ToLower(a.Name)] {
			r := parse(t, []byte(first+"\t"+a.Name+" = "+name+"\n\n"))[0]
			if all := attributesOf(r.Packet); len(r.Skipped) > 0 || a.Number != 41 && (len(all) != 1 || !bytes.HasSuffix(all[0], []byte{byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number)})) {
				t.Errorf("%s = %s: expected %d, got %x, skipped %q", a.Name, name, number, all, r.Skipped)
			}
		}
	}
}

// numberIn returns the vendor and the number of an attribute, as FreeRADIUS's dictionary has them.
func numberIn(whole []byte, like string) string {
	switch {
	case whole[0] == 26:
		return fmt.Sprintf("%d %d", uint32(whole[2])<<24|uint32(whole[3])<<16|uint32(whole[4])<<8|uint32(whole[5]), whole[6])
	case strings.Contains(like, "."):
		return fmt.Sprintf("0 %d.%d", whole[0], whole[2])
	default:
		return fmt.Sprintf("0 %d", whole[0])
	}
}
