#!/usr/bin/env python3
"""A NAS that is sent CoA and Disconnect down the RadSec connection that it has opened.

It connects by mutual TLS, logs a user in, starts accounting, and then answers the CoA-Requests and
Disconnect-Requests that come down the same connection (draft-ietf-radext-reverse-coa), in
RADIUS/1.0 or RADIUS/1.1. Everything that it receives is verified. Each event is a JSON object on a
line of standard output. It ends with status 0 when it has got as many requests as it should and its
standard input has ended, with 1 and a message when something that it received is wrong or has not
come. A line on standard input is a command: "stop" sends Accounting-Stop.

It needs Python 3.9 and nothing else.
"""

import argparse
import collections
import ipaddress
import json
import os
import secrets
import select
import socket
import ssl
import struct
import sys
import time

import packets
from packets import Wrong

ANSWERS = ("ack", "nak", "none", "late", "twice", "wrong-authenticator", "wrong-code", "wrong-identifier")

SERVICE_TYPE, STATE, CLASS, PROXY_STATE = 6, 24, 25, 33
NAS_IP_ADDRESS, NAS_IDENTIFIER, NAS_IPV6_ADDRESS = 4, 32, 95
ACCT_STATUS_TYPE, ACCT_SESSION_ID = 40, 44
ERROR_CAUSE, OPERATOR_NAME, EXTENDED_1 = 101, 126, 241
OPERATOR_NAS_IDENTIFIER = 8  # of 241
AUTHORIZE_ONLY, REQUEST_INITIATED = 17, 507

Pending = collections.namedtuple("Pending", "name code authenticator")


def number(value):
    """Return the value of an attribute that is a number."""
    return struct.pack("!I", value)


def as_json(attributes):
    """Return attributes as they are printed."""
    return [[kind, value.hex()] for kind, value in attributes]


def report(event, **fields):
    """Print an event."""
    print(json.dumps(dict({"event": event}, **fields)), flush=True)


