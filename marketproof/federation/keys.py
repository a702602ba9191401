"""Who is who in a federation: a key pair for each party, and the server's register of its clients' certificates.

A client's *name* is what the owner of the server registered its key under, never what the client says. Keys are
elliptic (P-384), certificates signed by their own key: there is no authority whose key could make further clients.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mechanism import writing
from mechanism.errors import InputError, shown
from mechanism.reading import read_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a client may be called."""

_LARGEST = 2**14
_YEARS = 10


def _cryptography() -> Any:
    try:
        import cryptography.hazmat.primitives.serialization
        import cryptography.x509
    except ImportError:
        raise InputError(
            "a federation needs the package cryptography; say: pip install 'marketproof[federation]'"
        ) from None
    return cryptography


@dataclass(frozen=True)
class Identity:
    """A private key and the certificate of its public half, both PEM files."""

    key: Path
    certificate: Path

    @classmethod
    def at(cls, key: Path) -> Identity:
        """Return the identity whose private key lies at ``key``, NAME.key, its certificate beside it as NAME.crt.

        `InputError` if one is missing, the key can be read by others, or they do not belong together.
        """
        identity = cls(key, key.with_suffix(".crt"))
        public = identity.private().public_key()
        if digest(read_certificate(identity.certificate)) != _digest_of(public):
            raise InputError(
                f"{shown(identity.certificate)} is of another key than {shown(key)}; put the original back"
            )
        return identity

    def private(self) -> EllipticCurvePrivateKey:
        """Return the private key. `InputError` if it is none, or others can read it."""
        content = read_bytes(self.key, _LARGEST, "a private key made by 'marketproof keys new'")
        if os.name == "posix" and stat.S_IMODE(self.key.stat().st_mode) & 0o077:
            raise InputError(
                f"the key {shown(self.key)} can be read by others, who could pass for its owner; if nobody did, say: "
                f"chmod 600 {self.key}"
            )
        parts = _cryptography().hazmat.primitives
        try:
            key = parts.serialization.load_pem_private_key(content, None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, parts.asymmetric.ec.EllipticCurvePrivateKey):
            raise InputError(f"{shown(self.key)} is no private key; make one with 'marketproof keys new NAME'")
        return key


