"""The whole way over a Twilio that others wrote: texts in, turns, texts out, callbacks."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

from bot.clinic.profile import Sms
from bot.commands.assistant import InProcessBrain
from bot.gateway.app import create_app
from bot.gateway.sms import TwilioDoor
from bot.nlu.sentence_encoder import encode
from bot.safety.replies import load_replies
from bot.safety.screen import load_screen
from bot.store import reading
from bot.store.handoffs import Handoffs
from bot.store.tables import sms_outbox
from bot.twilio import Twilio
from bot.worker.texts import TextDelivery
from tests.dialogue.visitor import THANKSGIVING
from tests.sms.conftest import NUMBER
from tests.sms.node_oracles import npm  # noqa: F401
from tests.worker.conftest import free_port

ACCOUNT, TOKEN = "AC" + "0" * 32, "emulated-token"
VISITOR = "+16175550177"


class Emulator:
    """The npm package `emulate` as Twilio, and somebody's phone at its other end."""

    def __init__(self, folder: Path, tmp: Path, webhook: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        seed = tmp / "seed.json"
        number = {"phone_number": NUMBER, "sms_url": webhook}
        account = {"sid": ACCOUNT, "auth_token": TOKEN}
        seed.write_text(json.dumps({"twilio": {"account": account, "phone_numbers": [number]}}))
        self._process = subprocess.Popen(
            [
                *["node", "node_modules/emulate/dist/index.js", "start", "--service", "twilio"],
                *("--port", str(self.port), "--seed", str(seed)),
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "CI": "1"},
        )
        pair = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        self._headers = {"authorization": f"Basic {pair}"}
        end = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < end, "the emulator does not start"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json").is_error
        except httpx.TransportError:
            return False

    async def text(self, web: httpx.AsyncClient, words: str, sender: str = VISITOR) -> None:
        answer = await web.post(
            f"{self.url}/_twilio/simulate/inbound-message",
            data={"To": NUMBER, "From": sender, "Body": words},
            headers=self._headers,
        )
        assert answer.status_code == 201

    async def received(self, web: httpx.AsyncClient, number: str = VISITOR) -> list[str]:
        """What came to this phone, oldest first."""
        answer = await web.get(
            f"{self.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=1000",
            headers=self._headers,
        )
        messages = [m for m in answer.json()["messages"] if m["direction"] == "outbound-api"]
        return [m["body"] for m in reversed(messages) if m["to"] == number]

    async def delivered(self, web: httpx.AsyncClient, sid: str) -> None:
        await web.post(
            f"{self.url}/_twilio/simulate/message-status",
            data={"MessageSid": sid, "Status": "delivered"},
            headers=self._headers,
        )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def emulator(npm, tmp_path_factory, port) -> Iterator[Emulator]:  # noqa: F811
    made = Emulator(npm, tmp_path_factory.mktemp("emulator"), f"http://127.0.0.1:{port}/sms/twilio")
    yield made
    made.stop()


@pytest.fixture
def house(assistant, settings, port, emulator):
    """The gateway with the real assistant behind it, and the worker that sends."""
    clinic = assistant.clinics["greater_boston"].copy(update={"sms": Sms(number=NUMBER)})
    clinics = {**assistant.clinics, clinic.id: clinic}
    public = f"http://127.0.0.1:{port}"
    app = create_app(
        clinics=clinics,
        screen=load_screen(classifier_path=settings.safety_model, encode=encode),
        replies=load_replies(),
        engine=assistant.engine,
        brain=InProcessBrain(assistant.brain),
        clock=lambda: THANKSGIVING,
        deadline=60.0,
        twilio=TwilioDoor(public, (TOKEN,)),
    )
    provider = Twilio(ACCOUNT, TOKEN, api=emulator.url, callback=f"{public}/sms/twilio/status")
    worker = TextDelivery(
        assistant.engine,
        provider,
        clinics,
        holder="w",
        clock=lambda: THANKSGIVING,
        random=Random(1),
        stop=threading.Event(),
    )
    return app, worker


@asynccontextmanager
async def served(app, port: int):
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="error", lifespan="off", ws="none")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    try:
        async with httpx.AsyncClient(timeout=30) as web:
            yield web
    finally:
        server.should_exit = True
        await serving


def test_a_triage_and_a_callback_by_text(house, emulator, loop, port, assistant):
    app, worker = house
    heard: list[str] = []

    async def conversation() -> None:
        async with served(app, port) as web:

            async def says(words: str) -> str:
                """Send it; what comes back on the phone."""
                before = len(await emulator.received(web))
                await emulator.text(web, words)
                texting = app.state.texting
                while texting._at_work:
                    await asyncio.gather(*texting._at_work.values())
                await asyncio.to_thread(worker.deliver_due)
                answer = "\n".join((await emulator.received(web))[before:])
                heard.extend((f"> {words}", answer))
                assert answer, f"no answer to {words!r}"
                return answer

            first = await says("hi")
            assert "automated" in first
            assert "STOP" in first
            assert "1 For me" in await says("find a program")
            answer = await says("1")
            for _ in range(14):
                if "phone line" in answer.lower() or "call you" in answer.lower():
                    break
                question = answer.lower()
                if "state do you live" in question:
                    answer = await says("Massachusetts")
                else:
                    answer = await says("1")
            assert "988" in await says("HELP")
            answer = await says("please have someone call me back")
            for _ in range(14):
                question = answer.lower()
                if "name" in question and "use when we call" in question:
                    answer = await says("Ana")
                elif "(617) 555-0177 the right number" in question:
                    answer = await says("yes")
                elif "state" in question and "live" in question:
                    answer = await says("MA")
                elif "code" in question:
                    break
                elif "best time" in question or "good time" in question:
                    answer = await says("any morning")
                else:
                    answer = await says("1")
            with reading(assistant.engine) as db:
                rows = list(db.execute(sa.select(sms_outbox.c.sid, sms_outbox.c.contact)))
                reference, record = Handoffs(db).find(rows[-1].contact)
            assert (record.name, record.phone, record.channel) == ("Ana", VISITOR, "sms")
            assert reference in "\n".join(heard)
            await emulator.delivered(web, rows[-1].sid)
            last = await says("STOP")
            assert "opted out" in last

    try:
        loop.run_until_complete(conversation())
    finally:
        print("\n" + "\n".join(heard))
    with reading(assistant.engine) as db:
        states = list(db.execute(sa.select(sms_outbox.c.status)).scalars())
    assert "delivered" in states
    assert None not in states
