"""`handrail embed`: what a clinic pastes into its website."""

from __future__ import annotations

import sys

from bot.clinic.profile import Clinic
from bot.gateway.embed import load_bundle, missing_origin, snippets

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
    for heading, lines in (
        ("The chat, before </body> on every page:", found.script),
        (
            "The same, of this version only (Subresource Integrity); paste it anew after an\n"
            "upgrade if you want the new version:",
            found.pinned,
        ),
        ("If your site has a Content-Security-Policy, it must allow:", found.policy),
        ("Or the chat in a frame, for sites with scripts that nobody vouches for:", found.frame),
        ("For the frame, a Content-Security-Policy must allow:", found.frame_policy),
    ):
        print(f"{heading}\n\n  {lines}\n")
    return 0
