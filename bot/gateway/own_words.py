"""What the gateway says without the brain: greeting, crisis help, an honest apology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import structlog

from bot.clinic.hours import describe, line_state
from bot.clinic.profile import Clinic
from bot.safety.replies import CrisisReplies
from bot.store.erase import NO_REQUEST
from bot.texts.messages import Texts, load_texts
from bot.turns import BotMessage
from bot.vocabulary import DELETION_CONFIRMED

WORDS = Path(__file__).with_name("words.yml")

log = structlog.get_logger("handrail.gateway")


class OwnWords:
    """Replies that need neither brain nor database.

    Args:
        clinics: profiles by id.
        replies: the crisis replies.
        texts: the assistant's fixed texts (for the greeting).
        words: the gateway's own texts; `words.yml`.

    `clinic` of the methods is a clinic id; for an unknown one the reply names no
    clinic and no phone line.
    """

    def __init__(self, clinics: Mapping[str, Clinic], replies: CrisisReplies, texts: Texts):
        self._clinics = clinics
        self._replies = replies
        self._texts = texts
        self._words = load_texts(WORDS)

    def greeting(self, clinic: str, channel: str, language: str) -> list[BotMessage]:
        """The first words of a conversation; raises KeyError for an unknown clinic."""
        name = self._clinics[clinic].name
        return [self._texts.message("greet", language, channel, clinic=name)]

    def crisis(
        self,
        tier: str,
        categories: Sequence[str],
        *,
        clinic: str | None,
        channel: str,
        language: str,
        times_before: int,
    ) -> BotMessage:
        """The static reply to a message of `tier` (`concern` or above)."""
        profile = self._clinics.get(clinic or "")
        return self._replies.reply(
            tier,
            tuple(categories),
            channel=channel,
            language=language,
            clinic_state=profile.state if profile else None,
            clinic_line=profile.phone.display if profile and profile.phone else None,
            times_before=times_before,
        )

    def follow_up(
        self, name: str, *, clinic: str | None, channel: str, language: str
    ) -> BotMessage:
        """Help on its own occasion, a member of `bot.safety.replies.FOLLOW_UPS`."""
        profile = self._clinics.get(clinic or "")
        return self._replies.follow_up(
            name,
            channel=channel,
            language=language,
            clinic_state=profile.state if profile else None,
            clinic_line=profile.phone.display if profile and profile.phone else None,
        )

    def unavailable(
        self, *, clinic: str | None, channel: str, language: str, now: datetime
    ) -> BotMessage:
        """The assistant cannot answer: an apology, the clinic's line, the crisis lines."""
        profile = self._clinics.get(clinic or "")
        if profile is None or profile.phone is None:
            return self._words.message("unavailable_no_phone", language, channel)
        line = str(profile.phone.display)
        state = line_state(profile, now)
        if not state.readable:
            log.error(
                "opening hours cannot be read: the line counts as closed",
                clinic=clinic,
                reason=state.unreadable_because,
            )
        if state.open and not state.closing_soon:
            return self._words.message("unavailable_open", language, channel, line=line)
        if state.readable and not state.open and state.opens_at:
            opens = describe(state.opens_at, now, profile, language)
            return self._words.message(
                "unavailable_closed", language, channel, line=line, opens=opens
            )
        return self._words.message("unavailable_unknown_hours", language, channel, line=line)

    def deleted(self, request: str, *, channel: str, language: str) -> BotMessage:
        """What was deleted at the visitor's wish, and what is kept and why.

        Args:
            request: what became of a request for contact, see `bot.store.erase`.
        """
        name = DELETION_CONFIRMED if request == NO_REQUEST else f"{DELETION_CONFIRMED}_{request}"
        return self._texts.message(name, language, channel)

    def delete_it(self, language: str) -> str:
        """The label of the button that confirms a deletion."""
        return self._texts.button("erase", language).label

    def empty_message(self, channel: str, language: str) -> BotMessage:
        """The visitor sent nothing that can be read."""
        return self._texts.message("empty_message", language, channel)

    def no_question(self, channel: str, language: str) -> BotMessage:
        """A number came, and there is nothing that it could answer."""
        return self._words.message("no_question", language, channel)

    def long_message(self, channel: str, language: str) -> BotMessage:
        """Only the beginning of a long message was used."""
        return self._words.message("long_message", language, channel)

    def too_fast(self, clinic: str | None, language: str) -> str:
        """Too many messages or conversations: what helps meanwhile."""
        profile = self._clinics.get(clinic or "")
        if profile is None or profile.phone is None:
            return self._words.text("too_fast_no_phone", language)
        return self._words.text("too_fast", language, line=str(profile.phone.display))

    def word(self, name: str, language: str, **values: str) -> str:
        """A short text of `words.yml`, such as a label of the page."""
        return self._words.text(name, language, **values)
