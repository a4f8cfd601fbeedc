"""Packets of RADIUS/1.0 and RADIUS/1.1, for reversenas.py.

Written from RFC 2865, 2866, 2868, 5176 and 9765, with nothing of the gateway's.
"""

import collections
import hashlib
import hmac
import struct

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE = 1, 2, 3, 11
ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 4, 5
STATUS_SERVER, PROTOCOL_ERROR = 12, 52
DISCONNECT_REQUEST, DISCONNECT_ACK, DISCONNECT_NAK = 40, 41, 42
COA_REQUEST, COA_ACK, COA_NAK = 43, 44, 45

# What may answer a request (RFC 2865 section 4, RFC 2866 section 4, RFC 5997 section 3).
REPLIES = {
    ACCESS_REQUEST: (ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE, PROTOCOL_ERROR),
    ACCOUNTING_REQUEST: (ACCOUNTING_RESPONSE, PROTOCOL_ERROR),
    STATUS_SERVER: (ACCESS_ACCEPT, ACCOUNTING_RESPONSE),
}

USER_PASSWORD, VENDOR_SPECIFIC, TUNNEL_PASSWORD, MESSAGE_AUTHENTICATOR = 2, 26, 69, 80

HEADER = 20  # octets
LONGEST = 4096  # octets of a packet
ZEROS = bytes(16)


class Wrong(Exception):
    """What was received breaks a rule; the text says which."""


Packet = collections.namedtuple("Packet", "code key authenticator attributes octets")
Packet.__doc__ = """A packet that was read.

key is its Identifier, in RADIUS/1.1 its Token; authenticator is None in RADIUS/1.1;
attributes are pairs of a type and a value; octets is the packet as it was received.
"""


def split(buffer):
    """Return the first packet in buffer, or None, and what follows it.

    Nothing but the Length of a packet says where it ends (RFC 6614 section 3.4).
    """
    if len(buffer) < 4:
        return None, buffer
    length = struct.unpack_from("!H", buffer, 2)[0]
    if not HEADER <= length <= LONGEST:
        raise Wrong("expected a Length of %d to %d, got %d" % (HEADER, LONGEST, length))
    if len(buffer) < length:
        return None, buffer
    return bytes(buffer[:length]), buffer[length:]


def read(octets, version11):
    """Return the Packet that octets are.

    Raises Wrong where the attributes do not fill the packet exactly, or a field of a header of
    RADIUS/1.1 that is reserved is not zero.
    """
    code, identifier, length = struct.unpack_from("!BBH", octets)
    if length != len(octets):
        raise Wrong("expected %d octets, as Length says, got %d" % (length, len(octets)))
    attributes, at = [], HEADER
    while at < length:
        size = octets[at + 1] if at + 1 < length else 0
        if size < 2 or at + size > length:
            raise Wrong("expected an attribute at octet %d, got %s" % (at, octets[at:].hex()))
        attributes.append((octets[at], octets[at + 2:at + size]))
        at += size
    if not version11:
        return Packet(code, identifier, octets[4:HEADER], attributes, octets)
    if identifier or any(octets[8:HEADER]):
        raise Wrong("expected reserved fields of zero in RADIUS/1.1, got the header %s" % octets[:HEADER].hex())
    return Packet(code, struct.unpack_from("!I", octets, 4)[0], None, attributes, octets)


def write(code, identifier, authenticator, attributes):
    """Return the octets of a packet with any 16 octets as its authenticator."""
    body = b""
    for kind, value in attributes:
        if len(value) > 253:
            raise ValueError("the value of attribute %d has %d octets, more than 253" % (kind, len(value)))
        body += bytes((kind, len(value) + 2)) + value
    return struct.pack("!BBH", code, identifier, HEADER + len(body)) + authenticator + body


def write11(code, token, attributes):
    """Return the octets of a packet of RADIUS/1.1 (RFC 9765 section 4.1)."""
    return write(code, 0, struct.pack("!I", token) + bytes(12), attributes)


def with_authenticator(octets, authenticator):
    """Return a packet with another authenticator."""
    return octets[:4] + authenticator + octets[HEADER:]


def message_authenticators(octets):
    """Return where the values of Message-Authenticator begin, and how long they are."""
    found, at = [], HEADER
    while at < len(octets):
        if octets[at] == MESSAGE_AUTHENTICATOR:
            found.append((at + 2, octets[at + 1] - 2))
        at += octets[at + 1]
    return found


def _message_authenticator(octets, at, authenticator, secret):
    octets = with_authenticator(octets, authenticator)
    return hmac.new(secret, octets[:at] + ZEROS + octets[at + 16:], hashlib.md5).digest()


