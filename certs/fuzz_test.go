package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
)

// blocksOf returns the blocks that encoding/pem finds, which skips other text.
func blocksOf(data []byte) (all []pem.Block) {
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			return all
		}
		all = append(all, *b)
	}
}

// If readPEM accepts a file, it omits nothing: each block that encoding/pem finds and
// each BEGIN is among its blocks, and the blocks, encoded again, are read as the same.
func FuzzReadPEM(f *testing.F) {
	m := newMaterial()
	for _, text := range []string{
		m.caPEM, m.caPEM + m.leafPEM, m.key, m.crlPEM, "\xef\xbb\xbf" + m.caPEM, m.caPEM + "text\n" + m.caPEM,
		strings.TrimSuffix(m.caPEM, "\n") + m.caPEM, strings.ReplaceAll(m.caPEM, "\n", "\r\n"), strings.ReplaceAll(m.caPEM, "\n", " \t\n\n"),
		m.caPEM[:100], "", "\n", "-----BEGIN X-----\nMAA=\n-----END X-----", "-----BEGIN X-----\r\nMAA=\r\n-----END X-----\r", "-----BEGIN X-----\nA: b\n\nMAA=\n-----END X-----\n", string(m.keyDER),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := readPEM("f", kindCertificate, data)
		if err != nil {
			if blocks != nil {
				t.Fatalf("%d blocks beside the error %v", len(blocks), err)
			}
			return
		}
		if n := bytes.Count(data, []byte("-----BEGIN ")); n != len(blocks) || n == 0 {
			t.Fatalf("the file has %d BEGINs, and %d blocks were read", n, len(blocks))
		}
		var again []byte
		found := blocksOf(data)
		if len(found) != len(blocks) {
			t.Fatalf("encoding/pem finds %d blocks, %d were read", len(found), len(blocks))
		}
		for i, b := range blocks {
			if found[i].Type != b.kind || !bytes.Equal(found[i].Bytes, b.bytes) {
				t.Fatalf("block %d differs from what encoding/pem finds", i)
			}
			again = append(again, pem.EncodeToMemory(&pem.Block{Type: b.kind, Bytes: b.bytes})...)
		}
		same, err := readPEM("f", kindCertificate, again)
		if err != nil || !slices.EqualFunc(same, blocks, func(a, b block) bool { return a.kind == b.kind && bytes.Equal(a.bytes, b.bytes) }) {
			t.Fatalf("encoded again, it is read as something else: %v", err)
		}
	})
}

// A file of certificates or CAs is read completely, or is an error.
func FuzzCertificates(f *testing.F) {
	m := newMaterial()
	f.Add([]byte(m.caPEM + m.leafPEM))
	f.Add(m.ca.Certificate.Raw)
	f.Add([]byte(m.caPEM + m.crlPEM + m.caPEM))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		chain, err := ParseCertificates("f", data)
		if (err == nil) != (len(chain) > 0) {
			t.Fatalf("%d certificates and the error %v", len(chain), err)
		}
		if n := len(blocksOf(data)); err == nil && !isDER(data) && n != len(chain) {
			t.Fatalf("%d blocks and %d certificates", n, len(chain))
		}
		a, err := ParseCA("f", data)
		if err != nil {
			return
		}
		if n := len(blocksOf(data)); !isDER(data) && n < len(a.Certificates)+len(a.CRLs) || !isDER(data) && n > len(a.Certificates)+len(a.CRLs)+len(a.Warnings) {
			t.Fatalf("%d blocks, %d CAs, %d lists, %d warnings", n, len(a.Certificates), len(a.CRLs), len(a.Warnings))
		}
		var anew []byte
		for _, c := range a.Certificates {
			anew = append(anew, encodeBlock(kindCertificate, c.Raw)...)
		}
		again, err := ParseCA("f", anew)
		if err != nil || !slices.EqualFunc(again.Certificates, a.Certificates, (*x509.Certificate).Equal) {
			t.Fatalf("encoded again, the CAs are read as others: %v", err)
		}
	})
}

// A file of a key is one key, or an error that shows nothing of it.
func FuzzParseKey(f *testing.F) {
	m := newMaterial()
	for _, text := range []string{m.key, m.ec, m.rsa, m.key + m.ec, m.key[:80], string(m.keyDER)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := ParseKey("f", data)
		if (err == nil) != (k != nil) {
			t.Fatalf("the key %v and the error %v", k != nil, err)
		}
	})
}

// A file of revocation lists is read completely, or is an error.
func FuzzParseCRLs(f *testing.F) {
	m := newMaterial()
	f.Add([]byte(m.crl))
	f.Add([]byte(m.crlPEM + m.crlPEM))
	f.Add([]byte(m.crlPEM + m.caPEM))
	f.Add([]byte("-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lists, err := ParseCRLs("f", data)
		if (err == nil) != (len(lists) > 0) {
			t.Fatalf("%d lists and the error %v", len(lists), err)
		}
		if n := len(blocksOf(data)); err == nil && !isDER(data) && n != len(lists) {
			t.Fatalf("%d blocks and %d lists", n, len(lists))
		}
		for _, l := range lists {
			if again, err := ParseCRLs("f", []byte(encodeBlock(kindCRL, l.Raw))); err != nil || !bytes.Equal(again[0].Raw, l.Raw) {
				t.Fatalf("encoded again, the list is read as another: %v", err)
			}
		}
	})
}

// A file of ticket keys is 1 to 16 different keys, or an error that shows nothing of it.
func FuzzParseTicketKeys(f *testing.F) {
	key := "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"
	for _, text := range []string{"", key, key + "\n# x\n" + key + " # y", key + "g", seventeen(), "\r\n" + key + "\r\n", strings.Repeat("0", 64)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseTicketKeys("f", text)
		if (err == nil) != (len(keys) >= 1 && len(keys) <= 16) {
			t.Fatalf("%d keys and the error %v", len(keys), err)
		}
		for i, k := range keys {
			if k == [32]byte{} || slices.Contains(keys[:i], k) {
				t.Fatalf("key %d has only zeros, or is listed twice", i)
			}
		}
	})
}

// Any text is a secret without its end of line, or an error that shows nothing of it.
func FuzzParseSecret(f *testing.F) {
	for _, text := range []string{"", "tiger", "tiger\n", "tiger\r\n", "tiger\n\n", "\xef\xbb\xbftiger", "ti\x00ger", "\"tiger\"", " tiger ", "ti\rger", "\xff\xfe"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		secret, warnings, err := ParseSecret("f", text)
		if (err == nil) != (secret != "") {
			t.Fatalf("a secret of %d bytes and the error %v", len(secret), err)
		}
		if err == nil && secret != text && secret+"\n" != text && secret+"\r\n" != text {
			t.Fatalf("%q became %q", text, secret)
		}
		if strings.ContainsAny(secret, "\r\n\x00") {
			t.Fatalf("%q was accepted", text)
		}
		if inner := strings.TrimSpace(secret); len(inner) > 40 && strings.Contains(strings.Join(warnings, ""), inner) {
			t.Fatalf("a warning shows the secret: %q", warnings)
		}
	})
}
