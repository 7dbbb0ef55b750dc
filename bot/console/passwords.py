"""Passwords of staff: argon2, at most two at a time, so that logins cannot eat the memory."""

from __future__ import annotations

import functools
import threading

import argon2

LEAST_CHARACTERS = 12  # NIST SP 800-63B: length, and no rules about kinds of characters
MOST_CHARACTERS = 200
_AT_ONCE = threading.BoundedSemaphore(2)


class Passwords:
    """Hashes and compares.

    Args:
        hasher: parameters; argon2-cffi's own (RFC 9106, low memory) unless given.
    """

    def __init__(self, hasher: argon2.PasswordHasher | None = None):
        self._hasher = hasher or argon2.PasswordHasher()

    @functools.cached_property
    def _nobody(self) -> str:
        """Made at the first login: it costs as much as one, and most gateways see none."""
        return self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The hash to store; raises ValueError if the password is too short or too long."""
        if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
            raise ValueError(
                f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters; "
                "a few unrelated words are good"
            )
        with _AT_ONCE:
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one; takes as long where there is no such user (None)."""
        with _AT_ONCE:
            nobody = self._nobody  # asked for always: the first login tells nothing either
            try:
                self._hasher.verify(stored or nobody, password[:MOST_CHARACTERS])
            except argon2.exceptions.VerifyMismatchError:
                return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
