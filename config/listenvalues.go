package config

// Values of Listen.ClientAuth.
const (
	AuthRequire  = "require"  // a certificate of the CA, or no connection
	AuthOptional = "optional" // verified when given
	AuthNone     = "none"     // none is requested: clients are distinguished by network only
)

// ClientAuths returns the values of Listen.ClientAuth.
func ClientAuths() []string {
	return []string{AuthRequire, AuthOptional, AuthNone}
}

// Values of Listen.CRLStale.
const (
	CRLStaleAccept = "accept" // an old list is better than none; a warning and a metric say so
	CRLStaleRefuse = "refuse" // no certificate of an issuer whose list is out of date
)

// Values of Listen.ReadableKeys.
const (
	ReadableKeysRefuse = "refuse" // a key that everybody can read is a mistake
	ReadableKeysWarn   = "warn"   // it is warned of
)
