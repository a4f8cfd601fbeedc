package probe

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

// newRequest returns the request that cfg describes, not signed yet.
func newRequest(cfg *Config) (*radius.Packet, error) {
	code, err := cfg.Kind.code()
	if err != nil {
		return nil, err
	}
	if _, err := offered(cfg.Version); err != nil {
		return nil, err
	}
	p := radius.New(code, []byte(cfg.Secret))
	switch cfg.Kind {
	case Access:
		err = addCredentials(p, cfg)
	case Accounting:
		err = addAccounting(p, cfg)
	case CoA, Disconnect:
		err = addSession(p, cfg)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range cfg.Attributes {
		typ, value, err := parseAttribute(s)
		if err != nil {
			return nil, err
		}
		p.Add(typ, value)
	}
	// RFC 2865 §4.1: a request names its NAS. In CoA and Disconnect the name is a condition that the
	// session must meet (RFC 5176 §3), so there it is only sent when asked for.
	if cfg.Kind != CoA && cfg.Kind != Disconnect &&
		p.Get(rfc2865.NASIdentifier_Type) == nil && p.Get(rfc2865.NASIPAddress_Type) == nil {
		if err := rfc2865.NASIdentifier_SetString(p, "radsec-gw-probe"); err != nil {
			return nil, err
		}
	}
	if !cfg.NoMessageAuthenticator && cfg.Kind != Accounting && p.Get(rfc2869.MessageAuthenticator_Type) == nil {
		AddMessageAuthenticator(p)
	}
	return p, nil
}

// addCredentials adds User-Name and the password as PAP or CHAP (RFC 2865 §5.1–5.3, §5.40).
func addCredentials(p *radius.Packet, cfg *Config) error {
	if cfg.User == "" {
		return errors.New("access needs -user (and -password)")
	}
	if err := rfc2865.UserName_SetString(p, cfg.User); err != nil {
		return err
	}
	if cfg.SessionID != "" {
		if err := rfc2866.AcctSessionID_SetString(p, cfg.SessionID); err != nil {
			return err
		}
	}
	if !cfg.CHAP && !cfg.CHAPChallenge {
		return rfc2865.UserPassword_SetString(p, cfg.Password)
	}
	challenge := p.Authenticator[:]
	if cfg.CHAPChallenge {
		challenge = make([]byte, 16)
		rand.Read(challenge)
		if err := rfc2865.CHAPChallenge_Set(p, challenge); err != nil {
			return err
		}
	}
	return rfc2865.CHAPPassword_Set(p, CHAPResponse(p.Identifier, []byte(cfg.Password), challenge))
}

// addAccounting adds the attributes that RFC 2866 §5.13 requires for each Acct-Status-Type.
func addAccounting(p *radius.Packet, cfg *Config) error {
	types := map[string]rfc2866.AcctStatusType{
		"start": rfc2866.AcctStatusType_Value_Start, "stop": rfc2866.AcctStatusType_Value_Stop,
		"interim": rfc2866.AcctStatusType_Value_InterimUpdate,
		"on":      rfc2866.AcctStatusType_Value_AccountingOn, "off": rfc2866.AcctStatusType_Value_AccountingOff,
	}
	status, ok := types[cfg.StatusType]
	if !ok {
		return fmt.Errorf("-status-type: expected start, interim, stop, on or off, got %q", cfg.StatusType)
	}
	session := cfg.SessionID
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
	if cfg.User != "" {
		if err := rfc2865.UserName_SetString(p, cfg.User); err != nil {
			return err
		}
	}
	if cfg.StatusType == "interim" || cfg.StatusType == "stop" {
		return rfc2866.AcctSessionTime_Set(p, 60)
	}
	return nil
}

// addSession adds the attributes that identify the session to change or end (RFC 5176 §3).
func addSession(p *radius.Packet, cfg *Config) error {
	if cfg.User == "" && cfg.SessionID == "" {
		return fmt.Errorf("%s needs -user or -session-id to name the session", cfg.Kind)
	}
	if cfg.User != "" {
		if err := rfc2865.UserName_SetString(p, cfg.User); err != nil {
			return err
		}
	}
	if cfg.SessionID != "" {
		return rfc2866.AcctSessionID_SetString(p, cfg.SessionID)
	}
	return nil
}
