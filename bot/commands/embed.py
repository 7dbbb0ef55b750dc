"""`handrail embed`: what a clinic pastes into its website."""

from __future__ import annotations

import sys

from bot.clinic.profile import Clinic
from bot.gateway.embed import explained, load_bundle, missing_origin, snippets

_EXIT_UNUSABLE = 2


def embed(clinic: Clinic, host: str) -> int:
    """Print the tags and policies for `clinic`; returns the exit code.

    Args:
        host: address of the server as visitors reach it.
    """
    try:
        found = snippets(clinic, host, load_bundle())
    except ValueError as error:
        print(error, file=sys.stderr)
        return _EXIT_UNUSABLE
    problem = missing_origin(clinic)
    if problem:
        print(f"warning: {problem}", file=sys.stderr)
    if host.startswith("http://"):
        print("warning: this address is not encrypted; use it for trying out", file=sys.stderr)
    for heading, text in explained(found):
        print(f"{heading}:\n\n  {text}\n")
    return 0
