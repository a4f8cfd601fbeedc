package interop

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/process"
	"radsec-gw/probe"
)

// radclient, eapol_test → a NAS made of libradcli → gateway → FreeRADIUS.
//
// libradcli is a library for a NAS's own requests, of which Debian ships no program. testdata/radcli.c
// is one, and the test hands it the requests of radclient and eapol_test. Version 1.2.11 signs what has
// an EAP-Message and nothing else, and verifies no Message-Authenticator.
// Rules: P18, P20, P35, P38, P41, P44, P45, P46, P48, P50, P71
func TestMethodsThroughRadcli(t *testing.T) {
	runMethods(t, shared.throughRadcli(t), methods(t))
}

// radcliConf takes: the gateway's port, folder of these files, folder of the certificates (three times).
const radcliConf = `
authserver 127.0.0.1:%[1]d
acctserver 127.0.0.1:%[1]d
servers %[2]s/servers
dictionary %[2]s/dictionary
radius_timeout 20
radius_retries 1
bindaddr *
serv-type tls
tls-ca-file %[3]s/ca.pem
tls-cert-file %[3]s/client.pem
tls-key-file %[3]s/client.key
`

// radcliNAS is the running program and the UDP port before it.
type radcliNAS struct {
	t *testing.T

	mu      sync.Mutex // one request at a time
	in      io.Writer
	answers *bufio.Scanner
}

