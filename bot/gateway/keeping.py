"""What the store is asked and told on a message's way: each method is one transaction.

They block; `bot.gateway.turn` runs them beside the event loop.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.clinic.profile import Clinic
from bot.gateway.channels import CHANNELS, Rendered
from bot.gateway.guarantee import CRISIS_TIERS
from bot.gateway.in_flight import InFlight, Memory, Shown
from bot.gateway.own_words import OwnWords
from bot.gateway.refused import NO_SUCH_CONVERSATION, Refused
from bot.handoff.desk import HandoffDesk
from bot.handoff.records import crisis_record
from bot.store import (
    Alerts,
    Audit,
    Buttons,
    Conversations,
    Messages,
    TrackerEvents,
    reading,
    writing,
)
from bot.store.casework import Casework
from bot.store.engine import empty_write_ahead_log
from bot.store.erase import CRISIS_KEPT, erase
from bot.store.records import Alert, Conversation, Incoming, OfferedButton, Outgoing
from bot.turns import TurnState
from bot.vocabulary import HANDOFF_NONE, TIER_CONCERN, TIER_NONE, TIERS, tier_at_least

_CONCERN_OR_ABOVE = TIERS[TIERS.index(TIER_CONCERN) :]


class Keeping:
    """Keeps conversations.

    Every method raises StoreError if the store fails; nothing has changed then.

    Args:
        engine: the store, see `bot.store`.
        clinics: profiles by id.
        words: what is said of a deletion.
    """

    def __init__(self, engine: sa.engine.Engine, clinics: Mapping[str, Clinic], words: OwnWords):
        self._engine = engine
        self._words = words
        self._desk = HandoffDesk(engine, clinics)

    def begin(self, conversation: Conversation, greeting: Sequence[Rendered]) -> list[Shown]:
        """A new conversation and its greeting."""
        with writing(self._engine) as db:
            Conversations(db).add(conversation)
            answer = _outgoing(greeting, conversation.created)
            return _shown(Messages(db).add_answer(conversation.id, answer, None, 0), answer)

    def memory_of(self, turn: InFlight) -> Memory:
        """Where the message's conversation stands; raises Refused if the caller may not know."""
        with reading(self._engine) as db:
            stands = Conversations(db).standing(turn.conversation, turn.message_id)
            if stands is None or not turn.allowed(stands.conversation):
                raise Refused(404, NO_SUCH_CONVERSATION)
            found, messages, buttons = stands.conversation, Messages(db), Buttons(db)
            lasting = CHANNELS[found.channel].choices_last
            since = turn.now - lasting if lasting else None
            # A conversation's tier never falls: below concern there is none to count.
            worried = tier_at_least(found.state.tier, TIER_CONCERN)
            asked = stands.asked
            return Memory(
                conversation=found,
                newest=stands.newest,
                answered=None if asked is None else messages.answer_to(found.id, asked),
                offered=buttons.open(found.id, since),
                button=buttons.find(found.id, turn.button_id) if turn.button_id else None,
                crises=messages.count_tiers(found.id, CRISIS_TIERS) if worried else 0,
                concerns=messages.count_tiers(found.id, _CONCERN_OR_ABOVE) if worried else 0,
            )

    def write_down(self, turn: InFlight) -> list[Shown]:
        """What was said, the answer, the dialogue, what staff must know.

        Raises:
            Conflict: somebody else has written in the conversation since it was looked up.
        """
        if not turn.confirmed_deletion:
            with writing(self._engine) as db:
                return self._write(db, turn)
        with writing(self._engine) as db:
            shown = self._erase(db, turn)
        empty_write_ahead_log(self._engine)
        return shown

    def end(
        self, conversation: str, now: datetime, allowed: Callable[[Conversation], bool]
    ) -> None:
        """Delete a conversation at its visitor's wish; raises Refused if it is not theirs."""
        with writing(self._engine) as db:
            found = Conversations(db).find(conversation)
            if found is None or not allowed(found):
                raise Refused(404, NO_SUCH_CONVERSATION)
            Conversations(db).end(conversation)
            Audit(db).add(
                actor="visitor", action="conversation.ended", subject=conversation, at=now
            )
        empty_write_ahead_log(self._engine)

    def _write(self, db: sa.engine.Connection, turn: InFlight) -> list[Shown]:
        rendered = turn.channel.render(turn.messages) if turn.messages else []
        answer = _outgoing(rendered, turn.now)
        seq, seqs = Messages(db).add_turn(turn.conversation, _incoming(turn, turn.text), answer)
        danger = turn.danger
        if danger is not None:
            Alerts(db).add(Alert(turn.conversation, seq, danger, turn.reading.categories, turn.now))
            self._queue(db, turn, danger)
        before = turn.memory.conversation.chosen_language if turn.memory else None
        Conversations(db).set_state(
            turn.conversation,
            turn.state,
            turn.now,
            # Once the brain has heard of the choice, the conversation decides.
            chosen_language=None if turn.reply else turn.chosen_language or before,
        )
        Casework(db).visitor_wrote(turn.conversation, turn.now)
        if turn.reply is not None and turn.reply.row is not None:
            TrackerEvents(db).keep(turn.conversation, turn.reply.row)
        return _shown(seqs, answer)

    def _queue(self, db: sa.engine.Connection, turn: InFlight, tier: str) -> None:
        """Somebody in danger stands in the queue and staff are told, whatever else they leave."""
        evidence = turn.reading.evidence
        record = crisis_record(
            conversation=turn.conversation,
            clinic=turn.clinic,
            channel=turn.channel.name,
            language=turn.language,
            tier=tier,
            rule=evidence[0].rule if evidence else "answer",
            categories=turn.reading.categories,
        )
        recorded = self._desk.write(db, record, turn.now)
        turn.state = dataclasses.replace(turn.state, reference=recorded.reference)

    def _erase(self, db: sa.engine.Connection, turn: InFlight) -> list[Shown]:
        """Delete what the conversation holds, and say what is kept and why."""
        # It must not leave words behind, not even of the confirmation.
        asked = _incoming(turn, self._words.delete_it(turn.language))
        seq = Messages(db).add_incoming(turn.conversation, asked)
        erased = erase(db, turn.conversation, before=seq, now=turn.now)
        before = turn.state
        kept = erased.request == CRISIS_KEPT
        state = TurnState(
            tier=before.tier if kept else TIER_NONE,
            handoff=before.handoff if kept else HANDOFF_NONE,
            language=before.language,
            reference=erased.reference,
        )
        told = self._words.deleted(
            erased.request, channel=turn.channel.name, language=turn.language
        )
        Conversations(db).set_state(
            turn.conversation,
            state,
            turn.now,
            # The brain begins anew, but not in another language.
            chosen_language=state.language,
        )
        answer = _outgoing(turn.channel.render([told]), turn.now)
        seqs = Messages(db).add_answer(turn.conversation, answer, seq, last=seq)
        turn.state, turn.messages = state, [told]
        return _shown(seqs, answer)


def _incoming(turn: InFlight, text: str) -> Incoming:
    read = dataclasses.replace(turn.reading, tier=turn.tier)
    return Incoming(turn.message_id, text, read, turn.now)


def _outgoing(rendered: Sequence[Rendered], now: datetime) -> list[Outgoing]:
    """What is to be written down, each choice with an opaque id of its own."""
    return [
        Outgoing(
            message.text,
            message.response,
            tuple(OfferedButton(secrets.token_urlsafe(12), each) for each in message.choices),
            now,
        )
        for message in rendered
    ]


def _shown(seqs: Sequence[int], written: Sequence[Outgoing]) -> list[Shown]:
    return [
        Shown(seq, message.text, message.response, message.buttons)
        for seq, message in zip(seqs, written, strict=True)
    ]
