"""Texts that were acknowledged and cannot be answered, because the store has failed since.

The text itself is safe in the inbox and is answered when the store is back. Meanwhile the
sender hears from us without it: whoever may be in danger at once, everybody else after a
while. Who wanted no texts cannot be known then; it is an answer to somebody who has just
written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.clinic.profile import Clinic
from bot.gateway.channels import CHANNELS
from bot.gateway.turn import Turns
from bot.sending import Failed, NotReady, Provider
from bot.sms.keywords import load_keywords
from bot.store.sms_inbox import Arrival
from bot.vocabulary import SMS

PATIENCE = timedelta(seconds=30)
"""So long somebody who is in no danger waits for the store to come back."""

log = structlog.get_logger("handrail.sms")


@dataclasses.dataclass
class _Waiting:
    """A text that was acknowledged; `failed`: its answer could not be kept."""

    arrival: Arrival
    conversation: str
    failed: bool = False


class Unanswered:
    """Remembers what this process has acknowledged and not answered; threads may share it.

    Args:
        clinics: profiles by id; their numbers send.
        turns: says what can be said without the store.
        provider: takes texts; None where no account is set.
        clock: gives the present time, zone-aware.
    """

    def __init__(
        self,
        clinics: Mapping[str, Clinic],
        turns: Turns,
        provider: Provider | None,
        clock: Callable[[], datetime],
    ):
        self._clinics = clinics
        self._turns = turns
        self._provider = provider
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}

    def add(self, arrival: Arrival, conversation: str) -> None:
        """It was acknowledged."""
        self._waiting[arrival.sid] = _Waiting(arrival, conversation)

    def answered(self, sid: str) -> None:
        """Its answer is in the outbox."""
        self._waiting.pop(sid, None)

    def left_to_others(self, conversation: str) -> None:
        """Another gateway works off what waits here."""
        for each in self._of(conversation):
            self._waiting.pop(each.arrival.sid, None)

    def failed(self, conversation: str) -> None:
        """What waits here could not be answered now."""
        for each in self._of(conversation):
            each.failed = True

    def take_due(self) -> list[Arrival]:
        """Those whose senders must hear from us now; each is given once."""
        now = self._clock()
        failed = [each.arrival for each in [*self._waiting.values()] if each.failed]
        return [
            each
            for each in failed
            if (now - each.at >= PATIENCE or self._turns.reads_danger(each.text))
            and self._waiting.pop(each.sid, None) is not None
        ]

    def speak(self, arrival: Arrival) -> None:
        """Answer without the store: crisis help, or an apology with the lines.

        An opt-out is not confirmed before it is on record.
        """
        clinic = self._clinics[arrival.clinic]
        handled = arrival.opt_out_type or load_keywords().exact(arrival.text)
        if self._provider is None or clinic.sms is None or handled:
            return
        message = self._turns.without_store(
            arrival.text, clinic=clinic.id, channel=SMS, now=self._clock()
        )
        plain = dataclasses.replace(message, buttons=[])
        try:
            for number, shown in enumerate(CHANNELS[SMS].render([plain])):
                self._provider.send(
                    sender=str(clinic.sms.number),
                    to=arrival.sender,
                    text=shown.text,
                    identity=f"{arrival.sid}.{number}",
                )
        except (NotReady, Failed) as error:
            log.error("nothing could be said without the store", reason=str(error))
        else:
            log.error("answered without the store", clinic=clinic.id, response=message.response)

    def _of(self, conversation: str) -> list[_Waiting]:
        return [each for each in [*self._waiting.values()] if each.conversation == conversation]
