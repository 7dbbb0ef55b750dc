"""Prepared arrays are found for the very sources that they were made from, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from bot import prepared


@pytest.fixture
def sources(tmp_path) -> list[Path]:
    text, arrays = tmp_path / "source.txt", tmp_path / "source.npz"
    text.write_text("one")
    np.savez(arrays, numbers=np.arange(3))
    return [text, arrays]


def test_arrays_come_back_as_they_were_and_cannot_be_changed(tmp_path):
    arrays = {"small": np.array(0.5), "wide": np.arange(6, dtype=np.uint8).reshape(2, 3)}
    prepared.keep(tmp_path / "new", "thing", "abc", arrays)
    found = prepared.find(tmp_path / "new", "thing", "abc")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
        assert not found[name].flags.writeable


def test_nothing_is_found_that_was_made_from_other_sources(tmp_path):
    prepared.keep(tmp_path, "thing", "abc", {"a": np.ones(1)})
    assert prepared.is_kept(tmp_path, "thing", "abc")
    assert not prepared.is_kept(tmp_path, "thing", "abd")
    assert prepared.find(tmp_path, "thing", "abd") is None
    assert prepared.find(tmp_path / "nowhere", "thing", "abc") is None


def test_keeping_a_thing_deletes_what_is_out_of_date_and_nothing_else(tmp_path):
    for name, made_from in (("other", "abc"), ("thing", "abc"), ("thing", "abd")):
        prepared.keep(tmp_path, name, made_from, {"a": np.ones(1)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other-abc", "thing-abd"]


def test_who_has_mapped_the_older_arrays_keeps_them(tmp_path):
    prepared.keep(tmp_path, "thing", "abc", {"a": np.ones(5000)})
    older = prepared.find(tmp_path, "thing", "abc")
    prepared.keep(tmp_path, "thing", "abc", {"a": np.zeros(5000)})
    assert older["a"].all()
    assert not prepared.find(tmp_path, "thing", "abc")["a"].any()


def test_arrays_that_cannot_be_written_leave_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        prepared.keep(tmp_path, "thing", "abc", {"a": np.ones(1), "b": np.array([{}])})
    assert not list(tmp_path.iterdir())


def test_the_same_contents_have_the_same_fingerprint(sources):
    before = prepared.fingerprint(*sources)
    for source in sources:
        source.write_bytes(source.read_bytes())
    assert prepared.fingerprint(*sources) == before


def test_any_other_byte_has_another_fingerprint(sources):
    before = prepared.fingerprint(*sources)
    sources[0].write_text("onf")
    changed = prepared.fingerprint(*sources)
    np.savez(sources[1], numbers=np.arange(1, 4))
    assert len({before, changed, prepared.fingerprint(*sources)}) == 3
