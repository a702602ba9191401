"""Addresses as users write them."""

from mechanism.errors import InputError, shown

PORT = 8443


def address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST``, ``HOST:PORT`` or ``[HOST]:PORT``; port 8443 where none is given."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = text, str(PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise InputError(f"{shown(text)} is no address; expected HOST or HOST:PORT, such as markets.example.org:8443")
    return host, int(port)
