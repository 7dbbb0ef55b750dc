from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from bot.safety.reading import Evidence, Reading
from bot.store import (
    Alerts,
    Buttons,
    Conflict,
    Conversations,
    Messages,
    StoreError,
    reading,
    writing,
)
from bot.store.records import Alert, Conversation, Incoming, OfferedButton, Outgoing
from bot.turns import Button, TurnState

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
YES = OfferedButton("button-yes", Button("Yes", "affirm", {"item": "consent", "value": "yes"}))
NO = OfferedButton("button-no", Button("No", "deny"))


def conversation(name: str) -> Conversation:
    return Conversation(
        id=name,
        clinic="greater_boston",
        channel="web",
        token_hash="0" * 64,
        chosen_language=None,
        created=NOON,
        state=TurnState(),
    )


def incoming(client_id: str, text: str = "hello", tier: str = "none") -> Incoming:
    return Incoming(client_id=client_id, text=text, reading=Reading(tier=tier), at=NOON)


def outgoing(text: str, *buttons: OfferedButton) -> Outgoing:
    return Outgoing(text=text, response="greeting", buttons=buttons, at=NOON)


@pytest.fixture
def talk(engine):
    """An engine whose database holds the conversations "a" and "b"."""
    with writing(engine) as db:
        Conversations(db).add(conversation("a"))
        Conversations(db).add(conversation("b"))
    return engine


def test_a_conversation_comes_back_as_it_was_stored(talk):
    with reading(talk) as db:
        assert Conversations(db).find("a") == conversation("a")
        assert Conversations(db).find("c") is None


def test_two_conversations_never_share_an_id(talk):
    with pytest.raises(Conflict), writing(talk) as db:
        Conversations(db).add(conversation("a"))


def test_the_state_after_a_turn_is_kept(talk):
    state = TurnState(
        tier="concern",
        level="iop",
        handoff="phone",
        open_question="concern",
        language="es",
        reference="K74QX2",
    )
    with writing(talk) as db:
        later = NOON + timedelta(minutes=1)
        Conversations(db).set_state("a", state, later, chosen_language="es")
    with reading(talk) as db:
        found = Conversations(db).find("a")
    assert found is not None
    assert (found.state, found.chosen_language, found.created) == (state, "es", NOON)


def test_times_without_a_zone_are_refused(talk):
    with pytest.raises(StoreError), writing(talk) as db:
        Conversations(db).set_state("a", TurnState(), datetime(2026, 11, 25), chosen_language=None)


def test_messages_are_numbered_within_their_conversation(talk):
    with writing(talk) as db:
        messages = Messages(db)
        assert messages.add_outgoing("a", outgoing("welcome"), answers=None) == 1
        assert messages.add_incoming("a", incoming("m1", "first")) == 2
        assert messages.add_outgoing("a", outgoing("answer"), answers=2) == 3
        assert messages.add_incoming("b", incoming("m1", "not a's")) == 1
    with reading(talk) as db:
        transcript = Messages(db).after("a")
        assert [(m.seq, m.direction, m.text) for m in transcript] == [
            (1, "out", "welcome"),
            (2, "in", "first"),
            (3, "out", "answer"),
        ]
        assert [m.seq for m in Messages(db).after("a", 2)] == [3]
        assert transcript[1].at == NOON


def test_a_repeated_message_finds_the_answer_it_got(talk):
    with writing(talk) as db:
        messages = Messages(db)
        seq = messages.add_incoming("a", incoming("m1"))
        messages.add_outgoing("a", outgoing("one", YES), answers=seq)
        messages.add_outgoing("a", outgoing("two"), answers=seq)
    with reading(talk) as db:
        messages = Messages(db)
        asked = Conversations(db).standing("a", "m1").asked
        assert asked == seq
        answer = messages.answer_to("a", asked)
        assert [(m.text, m.buttons) for m in answer] == [("one", (YES,)), ("two", ())]
        assert Conversations(db).standing("a", "m2").asked is None
        assert Conversations(db).standing("b", "m1").asked is None
        assert Conversations(db).standing("nobody", "m1") is None


def test_one_client_id_is_stored_once(talk):
    with pytest.raises(Conflict), writing(talk) as db:  # noqa: PT012
        Messages(db).add_incoming("a", incoming("m1"))
        Messages(db).add_incoming("a", incoming("m1"))


def test_a_button_belongs_to_its_conversation(talk):
    with writing(talk) as db:
        Messages(db).add_outgoing("a", outgoing("?", YES, NO), answers=None)
    with reading(talk) as db:
        assert Buttons(db).find("a", YES.id) == YES
        assert Buttons(db).find("b", YES.id) is None
        assert Buttons(db).find("a", "unknown") is None


def test_only_the_last_answers_choices_are_open(talk):
    with writing(talk) as db:
        messages, buttons = Messages(db), Buttons(db)
        messages.add_outgoing("a", outgoing("?", YES, NO), answers=None)
        assert buttons.open("a") == (YES, NO)
        seq = messages.add_incoming("a", incoming("m1"))
        messages.add_outgoing("a", outgoing("thanks"), answers=seq)
        assert buttons.open("a") == ()


def test_earlier_messages_of_danger_are_counted(talk):
    with writing(talk) as db:
        messages = Messages(db)
        for number, tier in enumerate(["none", "concern", "crisis_self", "emergency"]):
            messages.add_incoming("a", incoming(f"m{number}", tier=tier))
        assert messages.count_tiers("a", ["crisis_self", "emergency"]) == 2
        assert messages.count_tiers("b", ["crisis_self", "emergency"]) == 0


def test_alerts_come_back_as_they_were_stored(talk):
    first = Alert("a", 2, "crisis_self", ("active_si",), NOON)
    second = Alert("a", 4, "emergency", (), NOON + timedelta(minutes=2))
    with writing(talk) as db:
        Alerts(db).add(first)
        Alerts(db).add(second)
    with reading(talk) as db:
        assert Alerts(db).of("a") == [first, second]
        assert Alerts(db).of("b") == []


def test_nothing_is_stored_for_a_conversation_that_does_not_exist(engine):
    with pytest.raises(StoreError), writing(engine) as db:
        Messages(db).add_incoming("nobody", incoming("m1"))


def test_any_words_survive_the_database(talk):
    text = "ñ 😶‍🌫️ \u202e 'quotes\" %s :x \\ \n\t" + "é" * 4000
    part = Evidence(0, 3, "rule")
    with writing(talk) as db:
        Messages(db).add_incoming(
            "a", Incoming("m1", text, Reading("concern", ("grief",), (part,)), NOON)
        )
    with reading(talk) as db:
        assert Messages(db).after("a")[0].text == text