def _digest_of(public: Any) -> str:
    form = _cryptography().hazmat.primitives.serialization
    return hashlib.sha256(public.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def digest(certificate: Any) -> str:
    """Return what identifies a key: SHA-256 of its public half, hexadecimal."""
    return _digest_of(certificate.public_key())


def digest_of_der(certificate: bytes) -> str:
    """Return the digest of the key of a certificate as a TLS peer sent it."""
    return digest(_cryptography().x509.load_der_x509_certificate(certificate))


def make_identity(folder: Path, name: str, hosts: Iterable[str] = ()) -> Identity:
    """Make a key and its certificate, ``NAME.key`` (mode 600) and ``NAME.crt``, and return where they lie.

    ``hosts``: names and addresses under which a server is reached; none for a client. `InputError` if a file is there
    already: a key is never written over.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"{shown(name)} is no name; expected up to 64 letters, digits, '.', '_' or '-'")
    made = Identity(folder / f"{name}.key", folder / f"{name}.crt")
    for path in (made.key, made.certificate):
        if path.exists():
            raise InputError(f"{shown(path)} is there already; name another folder or another name")
    x509, parts = _cryptography().x509, _cryptography().hazmat.primitives
    private = parts.asymmetric.ec.generate_private_key(parts.asymmetric.ec.SECP384R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now, reached = datetime.datetime.now(datetime.UTC), list(hosts)
    purpose = x509.ExtendedKeyUsageOID.SERVER_AUTH if reached else x509.ExtendedKeyUsageOID.CLIENT_AUTH
    certificate = (
        x509.CertificateBuilder(who, who, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    if reached:
        certificate = certificate.add_extension(x509.SubjectAlternativeName(map(_host, reached)), critical=False)
    signed = certificate.sign(private, parts.hashes.SHA256())
    form = parts.serialization
    secret = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    writing.refuse_unwritable(folder, made.key.name)
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(made.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
    writing.write(made.certificate, signed.public_bytes(form.Encoding.PEM))
    return made


def _host(name: str) -> Any:
    x509 = _cryptography().x509
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", name):
        raise InputError(f"{shown(name)} is no host; expected a name such as markets.example.org, or an address")
    return x509.DNSName(name)


def read_certificate(path: Path) -> Any:
    """Return the certificate of a client.

    `InputError` unless it is one as `make_identity` writes: of an elliptic key, not an authority, signed by its own key
    (which shows that whoever made it holds the private half).
    """
    content = read_bytes(path, _LARGEST, "a certificate made by 'marketproof keys new'")
    x509, parts = _cryptography().x509, _cryptography().hazmat.primitives
    wrong = InputError(f"{shown(path)} is no certificate of a client; expected the NAME.crt of 'marketproof keys new'")
    try:
        certificate = x509.load_pem_x509_certificate(content)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(certificate)
    except Exception:  # the library has many ways to dislike what a stranger sends, some of them of its own
        raise wrong from None
    key = certificate.public_key()
    elliptic = isinstance(key, parts.asymmetric.ec.EllipticCurvePublicKey) and key.curve.name == "secp384r1"
    if constraints.ca or not elliptic:
        raise wrong
    return certificate


class Register:
    """The certificates that a server's owner let in (``clients/NAME.crt``) or shut out again (``revoked/``)."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._clients, self._revoked = folder, folder / "clients", folder / "revoked"

    def certificates(self) -> dict[str, Path]:
        """Return where the certificate of each client lies, by name."""
        return {path.stem: path for path in sorted(self._clients.glob("*.crt"))}

    def names(self) -> dict[str, str]:
        """Return the name of each client by the digest of its key; of nobody who was shut out."""
        gone = {digest(read_certificate(path)) for path in self._revoked.glob("*.crt")}
        known = {digest(read_certificate(path)): name for name, path in self.certificates().items()}
        return {key: name for key, name in known.items() if key not in gone}

    def why_out(self, name: str) -> str:
        """Return in words why nobody is let in under a name now."""
        gone = any(path.stem.rpartition("-")[0] == name for path in self._revoked.glob("*.crt"))
        return "its key was revoked" if gone else "no key is registered under its name so far"

    def state(self) -> tuple[tuple[str, int], ...]:
        """Return what changes when somebody is let in or shut out: the files with the times of their last change."""
        files = [*self._clients.glob("*.crt"), *self._revoked.glob("*.crt")]
        return tuple(sorted((path.as_posix(), path.stat().st_mtime_ns) for path in files))

    def add(self, path: Path, name: str = "") -> str:
        """Let the owner of a certificate in under ``name`` (default: that of the file) and return it.

        `InputError` if the name or the key is registered, or the key was revoked.
        """
        certificate, name = read_certificate(path), name or path.stem
        if not NAME.fullmatch(name):
            raise InputError(f"{shown(name)} is no name; expected up to 64 letters, digits, '.', '_' or '-'")
        if name in self.certificates():
            raise InputError(f"{shown(name)} is registered; take another --name, or revoke that key first")
        key = digest(certificate)
        if key in (known := self.names()):
            raise InputError(f"the key of {shown(path)} is registered as {shown(known[key])}; a key has one name")
        if any(digest(read_certificate(old)) == key for old in self._revoked.glob("*.crt")):
            raise InputError(f"the key of {shown(path)} was revoked; its owner has to make a new one")
        self._clients.mkdir(parents=True, exist_ok=True)
        form = _cryptography().hazmat.primitives.serialization
        writing.write(self._clients / f"{name}.crt", certificate.public_bytes(form.Encoding.PEM))
        return name

    def revoke(self, name: str) -> None:
        """Shut a client out: its key is refused from the next request on, whatever it is registered as later."""
        path = self.certificates().get(name)
        if path is None:
            raise InputError(f"nobody is registered as {shown(name)}; see 'marketproof keys list'")
        self._revoked.mkdir(parents=True, exist_ok=True)
        os.replace(path, self._revoked / f"{name}-{digest(read_certificate(path))[:16]}.crt")