class NAS:
    """A NAS with one connection."""

    def __init__(self, options):
        self.options = options
        self.secret = options.secret.encode()
        self.pending = {}  # requests of this NAS without a reply, by Identifier or Token
        self.seen = collections.deque(maxlen=200)  # headers of the gateway's requests
        self.timers = []  # pairs of a time and what to do then
        self.buffer = b""
        self.classes = []  # of the Access-Accept
        self.received = 0  # CoA- and Disconnect-Requests
        self.handled = 0  # of these, answered or meant to be left without an answer
        self.expects_close = False
        self.open = True
        self.commands = b""
        self.commanded = True  # standard input has not ended

    # The connection.

    def connect(self):
        """Connect, and negotiate the version of RADIUS (RFC 9765 section 3.3)."""
        context = ssl.create_default_context(cafile=self.options.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.options.versions == ["radius/1.1"]:
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.options.certificate, self.options.key)
        context.set_alpn_protocols(self.options.versions)
        plain = socket.create_connection(self.options.connect, timeout=self.options.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname=self.options.server_name)
        version = self.socket.selected_alpn_protocol()
        if version is None and "radius/1.0" not in self.options.versions:
            raise Wrong("expected radius/1.1 to be negotiated, got no ALPN")
        self.version11 = version == "radius/1.1"
        if self.version11 and self.socket.version() != "TLSv1.3":
            raise Wrong("expected TLS 1.3 with RADIUS/1.1, got %s" % self.socket.version())
        self.next_key = secrets.randbits(32) if self.version11 else 0
        self.socket.settimeout(0)
        report("connected", version="radius/1.1" if self.version11 else "radius/1.0", tls=self.socket.version())

    def send(self, octets):
        """Write to the connection; a connection that the gateway has closed is no error here."""
        while octets:
            try:
                octets = octets[self.socket.send(octets):]
            except ssl.SSLWantWriteError:
                select.select([], [self.socket], [], self.options.timeout)
            except OSError:
                return

    def receive(self):
        """Read all that has arrived, and handle each packet in it."""
        while self.open:
            try:
                octets = self.socket.recv(1 << 14)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                if not self.expects_close:
                    raise Wrong("the connection broke: %s" % error)
                octets = b""
            self.open = bool(octets)
            self.buffer += octets
        while True:
            octets, self.buffer = packets.split(self.buffer)
            if octets is None:
                break
            self.packet(packets.read(octets, self.version11))
        if not self.open:
            report("closed")
            if not self.expects_close or self.buffer:
                raise Wrong("the gateway closed the connection, %d octets after a packet" % len(self.buffer))

    def packet(self, packet):
        if self.version11 and packets.message_authenticators(packet.octets):
            raise Wrong("expected no Message-Authenticator in RADIUS/1.1: %s" % packet.octets.hex())
        if packet.code in (packets.COA_REQUEST, packets.DISCONNECT_REQUEST):
            self.request(packet)
        else:
            self.reply(packet)

    # Requests of this NAS and the gateway's replies.

    def ask(self, name, code, attributes):
        """Send a request; name is what its reply is reported as."""
        if self.version11:
            key, self.next_key = self.next_key, (self.next_key + 1) & 0xffffffff
            self.pending[key] = Pending(name, code, None)
            self.send(packets.write11(code, key, attributes))
            return
        key = 0  # kept for Status-Server (RFC 6613 section 2.6.5)
        if code != packets.STATUS_SERVER:
            key = self.next_key = self.next_key % 255 + 1
        if code == packets.ACCOUNTING_REQUEST:
            octets = packets.sign(packets.write(code, key, packets.ZEROS, attributes), packets.ZEROS, self.secret)
        else:
            authenticator = secrets.token_bytes(16)
            attributes = [(kind, packets.hide_password(value, authenticator, self.secret) if kind == packets.USER_PASSWORD else value)
                          for kind, value in [(packets.MESSAGE_AUTHENTICATOR, packets.ZEROS)] + attributes]
            octets = packets.write(code, key, authenticator, attributes)
            octets = packets.fill_message_authenticator(octets, authenticator, self.secret)
        self.pending[key] = Pending(name, code, octets[4:packets.HEADER])
        self.send(octets)

    def reply(self, packet):
        request = self.pending.pop(packet.key, None)
        if request is None or packet.code not in packets.REPLIES[request.code]:
            raise Wrong("a packet of code %d with %d answers no request: %s" % (packet.code, packet.key, packet.octets.hex()))
        signed = not self.version11 and packets.verify(packet.octets, request.authenticator, self.secret)
        if any(kind == PROXY_STATE for kind, _ in packet.attributes):
            raise Wrong("expected no Proxy-State in the reply to a request without: %s" % packet.octets.hex())
        good = packet.code in (packets.ACCESS_ACCEPT, packets.ACCOUNTING_RESPONSE)
        report(request.name if good else "refused", code=packet.code, attributes=as_json(packet.attributes),
               verified=True, message_authenticator=signed)
        if not good:
            raise Wrong("expected that the request of code %d is granted, got code %d" % (request.code, packet.code))
        if request.name == "accepted":
            self.classes = [(kind, value) for kind, value in packet.attributes if kind == CLASS]
            self.account(1)

    def identity(self):
        """Return the attributes that say which NAS this is."""
        found = []
        if self.options.nas_identifier:
            found.append((NAS_IDENTIFIER, self.options.nas_identifier.encode()))
        if self.options.nas_ip_address:
            address = self.options.nas_ip_address
            found.append((NAS_IP_ADDRESS if address.version == 4 else NAS_IPV6_ADDRESS, address.packed))
        return found

    def session(self):
        """Return the attributes of the user's session that every request has."""
        texts = ((1, self.options.user), (31, self.options.calling_station_id), (30, self.options.called_station_id))
        return [(kind, text.encode()) for kind, text in texts if text] + self.identity()

    def login(self):
        if self.options.user:
            self.ask("accepted", packets.ACCESS_REQUEST, self.session() + [(packets.USER_PASSWORD, self.options.password.encode())])
        else:
            self.account(1)

    def session_identifiers(self):
        texts = ((ACCT_SESSION_ID, self.options.session_id), (50, self.options.multi_session_id))
        return [(kind, text.encode()) for kind, text in texts if text]

    def account(self, status):
        """Send Accounting-Start (1) or Accounting-Stop (2), with Class as it was received (RFC 2866 section 2.1)."""
        if self.options.session_id:
            attributes = [(ACCT_STATUS_TYPE, number(status))] + self.session() + self.session_identifiers() + self.classes
            self.ask({1: "started", 2: "stopped"}[status], packets.ACCOUNTING_REQUEST, attributes)

    def authorize(self, state):
        """Ask again for the user's authorization, as the gateway's peer wanted (RFC 5176 section 3.2)."""
        self.ask("authorized", packets.ACCESS_REQUEST,
                 self.session() + self.session_identifiers() + [(SERVICE_TYPE, number(AUTHORIZE_ONLY)), (STATE, state)])

    def watchdog(self):
        """Send Status-Server, and again later; the one before must have its reply."""
        if any(request.code == packets.STATUS_SERVER for request in self.pending.values()):
            raise Wrong("no reply to Status-Server within %g s" % self.options.watchdog)
        self.ask("alive", packets.STATUS_SERVER, [])
        self.after(self.options.watchdog, self.watchdog)

    # The gateway's requests and this NAS's answers.

    def request(self, packet):
        header = packet.octets[:packets.HEADER]
        signed = not self.version11 and packets.verify(packet.octets, packets.ZEROS, self.secret)
        if header in self.seen:
            raise Wrong("a request was sent again down TLS: %s" % packet.octets.hex())
        self.seen.append(header)
        self.check(packet)
        self.received += 1
        fields = {"token" if self.version11 else "identifier": packet.key}
        report("request", code=packet.code, attributes=as_json(packet.attributes), verified=True, message_authenticator=signed,
               clear=[[name, value.hex()] for name, value in packets.revealed(packet, self.secret)], **fields)
        answer = self.options.answer[min(self.received, len(self.options.answer)) - 1]
        self.after(self.options.delay if answer != "late" else self.options.delay or 10, lambda: self.answer(packet, answer, signed))

    def check(self, packet):
        """Raise Wrong unless the last proxy before a NAS may send this request (RFC 8559 section 4.2)."""
        for kind, value in packet.attributes:
            name = {PROXY_STATE: "Proxy-State", OPERATOR_NAME: "Operator-Name"}.get(kind)
            if kind == EXTENDED_1 and value[:1] == bytes([OPERATOR_NAS_IDENTIFIER]):
                name = "Operator-NAS-Identifier"
            if name:
                raise Wrong("expected a request without %s: %s" % (name, packet.octets.hex()))
        named = [a for a in packet.attributes if a[0] in (NAS_IDENTIFIER, NAS_IP_ADDRESS, NAS_IPV6_ADDRESS)]
        if not named:
            raise Wrong("expected a request that identifies its NAS: %s" % packet.octets.hex())
        own = dict(self.identity())
        for kind, value in named:
            if own.get(kind, value) != value:
                raise Wrong("expected a request for this NAS, got attribute %d of %s: %s" % (kind, value.hex(), packet.octets.hex()))

    def answer(self, packet, answer, signed):
        """Answer a request as the option says, and report what was sent."""
        self.handled += 1
        if answer == "none":
            report("unanswered", to=packet.key)
            return
        code, key, attributes, state = packet.code + 1, packet.key, [], b""
        if answer == "nak":
            code = packet.code + 2
            attributes = [(ERROR_CAUSE, number(self.options.error_cause or 503))]
            if self.options.error_cause == REQUEST_INITIATED:
                attributes += [a for a in packet.attributes if a[0] in (SERVICE_TYPE, STATE)]
                state = dict(packet.attributes).get(STATE, b"")
        elif self.options.error_cause:
            attributes = [(ERROR_CAUSE, number(self.options.error_cause))]
        if answer == "wrong-code":
            code = packets.COA_ACK if packet.code == packets.DISCONNECT_REQUEST else packets.DISCONNECT_ACK
        if answer == "wrong-identifier":
            key = key ^ 0x80
        if answer == "wrong-authenticator":
            self.expects_close = True
        self.send(self.answer_octets(packet, code, key, attributes, signed) * (2 if answer == "twice" else 1))
        report("answered", code=code, to=packet.key, answer=answer)
        if state:
            self.authorize(state)

    def answer_octets(self, packet, code, key, attributes, signed):
        """Return an answer, with a Message-Authenticator if the request had one."""
        if self.version11:
            if self.expects_close:
                raise Wrong("RADIUS/1.1 has no authenticator that could be wrong: offer radius/1.0 only")
            return packets.write11(code, key, attributes)
        if signed:
            attributes = [(packets.MESSAGE_AUTHENTICATOR, packets.ZEROS)] + attributes
        octets = packets.sign(packets.write(code, key, packets.ZEROS, attributes), packet.authenticator, self.secret)
        if self.expects_close:
            octets = packets.with_authenticator(octets, bytes(b ^ 0xff for b in octets[4:packets.HEADER]))
        return octets

    # Time and commands.

    def after(self, seconds, what):
        self.timers.append((time.monotonic() + seconds, what))

    def command(self):
        """Read standard input, and obey its whole lines."""
        octets = os.read(sys.stdin.fileno(), 1 << 10)
        self.commanded = bool(octets)
        *lines, self.commands = (self.commands + octets).split(b"\n")
        for line in lines:
            if line.strip() == b"stop":
                self.account(2)
            elif line.strip():
                raise Wrong("expected the command stop, got %r" % line)

    def done(self):
        waits = self.pending or self.commanded or self.expects_close and self.open
        return not self.open or self.handled >= self.options.count and not waits

    def run(self):
        """Serve the connection until nothing more is to be done."""
        self.connect()
        self.login()
        self.receive()  # what the TLS layer has read with the handshake, which select does not see
        self.after(self.options.watchdog, self.watchdog)
        deadline = time.monotonic() + self.options.timeout
        while not self.done():
            until = min([deadline] + [at for at, _ in self.timers])
            readable, _, _ = select.select([self.socket] + [sys.stdin] * self.commanded, [], [], max(0, until - time.monotonic()))
            if self.socket in readable:
                self.receive()
            if sys.stdin in readable:
                self.command()
            now = time.monotonic()
            due, self.timers = [t for t in self.timers if t[0] <= now], [t for t in self.timers if t[0] > now]
            for _, what in due:
                what()
            if now >= deadline and not self.done():
                waiting = ", ".join(request.name for request in self.pending.values()) or "nothing"
                raise Wrong("after %g s: %d of %d requests handled, replies awaited: %s%s" % (
                    self.options.timeout, self.handled, self.options.count, waiting, ", and that the gateway closes" * self.expects_close))
        if self.open:
            self.socket.close()
        report("ended", requests=self.received)


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def listed(*allowed):
    """Return a type of option: a list with commas between, of the allowed words."""
    def parse(text):
        words = text.split(",")
        for word in words:
            if word not in allowed:
                raise argparse.ArgumentTypeError("expected %s, got %r" % (", ".join(allowed), word))
        return words
    return parse


