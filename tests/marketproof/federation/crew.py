"""A federation whose server and clients are threads of this process, over HTTPS with keys as ever."""

import threading

from learning.federation.client import Client
from learning.federation.loading import own_part
from learning.federation.messages import KINDS, decode
from marketproof.federation.https_client import attend
from marketproof.federation.keys import Identity, Register, make_identity
from marketproof.federation.serve import Site, joined, serve
from marketproof.running.config import load_task, resolve

PATIENT = 120.0


class Dead(BaseException):
    """Ends a client's thread in the middle of its work, as a kill ends its process."""


class Crew:
    """Clients ``names``, each with the data of its number; ``answer(name, message, client, payload, most)`` replies.

    ``told``: what the server's terminal says. ``heard`` is called with each line.
    """

    def __init__(self, folder, names, answer=None, heard=lambda line: None):
        self.folder, self.names, self.heard = folder, names, heard
        self.answer = answer or (lambda name, message, client, payload, most: client.answer(payload))
        self.threads, self.told, self.clients, self.port = [], [], {}, 0
        self.dead = threading.Event()
        make_identity(folder / "federation", "server", ["127.0.0.1"])
        for name in names:
            Register(folder / "federation").add(make_identity(folder, name).certificate)

    def load(self, name):
        return own_part()

    def join(self, name):
        client = self.clients[name] = Client(self.load(name), 0.5, 1e6, keep=self.folder / name)

        def reply(payload, most):
            return self.answer(name, decode(payload, 2**30, *KINDS.values())[0], client, payload, most)

        def work():
            try:
                key = Identity.at(self.folder / f"{name}.key")
                attend("127.0.0.1", self.port, self.folder / "federation/server.crt", key, reply, PATIENT)
            except Dead:
                self.dead.set()

        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def tell(self, line):
        self.told.append(line)
        if line.startswith("listening on"):
            self.port = int(line.split()[2].rpartition(":")[2])
            for name in self.names:
                self.join(name)
        self.heard(line)

    def serve(self, text, deadline=PATIENT, expected=(), least=2, wait=PATIENT, page=None, **options):
        """Run the task of ``text`` to its end; return the folder of the run."""
        (self.folder / "task.toml").write_text(text)
        wishes = {"seed": 0, "seeds": 1, "methods": ["ipfl/ipfl-exact"], "mechanism": "ipfl-exact", **options}
        task = resolve("task", load_task(str(self.folder / "task.toml")), wishes)
        config = joined(task, self.folder / "federation", expected)
        site = Site("127.0.0.1", 0, self.folder / "federation", "https", deadline, least, wait, page)
        serve(config, self.folder / "run", site, resume=False, quiet=True, tell=self.tell)
        for thread in self.threads:
            thread.join(PATIENT)
        return self.folder / "run"
