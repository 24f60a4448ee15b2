"""Dictionaries of Structured Fields (RFC 8941)."""

from __future__ import annotations

import base64
import re
from collections.abc import (
    Sequence,
)
from typing import Literal, NamedTuple, NoReturn


class _Bare(NamedTuple):
    """A bare item. `value` is that of an integer, of a string without its quotes, of bytes in base64."""

    kind: Literal["string", "integer", "decimal", "bytes", "boolean", "token"]
    value: str | int | bool
    text: str


_Parameters = list[tuple[str, _Bare]]


class DictionaryMember(NamedTuple):
    """A member of a dictionary: an inner list, or a single item. `text` is how it was written."""

    label: str
    items: list[tuple[_Bare, _Parameters]] | None
    item: _Bare | None
    parameters: _Parameters
    text: str


class _NoDictionaryError(Exception):
    """The text is no dictionary."""


_SF_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_SF_NUMBER = re.compile(r"-?(?:[0-9]{1,12}\.[0-9]{1,3}(?![0-9])|[0-9]{1,15}(?![0-9.]))")
_SF_STRING = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]*(?:\\["\\][\x20\x21\x23-\x5b\x5d-\x7e]*)*)"')
_SF_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_SF_BYTES = re.compile(r":([A-Za-z0-9+/]*)(=*):")
_SF_BOOLEAN = re.compile(r"\?[01]")
_SF_SPACES = re.compile(r" *")
_SF_BLANKS = re.compile(r"[ \t]*")
_SF_TRUE = _Bare("boolean", True, "")


class _Scanner:
    """Reads a dictionary of Structured Fields (RFC 8941 section 4.2): strictly, in one pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def dictionary(self) -> list[DictionaryMember]:
        """All members, those with equal labels too."""
        members: list[DictionaryMember] = []
        self._take(_SF_SPACES)
        while self._at < len(self._text):
            members.append(self._member())
            self._take(_SF_BLANKS)
            if self._at == len(self._text):
                break
            self._expect(",")
            self._take(_SF_BLANKS)
            if self._at == len(self._text):  # a comma at the end
                self._fail()
        return members

    def _member(self) -> DictionaryMember:
        label = self._take(_SF_KEY)[0]
        if not self._skip("="):
            return DictionaryMember(label, None, _SF_TRUE, self._parameters(), "")
        begin = self._at
        items, item = (self._inner_list(), None) if self._peek() == "(" else (None, self._bare())
        parameters = self._parameters()
        return DictionaryMember(label, items, item, parameters, self._text[begin : self._at])

    def _inner_list(self) -> list[tuple[_Bare, _Parameters]]:
        items: list[tuple[_Bare, _Parameters]] = []
        self._expect("(")
        while True:
            self._take(_SF_SPACES)
            if self._skip(")"):
                return items
            items.append((self._bare(), self._parameters()))
            if self._peek() not in (" ", ")"):
                self._fail()

    def _parameters(self) -> _Parameters:
        parameters: _Parameters = []
        while self._skip(";"):
            self._take(_SF_SPACES)
            key = self._take(_SF_KEY)[0]
            parameters.append((key, self._bare() if self._skip("=") else _SF_TRUE))
        return parameters

    def _bare(self) -> _Bare:
        first = self._peek()
        if first == '"':
            found = self._take(_SF_STRING)
            value = re.sub(r"\\(.)", r"\1", found[1]) if "\\" in found[1] else found[1]
            return _Bare("string", value, found[0])
        if first == ":":
            found = self._take(_SF_BYTES)
            spare = -len(found[1]) % 4
            # Padding may be missing; what no reader could decode is none.
            if spare == 3 or len(found[2]) > spare:
                self._fail()
            return _Bare("bytes", found[1] + found[2], found[0])
        if first == "?":
            text = self._take(_SF_BOOLEAN)[0]
            return _Bare("boolean", text == "?1", text)
        if first == "-" or "0" <= first <= "9":
            text = self._take(_SF_NUMBER)[0]
            return _Bare("decimal", text, text) if "." in text else _Bare("integer", int(text), text)
        text = self._take(_SF_TOKEN)[0]
        return _Bare("token", text, text)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, character: str) -> bool:
        found = self._peek() == character
        self._at += found
        return found

    def _expect(self, character: str) -> None:
        if not self._skip(character):
            self._fail()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            self._fail()
        self._at = found.end()
        return found

    def _fail(self) -> NoReturn:
        raise _NoDictionaryError


def members_of(lines: Sequence[str]) -> list[DictionaryMember] | None:
    try:
        return _Scanner(combined_value(lines)).dictionary()
    except _NoDictionaryError:
        return None


def dictionary_of(lines: Sequence[str]) -> list[DictionaryMember] | None:
    """None also where a label comes twice: readers that take different ones would see different signatures."""
    members = members_of(lines)
    return members if members is not None and len({member.label for member in members}) == len(members) else None


def combined_value(lines: Sequence[str]) -> str:
    """The value of a field (RFC 9421 section 2.1)."""
    return ", ".join(line.strip(" \t") for line in lines)


_SF_DECIMAL = re.compile(r"(?!-0\.0$)-?(?:0|[1-9][0-9]{0,11})\.(?:0|[0-9]{0,2}[1-9])")


def is_canonical(member: DictionaryMember) -> bool:
    """Whether a member is written as RFC 8941 section 4.1 writes it. What is signed is the text."""
    if member.items is None:
        written = _written(member.item) if member.item else ""
    else:
        written = f"({' '.join(_written(item) + _written_parameters(own) for item, own in member.items)})"
    return member.text == written + _written_parameters(member.parameters)


def _written_parameters(parameters: _Parameters) -> str:
    if len({key for key, _ in parameters}) < len(parameters):
        return "\0"  # a writer has one value for a key
    return "".join(f";{key}" if value.value is True else f";{key}={_written(value)}" for key, value in parameters)


def _written(item: _Bare) -> str:
    if item.kind == "string":
        escaped = str(item.value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if item.kind == "bytes":
        return f":{base64.b64encode(decoded_bytes(str(item.value))).decode()}:"
    if item.kind == "boolean":
        return "?1" if item.value else "?0"
    if item.kind == "decimal":
        return item.text if _SF_DECIMAL.fullmatch(item.text) else "\0"
    return str(item.value)


def decoded_bytes(text: str) -> bytes:
    letters = text.rstrip("=")
    return base64.b64decode(letters + "=" * (-len(letters) % 4))
