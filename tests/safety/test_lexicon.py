"""Every entry of the lexicon holds on its own examples and traps."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.reviewed import DataError
from bot.safety.check import entry_problems
from bot.safety.lexicon import CATEGORIES, FOLDER, IDIOM, load_lexicon

LEXICON = load_lexicon()


@pytest.mark.parametrize("placed", LEXICON.entries, ids=lambda placed: placed.entry.id)
def test_entry_hits_its_examples_and_avoids_its_traps(placed) -> None:
    assert [str(problem) for problem in entry_problems(LEXICON, placed)] == []


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("category", [each for each in CATEGORIES if each != "suicide_passive"])
def test_every_category_speaks_both_languages(category: str, language: str) -> None:
    languages = {placed.entry.language for placed in LEXICON.entries if placed.category == category}
    assert language in languages


def copy_lexicon(folder: Path) -> Path:
    for path in FOLDER.glob("*.yml"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("find", "replace", "complaint"),
    [
        ("tier: crisis_self", "tier: terrible", "tier"),
        ("{kill_self}", "{no_such_part}", "no part 'no_such_part'"),
        ("id: wants_to_die\n", "id: kill_self_named\n", "stands twice"),
        ('"{want} death"', '"{want} (death"', "bracket is not closed"),
        ('"{want} death"', '"{want} death ..2"', "begin and end with words"),
    ],
)
def test_a_mistake_refuses_to_load_and_names_its_line(
    tmp_path: Path, find: str, replace: str, complaint: str
) -> None:
    file = copy_lexicon(tmp_path) / "suicide_active.yml"
    text = file.read_text(encoding="utf-8")
    assert find in text
    file.write_text(text.replace(find, replace, 1), encoding="utf-8")

    with pytest.raises(DataError) as refused:
        load_lexicon(tmp_path)

    assert complaint in str(refused.value)
    assert all(problem.path == file for problem in refused.value.problems)
    assert all(problem.line > 1 for problem in refused.value.problems)


def test_a_missing_file_refuses_to_load(tmp_path: Path) -> None:
    (copy_lexicon(tmp_path) / f"{IDIOM}.yml").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        load_lexicon(tmp_path)
