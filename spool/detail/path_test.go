package detail

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// Attributes without a name, as FreeRADIUS 3.2.1 writes those that it has received.
func TestAppendPath(t *testing.T) {
	for _, c := range []struct{ path, value, want string }{
		{"200", "01", "c80301"},
		{"0", "", "0002"},
		{"26", "000000090103aa", "1a09000000090103aa"},
		{"26.99999.3", "0102", "1a0a0001869f03040102"},
		{"26.99999.3.4.5", "01", "1a0d0001869f0307040505 0301"},
		{"26.429.40000", "01", "1a0b000001ad00009c4001"},
		{"26.4846.257", "01", "1a0a000012ee01010401"},
		{"26.8164.257", "01", "1a0b00001fe40101000501"},
		{"26.24757.3", "01", "1a0a000060b503040001"},
		{"241.3", "00001000", "f10703 00001000"},
		{"241.99.1", "01", "f1066301 0301"},
		{"241.26.9.1", "01", "f1091a00000009 0101"},
		{"241.26", "0102", "f1051a0102"},
		{"245.1", "41", "f505010041"},
		{"246.26.9.1.2", "01", "f60c1a0000000009010203 01"},
		{"241", "0102", "f1040102"},
	} {
		value, _ := hex.DecodeString(c.value)
		want, _ := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
		path, err := parsePath(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got, err := appendPath(nil, path, value); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: expected %x, got %x, %v", c.path, want, got, err)
		}
	}
}

// A path that leads nowhere is an error, not another attribute.
func TestPathErrors(t *testing.T) {
	for _, text := range []string{"", "x", "256", "1.", "-1", "26.16777216.1", "26.9.256", "26.8164.65536", "241.256", "241.26.16777216.1", "241.26.9.256", "26.9.1.256"} {
		if path, err := parsePath(text); err == nil {
			t.Errorf("%s: expected an error, got %v", text, path)
		}
	}
	long := make([]byte, maxValue+1)
	for _, c := range []struct {
		path  []uint32
		value []byte
	}{
		{[]uint32{26, 9}, nil}, {[]uint32{1, 2}, nil}, {[]uint32{241, 26, 9}, nil}, {[]uint32{247, 1}, nil},
		{[]uint32{1}, long}, {[]uint32{26, 9, 1}, long[:248]}, {[]uint32{26, 9, 1, 2}, long}, {[]uint32{241, 1}, long[1:]}, {[]uint32{241, 1, 2}, long},
	} {
		if got, err := appendPath(nil, c.path, c.value); err == nil {
			t.Errorf("%v with %d octets: expected an error, got %x", c.path, len(c.value), got)
		}
	}
}

// FreeRADIUS writes the parts of a long value as one. They are parts again.
func TestLongValues(t *testing.T) {
	value := bytes.Repeat([]byte("0123456789"), 60)
	got, err := appendPath(nil, []uint32{79}, value) // EAP-Message
	want := append(append(attr(79, value[:253]), attr(79, value[253:506])...), attr(79, value[506:])...)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("expected %x, got %x, %v", want, got, err)
	}
	part := func(flags byte, value []byte) []byte { return attr(245, append([]byte{1, flags}, value...)) }
	got, err = appendPath(nil, []uint32{245, 1}, value)
	want = append(append(part(0x80, value[:251]), part(0x80, value[251:502])...), part(0, value[502:])...)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("expected %x, got %x, %v", want, got, err)
	}
}