def fill_message_authenticator(octets, authenticator, secret):
    """Return a packet whose Message-Authenticator, if there is one, is computed.

    authenticator is what it covers (RFC 3579 section 3.2, RFC 5176 section 3.4): of a reply its
    request's, of an Access-Request or Status-Server its own, of other requests zeros.
    """
    for at, _ in message_authenticators(octets):
        value = _message_authenticator(octets, at, authenticator, secret)
        octets = octets[:at] + value + octets[at + 16:]
    return octets


def verify_message_authenticator(octets, authenticator, secret):
    """Return whether a packet has a Message-Authenticator; raise Wrong if it does not verify."""
    found = message_authenticators(octets)
    if not found:
        return False
    if len(found) > 1:
        raise Wrong("expected one Message-Authenticator, got %d" % len(found))
    at, length = found[0]
    if length != 16:
        raise Wrong("expected a Message-Authenticator of 16 octets, got %d" % length)
    if not hmac.compare_digest(octets[at:at + 16], _message_authenticator(octets, at, authenticator, secret)):
        raise Wrong("the Message-Authenticator does not verify: %s" % octets.hex())
    return True


def sign(octets, authenticator, secret):
    """Return a packet with its authenticators, over the given one.

    That is the request's of a reply, and zeros of an Accounting-, CoA- or Disconnect-Request
    (RFC 2865 section 3, RFC 2866 section 3, RFC 5176 section 2.3).
    """
    octets = with_authenticator(fill_message_authenticator(octets, authenticator, secret), authenticator)
    return with_authenticator(octets, hashlib.md5(octets + secret).digest())


def verify(octets, authenticator, secret):
    """Return whether a packet has a Message-Authenticator; raise Wrong if something does not verify.

    authenticator is as in sign.
    """
    expected = hashlib.md5(with_authenticator(octets, authenticator) + secret).digest()
    if not hmac.compare_digest(octets[4:HEADER], expected):
        raise Wrong("the authenticator does not verify: expected %s, got %s" % (expected.hex(), octets[:HEADER].hex()))
    return verify_message_authenticator(octets, authenticator, secret)


def hide_password(password, authenticator, secret):
    """Return the value of User-Password (RFC 2865 section 5.2)."""
    clear = password + bytes(-len(password) % 16 or (0 if password else 16))
    hidden, before = b"", authenticator
    for at in range(0, len(clear), 16):
        pad = hashlib.md5(secret + before).digest()
        before = bytes(a ^ b for a, b in zip(clear[at:at + 16], pad))
        hidden += before
    return hidden


def unhide_salted(value, authenticator, secret):
    """Return in clear what is a salt and a string hidden with it (RFC 2868 section 3.5)."""
    salt, hidden = value[:2], value[2:]
    if len(hidden) < 16 or len(hidden) % 16 or not salt[0] & 0x80:
        raise Wrong("expected a salt and hidden blocks of 16 octets, got %s" % value.hex())
    clear, before = b"", authenticator + salt
    for at in range(0, len(hidden), 16):
        pad = hashlib.md5(secret + before).digest()
        before = hidden[at:at + 16]
        clear += bytes(a ^ b for a, b in zip(before, pad))
    if clear[0] >= len(clear):
        raise Wrong("a hidden value is not hidden with this secret: its length is %d of %d" % (clear[0], len(clear) - 1))
    return clear[1:1 + clear[0]]


def revealed(packet, secret):
    """Return the hidden attributes of a CoA- or Disconnect-Request in clear, as pairs of name and value.

    They are Tunnel-Password with its Tag, and the keys 16 and 17 of vendor 311 (RFC 2548 section
    2.4). RADIUS/1.1 has them in clear (RFC 9765 section 5.1); 1.0 hides them with an authenticator
    of zeros, as these requests have no other when they are hidden.
    """
    found = []

    def clear(value):
        return value if packet.authenticator is None else unhide_salted(value, ZEROS, secret)

    for kind, value in packet.attributes:
        if kind == TUNNEL_PASSWORD:
            found.append(("69", value[:1] + clear(value[1:])))
        if kind != VENDOR_SPECIFIC or value[:4] != b"\0\0\1\x37":
            continue
        rest = value[4:]
        while len(rest) > 2 and 2 <= rest[1] <= len(rest):
            if rest[0] in (16, 17):
                found.append(("26.311.%d" % rest[0], clear(rest[2:rest[1]])))
            rest = rest[rest[1]:]
    return found
