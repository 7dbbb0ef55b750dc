"""The database fails under the console: it says so, changes nothing, keeps what was typed."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.store import open_engine, reading
from bot.store.casework import Casework
from tests.console.conftest import PASSWORD, Browser
from tests.console.night import CLINIC, IOP
from tests.keys import VAULT
from tests.store.test_faults import HOLDER

NOTE = 'she said "evenings" & <mornings> are bad'


@pytest.fixture
def engine(prepared, tmp_path, monkeypatch):
    """The night's records, on a database for which nobody waits long."""
    monkeypatch.setattr("bot.store.engine.BUSY_SECONDS", 0.1)
    path = tmp_path / "handrail.db"
    path.write_bytes(prepared.read_bytes())
    engine = open_engine(f"sqlite:///{path}", VAULT)
    yield engine
    engine.dispose()


@contextmanager
def locked(tmp_path) -> Iterator[None]:
    """Another process holds the database."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "handrail.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate("")


@contextmanager
def gone(tmp_path) -> Iterator[None]:
    """The file has been taken away."""
    parts = {part: part.read_bytes() for part in tmp_path.glob("handrail.db*")}
    for part in parts:
        part.unlink()
    yield
    for part in tmp_path.glob("handrail.db*"):
        part.unlink()
    for part, content in parts.items():
        part.write_bytes(content)


def form_in(page: str) -> dict[str, str]:
    """The fields that the page would send."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    fields |= dict(re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', page))
    return {name: html.unescape(value) for name, value in fields.items()}


def case_of(engine):
    with reading(engine) as db:
        return Casework(db).named([IOP], [CLINIC])[0].case, Casework(db).entries(IOP)


@pytest.mark.parametrize("fault", [locked, gone])
async def test_a_call_that_cannot_be_saved_comes_back_and_is_saved_later(
    rosa, engine, tmp_path, fault
):
    before = case_of(engine)
    path = f"/console/records/{IOP}/attempt"
    with fault(tmp_path):
        answer = await rosa.post(path, outcome="reached", note=NOTE)
        assert answer.status_code == 503
        assert "Nothing was changed" in answer.text
        assert form_in(answer.text) == {"csrf": rosa.csrf, "outcome": "reached", "note": NOTE}
    assert case_of(engine) == before
    assert (await rosa.post(path, **form_in(answer.text))).status_code == 303
    case, [entry] = case_of(engine)
    assert (case.status, entry.note) == ("reached", NOTE)


@pytest.mark.parametrize("fault", [locked, gone])
async def test_a_page_that_cannot_be_shown_says_so_kindly(rosa, tmp_path, fault):
    with fault(tmp_path):
        page = await rosa.see(f"/console/records/{IOP}")
    assert page.status_code == 503
    assert "The database does not answer" in page.text
    assert "Whitfield" not in page.text
    assert (await rosa.see(f"/console/records/{IOP}")).status_code == 200


async def test_a_login_that_fails_for_the_database_keeps_what_was_typed(rosa, clock, tmp_path):
    clock.later(minutes=16)
    ended = await rosa.post(f"/console/records/{IOP}/note", note=NOTE)
    assert ended.status_code == 401
    fields = {"name": "rosa", "password": PASSWORD, **form_in(ended.text)}
    with locked(tmp_path):
        failed = await rosa.post("/console/login", **fields)
    assert failed.status_code == 503
    assert "The database does not answer" in failed.text
    assert PASSWORD not in failed.text
    fields = {"name": "rosa", "password": PASSWORD, **form_in(failed.text)}
    assert NOTE in html.unescape((await rosa.post("/console/login", **fields)).text)


async def test_a_password_that_was_typed_does_not_stand_in_the_page(open_browser, tmp_path):
    ada = await Browser(open_browser()).log_in("ada")
    with locked(tmp_path):
        typed = {"name": "zoe", "full_name": "Zoe Zed", "role": "coordinator"}
        answer = await ada.post(
            "/console/users", todo="add", password=PASSWORD, at_greater_boston="yes", **typed
        )
    assert answer.status_code == 503
    assert PASSWORD not in answer.text
    assert form_in(answer.text)["full_name"] == "Zoe Zed"
