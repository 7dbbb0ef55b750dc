"""Who may write in a conversation: the visitor to whom its token was issued."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

from bot.gateway.origins import OWN
from bot.store.records import Conversation


def new_token() -> str:
    """A secret of 128 random bits."""
    return secrets.token_urlsafe(16)


def digest(token: str, origin: str) -> str:
    """What is stored of a token.

    The website is part of it: a token that has got to another site opens nothing there.
    """
    return hashlib.sha256(f"{token} {origin}".encode()).hexdigest()


def owner_of(token: str, origin: str = OWN) -> Callable[[Conversation], bool]:
    """Accept only the visitor to whom `token` was issued, on the website it was issued on."""
    expected = digest(token, origin)
    return lambda found: (
        bool(found.token_hash) and hmac.compare_digest(expected, found.token_hash or "")
    )


def anyone(_: Conversation) -> bool:
    """Accept every caller: SMS and in-process callers prove elsewhere who they are."""
    return True
