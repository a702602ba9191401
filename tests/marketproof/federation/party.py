"""A server over HTTPS on loopback with two registered clients, for tests to ask."""

import http.client
import ssl
import threading

from learning.federation.transport import Request
from marketproof.federation.https_client import attend
from marketproof.federation.https_server import HttpsTransport
from marketproof.federation.keys import Register, make_identity

MOST = 1000
PATIENT = 120.0
PAUSE = 0.02  # between two looks at who is there


class Party:
    """A server with two registered clients, and a stranger who holds the server's certificate."""

    def __init__(self, folder, deadline=PATIENT):
        self.register = Register(folder)
        self.server = make_identity(folder, "server", ["127.0.0.1"])
        self.keys = {name: make_identity(folder, name) for name in ("alice", "bob", "stranger")}
        for name in ("alice", "bob"):
            self.register.add(self.keys[name].certificate)
        self.transport = HttpsTransport("127.0.0.1", 0, self.server, self.register, deadline)
        self.transport.names = ("alice", "bob")
        self.threads, self.raws = [], []

    def join(self, name, answer, patience=0.0):
        """Let a client take part, in a thread; return the list that its end is put into."""
        end = []

        def work():
            try:
                attend("127.0.0.1", self.transport.port, self.server.certificate, self.keys[name], answer, patience)
                end.append(None)
            except Exception as error:
                end.append(error)

        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()
        return end

    def online(self, *names):
        waiting = threading.Event()
        for _ in range(6000):
            if self.transport.online() == sorted(names):
                return
            waiting.wait(PAUSE)
        raise AssertionError(f"{names} are not there, but {self.transport.online()}")

    def raw(self, name=None):
        """Return an HTTPS connection with the key of ``name``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server.certificate)
        if name:
            context.load_cert_chain(self.keys[name].certificate, self.keys[name].key)
        self.raws.append(
            http.client.HTTPSConnection("127.0.0.1", self.transport.port, context=context, timeout=PATIENT)
        )
        return self.raws[-1]


def ask(party, *payloads):
    return party.transport.exchange([Request(client, payload, MOST) for client, payload in payloads])