// throughRadcli compiles and starts the program, until the test ends.
func (b *bed) throughRadcli(t *testing.T) nas {
	t.Helper()
	dir := t.TempDir()
	command := filepath.Join(dir, "radcli")
	if r := run(time.Minute, "", "gcc", "-Wall", "-Werror", "-o", command, "testdata/radcli.c", "-lradcli"); r.Status != 0 {
		t.Fatalf("gcc: %s", r.Output)
	}
	for name, text := range map[string]string{
		"radiusclient.conf": fmt.Sprintf(radcliConf, b.ports.radsec, dir, b.path("certs")),
		"servers":           "127.0.0.1 radsec\n",
		"dictionary":        radcliDictionary(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(command, filepath.Join(dir, "radiusclient.conf"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	logged := new(process.Output)
	cmd.Stderr = logged
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	hang := time.AfterFunc(5*patience, p.Kill)
	r := &radcliNAS{t: t, in: in, answers: bufio.NewScanner(out)}
	conn := listenUDP(t)
	server := radius.PacketServer{SecretSource: radius.StaticSecretSource([]byte(nasSecret)), Handler: r}
	served := make(chan error, 1)
	t.Cleanup(func() { // its input's end ends the program
		in.Close()
		conn.Close()
		<-served
		<-p.Exited()
		if err := p.Err(); err != nil {
			t.Errorf("the program of libradcli: %v: %s", err, logged)
		}
		hang.Stop()
	})
	go func() { served <- server.Serve(conn) }()
	if hello := r.read(); len(hello) != 1 || hello[0] != "ready" {
		t.Fatalf("expected that radcli connects, got %q: %s", hello, logged)
	}
	port := portOf(conn)
	return nas{auth: port, acct: port, printed: logged.String}
}

// radcliDictionary has every attribute as octets, so that nothing of them changes on the way, but
// those that radcli adds by itself.
func radcliDictionary() string {
	var b strings.Builder
	b.WriteString("VENDOR Microsoft 311\n")
	for n := 1; n < 256; n++ {
		kind := "string"
		switch n {
		case 4: // NAS-IP-Address
			kind = "ipaddr"
		case 41: // Acct-Delay-Time
			kind = "integer"
		}
		fmt.Fprintf(&b, "ATTRIBUTE A%d %d %s\nATTRIBUTE M%d %d string Microsoft\n", n, n, kind, n, n)
	}
	return b.String()
}

// read returns the lines up to an empty one.
func (r *radcliNAS) read() (lines []string) {
	for r.answers.Scan() && r.answers.Text() != "" {
		lines = append(lines, r.answers.Text())
	}
	return lines
}

// ServeRADIUS hands radcli a request of the UDP side and answers as radcli was answered.
func (r *radcliNAS) ServeRADIUS(w radius.ResponseWriter, request *radius.Request) {
	text, err := radcliRequest(request.Packet)
	if err != nil {
		r.t.Error(err)
		return
	}
	r.mu.Lock()
	_, err = io.WriteString(r.in, text)
	answer := r.read()
	r.mu.Unlock()
	if err != nil || len(answer) == 0 {
		r.t.Errorf("radcli has ended: %v", err)
		return
	}
	response, err := radcliResponse(request.Packet, answer)
	if err == nil {
		err = w.Write(response)
	}
	if err != nil {
		r.t.Errorf("%v: %q", err, answer)
	}
}

// radcliRequest is a request as the program reads it. The password goes in clear, CHAP has its
// challenge, and radcli signs by itself.
func radcliRequest(p *radius.Packet) (string, error) {
	var b strings.Builder
	fmt.Fprintln(&b, int(p.Code))
	for _, a := range p.Attributes {
		value := []byte(a.Attribute)
		switch a.Type {
		case 80: // Message-Authenticator
		case 2: // User-Password
			clear, err := radius.UserPassword(a.Attribute, p.Secret, p.Authenticator[:])
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "0 2 %x\n", clear)
		case 3: // CHAP-Password
			fmt.Fprintf(&b, "0 3 %x\n", value)
			if _, ok := p.Attributes.Lookup(60); !ok {
				fmt.Fprintf(&b, "0 60 %x\n", p.Authenticator)
			}
		case 26: // Vendor-Specific
			vendor, rest, err := radius.VendorSpecific(a.Attribute)
			if err != nil || len(rest) < 2 || int(rest[1]) != len(rest) {
				return "", fmt.Errorf("expected a Vendor-Specific of one attribute, got %x", value)
			}
			fmt.Fprintf(&b, "%d %d %x\n", vendor, rest[0], []byte(rest[2:]))
		default:
			fmt.Fprintf(&b, "0 %d %x\n", a.Type, value)
		}
	}
	b.WriteByte('\n')
	return b.String(), nil
}

// radcliResponse is what the program printed as a signed response to a request. What was hidden for
// radcli is hidden for who asked.
func radcliResponse(request *radius.Packet, lines []string) (*radius.Packet, error) {
	var result int
	var authenticator []byte
	if n, err := fmt.Sscanf(lines[0], "%d %x", &result, &authenticator); n != 2 {
		return nil, fmt.Errorf("expected a result and an authenticator: %w", err)
	}
	code, ok := map[[2]int]radius.Code{
		{1, 0}: radius.CodeAccessAccept, {1, 2}: radius.CodeAccessReject, {1, 3}: radius.CodeAccessChallenge,
		{4, 0}: radius.CodeAccountingResponse,
	}[[2]int{int(request.Code), result}]
	if !ok {
		return nil, fmt.Errorf("radcli had no answer to its request of code %d: result %d", request.Code, result)
	}
	response := request.Response(code)
	if code != radius.CodeAccountingResponse { // which has none (RFC 2869 §5.19)
		probe.AddMessageAuthenticator(response)
	}
	for _, line := range lines[1:] {
		var vendor uint32
		var kind int
		var text string
		if n, err := fmt.Sscan(line, &vendor, &kind, &text); n < 2 {
			return nil, err
		}
		value, err := hex.DecodeString(text)
		if err == nil && vendor == 0 && kind != 80 {
			response.Add(radius.Type(kind), value)
		} else if err == nil && vendor == 311 {
			err = addMicrosoft(response, byte(kind), value, authenticator)
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := probe.Sign(response); err != nil {
		return nil, err
	}
	return response, nil
}

// addMicrosoft adds an attribute of Microsoft's, hidden for the response's receiver instead of radcli
// (RFC 2548 §2.4).
func addMicrosoft(response *radius.Packet, kind byte, value, authenticator []byte) error {
	switch kind {
	case 12: // MS-CHAP-MPPE-Keys
		value = hide(unhide(value, "radsec", authenticator), string(response.Secret), response.Authenticator[:])
	case 16, 17: // MS-MPPE-Send-Key, MS-MPPE-Recv-Key
		key, salt, err := radius.TunnelPassword(value, []byte("radsec"), authenticator)
		if err == nil {
			value, err = radius.NewTunnelPassword(key, salt, response.Secret, response.Authenticator[:])
		}
		if err != nil {
			return err
		}
	}
	attribute, err := radius.NewVendorSpecific(311, append([]byte{kind, byte(len(value) + 2)}, value...))
	if err == nil {
		response.Add(26, attribute)
	}
	return err
}

// hide is the method of User-Password (RFC 2865 §5.2), on whole blocks.
func hide(clear []byte, secret string, authenticator []byte) (hidden []byte) {
	before := authenticator
	for i := 0; i+16 <= len(clear); i += 16 {
		sum := md5.Sum(append([]byte(secret), before...))
		for k := range sum {
			hidden = append(hidden, clear[i+k]^sum[k])
		}
		before = hidden[i:]
	}
	return hidden
}

// unhide undoes hide.
func unhide(hidden []byte, secret string, authenticator []byte) (clear []byte) {
	before := authenticator
	for i := 0; i+16 <= len(hidden); i += 16 {
		sum := md5.Sum(append([]byte(secret), before...))
		for k := range sum {
			clear = append(clear, hidden[i+k]^sum[k])
		}
		before = hidden[i : i+16]
	}
	return clear
}
