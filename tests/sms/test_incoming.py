"""What Twilio hands in: who may, what counts once, and that nobody is left without an answer."""

import asyncio
import re
import threading
import time
from urllib.parse import parse_qsl, urlencode

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.clinic.profile import load_clinics
from bot.gateway.sms import TwilioDoor, _Fields
from bot.reviewed import DataError
from bot.settings import ROOT
from bot.store import writing
from bot.store.purge import purge
from bot.store.sms_inbox import SmsInbox
from bot.turns import TurnState
from tests.gateway.conftest import dead, says
from tests.sms.conftest import VISITOR, Phone
from tests.sms.provider import NEW, OLD, PUBLIC, signed
from tests.store.test_purge import POLICY, days


async def test_a_text_is_acknowledged_with_nothing_and_answered_by_the_outbox(phone):
    [answer] = await phone.texts("hello there")
    assert phone.answer.status_code == 200
    assert phone.answer.text.endswith("<Response></Response>")
    assert answer.endswith("You said: hello there")


@pytest.mark.parametrize("token", [OLD, NEW])
async def test_both_tokens_count_while_one_replaces_the_other(phone, token):
    body = phone.body("hello")
    assert (await phone.posts(body, signed(body, token))).status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "nonsense",
        signed("Body=other"),
        pytest.param("é", id="not ascii"),
    ],
)
async def test_what_twilio_did_not_sign_is_refused_and_leaves_nothing(phone, forged):
    answer = await phone.posts(phone.body("hello"), forged.encode())
    assert answer.status_code == 403
    assert phone.contact() is None


async def test_the_configured_address_is_signed_not_the_one_of_the_proxy(phone):
    body = phone.body("hello")
    inside = signed(body, url="http://inside/sms/twilio")
    assert (await phone.posts(body, inside)).status_code == 403
    with_port = signed(body, url=f"{PUBLIC.replace('example', 'example:443')}/sms/twilio")
    assert (await phone.posts(body, with_port)).status_code == 200


async def test_blank_and_unknown_fields_are_part_of_the_signature(phone):
    body = phone.body("hello", FromState="", BrandNew="x", Blank="")
    assert (await phone.posts(body)).status_code == 200
    without = urlencode([pair for pair in parse_qsl(body) if pair[1]])
    assert (await phone.posts(body, signed(without))).status_code == 403


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_the_fields_are_twilios_signature_opens_and_another_does_not(fields):
    fields = {key.encode("utf-8", "replace").decode(): v for key, v in fields.items()}
    fields = {k: v.encode("utf-8", "replace").decode() for k, v in fields.items()}
    body = urlencode(fields)
    door = TwilioDoor(PUBLIC, (NEW,))
    parsed = _Fields({k: [v] for k, v in parse_qsl(body, keep_blank_values=True)})
    assert door.admits("/sms/twilio", parsed, signed(body))
    assert not door.admits("/sms/twilio", parsed, signed(body, "another"))


@given(st.binary(max_size=200))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_bytes_get_a_clear_answer(phone, body):
    answer = await phone.web.post("/sms/twilio", content=body)
    assert answer.status_code == 403


async def test_a_signed_body_without_sender_or_id_is_refused(phone):
    assert (await phone.posts(phone.body("hello", From=""))).status_code == 400
    assert (await phone.posts(phone.body("hello", MessageSid=""))).status_code == 400


async def test_the_same_webhook_five_times_is_one_turn(phone, brain):
    body = phone.body("hello")
    for answer in await asyncio.gather(*(phone.posts(body) for _ in range(5))):
        assert answer.status_code == 200
    await phone.settled()
    assert len(phone.outbox()) == len(brain.requests) == 1


async def test_the_idempotency_header_counts_as_well(phone, brain):
    for _ in range(2):
        await phone.posts(phone.body("hello"), **{"i-twilio-idempotency-token": "t1"})
    await phone.settled()
    assert len(brain.requests) == 1


