"""The header of a safetensors file in one fixed order, so that equal contents are equal files.

The library writes metadata in the order of a randomised hash table. The format: eight bytes with the header's length
(little-endian), the header as JSON padded with spaces to a multiple of eight, then the tensors.
"""

from __future__ import annotations

import json
import struct


def sort_header(content: bytes) -> bytes:
    """Return the same file with the keys of its header, and of the metadata in it, in alphabetical order."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]
