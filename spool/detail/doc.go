// Package detail reads and writes accounting records in the format of FreeRADIUS's detail files,
// in which its module rlm_detail stores requests, and from which a "listen" section of type detail
// reads them again.
//
// FreeRADIUS describes the format in raddb/mods-available/detail, and in
// raddb/sites-available/decoupled-accounting who reads it. What they leave open was found with
// FreeRADIUS 3.2.1 itself, which the tests in interop/detail run. A record is
//
//	Sat Nov 28 07:12:53 2026
//	# Radsec-Gw-Arrived = 2026-11-28T07:12:53.123456789Z
//	# Radsec-Gw-Client = "campus"
//	# Radsec-Gw-Address = "192.0.2.7:40123"
//		User-Name = "bob"
//		Acct-Status-Type = Start
//		NAS-IP-Address = 192.0.2.1
//		Tunnel-Type:1 = 13
//		Class = 0x0a1b
//		Event-Timestamp = 1795849973
//		Attr-26.25053.1 = 0x0c
//		Timestamp = 1795849973
//
// and an empty line: the time at which the server received the request, an attribute a line in the
// order of the packet, and that time in seconds since 1970. Append writes:
//
//   - All times as UTC or as seconds since 1970. A date would be read in the time zone of the
//     server that reads it, whatever the date says.
//   - Texts in double quotes. What is not printable is a backslash and three octal digits, and so
//     are a percent sign and a first colon, which FreeRADIUS would take for the beginning of an
//     expression and of a tag.
//   - Numbers, or the name of a value if package dict has it.
//   - A tag (RFC 2868 §3) after the name and a colon.
//   - Attr-TYPE and octets for an attribute that package dict does not know, or that FreeRADIUS's
//     dictionary has in another way, and for a value that is not of the attribute's type. A
//     vendor's attribute is Attr-26.VENDOR.TYPE, or if the Vendor-Specific has anything but one
//     attribute in the layout of RFC 2865 §5.26, Attr-26 and all its octets. FreeRADIUS decodes
//     octets by its own dictionary, and so gives such attributes their names.
//   - Notes, which are lines that begin with "# Radsec-Gw-", for what FreeRADIUS must not see. It
//     passes over them, whereas one line with a name that it does not know makes it drop the whole
//     file. Among them are hidden attributes (RFC 2865 §5.2, RFC 2868 §3.5), each as
//     Radsec-Gw-Attribute with type, length and encrypted value, at its place: under its name a
//     server would take the ciphertext for the password. With them goes Radsec-Gw-Authenticator,
//     the packet's authenticator, unless it is zero. Attributes of type 0 are notes, too, those of
//     vendor 0, which FreeRADIUS takes for attributes without a vendor, and octets at which it
//     crashes: those of attributes or TLVs that are all empty.
//
// What Append has written a Reader returns with the same attributes, octet by octet, in the same
// order. The Identifier of a packet is not kept.
//
// A Reader also reads what FreeRADIUS itself has written with its default configuration. It passes
// over what is not an attribute of RADIUS, such as Acct-Unique-Session-Id and Packet-Type, and over
// records that FreeRADIUS has marked as done. Attributes that it cannot carry over are listed in
// Record.Skipped: those with names that package dict does not have, which are most of the vendors';
// values with names that nobody knows; and hidden attributes, which FreeRADIUS writes in clear.
// Dates are in the time zone of the server that wrote them. Its name says little, but the difference
// between a record's first line and its Timestamp does.
//
// Limits:
//
//   - Without NAS-IP-Address in a record, FreeRADIUS's module preprocess adds the address that the
//     packet came from: the gateway's to one that it has received, and 255.255.255.255 to one from a
//     file, unless the record has a line Client-IP-Address = ADDRESS.
//
//   - FreeRADIUS adds what has passed since Event-Timestamp, or without one since Timestamp, to
//     Acct-Delay-Time.
//
//   - FreeRADIUS drops a zero octet at the end of a text when it writes one.
//
//   - radclient reads attributes only. It takes a file without first lines and Timestamp:
//
//     sed '/^[A-Z]/d; /^\tTimestamp = /d' records | radclient -f - SERVER acct SECRET
//
// The files in the order in which to read them:
//
//	record.go      a Record, its text, and the notes
//	attribute.go   the line of an attribute
//	path.go        attributes without a name: Attr-26.9.1, and vendors' layouts
//	crash.go       octets that FreeRADIUS must not see
//	value.go       values by type
//	time.go        dates, and the time zone of a server
//	quote.go       texts in double quotes
//	names.go       names that differ in FreeRADIUS, and names of its own
//	valuenames.go  names of values
//	reader.go      the lines of a record, bounds
//	parse.go       a record from its lines
package detail
