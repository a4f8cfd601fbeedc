"""Tests of packets.py with published packets (RFC 2865, 5176, 5997, 5090; FreeRADIUS)."""

import unittest

import packets
from packets import Wrong, ZEROS

RFC2865_REQUEST = bytes.fromhex(
    "01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee 0406c0a80110 050600000003")
RFC2865_ACCEPT = bytes.fromhex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103")
RFC2865_SECRET = b"xyzzy5461"

# RFC 5176 section 7 does not give the secret: xyz fits its first and third packet, none of
# those tried its second.
RFC5176_REQUESTS = (
    bytes.fromhex("2801001c 1b23624c3543ceba55f1be55a714ca5e 01086d6368696261"),
    bytes.fromhex("2801001a 0bda33fe765b05f0fd9cc32a2f6b5182 08060a000203"),
)
RFC5176_SECRET = b"xyz"

# FreeRADIUS's own tests: a Message-Authenticator over zeros, and hidden passwords whose padding is not zero.
FREERADIUS_SECRET = b"testing123"
FREERADIUS_SIGNED = bytes.fromhex("28010026 e1792d2b4ab349f1a4c0fcc733d091c1 501258513d662847e5f8734a30dbdac8e4af")
FREERADIUS_HIDDEN = ((b"foo", bytes.fromhex("9973051de6c557307dacd5daa599f4e26e7e")),
                     (b"barbar", bytes.fromhex("c06f255f09b7dc0e4a1a465605f48f7c0ba4")))

RFC5997_REQUEST = bytes.fromhex("0cda0026 8a54f4686fb394c52866e302185d0623 50125a665e2e1e8411f3e243822097c84fa3")
RFC5997_SECRET = b"xyzzy5461"

RFC5090_SECRET = b"secret"
RFC5090_AUTHENTICATOR = bytes.fromhex("f5e55840e324aa49d216d9dbd069807d")  # of the request
RFC5090_ACCEPT = bytes.fromhex(
    "027d0048 ffdd74d6470d21cb6fc4d6056be245d2 6a226638343764653934386431323238356638663431393965333636663161663231"
    "50127b76e2f10a7067af6019 38bf13b0a62e")


class Published(unittest.TestCase):
    """Published packets are read, verified and written."""

    def test_access(self):
        request = packets.read(RFC2865_REQUEST, False)
        self.assertEqual((request.code, request.key, request.attributes[0]), (1, 0, (1, b"nemo")))
        hidden = packets.hide_password(b"arctangent", request.authenticator, RFC2865_SECRET)
        self.assertIn((packets.USER_PASSWORD, hidden), request.attributes)
        self.assertEqual(packets.write(1, 0, request.authenticator, request.attributes), RFC2865_REQUEST)
        self.assertFalse(packets.verify(RFC2865_ACCEPT, request.authenticator, RFC2865_SECRET))
        self.assertEqual(packets.sign(RFC2865_ACCEPT, request.authenticator, RFC2865_SECRET), RFC2865_ACCEPT)
        with self.assertRaises(Wrong):
            packets.verify(RFC2865_ACCEPT, request.authenticator, b"xyzzy5462")

    def test_disconnect(self):
        for octets in RFC5176_REQUESTS:
            request = packets.read(octets, False)
            self.assertFalse(packets.verify(octets, ZEROS, RFC5176_SECRET))
            self.assertEqual(packets.sign(packets.write(40, 1, ZEROS, request.attributes), ZEROS, RFC5176_SECRET), octets)
            with self.assertRaises(Wrong):
                packets.verify(octets[:-1] + b"!", ZEROS, RFC5176_SECRET)

    def test_message_authenticator_of_disconnect(self):
        self.assertTrue(packets.verify(FREERADIUS_SIGNED, ZEROS, FREERADIUS_SECRET))
        empty = packets.write(40, 1, ZEROS, [(packets.MESSAGE_AUTHENTICATOR, ZEROS)])
        self.assertEqual(packets.sign(empty, ZEROS, FREERADIUS_SECRET), FREERADIUS_SIGNED)

    def test_status_server(self):
        authenticator = RFC5997_REQUEST[4:20]
        empty = packets.write(12, 0xda, authenticator, [(packets.MESSAGE_AUTHENTICATOR, ZEROS)])
        self.assertEqual(packets.fill_message_authenticator(empty, authenticator, RFC5997_SECRET), RFC5997_REQUEST)

    def test_message_authenticator_of_accept(self):
        self.assertTrue(packets.verify(RFC5090_ACCEPT, RFC5090_AUTHENTICATOR, RFC5090_SECRET))

    def test_hidden(self):
        for clear, value in FREERADIUS_HIDDEN:
            self.assertEqual(packets.unhide_salted(value, bytes(range(16)), FREERADIUS_SECRET), clear)


class Form(unittest.TestCase):
    """Packets end where their Length says, and are refused where they are malformed."""

    def test_split(self):
        both = RFC2865_REQUEST + RFC2865_ACCEPT
        for n in range(len(RFC2865_REQUEST)):
            self.assertIsNone(packets.split(both[:n])[0])
        first, rest = packets.split(both)
        self.assertEqual((first, packets.split(rest)), (RFC2865_REQUEST, (RFC2865_ACCEPT, b"")))
        for length in (b"\0\x13", b"\x10\x01"):
            with self.assertRaises(Wrong):
                packets.split(b"\x28\1" + length + bytes(16))

    def test_attributes(self):
        for attributes in ("2c00", "2c01", "2c", "2c0541", "2c034105"):
            octets = bytes.fromhex(attributes)
            with self.assertRaises(Wrong):
                packets.read(b"\x28\1\0" + bytes([20 + len(octets)]) + ZEROS + octets, False)

    def test_message_authenticator(self):
        for attributes in ([(80, ZEROS), (80, ZEROS)], [(80, bytes(15))]):
            octets = packets.write(40, 1, ZEROS, attributes)
            with self.assertRaises(Wrong):
                packets.verify_message_authenticator(octets, ZEROS, b"radsec")

    def test_version11(self):
        octets = packets.write11(40, 0x01020304, [(44, b"a")])
        self.assertEqual(octets.hex(), "28000017" + "01020304" + "00" * 12 + "2c0361")
        request = packets.read(octets, True)
        self.assertEqual((request.code, request.key, request.authenticator, request.attributes), (40, 0x01020304, None, [(44, b"a")]))
        for at in (1, 8, 19):
            with self.assertRaises(Wrong):
                packets.read(octets[:at] + b"\1" + octets[at + 1:], True)

    def test_password_blocks(self):
        for length, blocks in ((0, 1), (1, 1), (16, 1), (17, 2)):
            self.assertEqual(len(packets.hide_password(b"x" * length, ZEROS, b"radsec")), 16 * blocks)

    def test_revealed(self):
        value = FREERADIUS_HIDDEN[0][1]
        in_clear = [(69, b"\1foo"), (26, b"\0\0\1\x37\x10\5key")]
        want = [("69", b"\1foo"), ("26.311.16", b"key")]
        self.assertEqual(packets.revealed(packets.read(packets.write11(43, 1, in_clear), True), b"radsec"), want)
        with self.assertRaises(Wrong):  # hidden with another authenticator than zeros
            packets.revealed(packets.read(packets.write(43, 1, ZEROS, [(69, b"\1" + value[:1] + value[2:])]), False), b"radsec")


if __name__ == "__main__":
    unittest.main()
