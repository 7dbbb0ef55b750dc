"""What clinic admins add reaches training, and a change of it makes training due."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from rasa.shared.importers.importer import TrainingDataImporter

from bot.nlu.examples import intent_by_example
from bot.reviewed import DataError
from bot.settings import ROOT, Settings
from bot.training import fingerprint
from tests.clinic.conftest import PARKING


@pytest.fixture
def clinics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of profiles that the environment names; Boston has an added entry."""
    folder = tmp_path / "clinics"
    shutil.copytree(ROOT / "clinics", folder)
    monkeypatch.setenv("HANDRAIL_CLINICS", str(folder))
    change(folder, "extra_faq: []", PARKING)
    return folder


def change(folder: Path, old: str, new: str, clinic: str = "greater_boston") -> None:
    path = folder / f"{clinic}.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def importer() -> TrainingDataImporter:
    """As Rasa's own commands make it, from config.yml."""
    return TrainingDataImporter.load_from_config(
        str(ROOT / "config.yml"), str(ROOT / "domain.yml"), [str(ROOT / "data/stories")]
    )


def phrasings() -> list[str]:
    return [e.get("text") for e in importer().get_nlu_data().intent_examples]


def test_phrasings_in_both_languages_become_examples_of_their_intent(clinics):
    examples = importer().get_nlu_data().intent_examples
    assert {"where can I park", "dónde me estaciono"} <= {e.get("text") for e in examples}
    assert {e.get("intent") for e in examples} == {"faq_parking"}


def test_the_intent_is_known_and_a_rule_answers_it(clinics):
    assert "faq_parking" in importer().get_domain().intents
    rules = [step.block_name for step in importer().get_stories().story_steps]
    assert "answer parking, added by a clinic" in rules
    assert "answer work school" in rules


def test_without_added_entries_nothing_is_added(clinics):
    change(clinics, PARKING, "extra_faq: []")
    assert phrasings() == []
    assert not [i for i in importer().get_domain().intents if i == "faq_parking"]


def test_entries_of_two_clinics_with_one_id_are_one_topic(clinics):
    other = (
        PARKING.replace("where can I park", "can I leave my truck")
        .replace("Call {phone}.", "")
        .replace("Llame al {phone}.", "")
    )
    change(clinics, "extra_faq: []", other, "time_wellness_georgia")
    assert {"where can I park", "can I leave my truck"} <= set(phrasings())
    assert phrasings().count("do you have parking") == 1


def test_a_profile_that_cannot_be_used_stops_the_training_and_says_why(clinics):
    change(clinics, "      es: [dónde", "      is: [dónde")
    with pytest.raises(DataError, match=r"greater_boston\.yml:\d+: .*es: field required"):
        importer().get_nlu_data()


def test_other_phrasings_make_training_due_other_answers_do_not(clinics):
    settings = dataclasses.replace(Settings.from_environment({}), clinics=clinics)
    before = fingerprint(settings)
    change(clinics, "It is behind the house.", "Next door.")
    assert fingerprint(settings) == before
    change(clinics, "where can I park", "where can I put my car")
    assert fingerprint(settings) != before


def test_the_projects_own_examples_are_read_without_rasa():
    known = intent_by_example()
    assert known["can i keep my job if i do iop"] == "faq_work_school"
