package tlsfront

import (
	"testing"
)

// An unencrypted alert that is followed by other records is not the reason why the
// handshake failed.
func TestAlertBeforeOtherRecords(t *testing.T) {
	warning, finished := []byte{21, 3, 3, 0, 2, 1, 100}, []byte{22, 3, 3, 0, 1, 20}
	for _, c := range []struct {
		name    string
		records [][]byte
		want    bool
	}{
		{"at the end", [][]byte{finished, warning}, true},
		{"before a handshake message", [][]byte{warning, finished}, false},
		{"before the beginning of one", [][]byte{warning, finished[:5]}, false},
		{"before an encrypted alert", [][]byte{warning, {21, 3, 3, 0, 26, 1}}, false},
		{"before another alert", [][]byte{warning, warning}, true},
	} {
		w := clearRecords{keep: maxHelloKept}
		for _, r := range c.records {
			w.scan(r)
		}
		if w.alerted != c.want {
			t.Errorf("%s: alerted is %v, expected %v", c.name, w.alerted, c.want)
		}
	}
}

// Memory grows with what has arrived, not with the announced length.
func TestClearRecordsKeepsWhatHasArrived(t *testing.T) {
	w := clearRecords{keep: maxFlight}
	w.scan([]byte{22, 3, 3, 64, 0, 11})
	if n := cap(w.messages); n > 64 {
		t.Errorf("one byte of a message takes %d", n)
	}
	w.scan(make([]byte, 16383))
	if n := cap(w.messages); n > 2*16384 || len(w.messages) != 16384 {
		t.Errorf("a message of %d bytes takes %d", len(w.messages), n)
	}
	w.scan(append([]byte{22, 3, 3, 64, 0}, make([]byte, 16384)...))
	if n := len(w.messages); n != maxFlight {
		t.Errorf("%d bytes are kept, expected %d", n, maxFlight)
	}
}

// slowAlerts finds the unencrypted alerts at the end of a stream of records.
func slowAlerts(b []byte) (found []alert) {
	for len(b) >= 5 {
		n := int(b[3])<<8 | int(b[4])
		if b[0] != 21 || n != 2 {
			found = nil
		}
		if len(b) < 5+n {
			return found
		}
		if b[0] == 21 && n == 2 {
			found = append(found, alert(b[6]))
		}
		b = b[5+n:]
	}
	return found
}

// Records are found however the stream is split, and only unencrypted alerts count.
func FuzzClearRecords(f *testing.F) {
	f.Add([]byte{21, 3, 3, 0, 2, 2, 48}, 3)
	f.Add([]byte{22, 3, 1, 0, 1, 1, 21, 3, 3, 0, 2, 2, 48}, 6)
	f.Add([]byte{23, 3, 3, 0, 7, 21, 3, 3, 0, 2, 2, 48}, 1)
	f.Add([]byte{22, 3, 3, 0, 14, 11, 0, 0, 10, 0, 0, 7, 0, 0, 1, 5, 0, 0, 0}, 9)
	f.Add([]byte{21, 3, 3, 0, 0, 21, 3, 3, 0, 19, 1, 2}, 5)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = max(0, min(cut, len(b)))
		whole, parts := clearRecords{keep: maxHelloKept}, clearRecords{keep: maxHelloKept}
		whole.scan(b)
		parts.scan(b[:cut])
		for i := range b[cut:] {
			parts.scan(b[cut+i : cut+i+1])
		}
		if whole.alerted != parts.alerted || whole.alert != parts.alert || string(whole.messages) != string(parts.messages) {
			t.Fatalf("%x at once gives alert %v %v and messages %x, in parts %v %v and %x", b, whole.alerted, whole.alert, whole.messages, parts.alerted, parts.alert, parts.messages)
		}
		if len(whole.messages) > maxHelloKept {
			t.Fatalf("%d bytes of messages are kept", len(whole.messages))
		}
		var all []byte
		for _, one := range whole.certificates() {
			all = append(all, one...)
		}
		if len(all) > len(whole.messages) {
			t.Fatalf("%d bytes of certificates out of %d of messages", len(all), len(whole.messages))
		}
		if alerts := slowAlerts(b); whole.alerted != (len(alerts) > 0) || len(alerts) > 0 && whole.alert != alerts[len(alerts)-1] {
			t.Fatalf("%x gives alert %v %v, expected the last of %v", b, whole.alerted, whole.alert, alerts)
		}
	})
}
