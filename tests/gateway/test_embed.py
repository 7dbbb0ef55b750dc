"""The script as it is served, and what a clinic pastes into its website."""

from __future__ import annotations

import base64
import gzip
import hashlib

import httpx
import pytest

from bot.cli import main
from bot.gateway.app import create_app
from bot.gateway.embed import SCRIPT, Bundle, Bundles, load_bundle, snippets
from tests.gateway.conftest import CLINIC, OPEN, WITHOUT_PHONE
from tests.gateway.text_browser import Page

HOST = "https://chat.example"
FOREIGN = {"Origin": "https://anywhere.example"}


async def test_the_script_may_be_loaded_by_every_site_and_is_cached_for_a_while(web):
    response = await web.get("/widget.js", headers=FOREIGN)
    assert response.content == SCRIPT.read_bytes()
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_who_has_it_already_gets_nothing_twice(web, encoding):
    accept = {"Accept-Encoding": encoding}
    first = await web.get("/widget.js", headers=accept)
    assert first.headers.get("content-encoding") == ("gzip" if encoding == "gzip" else None)
    assert first.headers["vary"] == "Accept-Encoding"
    tag = {"If-None-Match": first.headers["etag"]}
    again = await web.get("/widget.js", headers={**accept, **tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_version_is_the_same_for_ever_and_has_the_printed_integrity(web, clinics):
    printed = snippets(clinics[CLINIC], HOST, load_bundle()).pinned
    [script] = Page(printed).all("script")
    response = await web.get(str(script["src"]).removeprefix(HOST), headers=FOREIGN)
    assert "immutable" in response.headers["cache-control"]
    digest = base64.b64encode(hashlib.sha384(response.content).digest()).decode()
    assert script["integrity"] == f"sha384-{digest}"
    assert script["crossorigin"] == "anonymous"


@pytest.mark.parametrize("digest", ["0" * 16, "x", "..%2f..%2fetc", "0" * 5000])
async def test_an_unknown_version_is_refused(web, digest):
    assert (await web.get(f"/widget.{digest}.js")).status_code == 404


async def test_a_former_version_is_still_served_after_an_upgrade(
    tmp_path, clinics, screen, replies, engine, brain
):
    former, present = Bundle.of(b"// former"), Bundle.of(b"// present")
    Bundles(former, tmp_path / "widgets")
    app = create_app(
        clinics=clinics,
        screen=screen,
        replies=replies,
        engine=engine,
        brain=brain,
        clock=lambda: OPEN,
        bundles=Bundles(present, tmp_path / "widgets"),
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail") as web:
        assert (await web.get(f"/widget.{former.digest}.js")).content == b"// former"
        assert (await web.get("/widget.js")).content == b"// present"


def test_the_packed_script_is_the_script():
    bundle = load_bundle()
    assert gzip.decompress(bundle.packed) == bundle.content


def test_the_snippet_carries_the_phone_line_so_that_it_shows_without_a_server(clinics):
    [script] = Page(snippets(clinics[CLINIC], HOST, load_bundle()).script).all("script")
    assert script["data-phone"] == clinics[CLINIC].phone.display
    [without] = Page(snippets(clinics[WITHOUT_PHONE], HOST, load_bundle()).script).all("script")
    assert "data-phone" not in without


@pytest.mark.parametrize(
    "host", ['https://x"><script>', "chat.example", "javascript:alert(1)", "", "https://a b", "//x"]
)
def test_a_host_that_is_no_address_is_refused(clinics, host):
    with pytest.raises(ValueError, match="is no server's address"):
        snippets(clinics[CLINIC], host, load_bundle())


def test_the_command_prints_tags_and_policies(capsys):
    assert main(["embed", "--clinic", CLINIC, "--host", f"{HOST}/"]) == 0
    said, warned = capsys.readouterr()
    for part in (
        f'<script src="{HOST}/widget.js" data-clinic="{CLINIC}"',
        'crossorigin="anonymous"',
        f'<iframe src="{HOST}/chat?clinic={CLINIC}&amp;frame=1"',
        f"script-src {HOST}; connect-src {HOST}",
        f"frame-src {HOST}",
    ):
        assert part in said
    assert "website.origins" in warned


def test_the_command_refuses_a_host_that_is_no_address(capsys):
    assert main(["embed", "--clinic", CLINIC, "--host", "chat"]) == 2
    assert "write https://chat.clinic.example" in capsys.readouterr().err
