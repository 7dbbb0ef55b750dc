"""One clinic's house for one night, in one process: everything is real but the clock.

The trained assistant, the database, the worker's rounds and its delivery, a mail server
that listens, and the console as a browser without JavaScript sees it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import re
import threading
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random

import argon2
import httpx
import yaml

from bot.commands.assistant import load_assistant
from bot.commands.audit import verify_audit
from bot.console.passwords import Passwords
from bot.notify.notice import EMAIL
from bot.settings import ROOT, Settings
from bot.worker.delivery import Delivery
from bot.worker.mail import Mail
from bot.worker.rounds import page, tell_of_the_night
from tests.console.conftest import Browser, add_staff, client_of, make_app
from tests.dialogue.visitor import Visitor
from tests.worker.conftest import CONSOLE, MailHouse

CLINIC = "greater_boston"
COORDINATORS, SUPERVISORS = "intake@clinic.example", "lead@clinic.example"
ROUND = timedelta(minutes=5)  # the worker looks every few seconds; a night is long
TURN = timedelta(seconds=40)  # what a visitor takes to read and to type
FORM = ("name", "phone", "state", "best_time", "ok_to_call", "ok_voicemail")


@dataclasses.dataclass(frozen=True)
class Line:
    """Something that was said or done.

    Attributes:
        who: empty for a heading.
        form: it is a plain question of the callback form, or its answer.
    """

    at: datetime
    who: str
    said: str
    form: bool = False


class NightHouse:
    """The house, from `opens` on.

    Attributes:
        now: the only clock.
        told: everything in order, to be read.
        mail: the mail server, with what came in.
    """

    def __init__(self, settings: Settings, folder: Path, opens: datetime, mail: MailHouse):
        self.now = opens
        self.told: list[Line] = []
        self.mail = mail
        self._settings = dataclasses.replace(
            settings,
            data=folder,
            database=f"sqlite:///{folder}/handrail.db",
            clinics=_clinics(folder / "clinics"),
        )
        self._loop = asyncio.new_event_loop()
        self.assistant = self._wait(load_assistant(self._settings))
        cheap = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        add_staff(self.assistant.engine, cheap)
        self._console = make_app(
            self.assistant.engine, self.assistant.clinics, lambda: self.now, cheap
        )
        self._delivery = Delivery(
            self.assistant.engine,
            {EMAIL: Mail(mail.url, CONSOLE)},
            holder="night",
            clock=lambda: self.now,
            random=Random(1),
            stop=threading.Event(),
        )
        self._clients: list[httpx.AsyncClient] = []

    def close(self) -> None:
        """Let everything go."""
        for client in self._clients:
            self._wait(client.aclose())
        self._loop.close()
        self.assistant.engine.dispose()

    def until(self, clock: str) -> None:
        """Let time pass to the next `clock` ("01:50"), while the worker makes its rounds."""
        hour, minute = map(int, clock.split(":"))
        end = self.now.replace(hour=hour, minute=minute, second=0)
        end += timedelta(days=end < self.now)
        while self.now < end:
            self.passes(min(ROUND, end - self.now))

    def passes(self, time: timedelta) -> None:
        """Let `time` pass; then the worker makes a round."""
        self.now += time
        self._round()

    def visitor(self, who: str, channel: str = "web") -> NightVisitor:
        """Somebody opens the chat, or writes to the number."""
        way = {"web": "the web chat", "sms": "text message"}[channel]
        self.tell("", f"{who}, by {way}")
        return NightVisitor(self, self._loop, who, channel)

    def staff(self, name: str, full_name: str) -> Colleague:
        """Somebody opens the console and logs in."""
        client = client_of(self._console)
        self._clients.append(client)
        browser = self._wait(Browser(client).log_in(name))
        self.tell(full_name, "logs in to the console.")
        return Colleague(self, browser, full_name)

    def audit_verify(self) -> str:
        """What `handrail audit verify` prints; it must find the chain unbroken."""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert verify_audit(self._settings) == 0
        return out.getvalue()

    def tell(self, who: str, said: str, *, form: bool = False) -> None:
        """Keep what was said or done."""
        self.told.append(Line(self.now, who, said, form))

    def subjects(self, recipient: str) -> list[str]:
        """Subjects of the e-mails that one address got, in order."""
        pairs = zip(self.mail.recipients, self.mail.messages, strict=True)
        return [_subject(message) for to, message in pairs if to == recipient]

    @staticmethod
    def all_but_its_id(message: EmailMessage) -> str:
        """Headers and text of an e-mail; its id is random, and could look like anything."""
        headers = [f"{name}: {value}" for name, value in message.items() if name != "Message-ID"]
        return "\n".join([*headers, message.get_content()])

    def _round(self) -> None:
        """What the worker's jobs do, in their order."""
        engine, clinics = self.assistant.engine, self.assistant.clinics
        before = len(self.mail.came)
        page(engine, clinics, self.now)
        tell_of_the_night(engine, clinics, self.now)
        self._delivery.deliver_due()
        for message in self.mail.messages[before:]:
            self.tell(f"E-mail to {message['To']}", _subject(message))

    def _wait(self, work):
        return self._loop.run_until_complete(work)


