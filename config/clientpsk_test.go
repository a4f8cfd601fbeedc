package config

import (
	"strings"
	"testing"
)

// A client with a PSK has an identity, a key of at least 16 octets that is no shared secret, DTLS,
// and nothing that a certificate would be needed for. No mistake shows the key.
// Rules: P118, DT13
func TestMistakesOfPSK(t *testing.T) {
	const (
		dtls  = "transports=['dtls']\n"
		key   = "psk='0123456789abcdefg'\n"
		named = "psk_identity='ap'\n"

		digits = "c0ffee00112233445566778899aabbcc"
	)
	list := []mistaken{
		{"no key", inClient(dtls + named), []string{`15: client[0].psk_identity: expected psk, psk_file or psk_env beside it`}},
		{"no identity", inClient(dtls + key), []string{`15: client[0].psk: expected psk_identity beside it`}},
		{"two keys", inClient(dtls + named + key + "psk_env='AP_PSK'\n"), []string{`17: client[0].psk_env: expected only one of psk, psk_file or psk_env`}},
		{"an empty key", inClient(dtls + named + "psk=''\n"), []string{`16: client[0].psk: expected a secret, got an empty one`}},
		{"a short key", inClient(dtls + named + "psk='0123456789abcde'\n"), []string{`16: client[0].psk: expected a PSK of 16..256 bytes, got 15 (RFC 9813 §4.1)`}},
		{"a short key in hexadecimal form", inClient(dtls + named + "psk='hex:" + strings.Repeat("5a", 15) + "'\n"), []string{`16: client[0].psk: expected a PSK of 16..256 bytes, got 15`}},
		{"a long key", inClient(dtls + named + "psk='" + strings.Repeat("x", 257) + "'\n"), []string{`16: client[0].psk: expected a PSK of 16..256 bytes, got 257`}},
		{"no digits", inClient(dtls + named + "psk='hex:0123456789abcdefg'\n"), []string{`16: client[0].psk: expected pairs of hexadecimal digits after "hex:"`}},
		{"over TLS", inClient(named + key), []string{`14: client[0].psk_identity: expected transports = ["dtls"] beside it: over TLS a PSK is not supported`}},
		{"over both", inClient("transports=['tls','dtls']\n" + named + key), []string{`15: client[0].psk_identity: expected transports = ["dtls"] beside it`}},
		{"with a certificate", inClient(dtls + named + key + "san_dns=['ap']\n"), []string{`15: client[0].psk_identity: expected no condition on a certificate beside it`}},
		{"a pool", inClient(dtls + named + key + "source_pool='127.1.0.0/16'\n"), []string{`17: client[0].source_pool: expected source, because the addresses of a pool are computed from certificates`}},
		{"a long identity", inClient(dtls + key + "psk_identity='" + strings.Repeat("é", 65) + "'\n"), []string{`16: client[0].psk_identity: expected 1..128 bytes of printable UTF-8, got 130`}},
		{"an identity of two lines", inClient(dtls + key + "psk_identity=\"a\\nb\"\n"), []string{`16: client[0].psk_identity: expected 1..128 bytes of printable UTF-8, got 3: "a\nb"`}},
		{"an identity with a space of no width", inClient(dtls + key + "psk_identity='a\u200bb'\n"), []string{`16: client[0].psk_identity: expected 1..128 bytes of printable UTF-8, got 5: "a\u200bb"`}},
		{"no string", inClient(dtls + key + "psk_identity=7\n"), []string{`16: client[0].psk_identity: expected a string in quotes, got the integer 7`}},
		{"the secret of a server", inClient(dtls + named + "psk='0123456789abcdef'\n"), []string{`15: client[0].psk_identity: its PSK is the secret of server "s", too`}},
		{"the secret of a server in hexadecimal form", inClient(dtls + named + "psk='hex:30313233343536373839616263646566'\n"), []string{`15: client[0].psk_identity: its PSK is the secret of server "s", too`}},
		{"what the digits of a secret mean", strings.Replace(inClient(dtls+named+"psk='hex:"+digits+"'\n"), "0123456789abcdef'", digits+"'", 1), []string{`15: client[0].psk_identity: its PSK is the secret of server "s", too`}},
		{"the file of a secret, decoded", inClient(dtls + named + "psk='hex:" + digits + "'\nsecret='hex:" + digits + "'\n"), []string{`15: client[0].psk_identity: its PSK is the secret of client "c", too`}},
		{"its own secret", inClient(dtls + named + key + "secret='0123456789abcdefg'\n"), []string{`15: client[0].psk_identity: its PSK is the secret of client "c", too`}},
		{"a server_secret", inClient(dtls + named + key + "source='127.0.0.2'\nserver_secret='0123456789abcdefg'\n"), []string{`15: client[0].psk_identity: its PSK is the server_secret of client "c", too`}},
		{"the secret of a sender", inClient(dtls + named + key + "[dynamic_authorization]\n[[dynamic_authorization.sender]]\nname='x'\nnetworks=['::1']\nsecret='0123456789abcdefg'\n"), []string{`15: client[0].psk_identity: its PSK is the secret of sender "x", too`}},
		{"one identity for two", inClient(dtls + named + key + "[[client]]\nname='d'\n" + dtls + named + "psk='another of sixteen'\n[[listener]]\nname='l'\ntransport='dtls'\naddress=['127.0.0.1:2083']\n"), []string{`20: client[1].psk_identity: client "c" has it, too, at the same listener`}},
	}
	wantMistakes(t, list)
	for _, x := range list {
		_, err := load(t, x.text)
		for _, key := range []string{"0123456789", "30313233", "5a5a", "another of"} {
			if strings.Contains(err.Error(), key) {
				t.Errorf("%s: the mistake shows the key: %v", x.name, err)
			}
		}
	}
}

// A key is given as it is or in hexadecimal form, from 16 to 256 octets. Two clients may have one
// identity where no listener accepts both.
// Rules: P118
func TestPSK(t *testing.T) {
	for given, want := range map[string]string{
		"0123456789abcdeg":                       "0123456789abcdeg",
		"hex:" + strings.Repeat("5A", 16):        strings.Repeat("Z", 16),
		"hex:" + strings.Repeat("00", 256):       strings.Repeat("\x00", 256),
		"0x" + strings.Repeat("5a", 16):          "0x" + strings.Repeat("5a", 16),
		"é" + strings.Repeat("x", 14):            "é" + strings.Repeat("x", 14),
		strings.Repeat("x", 64) + " and so much": strings.Repeat("x", 64) + " and so much",
	} {
		c, err := load(t, inClient("transports=['dtls']\npsk_identity='ap é'\npsk='"+given+"'\n"))
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		if got := &c.Clients[0]; got.PSKIdentity != "ap é" || string(got.PSK.Bytes()) != want {
			t.Errorf("%q: the PSK of %q is %q, expected %q", given, got.PSKIdentity, got.PSK.Bytes(), want)
		}
	}
	const two = "[[client]]\nname='d'\ntransports=['dtls']\npsk_identity='ap'\npsk='another of sixteen'\n" +
		"[[listener]]\nname='l'\ntransport='dtls'\naddress=['127.0.0.1:2083']\nclients=['c']\n[[listener]]\nname='m'\ntransport='dtls'\naddress=['127.0.0.1:2084']\nclients=['d']\n"
	if _, err := load(t, inClient("transports=['dtls']\npsk_identity='ap'\npsk='0123456789abcdefg'\n"+two)); err != nil {
		t.Errorf("one identity at two listeners: %v", err)
	}
}
