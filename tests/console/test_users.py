"""`handrail user`, and the admin's page."""

from __future__ import annotations

import io

import pytest

from bot import cli
from tests.console.conftest import PASSWORD, Browser
from tests.console.night import CLINIC


@pytest.fixture
def handrail(tmp_path, monkeypatch, capsys):
    """Runs the command on an empty installation; gives exit code, stdout and stderr."""
    monkeypatch.setenv("HANDRAIL_DATA", str(tmp_path))
    monkeypatch.delenv("HANDRAIL_DATABASE", raising=False)
    monkeypatch.delenv("HANDRAIL_KEYS", raising=False)

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = cli.main(["user", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_user_is_added_listed_and_disabled(handrail):
    added = handrail(
        "add", "rosa", "--role", "coordinator", "--at", CLINIC, "--full-name", "Rosa D",
        stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    assert added[:2] == (0, "rosa can log in at http://localhost:8000/console\n")
    assert handrail("list")[1] == f"rosa\tcoordinator\t{CLINIC}\tactive\tRosa D\n"
    assert handrail("disable", "rosa")[:2] == (0, "rosa is disabled and logged out\n")
    assert "\tdisabled\t" in handrail("list")[1]


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("add", "Rosa D", "--role", "admin"), PASSWORD, "cannot be a user name"),
        (("add", "rosa", "--role", "admin"), "short", "12 to 200 characters"),
        (("add", "rosa", "--role", "admin"), "", "12 to 200 characters"),
        (("add", "rosa", "--role", "coordinator"), PASSWORD, "at least one clinic"),
        (("add", "rosa", "--role", "coordinator", "--at", "nowhere"), PASSWORD, "'nowhere'"),
        (("disable", "nobody"), "", "there is no user 'nobody'"),
        (("password", "nobody"), PASSWORD, "there is no user 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said(handrail, arguments, stdin, says):
    code, _, error = handrail(*arguments, stdin=stdin)
    assert code == 1
    assert says in error


async def test_an_admin_adds_a_user_who_can_then_log_in(open_browser):
    ada = await Browser(open_browser()).log_in("ada")
    await ada.see("/console/users")
    fields = {"todo": "add", "name": "eva", "full_name": "Eva Lund", "role": "coordinator"}
    await ada.post("/console/users", password=PASSWORD, **fields, **{f"at_{CLINIC}": "yes"})
    eva = await Browser(open_browser()).log_in("eva")
    assert "Queue" in (await eva.see("/console")).text
    await ada.post("/console/users", todo="disable", name="eva")
    assert (await eva.see("/console")).status_code == 401


async def test_an_admin_cannot_lock_themselves_out(open_browser):
    ada = await Browser(open_browser()).log_in("ada")
    await ada.see("/console/users")
    answer = await ada.post("/console/users", todo="disable", name="ada")
    assert answer.status_code == 422
    assert "cannot disable yourself" in answer.text
