"""Signs and verifies proofs, written from docs/wire.md with nothing but the standard library.

Reads {"verify": [...], "sign": [...]} as JSON from standard input, and prints {"verdicts": [...], "fields": [...]}.
"""

import base64
import hashlib
import hmac
import json
import re
import sys

TAG = "a2a-totp/proof/v1"
ALWAYS = ["@method", "@path", "@query", "content-digest", "authorization"]


class MalformedError(Exception):
    pass


def hkdf(seed, info, length):
    key = hmac.digest(TAG.encode(), seed, "sha256")
    return hmac.digest(key, info.encode() + b"\x01", "sha256")[:length]


def keys_of(seed, agent):
    raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    keyid = base64.urlsafe_b64encode(hkdf(raw, f"kid {agent}", 6)).decode()
    return hkdf(raw, f"mac {agent}", 32), f"{agent}/{keyid}"


def lines_of(request, name):
    return [value for field, value in request["headers"] if field.lower() == name]


def combined(lines):
    return ", ".join(line.strip(" \t") for line in lines)


def value_of(request, name):
    path, _, query = request["target"].partition("?")
    derived = {"@method": request["method"], "@path": path, "@query": "?" + query}
    return derived[name] if name in derived else combined(lines_of(request, name))


def expected_components(request):
    optional = ["content-type", "a2a-version", "a2a-extensions"]
    if request["binding"] == "grpc":
        optional = optional[1:]
    present = [name for name in optional if lines_of(request, name)]
    return [*ALWAYS, request["header"].lower(), *present]


def digest_of(request):
    content = base64.b64decode(request["body"])
    if request["binding"] == "grpc":
        content = b"\x00" + len(content).to_bytes(4, "big") + content
    return hashlib.sha256(content).digest()


def base_of(request, names, text):
    lines = [f'"{name}": {value_of(request, name)}' for name in names]
    return "\n".join([*lines, f'"@signature-params": {text}'])


# RFC 8941, section 4.2. A bare item is (kind, value, text as section 4.1 writes it).

KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
ITEMS = [
    ("string", re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')),
    ("bytes", re.compile(r":([A-Za-z0-9+/]*)(=*):")),
    ("boolean", re.compile(r"\?([01])")),
    ("decimal", re.compile(r"-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9])")),
    ("integer", re.compile(r"-?[0-9]{1,15}(?![0-9.])")),
    ("token", re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")),
]


class Reader:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def skip(self, characters):
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def take(self, character):
        found = self.text.startswith(character, self.at)
        self.at += found
        return found

    def expect(self, character):
        if not self.take(character):
            raise MalformedError

    def key(self):
        match = KEY.match(self.text, self.at)
        if not match:
            raise MalformedError
        self.at = match.end()
        return match[0]

    def bare(self):
        for kind, pattern in ITEMS:
            match = pattern.match(self.text, self.at)
            if match:
                self.at = match.end()
                return written(kind, match)
        raise MalformedError

    def parameters(self):
        found = []
        while self.take(";"):
            self.skip(" ")
            key = self.key()
            found.append((key, self.bare() if self.take("=") else ("boolean", True, "?1")))
        return found

    def value(self):
        if not self.take("("):
            return self.bare()
        items = []
        while True:
            self.skip(" ")
            if self.take(")"):
                return items
            items.append((self.bare(), self.parameters()))
            if self.text[self.at : self.at + 1] not in (" ", ")"):
                raise MalformedError

    def dictionary(self):
        members = []
        self.skip(" ")
        while self.at < len(self.text):
            label = self.key()
            has_value = self.take("=")
            begin = self.at
            value = self.value() if has_value else ("boolean", True, "?1")
            parameters = self.parameters()
            members.append((label, value, parameters, self.text[begin : self.at]))
            self.skip(" \t")
            if self.at == len(self.text):
                break
            self.expect(",")
            self.skip(" \t")
            if self.at == len(self.text):
                raise MalformedError
        return members


def written(kind, match):
    text = match[0]
    if kind == "string":
        return kind, re.sub(r"\\(.)", r"\1", match[1]), text
    if kind == "bytes":
        missing = -len(match[1]) % 4
        if missing == 3 or len(match[2]) > missing:
            raise MalformedError
        raw = base64.b64decode(match[1] + "=" * missing)
        return kind, (raw, text), f":{base64.b64encode(raw).decode()}:"
    if kind == "boolean":
        return kind, text == "?1", text
    if kind == "integer":
        return kind, int(text), str(int(text))
    if kind == "decimal":
        return kind, float(text), str(abs(float(text)) if float(text) == 0 else float(text))
    return kind, text, text


def serialised_parameters(parameters):
    if len({key for key, _ in parameters}) < len(parameters):
        raise MalformedError
    return "".join(f";{key}" if value[1] is True else f";{key}={value[2]}" for key, value in parameters)


def dictionary_of(lines):
    members = Reader(combined(lines)).dictionary()
    if len({label for label, *_ in members}) < len(members):
        raise MalformedError
    return members


def canonical_bytes(item, length):
    if isinstance(item, list) or item[0] != "bytes":
        return None
    raw, text = item[1]
    return raw if len(raw) == length and text == item[2] else None


def content_digest(request):
    try:
        members = Reader(combined(lines_of(request, "content-digest"))).dictionary()
    except MalformedError:
        return None
    ours = [member for member in members if member[0] == "sha-256"]
    if len(ours) != 1 or ours[0][2]:
        return None
    return canonical_bytes(ours[0][1], 32)


def verify(request):
    try:
        return verdict_of(request)
    except MalformedError:
        return "proof-malformed"


def verdict_of(request):
    inputs, signatures = (lines_of(request, name) for name in ("signature-input", "signature"))
    if not inputs and not signatures:
        return "unsigned"
    if not inputs or not signatures:
        raise MalformedError
    members, macs = dictionary_of(inputs), dictionary_of(signatures)
    ours = [m for m in members if any(k == "tag" and v[:2] == ("string", TAG) for k, v in m[2])]
    if not ours:
        return "unsigned"
    if len(ours) > 1:
        raise MalformedError
    label, components, parameters, text = ours[0]
    signature = next((canonical_bytes(m[1], 32) for m in macs if m[0] == label and not m[2]), None)
    if signature is None or not isinstance(components, list):
        raise MalformedError
    given = checked(request, components, parameters, text)

    expected = expected_components(request)
    named = [value[1] for value, _ in components if value[0] == "string"]
    for name in set(named) & set(expected):
        if not re.fullmatch(r"[\t\x20-\x7e]*", value_of(request, name)):
            raise MalformedError
    if any(own for _, own in components) or len(named) < len(components):
        return "proof-uncovered"
    if sorted(named) != sorted(expected):
        return "proof-uncovered"
    if any(not name.startswith("@") and not lines_of(request, name) for name in named):
        return "proof-uncovered"

    digest = content_digest(request)
    if digest is None or lines_of(request, "content-encoding"):
        return "proof-digest"
    key, keyid = keys_of(request["seed"], request["agent"])
    mac = hmac.digest(key, base_of(request, named, text).encode("ascii"), "sha256")
    if given["keyid"] != keyid:
        return "proof-key"
    if not hmac.compare_digest(mac, signature):
        return "proof-mac"
    life = (request["window"] + 1) * request["period"]
    if not (given["created"] <= request["now"] + life and request["now"] <= given["expires"]):
        return "proof-stale"
    return "valid" if digest == digest_of(request) else "proof-digest"


def checked(request, components, parameters, text):
    items = " ".join(value[2] + serialised_parameters(own) for value, own in components)
    if text != f"({items}){serialised_parameters(parameters)}":
        raise MalformedError
    kinds = dict.fromkeys(["nonce", "keyid", "tag", "alg"], "string")
    kinds |= dict.fromkeys(["created", "expires"], "integer")
    given = {}
    for key, (kind, value, _) in parameters:
        if kinds.get(key) != kind:
            raise MalformedError
        given[key] = value
    if set(kinds) - set(given) - {"alg"} or given.get("alg", "hmac-sha256") != "hmac-sha256":
        raise MalformedError
    nonce = given["nonce"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{22,64}", nonce) or len(nonce) % 4 == 1:
        raise MalformedError
    if not 0 < given["expires"] - given["created"] <= (request["window"] + 1) * request["period"]:
        raise MalformedError
    return given


def sign(request):
    key, keyid = keys_of(request["seed"], request["agent"])
    digest = f"sha-256=:{base64.b64encode(digest_of(request)).decode()}:"
    headers = [*request["headers"], ["content-digest", digest]]
    request = {**request, "headers": headers}
    names = expected_components(request)
    components = " ".join(f'"{name}"' for name in names)
    nonce = base64.urlsafe_b64encode(base64.b64decode(request["nonce"])).decode().rstrip("=")
    expires = request["created"] + (request["window"] + 1) * request["period"]
    text = f'({components});created={request["created"]};expires={expires};nonce="{nonce}";keyid="{keyid}";tag="{TAG}"'
    mac = hmac.digest(key, base_of(request, names, text).encode("ascii"), "sha256")
    return {
        "content-digest": digest,
        "signature-input": f"a2a-totp={text}",
        "signature": f"a2a-totp=:{base64.b64encode(mac).decode()}:",
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(
        {
            "verdicts": [verify(request) for request in given["verify"]],
            "fields": [sign(request) for request in given["sign"]],
        },
        sys.stdout,
    )
