package main

import (
	"bytes"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/wire"
)

// attribute11 returns the values of a type in a packet.
func attribute11(b []byte, t byte) (found []string) {
	for i := 20; i < len(b); i += int(b[i+1]) {
		if b[i] == t {
			found = append(found, string(b[i+2:i+int(b[i+1])]))
		}
	}
	return found
}

// reply11 makes a reply of RADIUS/1.1 to q.
func reply11(q []byte, code byte, attributes ...[]byte) []byte {
	b := append([]byte{code, 0, 0, 0}, q[4:8]...)
	b = append(b, make([]byte, 12)...)
	b = append(b, bytes.Join(attributes, nil)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// What the probe sends and says of the answers of a server that speaks RADIUS/1.1.
// Rules: P120, P122, P123, P125, P126, P127, P128
func TestProbe11(t *testing.T) {
	dir := probeCertificates(t)
	access := []string{"access", "-user", "bob", "-password", "hello"}
	accept := func(q []byte) []byte {
		return reply11(q, 2, tlv(18, []byte("welcome")...), tlv(69, []byte("\x01tunnel")...),
			tlv(26, append([]byte{0, 0, 1, 55, 16, 5}, "key"...)...))
	}
	for _, c := range []struct {
		name   string
		args   []string
		answer func(q []byte) []byte
		status int
		want   []string
	}{
		{"PAP", access, func(q []byte) []byte {
			if got := attribute11(q, 2); len(got) != 1 || got[0] != "hello" || q[1] != 0 || string(q[8:20]) != string(make([]byte, 12)) || attribute11(q, 80) != nil {
				t.Errorf("the probe sent % x", q)
			}
			return accept(q)
		}, 0, []string{"radius/1.1", "token 0x", "User-Password = (hidden)", "Token: the request's", `Tunnel-Password:1 = "tunnel"`, `MS-MPPE-Send-Key = 0x6b6579 "key"`, "verified Access-Accept"}},
		{"CHAP", append(access, "-chap"), func(q []byte) []byte {
			chap, challenge := attribute11(q, 3)[0], attribute11(q, 60)
			if len(challenge) != 1 {
				t.Fatal("CHAP without CHAP-Challenge")
			}
			if sum := md5.Sum([]byte(chap[:1] + "hello" + challenge[0])); string(sum[:]) != chap[1:] {
				t.Error("CHAP-Password does not answer CHAP-Challenge")
			}
			return accept(q)
		}, 0, []string{"verified Access-Accept"}},
		{"status", []string{"status"}, func(q []byte) []byte { return reply11(q, 2) }, 0, []string{"sent Status-Server", "verified Access-Accept"}},
		{"accounting", []string{"accounting", "-radius-version", "1.1"}, func(q []byte) []byte { return reply11(q, 5) }, 0, []string{"verified Accounting-Response"}},
		{"Protocol-Error", access, func(q []byte) []byte { return reply11(q, 52, tlv(101, 0, 0, 1, 0xf6)) }, 1, []string{"Error-Cause = 502", "verified, but the answer is Protocol-Error"}},
		{"another Token", access, func(q []byte) []byte { b := accept(q); b[4]++; return b }, 1, []string{"Token: WRONG", "does not verify"}},
		{"refused", access, func(q []byte) []byte { return reply11(make([]byte, 20), 52, tlv(101, 0, 0, 1, 0x96)) }, 1, []string{"refuses the connection"}},
		{"reserved octets", access, func(q []byte) []byte { b := accept(q); b[19] = 1; return b }, 1, []string{"reserved octets of the header: WRONG"}},
		{"Message-Authenticator", access, func(q []byte) []byte { return reply11(q, 2, tlv(80, make([]byte, 16)...)) }, 1, []string{"Message-Authenticator: WRONG"}},
		{"Original-Packet-Code", access, func(q []byte) []byte { return reply11(q, 52, tlv(241, 4, 0, 0, 0, 1)) }, 1, []string{"Original-Packet-Code: WRONG"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := answerOnce11(t, dir, c.answer, alpnRadius11)
			status, output := runProbeWith(dir, address, c.args...)
			if status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			for _, w := range c.want {
				if !strings.Contains(output, w) {
					t.Errorf("the output lacks %q", w)
				}
			}
			if strings.Contains(output, "hello") {
				t.Error("the output shows the password")
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
}

// The probe against each server of RFC 9765 §3.3.2 that it cannot agree with.
// Rules: P120
func TestProbeVersions(t *testing.T) {
	dir := probeCertificates(t)
	for _, c := range []struct {
		version string
		server  []string
		want    string
	}{
		{"1.1", nil, "does not speak RADIUS/1.1"},
		{"1.1", []string{alpnRadius10}, "-radius-version"},
		{"1.0", []string{alpnRadius11}, "-radius-version"},
	} {
		address := answerOnce11(t, dir, func([]byte) []byte { return nil }, c.server...)
		if status, output := runProbeWith(dir, address, "status", "-radius-version", c.version); status != 1 || !strings.Contains(output, c.want) {
			t.Errorf("%s against %v: exit status %d and %q, want 1 and %q", c.version, c.server, status, output, c.want)
		}
	}
	if status, _ := runProbeWith(dir, "127.0.0.1:1", "status", "-radius-version", "2"); status != 2 {
		t.Errorf("an unknown version: exit status %d, want 2", status)
	}
	if status, _ := runProbeWith(dir, answerOnce11(t, dir, func([]byte) []byte { return nil }, alpnRadius11), "access", "-user", "bob"); status != 2 {
		t.Errorf("no password in RADIUS/1.1: exit status %d, want 2", status)
	}
}

// answerOnce11 is answerOnce for a server with these protocols, whose answer is made
// of the octets.
func answerOnce11(t *testing.T, dir string, answer func(q []byte) []byte, protocols ...string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: protocols})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, wire.MaxLength)
		if _, err := io.ReadFull(conn, b[:20]); err != nil {
			return
		}
		n := packetLength(b)
		if _, err := io.ReadFull(conn, b[20:n]); err != nil {
			return
		}
		conn.Write(answer(b[:n]))
		io.Copy(io.Discard, conn) // until the probe closes
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}
