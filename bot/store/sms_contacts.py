"""Who texts with which clinic, and what they agreed to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.tables import sms_consent, sms_contact
from bot.store.vault import vault_of

# Kinds of consent.
WROTE_FIRST = "wrote_first"
OPTED_OUT = "opted_out"
OPTED_IN = "opted_in"
AGREED = "agreed"  # to texts, before any text came: on the web

_ID_CHARACTERS = 32


@dataclasses.dataclass(frozen=True)
class Contact:
    """A number that texts with a clinic; `conversation` is its conversation's id.

    Attributes:
        number: E.164.
        introduced: when it was told who we are.
        opted_out: since when it wants no texts.
        crisis_answered: when its last danger was answered though it had opted out.
        in_charge_until: until then a person answers, unless they write again.
    """

    conversation: str
    clinic: str
    number: str
    introduced: datetime | None
    opted_out: datetime | None
    crisis_answered: datetime | None
    in_charge_until: datetime | None
    created: datetime


class SmsContacts:
    """Who texts with which clinic.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def with_number(self, number: str, clinic: str) -> Contact | None:
        """The contact with this number at this clinic, or None."""
        column = sms_contact.c.number_hash
        hashes = vault_of(self._connection).blinds(column, number, clinic)
        return self._find(column.in_(hashes))

    def find(self, conversation: str) -> Contact | None:
        """The contact that has this conversation, or None."""
        return self._find(sms_contact.c.conversation == conversation)

    def meet(self, people: Iterable[tuple[str, str]], now: datetime) -> dict[tuple[str, str], str]:
        """The conversations of these (number, clinic), new ones for those who are new."""
        vault, column = vault_of(self._connection), sms_contact.c.number_hash
        hashes = {each: vault.blinds(column, *each) for each in set(people)}
        known = dict(
            self._connection.execute(
                sa.select(column, sms_contact.c.conversation).where(
                    column.in_([one for several in hashes.values() for one in several])
                )
            ).all()
        )
        met, new = {}, []
        for (number, clinic), several in hashes.items():
            found = next((known[each] for each in several if each in known), None)
            if found is None:
                keyed = vault.blind(column, number, clinic).partition(".")[2]
                found = f"{clinic}.{keyed[:_ID_CHARACTERS]}"
                row = {
                    "conversation": found,
                    "clinic": clinic,
                    "number": number,
                    "created": now,
                    "updated": now,
                }
                new.append(vault.seal(sms_contact, row))
            met[number, clinic] = found
        if new:
            self._connection.execute(sa.insert(sms_contact), new)
        return met

    def change(self, conversation: str, now: datetime, **values: Any) -> None:
        """Set columns of a contact."""
        self._connection.execute(
            sa.update(sms_contact)
            .where(sms_contact.c.conversation == conversation)
            .values(updated=now, **values)
        )

    def consent(
        self, conversation: str, kind: str, source: str, wording: str, at: datetime
    ) -> None:
        """Write into the ledger who agreed, or took it back, how and in which words."""
        last = self._connection.execute(
            sa.select(sa.func.max(sms_consent.c.seq)).where(sms_consent.c.contact == conversation)
        ).scalar_one()
        row = {
            "contact": conversation,
            "seq": int(last or 0) + 1,
            "kind": kind,
            "source": source,
            "wording": wording,
            "at": at,
        }
        self._connection.execute(
            sa.insert(sms_consent).values(vault_of(self._connection).seal(sms_consent, row))
        )

    def ledger(self, conversation: str) -> list[tuple[str, str, str, datetime]]:
        """Kind, source, wording and time of every entry, oldest first."""
        rows = self._connection.execute(
            sa.select(sms_consent)
            .where(sms_consent.c.contact == conversation)
            .order_by(sms_consent.c.seq)
        ).mappings()
        plain = [vault_of(self._connection).open(sms_consent, row) for row in rows]
        return [(row["kind"], row["source"], row["wording"], row["at"]) for row in plain]

    def _find(self, condition: Any) -> Contact | None:
        row = self._connection.execute(sa.select(sms_contact).where(condition)).one_or_none()
        return None if row is None else _contact(self._connection, row._mapping)


def _contact(connection: sa.engine.Connection, row: Any) -> Contact:
    plain = vault_of(connection).open(sms_contact, row)
    return Contact(**{field.name: plain[field.name] for field in dataclasses.fields(Contact)})
