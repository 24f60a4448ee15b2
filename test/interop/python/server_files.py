"""What the Python package says of server files, whose texts arrive as JSON lines: one line of JSON each."""

import json
import sys

from a2a_totp.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import ServerFileError, parse_server_file


def said_of(text: str) -> list[str]:
    """The code and the message of the error; empty for a file that is accepted."""
    try:
        roster = parse_server_file(text)
        TOTPServerAuthScheme._of_roster(lambda: roster)._require_usable(roster)
    except ServerFileError as error:
        return [error.code, str(error)]
    return []


for line in sys.stdin:
    print(json.dumps(said_of(json.loads(line))))
