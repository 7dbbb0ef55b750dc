"""The docs keep up with the code."""

import re
from pathlib import Path

import pytest

from bot import settings
from bot.cli import _parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATORS = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_setting_is_documented():
    names = set(re.findall(r"HANDRAIL_[A-Z]+", Path(settings.__file__).read_text()))
    assert names <= set(re.findall(r"HANDRAIL_[A-Z]+", OPERATORS))


def test_every_command_is_in_the_readme():
    [commands] = [
        action for action in _parser()._actions if getattr(action, "choices", None) is not None
    ]
    assert {name for name in commands.choices if f"`{name}`" not in README} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_project_lead_somewhere(document):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_folder_of_the_code_is_in_the_architecture_page():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    folders = {path.parent.name for path in (ROOT / "bot").glob("*/__init__.py")}
    assert {name for name in folders if f"{name}/" not in page} == set()
