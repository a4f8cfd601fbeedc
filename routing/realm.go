package routing

import "bytes"

// Format is a form of User-Name that contains a realm.
type Format uint8

// The formats.
const (
	Suffix  Format = iota // user@realm (RFC 7542 §2.2)
	Prefix                // REALM\user, as Windows writes a domain
	Machine               // host/name.realm, the name of a Windows machine
)

// realmOf returns the realm that the first of the formats finds in a User-Name, empty
// when none does. Without formats it is Suffix alone. The realm points into the
// User-Name, which is not changed (RFC 7542 §3).
func realmOf(userName []byte, formats []Format) []byte {
	if len(formats) == 0 {
		return Realm(userName)
	}
	for _, f := range formats {
		var realm []byte
		switch f {
		case Suffix:
			realm = Realm(userName)
		case Prefix:
			realm = prefixRealm(userName)
		case Machine:
			realm = machineRealm(userName)
		}
		if len(realm) > 0 {
			return realm
		}
	}
	return nil
}

// Realm returns what follows the last "@" of a User-Name, nil when there is
// none. RFC 7542 §2.2 allows no second "@"; where there is one nevertheless, other
// proxies cut at the last. The user part before it may be empty (§2.4).
func Realm(userName []byte) []byte {
	at := bytes.LastIndexByte(userName, '@')
	if at < 0 {
		return nil
	}
	return userName[at+1:]
}

// prefixRealm returns what precedes the first "\" of a User-Name, nil when there is none.
func prefixRealm(userName []byte) []byte {
	if realm, _, ok := bytes.Cut(userName, []byte(`\`)); ok {
		return realm
	}
	return nil
}

// machineRealm returns what follows the first label of the host name in a User-Name
// "host/name.realm", nil when the User-Name is not one or the name has only one label.
func machineRealm(userName []byte) []byte {
	const prefix = "host/"
	if len(userName) < len(prefix) || !bytes.EqualFold(userName[:len(prefix)], []byte(prefix)) {
		return nil
	}
	_, realm, _ := bytes.Cut(userName[len(prefix):], []byte("."))
	return realm
}
