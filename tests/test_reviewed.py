"""Mistakes in reviewed data are reported with file and line."""

import pytest

from bot.reviewed import Bilingual, DataError, Document


def write(tmp_path, text):
    path = tmp_path / "some.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_yes_and_no_are_words_and_true_is_a_boolean(tmp_path):
    assert Document(write(tmp_path, "a: no\nb: yes\nc: true\nd: off")).data == {
        "a": "no",
        "b": "yes",
        "c": True,
        "d": "off",
    }


def test_dates_stay_text(tmp_path):
    assert Document(write(tmp_path, "verified_on: 2026-11-01")).data == {
        "verified_on": "2026-11-01"
    }


def test_the_line_of_a_nested_entry_is_known(tmp_path):
    document = Document(write(tmp_path, "a:\n  - b: 1\n  - c: 2\n    d: 3\n"))
    assert document.line(("a", 1, "d")) == 4
    assert document.line(("a", 1, "missing")) == 3


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [", 3, "not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "stands twice"),
        ("en: hello\nfr: bonjour\nes: hola\n", 2, "fr"),
        ("en: hello\n", 1, "es"),
        ("- a list\n", 1, "mapping"),
    ],
)
def test_a_mistake_names_file_and_line(tmp_path, text, line, words):
    with pytest.raises(DataError) as caught:
        Document(write(tmp_path, text)).parse(Bilingual)
    [problem] = caught.value.problems
    assert str(problem).startswith(f"{problem.path}:{line}: ")
    assert words in problem.message


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        ("a:\n\tb: 1\n", 2, "put spaces in its place"),
        ("a:\n  b: 1\n   c: 2\n", 3, "further left or right"),
        ("a: note: this\n", 1, "is not quoted"),
    ],
)
def test_a_file_that_is_no_yaml_is_told_with_the_likely_reason(tmp_path, text, line, fix):
    with pytest.raises(DataError) as caught:
        Document(write(tmp_path, text))
    [problem] = caught.value.problems
    assert (problem.line, fix in problem.message) == (line, True), problem


def test_a_file_of_another_encoding_is_told_with_its_line(tmp_path):
    path = tmp_path / "some.yml"
    path.write_bytes("en: yes\nes: sí\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"some\.yml:2: .*UTF-8"):
        Document(path)


def test_a_missing_file_is_a_mistake_too(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        Document(tmp_path / "nowhere.yml")
