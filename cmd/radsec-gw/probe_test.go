package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
)

// A RadSec server that answers as each case says; what the probe prints and its exit status.
// Rules: P16, P18, P19, P50
func TestProbe(t *testing.T) {
	dir := probeCertificates(t)
	access := []string{"access", "-user", "bob", "-password", "hello"}
	wrongSecret := func(r *radius.Packet, code radius.Code) []byte {
		p := r.Response(code)
		p.Secret = []byte("another")
		addMessageAuthenticator(p)
		return mustSign(t, p)
	}
	for _, c := range []struct {
		name   string
		args   []string
		answer func(r *radius.Packet) []byte // nil: closes; empty: stays silent
		status int
		want   []string
	}{
		{"accepted", access, func(r *radius.Packet) []byte {
			if got := rfc2865.UserPassword_GetString(r); got != "hello" {
				t.Errorf("the server reads the password %q, want hello", got)
			}
			return signedReply(t, r, radius.CodeAccessAccept, textAttribute(rfc2865.ReplyMessage_Type, "welcome"))
		}, 0, []string{"Response Authenticator: verified", "Message-Authenticator: verified", `Reply-Message = "welcome"`, "verified Access-Accept"}},
		{"CHAP", append(access, "-chap"), func(r *radius.Packet) []byte {
			if !(&devServer{}).passwordRight(r) {
				t.Error("the CHAP response does not fit the Request Authenticator")
			}
			return signedReply(t, r, radius.CodeAccessAccept)
		}, 0, []string{"verified Access-Accept"}},
		{"accepted without Message-Authenticator", access, func(r *radius.Packet) []byte {
			return mustSign(t, r.Response(radius.CodeAccessAccept))
		}, 0, []string{"Message-Authenticator: absent", "verified Access-Accept"}},
		{"EAP without Message-Authenticator", access, func(r *radius.Packet) []byte {
			p := r.Response(radius.CodeAccessAccept)
			p.Add(rfc2869.EAPMessage_Type, radius.Attribute{3, 1, 0, 4})
			return mustSign(t, p)
		}, 1, []string{"absent, but EAP-Message asks for it"}},
		{"another secret", access, func(r *radius.Packet) []byte { return wrongSecret(r, radius.CodeAccessAccept) }, 1,
			[]string{"Response Authenticator: WRONG", "Message-Authenticator: WRONG", "-secret", "does not verify"}},
		{"wrong Message-Authenticator", access, func(r *radius.Packet) []byte {
			p := r.Response(radius.CodeAccessAccept)
			p.Add(rfc2869.MessageAuthenticator_Type, make(radius.Attribute, 16))
			b, _ := p.Encode()
			return b
		}, 1, []string{"Response Authenticator: verified", "Message-Authenticator: WRONG", "does not verify"}},
		{"another identifier", access, func(r *radius.Packet) []byte {
			r.Identifier++
			return signedReply(t, r, radius.CodeAccessAccept)
		}, 1, []string{"Identifier: WRONG"}},
		{"rejected", access, func(r *radius.Packet) []byte {
			return signedReply(t, r, radius.CodeAccessReject, textAttribute(rfc2865.ReplyMessage_Type, "no"))
		}, 1, []string{"Message-Authenticator: verified", `the answer is Access-Reject: Reply-Message = "no"`}},
		{"status", []string{"status"}, func(r *radius.Packet) []byte { return signedReply(t, r, radius.CodeAccessAccept) }, 0, []string{"verified Access-Accept"}},
		{"accounting", []string{"accounting", "-status-type", "on"}, func(r *radius.Packet) []byte {
			return mustSign(t, r.Response(radius.CodeAccountingResponse))
		}, 0, []string{"Acct-Status-Type = 7 (Accounting-On)", "verified Accounting-Response"}},
		{"CoA", []string{"coa", "-user", "bob"}, func(r *radius.Packet) []byte { return signedReply(t, r, radius.CodeCoAACK) }, 0, []string{"verified CoA-ACK"}},
		{"CoA, Message-Authenticator over zeros", []string{"coa", "-user", "bob"}, func(r *radius.Packet) []byte {
			p := r.Response(radius.CodeCoAACK)
			addMessageAuthenticator(p)
			p.Authenticator = [16]byte{}
			mustSign(t, p)
			p.Authenticator = r.Authenticator
			b, _ := p.Encode()
			return b
		}, 0, []string{"verified (over a zero authenticator)", "verified CoA-ACK"}},
		{"Disconnect refused", []string{"disconnect", "-session-id", "7"}, func(r *radius.Packet) []byte {
			return signedReply(t, r, radius.CodeDisconnectNAK, &radius.AVP{Type: rfc3576.ErrorCause_Type, Attribute: radius.NewInteger(503)})
		}, 1, []string{"Error-Cause = 503 (Session Context Not Found: there is no such session)", "the answer is Disconnect-NAK"}},
		{"closed", access, func(*radius.Packet) []byte { return nil }, 1, []string{"closed the connection", "-secret"}},
		{"silent", append(access, "-timeout", "300ms"), func(*radius.Packet) []byte { return []byte{} }, 1, []string{"nothing came within 300ms", "/metrics"}},
		{"not RADIUS", access, func(*radius.Packet) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n") }, 1, []string{"Length of", "RFC 2865"}},
		{"attribute past the end", access, func(r *radius.Packet) []byte {
			return append([]byte{2, r.Identifier, 0, 22}, append(make([]byte, 16), 18, 9)...)
		}, 1, []string{"malformed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := answerOnce(t, dir, c.answer)
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

// As a health check the probe prints nothing when all is well.
func TestProbeQuiet(t *testing.T) {
	dir := probeCertificates(t)
	address := answerOnce(t, dir, func(r *radius.Packet) []byte { return signedReply(t, r, radius.CodeAccessAccept) })
	if status, output := runProbeWith(dir, address, "status", "-quiet"); status != 0 || output != "" {
		t.Errorf("exit status %d and output %q, want 0 and nothing", status, output)
	}
	address = answerOnce(t, dir, func(*radius.Packet) []byte { return nil })
	if status, output := runProbeWith(dir, address, "status", "-quiet"); status != 1 || strings.Count(output, "\n") != 1 {
		t.Errorf("exit status %d and output %q, want 1 and one line", status, output)
	}
}

func TestProbeCannotConnect(t *testing.T) {
	dir := probeCertificates(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer refusing.Close()
	go func() {
		if conn, err := refusing.Accept(); err == nil {
			conn.Close()
		}
	}()
	open := answerOnce(t, dir, func(*radius.Packet) []byte { return nil })
	for _, c := range []struct {
		name, address string
		args          []string
		want          string
	}{
		{"nothing listens", closed, nil, "is the gateway running"},
		{"closed at once", refusing.Addr().String(), nil, "list this machine's address"},
		{"no certificate", closed, []string{"-cert", filepath.Join(dir, "none.pem")}, "radsec-gw certs"},
		{"no CA", closed, []string{"-ca", filepath.Join(dir, "none.pem")}, "radsec-gw certs"},
		{"a CA file without certificate", closed, []string{"-ca", filepath.Join(dir, "client.key")}, `client.key:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY"`},
		{"another name", open, []string{"-server-name", "elsewhere.example"}, "-server-name: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, output := runProbeWith(dir, c.address, append([]string{"status"}, c.args...)...)
			if status != 1 || !strings.Contains(output, c.want) {
				t.Errorf("exit status %d and output %q, want 1 and %q", status, output, c.want)
			}
		})
	}
}

func TestProbeUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"ping"}, {"status", "now"}, {"-no-such-flag", "status"}, {"status", "-secret", ""}, {"status", "-secret-file", "/none"},
		{"access"}, {"accounting", "-status-type", "begin"}, {"coa"}, {"status", "-attr", "Class"}, {"status", "-address", "localhost"},
	} {
		var stdout, stderr bytes.Buffer
		if status := runProbe(args, &stdout, &stderr); status != 2 || stderr.Len() == 0 {
			t.Errorf("radsec-gw probe %q: exit status %d and %q, want 2 and a reason", args, status, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if status := runProbe([]string{"-h"}, &stdout, &stderr); status != 0 {
		t.Errorf("-h: exit status %d, want 0", status)
	}
}

func TestParseAttribute(t *testing.T) {
	names := newAttributeNames()
	for _, c := range []struct {
		in   string
		typ  radius.Type
		want string // octets, or part of the error when typ is 0
	}{
		{"Calling-Station-Id=02-00", 31, "02-00"},
		{"calling-station-id=a=b", 31, "a=b"},
		{"NAS-Port=258", 5, "\x00\x00\x01\x02"},
		{"NAS-Port-Type=Wireless-802.11", 61, "\x00\x00\x00\x13"},
		{"Framed-IP-Address=192.0.2.1", 8, "\xc0\x00\x02\x01"},
		{"NAS-IPv6-Address=::1", 95, strings.Repeat("\x00", 15) + "\x01"},
		{"Event-Timestamp=1", 55, "\x00\x00\x00\x01"},
		{"Event-Timestamp=1970-01-01T00:00:02Z", 55, "\x00\x00\x00\x02"},
		{"Class=0x0aFF", 25, "\x0a\xff"},
		{"26=0x0102", 26, "\x01\x02"},
		{"Class", 0, "Name=value"},
		{"No-Such=1", 0, "type as a number"},
		{"0=0x", 0, "type as a number"},
		{"256=0x", 0, "type as a number"},
		{"User-Password=x", 0, "type as a number"},
		{"NAS-Port=many", 0, "a number"},
		{"Framed-IP-Address=::1", 0, "an address"},
		{"Class=0x1", 0, "hexadecimal"},
		{"Reply-Message=" + strings.Repeat("x", 254), 0, "253"},
	} {
		typ, value, err := parseAttribute(names, c.in)
		if c.typ == 0 {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: error %v, want one that says %q", c.in, err, c.want)
			}
		} else if err != nil || typ != c.typ || string(value) != c.want {
			t.Errorf("%q: type %d, value %q, error %v; want %d, %q", c.in, typ, value, err, c.typ, c.want)
		}
	}
}

// probeCertificates makes a CA, and certificates of a server and a client.
func probeCertificates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := devCertificates(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// answerOnce is a RadSec server for one connection: it hands the request to answer and sends what that
// returns. It ends before the test does.
func answerOnce(t *testing.T, dir string, answer func(*radius.Packet) []byte) string {
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
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12})
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
		b := make([]byte, radius.MaxPacketLength)
		if _, err := io.ReadFull(conn, b[:20]); err != nil {
			return
		}
		if _, err := io.ReadFull(conn, b[20:packetLength(b)]); err != nil {
			return
		}
		request, err := radius.Parse(b, []byte("radsec"))
		if err != nil {
			t.Errorf("the probe's request is malformed: %v", err)
			return
		}
		if reply := answer(request); reply == nil {
			return
		} else if len(reply) > 0 {
			conn.Write(reply)
		}
		io.Copy(io.Discard, conn) // until the probe closes
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

func runProbeWith(dir, address string, args ...string) (status int, output string) {
	var out sharedWriter
	var b bytes.Buffer
	out.w = &b
	args = append([]string{args[0], "-address", address, "-certs", dir}, args[1:]...)
	status = runProbe(args, &out, &out)
	return status, b.String()
}

func signedReply(t *testing.T, r *radius.Packet, code radius.Code, attributes ...*radius.AVP) []byte {
	t.Helper()
	p := r.Response(code)
	p.Attributes = attributes
	addMessageAuthenticator(p)
	return mustSign(t, p)
}

func mustSign(t *testing.T, p *radius.Packet) []byte {
	t.Helper()
	b, err := sign(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