async def test_an_id_is_remembered_for_48_hours(phone, clock, engine, brain):
    body = phone.body("hello")
    for hours, turns in ((0, 1), (47, 1), (2, 1)):
        clock.forward(hours=hours)
        purge(engine, POLICY, clock())
        await phone.posts(body)
        await phone.settled()
        assert len(brain.requests) == turns
    assert POLICY["sms_received"] == days(2)


async def test_it_is_acknowledged_at_once_however_slow_the_brain_is(phone, brain):
    brain.seconds = 1.5
    began = time.perf_counter()
    await phone.posts(phone.body("hello"))
    assert time.perf_counter() - began < 1.0
    await phone.settled()
    assert len(phone.outbox()) == 1


async def test_texts_of_one_number_are_answered_in_order_of_arrival(phone, brain):
    brain.seconds = 0.05
    for text in ("first", "second", "third"):
        await phone.posts(phone.body(text))
    await phone.settled()
    assert [request.text for request in brain.requests] == ["first", "second", "third"]
    assert [row["text"][-5:] for row in phone.outbox()] == ["first", "econd", "third"]


async def test_what_a_crash_left_in_the_inbox_is_answered_at_the_next_start(phone, app, brain):
    texting = app.state.texting
    texting._begin = lambda conversation: None  # the process dies after the acknowledgement
    await phone.posts(phone.body("are you there?"))
    assert phone.outbox() == []
    del texting._begin
    async with texting.working():
        while not phone.outbox():
            await asyncio.sleep(0)
    assert [request.text for request in brain.requests] == ["are you there?"]


async def test_a_crash_between_the_turn_and_the_outbox_repeats_the_same_answer(phone, app, brain):
    texting = app.state.texting
    keep = texting._keep
    texting._keep = lambda *_: (_ for _ in ()).throw(RuntimeError("the process dies"))
    await phone.texts("hello")
    texting._keep = keep
    await texting.work_off(phone.contact().conversation)
    assert len(brain.requests) == 1
    assert [row["text"][-15:] for row in phone.outbox()] == ["You said: hello"]


async def test_a_picture_without_words_gets_a_kind_note(phone, brain):
    [answer] = await phone.texts("", NumMedia="1", MediaUrl0="https://api.twilio.com/x")
    assert "can't see pictures" in answer
    assert brain.requests == []


async def test_words_with_a_picture_are_answered(phone):
    [answer] = await phone.texts("look", NumMedia="1")
    assert "You said: look" in answer


async def test_the_first_answer_says_who_we_are_and_the_second_does_not(phone):
    [first], [second] = [await phone.texts("what is iop"), await phone.texts("and php")]
    for needed in ("Greater Boston:", "automated", "911", "988", "HELP", "STOP"):
        assert needed in first
    assert second == "You said: and php"


async def test_crisis_help_comes_before_the_introduction(phone):
    first, *_, last = await phone.texts("danger")
    assert "988" in first
    assert "automated" in last


async def test_so_does_the_direct_question(phone, brain):
    brain.answer = lambda _: says("Thoughts of suicide? 988. " * 8, response="concern_check")
    first, last = await phone.texts("uneasy")
    assert "988" in first
    assert "automated" in last


@pytest.mark.parametrize("text", ["1", "#2.", " 3) "])
async def test_a_number_that_answers_nothing_is_told_so(phone, brain, text):
    await phone.texts("hello")
    assert "no question open" in (await phone.texts(text))[0]
    assert len(brain.requests) == 1


async def test_a_number_that_is_no_choice_of_an_open_question_is_the_assistants(phone, brain):
    brain.answer = lambda _: says("Which?", state=TurnState(open_question="state"))
    await phone.texts("hello")
    await phone.texts("7")
    assert brain.requests[-1].text == "7"


