"""Plays as plain text: what each role says."""

from __future__ import annotations

import re
import unicodedata

VOCABULARY = "\n !\"&'(),-.0123456789:;>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz}"
"""The 80 characters of LEAF (Caldas et al. 2018, arXiv 1812.01097), in its order: a label is an index of it."""

# "HAMLET.", "First Clown.", "ANTIPHOLUS OF SYRACUSE.", "2 Gent.", "Alb. and Corn."
_WORD = r"(?:[A-Z][A-Za-z'.-]*|[0-9]+|of|and|the|to|&)"
_SPEAKER = re.compile(rf"({_WORD}(?:,? {_WORD}){{0,5}})\.[\])]?\Z")
_BARE = re.compile(r"[A-Z][A-Z'-]+(?: [A-Z][A-Z'-]*){0,3}\Z")  # one edition has names in capitals and no full stop
_HEADING = re.compile(r"(?:ACT|SCENE|Act|Scene|EXEUNT|Exeunt|Exit|EXIT|Enter|ENTER|FINIS|THE END|[IVX]+\.?\Z)(?!\w)")
_ADDRESS = re.compile(r"(?:THE )?(?:PROLOGUE|EPILOGUE|INDUCTION)\b")  # a heading, or in two plays a speaker
_START = re.compile(r"^[ \t]*(?:(?:ACT|Act) (?:I|1|FIRST)\b|(?:THE )?(?:PROLOGUE|INDUCTION)\b)", re.MULTILINE)
_DIRECTION = re.compile(r"\[[^\[\]]{0,2000}\]")
_LONGEST_NAME = 60
_MARK = "\0"  # stands for a direction while a play is taken apart


def speeches(play: str) -> dict[str, str]:
    """Return what each role of a play says, in order, by the role's name in capitals; {} if this is no play.

    The form is that of Project Gutenberg's plays: after the first "ACT I", prologue or induction, a speech begins a
    paragraph with a line that holds nothing but the speaker's name and, but in one play, a full stop. Stage directions,
    in square brackets, and headings are left out; a paragraph without a speaker goes on with the speech before it.
    Poems have no acts and so no roles.
    """
    start = _START.search(play)
    if start is None:
        return {}
    said: dict[str, list[str]] = {}
    lines = [line.strip() for line in _DIRECTION.sub(_MARK, play[start.start() :].replace(_MARK, "")).split("\n")]
    role, fresh, named = "", True, False
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        words = line.replace(_MARK, "").strip()
        if not words:  # an empty line, or a direction on a line of its own: which may stand between name and speech
            fresh = not (named and line)
            continue
        # a name in capitals needs no empty line before it: some are missing
        name = speaker(words) if after and (fresh or (words.isupper() and words.endswith("."))) else ""
        if fresh and (_HEADING.match(words) or (not after and _ADDRESS.match(words))):
            role = ""
        elif name:
            role = name
        elif role:
            said.setdefault(role, []).append(words)
        fresh, named = False, bool(name)
    return {role: clean(" ".join(parts)) for role, parts in said.items()}


def speaker(line: str) -> str:
    """Return the role that a line names, in capitals, or "" if it is not a speaker's line."""
    if len(line) > _LONGEST_NAME:
        return ""
    found = _SPEAKER.match(line)
    if found:
        return found[1].rstrip(".").upper()
    return line if _BARE.match(line) else ""


def clean(text: str) -> str:
    """Return ``text`` in `VOCABULARY`: quotes straightened, accents and foreign characters left out, spaces joined."""
    if not text.isascii():
        text = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "--"})
        text = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in text if c in _KNOWN or c.isspace()).split())


_KNOWN = frozenset(VOCABULARY)
