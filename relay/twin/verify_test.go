package twin

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Fate is what happens to a client's packet.
type Fate byte

const (
	Relay   Fate = iota // it is forwarded to a server
	Close               // the connection is closed (P5)
	Discard             // it is ignored, the connection stays open (P6)
	Status              // the gateway answers it (P75)
)

// FateOf returns the fate of a packet of a client with this secret, under the gateway's
// default policy: a Message-Authenticator is required where there is EAP (C3).
func FateOf(packet []byte, v11 bool, secret string) Fate {
	list, ok := Parse(packet)
	if !ok {
		return Close
	}
	code := packet[0]
	if !isRequest(code) {
		return Discard
	}
	fate := Relay
	if code == StatusServer {
		fate = Status
	}
	if v11 { // TLS has authenticated it (P122, P125)
		return fate
	}
	mac := Values(list, messageAuth)
	if len(mac) == 0 {
		if code == StatusServer {
			return Discard // P76
		}
		if has(list, eapMessage) {
			return Close // P48, C3
		}
	}
	vector := [16]byte(packet[4:20])
	if code != AccessRequest && code != StatusServer {
		vector = [16]byte{}
		if Sum(packet, vector, secret) != [16]byte(packet[4:20]) {
			return Close // P20
		}
	}
	if len(mac) > 0 && !goodMAC(packet, mac, vector, secret) {
		return Close // P47
	}
	return fate
}

// goodMAC reports whether there is exactly one Message-Authenticator, of 18 octets, and
// it is valid (P47).
func goodMAC(packet []byte, mac [][]byte, vector [16]byte, secret string) bool {
	return len(mac) == 1 && len(mac[0]) == 16 && bytes.Equal(mac[0], MAC(packet, vector, secret))
}

// Routable reports whether a request is routed when there is a route for no realm and
// one for example.org, both for all kinds (P87, P137).
func Routable(packet []byte) bool {
	list, _ := Parse(packet)
	if operator := Values(list, operatorName); dynamic(packet[0]) && len(operator) > 0 {
		name := string(operator[0])
		return len(name) > 1 && name[0] == '1' && strings.EqualFold(name[1:], "example.org")
	}
	users := Values(list, userName)
	if len(users) == 0 {
		return true
	}
	_, realm, _ := cutLast(string(users[0]))
	return realm == "" || strings.EqualFold(realm, "example.org")
}

func cutLast(s string) (user, realm string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// Cut returns the packet in a datagram without padding; nil when there is none (P2).
func Cut(datagram []byte) []byte {
	if len(datagram) < 20 {
		return nil
	}
	n := int(binary.BigEndian.Uint16(datagram[2:]))
	if n < 20 || n > 4096 || n > len(datagram) {
		return nil
	}
	return datagram[:n]
}

// ValidReply reports whether a server's datagram is a valid reply to the request
// sent to it, under its secret (P16, P21, P47, P48, P49, P98).
func ValidReply(datagram, sent []byte, secret string, requireMA bool) bool {
	reply := Cut(datagram)
	list, ok := Parse(reply)
	if !ok || reply[1] != sent[1] || !Answers(sent[0], reply[0]) {
		return false
	}
	if reply[0] == ProtocolError {
		for _, a := range list {
			if a.T == extended1 && len(a.V) == 5 && a.V[0] == 4 {
				if binary.BigEndian.Uint32(a.V[1:]) != uint32(sent[0]) {
					return false
				}
				break
			}
		}
	}
	ra := [16]byte(sent[4:20])
	if Sum(reply, ra, secret) != [16]byte(reply[4:20]) {
		return false
	}
	mac := Values(list, messageAuth)
	if len(mac) == 0 {
		return !has(list, eapMessage) && !(requireMA && sent[0] == AccessRequest)
	}
	return goodMAC(reply, mac, ra, secret) || sent[0] != AccessRequest && goodMAC(reply, mac, [16]byte{}, secret)
}