async def test_the_conversations_id_tells_no_number_and_stays_the_same(phone, brain):
    await phone.texts("hello")
    await phone.texts("again")
    [identity] = {request.conversation for request in brain.requests}
    assert re.fullmatch(r"greater_boston\.[0-9a-f]{32}", identity)
    assert VISITOR[2:] not in identity


async def test_the_number_is_readable_in_no_file(phone, database):
    await phone.texts("my garden is blue")
    content = b"".join(f.read_bytes() for f in database.parent.glob(f"{database.name}*"))
    assert b"greater_boston" in content
    for secret in (VISITOR, VISITOR[2:], "garden"):
        assert secret.encode() not in content


@pytest.mark.parametrize("text", ["danger", "when are you open"])
async def test_without_a_store_twilio_itself_says_what_helps(phone, engine, text):
    with writing(engine) as db:
        db.execute(sa.text("DROP TABLE sms_inbox"))
    answer = await phone.posts(phone.body(text))
    assert answer.status_code == 200
    assert "<Message>" in answer.text
    assert "988" in answer.text


async def test_a_stop_that_cannot_be_kept_is_not_confirmed(phone, engine):
    with writing(engine) as db:
        db.execute(sa.text("DROP TABLE sms_inbox"))
    assert (await phone.posts(phone.body("STOP"))).status_code == 503


async def test_a_store_that_hangs_delays_no_acknowledgement(phone, app, engine, monkeypatch):
    hanging = threading.Event()
    add = SmsInbox.add
    monkeypatch.setattr(SmsInbox, "add", lambda *a, **k: (hanging.wait(20), add(*a, **k)))
    began = time.perf_counter()
    answer = await phone.posts(phone.body("danger"))
    assert time.perf_counter() - began < 1.0
    assert "988" in answer.text
    hanging.set()
    await app.state.texting._accepting
    assert phone.contact() is None, "what was answered without the store is not answered again"


async def test_a_dead_brain_leaves_nobody_in_danger_without_help(phone, brain):
    brain.answer = dead
    assert "988" in (await phone.texts("danger"))[0]
    assert "988" in (await phone.texts("hello"))[0]


async def test_a_number_that_no_clinic_has_is_answered_all_the_same(phone):
    answer = await phone.posts(phone.body("danger", To="+18335550199"))
    assert "988" in answer.text


async def test_a_text_of_ten_parts_arrives_as_one(phone, brain):
    text = "word " * 300
    await phone.texts(text)
    [request] = brain.requests
    assert request.text == text.strip()


async def test_a_long_answer_is_several_texts_in_order(phone, brain):
    brain.answer = lambda _: says("sentence one. " * 60)
    parts = await phone.texts("tell me all")
    assert len(parts) > 2
    assert all(len(part) <= 320 for part in parts)


async def test_a_hundred_numbers_at_once_are_all_answered(phone, web, app, engine, brain):
    phones = [Phone(web, app, engine, f"+1617555{n:04}") for n in range(100)]
    seconds = []

    async def text(each: Phone) -> None:
        began = time.perf_counter()
        answer = await each.posts(each.body("hello", MessageSid=f"SM{each.number[1:]}"))
        seconds.append(time.perf_counter() - began)
        assert answer.text.endswith("<Response></Response>")

    await asyncio.gather(*map(text, phones))
    await phone.settled()
    assert all(len(each.outbox()) == 1 for each in phones)
    print(f"\nacknowledged: p50 {sorted(seconds)[50]:.3f} s, p99 {sorted(seconds)[98]:.3f} s")


def test_two_clinics_with_one_number_are_told_with_file_and_line(tmp_path):
    for name in ("greater_boston", "time_wellness_georgia"):
        text = (ROOT / "clinics" / f"{name}.yml").read_text()
        (tmp_path / f"{name}.yml").write_text(f'{text}\nsms:\n  number: "+18335550100"\n')
    with pytest.raises(DataError, match=r"time_wellness_georgia\.yml:\d+: greater_boston has"):
        load_clinics(tmp_path)
