package wire

import "radsec-gw/wire/dict"

// Omission is why an attribute was omitted from a packet. The list is closed.
//
// An attribute that belongs to one hop is not an omission: Message-Authenticator,
// Proxy-State, Response-Length, what RADIUS/1.1 does not have (RFC 9765 §5), and what is
// not for a NAS (RFC 8559 §4.2).
type Omission uint8

const (
	// OmittedMarker: the gateway's own Proxy-State does not fit into 4096 octets.
	OmittedMarker Omission = iota
	// OmittedUnreadable: a value that RADIUS/1.0 hides is malformed, so that it
	// cannot be revealed or hidden: see errUnreadable.
	OmittedUnreadable
	// OmittedOtherSecret: a value of a reply, once decrypted, has a length that
	// points past it: see ErrHidden.
	OmittedOtherSecret
	// OmittedPassword: a User-Password has an invalid length where that is not
	// an error of the whole request (RFC 2865 §5.2).
	OmittedPassword
	// OmittedEAP: an EAP-Message is in accounting (RFC 2869 §5.19).
	OmittedEAP
	NumOmissions
)

var omissionNames = [NumOmissions]string{"loop_marker", "unreadable", "other_secret", "user_password", "eap_message"}

// String returns the name used in metrics.
func (o Omission) String() string { return omissionNames[o] }

// Omitted counts the attributes that were omitted from one packet for one reason.
type Omitted struct {
	Count int // how many; 0: none

	// the first of them
	t      byte
	sub    byte
	number uint16
	vendor uint32
}

// Name returns the name of the first attribute.
func (o *Omitted) Name() string {
	if o.vendor == 0 {
		return dict.Name(o.t, 0)
	}
	return dict.VendorName(o.vendor, o.number, o.sub)
}

// omissions is what was omitted from the packet written last, by Omission.
type omissions struct {
	list [NumOmissions]Omitted
	any  bool
}

// clear removes what belongs to the previous packet.
func (o *omissions) clear() {
	if o.any {
		*o = omissions{}
	}
}

// add notes an attribute without a vendor.
func (o *omissions) add(why Omission, t byte) { o.addFirst(why, Omitted{t: t}) }

// addVendor notes a vendor's attribute, or the TLV sub in it.
func (o *omissions) addVendor(why Omission, vendor uint32, number uint16, sub byte) {
	o.addFirst(why, Omitted{t: typeVendorSpecific, vendor: vendor, number: number, sub: sub})
}

func (o *omissions) addFirst(why Omission, what Omitted) {
	o.any = true
	first := &o.list[why]
	if first.Count == 0 {
		*first = what
	}
	first.Count++
}

// Omitted returns what WriteRequest or WriteReply omitted from the packet written last,
// by Omission; nil when nothing was. The next packet written replaces it.
func (d *Digests) Omitted() *[NumOmissions]Omitted {
	if !d.omitted.any {
		return nil
	}
	return &d.omitted.list
}