class NightVisitor(Visitor):
    """A visitor whose time is the house's; everything that is said is kept."""

    def __init__(
        self, house: NightHouse, loop: asyncio.AbstractEventLoop, who: str, channel: str
    ) -> None:
        self._house = house
        self._who = who
        super().__init__(house.assistant, loop, CLINIC, channel, house.now, None)

    def _take(self, **said: object) -> Visitor:
        self.now = self._house.now
        words = str(said.get("text") or f"[{said.get('button_label')}]")
        self._house.tell(self._who, words, form=self.state.open_question in FORM)
        super()._take(**said)
        self._house.tell("Handrail", self.text, form=self.state.open_question in FORM)
        self._house.passes(TURN)
        return self


class Colleague:
    """A member of staff at the console."""

    def __init__(self, house: NightHouse, browser: Browser, name: str) -> None:
        self._house = house
        self._browser = browser
        self._name = name

    def queue(self) -> list[tuple[str, str]]:
        """(code, reason) of every row, first things first."""
        page = self._see("/console")
        rows = re.findall(r'href="/console/records/([^"]+)">([^<]+)</a></h2>', page)
        assert rows or "Nobody is waiting here." in page
        return rows

    def card(self, code: str) -> str:
        """The page of a record."""
        return self._see(f"/console/records/{code}")

    def takes(self, code: str) -> None:
        """Claim it."""
        self._posts(code, "claim", f"takes {code}.")

    def calls(self, code: str, outcome: str, note: str = "") -> None:
        """Log a call."""
        words = f"logs a call for {code}: {outcome.replace('_', ' ')}. {note}"
        self._posts(code, "attempt", words.strip(), outcome=outcome, note=note)

    def closes(self, code: str, disposition: str, note: str = "") -> None:
        """Close it, or ask for the second person."""
        how = f"{code}: {disposition.replace('_', ' ')}. {note}".strip()
        two = "a second person must agree" in self.card(code)
        words = f"asks a second person to close {how}" if two else f"closes {how}"
        self._posts(code, "close", words, disposition=disposition, note=note)

    def agrees(self, code: str) -> int:
        """Agree as the second person that it is closed; returns the HTTP status."""
        path = f"/console/records/{code}/second"
        status = int(self._house._wait(self._browser.post(path, agree="yes")).status_code)
        self._house.tell(
            self._name,
            f"agrees that {code} is closed."
            if status == 303
            else f"tries to agree for {code} and is told that somebody else must.",
        )
        return status

    def _posts(self, code: str, form: str, words: str, **fields: str) -> None:
        answer = self._house._wait(self._browser.post(f"/console/records/{code}/{form}", **fields))
        assert answer.status_code == 303, answer.text
        self._house.tell(self._name, words)
        self._house.passes(TURN)

    def _see(self, path: str) -> str:
        page = self._house._wait(self._browser.see(path))
        assert page.status_code == 200, page.text
        return str(page.text)


def _subject(message: EmailMessage) -> str:
    return str(message["Subject"]).strip()  # a long line is folded, and keeps a space of that


def _clinics(folder: Path) -> Path:
    """A folder with the one clinic, which tells two addresses."""
    folder.mkdir()
    profile = yaml.safe_load((ROOT / "clinics" / f"{CLINIC}.yml").read_text("utf-8"))
    profile["notifications"] |= {"coordinators": [COORDINATORS], "supervisors": [SUPERVISORS]}
    text = yaml.safe_dump(profile, allow_unicode=True)
    (folder / f"{CLINIC}.yml").write_text(text, encoding="utf-8")
    return folder
