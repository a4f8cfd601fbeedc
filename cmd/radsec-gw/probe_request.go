package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/dictionary"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

// probeRequest builds the request that the command line asks for; it is signed later.
func probeRequest(o *probeOptions, names *attributeNames) (*radius.Packet, error) {
	code, _ := probeCode(o.kind)
	p := radius.New(code, []byte(o.secret))
	var err error
	switch o.kind {
	case "access":
		err = addCredentials(p, o)
	case "accounting":
		err = addAccounting(p, o)
	case "coa", "disconnect":
		err = addSession(p, o)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range o.attributes {
		typ, value, err := parseAttribute(names, s)
		if err != nil {
			return nil, err
		}
		p.Add(typ, value)
	}
	// RFC 2865 §4.1: a request names its NAS. In CoA and Disconnect the name is a condition that the
	// session must meet (RFC 5176 §3), so there it is only sent when asked for.
	if o.kind != "coa" && o.kind != "disconnect" &&
		p.Get(rfc2865.NASIdentifier_Type) == nil && p.Get(rfc2865.NASIPAddress_Type) == nil {
		if err := rfc2865.NASIdentifier_SetString(p, "radsec-gw-probe"); err != nil {
			return nil, err
		}
	}
	if !o.unsigned && o.kind != "accounting" && p.Get(rfc2869.MessageAuthenticator_Type) == nil {
		addMessageAuthenticator(p)
	}
	return p, nil
}

// addCredentials adds User-Name and the password as PAP or CHAP (RFC 2865 §5.1–5.3, §5.40).
func addCredentials(p *radius.Packet, o *probeOptions) error {
	if o.user == "" {
		return fmt.Errorf("access needs -user (and -password)")
	}
	if err := rfc2865.UserName_SetString(p, o.user); err != nil {
		return err
	}
	if !o.chap && !o.challenge {
		return rfc2865.UserPassword_SetString(p, o.password)
	}
	challenge := p.Authenticator[:]
	if o.challenge {
		challenge = make([]byte, 16)
		rand.Read(challenge)
		if err := rfc2865.CHAPChallenge_Set(p, challenge); err != nil {
			return err
		}
	}
	return rfc2865.CHAPPassword_Set(p, chapResponse(p.Identifier, []byte(o.password), challenge))
}

// addAccounting adds what RFC 2866 §5.13 asks of each Acct-Status-Type.
func addAccounting(p *radius.Packet, o *probeOptions) error {
	types := map[string]rfc2866.AcctStatusType{
		"start": rfc2866.AcctStatusType_Value_Start, "stop": rfc2866.AcctStatusType_Value_Stop,
		"interim": rfc2866.AcctStatusType_Value_InterimUpdate,
		"on":      rfc2866.AcctStatusType_Value_AccountingOn, "off": rfc2866.AcctStatusType_Value_AccountingOff,
	}
	status, ok := types[o.statusType]
	if !ok {
		return fmt.Errorf("-status-type must be start, interim, stop, on or off, not %q", o.statusType)
	}
	session := o.sessionID
	if session == "" {
		b := make([]byte, 8)
		rand.Read(b)
		session = hex.EncodeToString(b)
	}
	if err := rfc2866.AcctStatusType_Set(p, status); err != nil {
		return err
	}
	if err := rfc2866.AcctSessionID_SetString(p, session); err != nil {
		return err
	}
	if o.user != "" {
		if err := rfc2865.UserName_SetString(p, o.user); err != nil {
			return err
		}
	}
	if o.statusType == "interim" || o.statusType == "stop" {
		return rfc2866.AcctSessionTime_Set(p, 60)
	}
	return nil
}

// addSession adds what names the session to change or end (RFC 5176 §3).
func addSession(p *radius.Packet, o *probeOptions) error {
	if o.user == "" && o.sessionID == "" {
		return fmt.Errorf("%s needs -user or -session-id to name the session", o.kind)
	}
	if o.user != "" {
		if err := rfc2865.UserName_SetString(p, o.user); err != nil {
			return err
		}
	}
	if o.sessionID != "" {
		return rfc2866.AcctSessionID_SetString(p, o.sessionID)
	}
	return nil
}

// parseAttribute reads "Name=value" or "type=0x…". The value's form is the attribute's: an integer by
// number or by the dictionary's name, addresses, dates as RFC 3339 or in seconds, octets as 0x… or as
// they are.
func parseAttribute(names *attributeNames, s string) (radius.Type, radius.Attribute, error) {
	name, text, ok := strings.Cut(s, "=")
	if !ok {
		return 0, nil, fmt.Errorf("-attr %q: want Name=value", s)
	}
	a, known := names.byName[strings.ToLower(name)]
	if !known {
		if number, err := strconv.ParseUint(name, 10, 8); err == nil && number > 0 {
			a, known = attribute{path: name, form: dictionary.AttributeOctets}, true
		}
	}
	typ, err := strconv.Atoi(a.path)
	if !known || a.vendor != 0 || err != nil || a.tagged || a.hidden != inClear {
		return 0, nil, fmt.Errorf("-attr %q: %q is not an attribute that the probe can send by name; give its type as a number and its value as 0x…", s, name)
	}
	value, err := parseValue(names, a, text)
	if err != nil {
		return 0, nil, fmt.Errorf("-attr %q: %w", s, err)
	}
	if len(value) > 253 {
		return 0, nil, fmt.Errorf("-attr %q: %d octets, an attribute holds 253", name, len(value))
	}
	return radius.Type(typ), value, nil
}

func parseValue(names *attributeNames, a attribute, text string) (radius.Attribute, error) {
	switch a.form {
	case dictionary.AttributeString:
		return radius.Attribute(text), nil
	case dictionary.AttributeInteger:
		number, err := strconv.ParseUint(text, 0, 32)
		if err != nil {
			var ok bool
			if number, ok = names.valueNumber(a.name, text); !ok {
				return nil, fmt.Errorf("want a number up to 4294967295 or one of the names in the dictionary")
			}
		}
		return radius.NewInteger(uint32(number)), nil
	case dictionary.AttributeIPAddr, dictionary.AttributeIPv6Addr:
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Is4() != (a.form == dictionary.AttributeIPAddr) {
			return nil, fmt.Errorf("want an address of type %v", a.form)
		}
		return ip.AsSlice(), nil
	case dictionary.AttributeDate:
		if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
			return radius.NewInteger(uint32(seconds)), nil
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, fmt.Errorf("want seconds since 1970 or a time like 2006-01-02T15:04:05Z")
		}
		return radius.NewDate(t)
	}
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("after 0x come pairs of hexadecimal digits: %w", err)
		}
		return b, nil
	}
	return radius.Attribute(text), nil
}
