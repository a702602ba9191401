"""Keys of a federation: made once, registered under one name, revoked for good; whatever else is refused in a line."""

import json
import os

import pytest

pytest.importorskip("cryptography")

from marketproof.federation.keys import Identity, Register, digest, make_identity, read_certificate
from mechanism.errors import InputError


def test_a_key_is_secret_and_belongs_to_its_certificate(tmp_path):
    made = make_identity(tmp_path, "alice")
    assert os.stat(made.key).st_mode & 0o777 == 0o600
    assert Identity.at(made.key) == made
    make_identity(tmp_path, "bob")
    os.replace(tmp_path / "bob.crt", made.certificate)
    with pytest.raises(InputError, match="is of another key than"):
        Identity.at(made.key)


def test_a_key_that_others_can_read_is_refused(tmp_path):
    made = make_identity(tmp_path, "alice")
    os.chmod(made.key, 0o644)
    with pytest.raises(InputError, match="chmod 600"):
        Identity.at(made.key)


def test_a_key_is_never_written_over(tmp_path):
    before = make_identity(tmp_path, "alice").key.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        make_identity(tmp_path, "alice")
    assert (tmp_path / "alice.key").read_bytes() == before


def test_a_key_has_one_name_and_a_name_one_key(tmp_path):
    alice, bob = (make_identity(tmp_path, name).certificate for name in ("alice", "bob"))
    register = Register(tmp_path / "federation")
    assert register.add(alice) == "alice"
    with pytest.raises(InputError, match="is registered as 'alice'; a key has one name"):
        register.add(alice, "carol")
    with pytest.raises(InputError, match="'alice' is registered"):
        register.add(bob, "alice")
    assert register.names() == {digest(read_certificate(alice)): "alice"}


def test_who_is_revoked_stays_out_under_every_name_and_the_name_is_free(tmp_path):
    alice, bob = (make_identity(tmp_path, name).certificate for name in ("alice", "bob"))
    register = Register(tmp_path / "federation")
    register.add(alice)
    before = register.state()
    register.revoke("alice")
    assert register.names() == {}
    assert register.state() != before
    with pytest.raises(InputError, match="was revoked"):
        register.add(alice, "carol")
    assert register.add(bob, "alice") == "alice"
    os.link(alice, register.folder / "clients" / "again.crt")  # put there by hand: still shut out
    assert list(register.names().values()) == ["alice"]


@pytest.mark.parametrize(
    "content", [b"", b"ssh-rsa AAAA", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused_in_a_line(tmp_path, content):
    path = tmp_path / "alice.crt"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no certificate of a client"):
        Register(tmp_path).add(path)
    assert not (tmp_path / "clients").exists()


def test_the_certificate_of_an_authority_is_no_clients(tmp_path):
    """It could sign further ones that lead back to a registered one."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, who = ec.generate_private_key(ec.SECP384R1()), x509.Name([])
    begin = datetime.datetime(2020, 1, 1)
    made = x509.CertificateBuilder(who, who, key.public_key(), 1, begin, begin + datetime.timedelta(days=9999))
    signed = made.add_extension(x509.BasicConstraints(True, None), critical=True).sign(key, hashes.SHA256())
    (tmp_path / "alice.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(InputError, match="is no certificate of a client"):
        Register(tmp_path).add(tmp_path / "alice.crt")


def test_the_command_makes_registers_lists_and_revokes(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("keys", "server", "markets.example.org,10.0.0.1").status == 0
    assert cli("keys", "new", "alice").status == 0
    assert cli("keys", "register", "alice.crt", "--name", "clinic").status == 0
    assert cli("keys", "list", "--json", "known.json", "--quiet").status == 0
    assert list(json.loads((tmp_path / "known.json").read_text())["clients"]) == ["clinic"]
    assert cli("keys", "revoke", "clinic").status == 0
    assert "nobody is registered" in cli("keys", "list").out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["forge", "alice"], "there is no action 'forge'"),
        (["new"], "keys new takes a name"),
        (["new", "../alice"], "is no name"),
        (["server", "a b"], "is no host"),
        (["server", ","], "takes the hosts"),
        (["register", "nobody.crt"], "cannot read"),
        (["revoke", "nobody"], "nobody is registered as 'nobody'"),
        (["list", "alice"], "keys list takes nothing more"),
        (["new", "alice", "--name", "bob"], "--name goes with register only"),
    ],
)
def test_wrong_wishes_are_told_in_a_line_and_leave_nothing(cli, tmp_path, monkeypatch, arguments, line):
    monkeypatch.chdir(tmp_path)
    done = cli("keys", *arguments)
    assert (done.status, line in done.err, list(tmp_path.iterdir())) == (2, True, [])