def read_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--connect", type=endpoint, required=True, metavar="HOST:PORT")
    parser.add_argument("--server-name", required=True, help="the name that the gateway's certificate must have")
    for name in ("--ca", "--certificate", "--key"):
        parser.add_argument(name, required=True, metavar="FILE")
    parser.add_argument("--secret", default="radsec")
    parser.add_argument("--versions", type=listed("radius/1.0", "radius/1.1"), default=["radius/1.1", "radius/1.0"], help="offered by ALPN")
    parser.add_argument("--user", help="who logs in; without, nobody does")
    parser.add_argument("--password", default="")
    parser.add_argument("--nas-identifier")
    parser.add_argument("--nas-ip-address", type=ipaddress.ip_address)
    for name in ("--calling-station-id", "--called-station-id"):
        parser.add_argument(name)
    parser.add_argument("--session-id", help="Acct-Session-Id; without, there is no accounting")
    parser.add_argument("--multi-session-id")
    parser.add_argument("--answer", type=listed(*ANSWERS), default=["ack"],
                        help="%s; with commas between: to the first request, the second, the last for all further ones" % ", ".join(ANSWERS))
    parser.add_argument("--error-cause", type=int, default=0, help="of the answer; 503 in a NAK unless given")
    parser.add_argument("--delay", type=float, default=0, metavar="SECONDS", help="before each answer; 10 before a late one unless given")
    parser.add_argument("--count", type=int, default=1, help="of requests")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="for all of it")
    parser.add_argument("--watchdog", type=float, default=15, metavar="SECONDS", help="between two Status-Server")
    options = parser.parse_args(arguments)
    if not options.nas_identifier and not options.nas_ip_address:
        parser.error("a NAS needs --nas-identifier or --nas-ip-address (RFC 2865 section 4.1)")
    if "wrong-authenticator" in options.answer and options.versions != ["radius/1.0"]:
        parser.error("--answer wrong-authenticator needs --versions radius/1.0")
    return options


def main(arguments):
    """Run a NAS and return its exit status."""
    options = read_options(arguments)
    try:
        NAS(options).run()
    except (Wrong, OSError) as error:
        report("failed", message=str(error))
        print("reversenas: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
