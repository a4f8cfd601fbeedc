package detail

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"radsec-gw/wire"
)

// What a Reader accepts is an Accounting-Request that can be written, and is the same when it is
// read again.
// Rules: SP14
func FuzzReader(f *testing.F) {
	f.Add([]byte(written))
	for seed := range uint64(20) {
		f.Add(newMaker(seed).record().Append(nil))
	}
	for _, line := range []string{"", "\tAttr-26.8164.257.3 = 0x01\n", "\tAttr-245.26.9.1 = 0x\n", "\tTunnel-Type:3 = \"\n", "# Radsec-Gw-Attribute = 0x0002\n", "\tEvent-Timestamp = \"Jul  1 2026 13:59:58 CEST\"\n", "\tFramed-Interface-Id = 1:2:3:4\n"} {
		f.Add([]byte(header + line + "\tTimestamp = 1794121973\n\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in := NewReader(bytes.NewReader(text))
		for {
			r, err := in.Next()
			if err == io.EOF {
				return
			}
			if bad := new(RecordError); errors.As(err, &bad) {
				continue
			}
			if err != nil {
				t.Fatalf("expected a record, its error or the end, got %v", err)
			}
			var v wire.View
			if err := v.Parse(r.Packet); err != nil || v.Kind() != wire.KindAccounting {
				t.Fatalf("expected an Accounting-Request, got %x, %v", r.Packet, err)
			}
			again := readAll(t, r.Append(nil))
			if len(again) != 1 {
				t.Fatalf("expected one record, got %d", len(again))
			}
			sameRecord(t, r, again[0])
		}
	})
}
