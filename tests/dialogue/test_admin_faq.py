"""A clinic's admin adds a question to the clinic's file, and it is answered. No code, no Rasa.

Trained for real, by the project's own importer; with a few examples per intent, because
all of them would take a minute.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
import yaml

from bot.clinic.check import problems
from bot.commands.assistant import load_assistant
from bot.nlu.examples import intent_by_example
from bot.settings import ROOT, Settings
from bot.training import train_assistant
from tests.dialogue.visitor import MONDAY_MORNING, Visitor

BOSTON, GEORGIA = "greater_boston", "time_wellness_georgia"
EXAMPLES_PER_INTENT = 12
SERVICE_DOGS = """
  - id: service_dogs
    label: {en: Can I bring my dog?, es: ¿Puedo traer a mi perro?}
    questions:
      en:
        - can i bring my service dog
        - are dogs allowed in the building
        - I have an emotional support animal, is that okay
        - my dog goes everywhere with me, can he come in
        - do you let animals in
        - service animal policy
      es:
        - puedo llevar a mi perro de servicio
        - dejan entrar perros
        - tengo un animal de apoyo emocional, hay problema
        - mi perrito va conmigo a todos lados, puede entrar
        - aceptan animales
    source: front desk, 20 November 2026
    follow_up: [parking, what_to_expect]
    web: {en: Service dogs are welcome in every room., es: Los perros de servicio pueden entrar.}
    sms: {en: Service dogs are welcome., es: Pueden entrar perros de servicio.}
"""


def guide_entry() -> str:
    """The entry that docs/clinic-admins.md shows: parking."""
    guide = (ROOT / "docs/clinic-admins.md").read_text(encoding="utf-8")
    return re.search(r"```yaml\n(extra_faq:\n.*?)```", guide, re.DOTALL)[1]


@pytest.fixture(scope="module")
def clinics(tmp_path_factory) -> Path:
    """The shipped profiles, with two entries that Boston's admin wrote."""
    folder = tmp_path_factory.mktemp("admin") / "clinics"
    shutil.copytree(ROOT / "clinics", folder)
    profile = folder / f"{BOSTON}.yml"
    text = profile.read_text(encoding="utf-8")
    assert "extra_faq: []" in text
    profile.write_text(
        text.replace("extra_faq: []", guide_entry().rstrip() + SERVICE_DOGS), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def ask(clinics: Path, settings: Settings, loop, tmp_path_factory):
    """Conversations with an assistant that was trained with the admin's file."""
    root = tmp_path_factory.mktemp("project")
    for name in ("config.yml", "domain.yml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "data/stories", root / "data/stories")
    by_intent: dict[str, list[str]] = {}
    for text, intent in intent_by_example().items():
        by_intent.setdefault(intent, []).append(text)
    nlu = [
        {"intent": intent, "examples": "".join(f"- {t}\n" for t in texts[:EXAMPLES_PER_INTENT])}
        for intent, texts in by_intent.items()
    ]
    (root / "data/nlu.yml").write_text(yaml.safe_dump({"version": "3.1", "nlu": nlu}))
    own = dataclasses.replace(
        settings,
        clinics=clinics,
        model=root / "models" / "handrail.tar.gz",
        database=f"sqlite:///{root}/handrail.db",
    )
    shutil.copytree(settings.safety_model.parent, own.model.parent)
    own.model.unlink()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HANDRAIL_CLINICS", str(clinics))
        train_assistant(own, root)
    assistant = loop.run_until_complete(load_assistant(own))

    def start(clinic: str = BOSTON, channel: str = "web") -> Visitor:
        return Visitor(assistant, loop, clinic, channel, MONDAY_MORNING, None)

    yield start
    assistant.engine.dispose()


def test_the_admins_file_has_no_mistake(clinics):
    assert [p for p in problems(clinics, intent_by_example()) if not p.warning] == []


@pytest.mark.parametrize(
    ("question", "topic", "answer"),
    [
        ("where would i leave my car, is there a parking lot?", "parking", "free lot"),
        ("¿hay donde dejar el carro?", "parking", "estacionamiento gratis"),
        ("is my service dog allowed inside?", "service_dogs", "every room"),
        ("¿puede entrar mi perro de apoyo?", "service_dogs", "pueden entrar"),
    ],
)
def test_it_is_answered_in_both_languages(ask, question, topic, answer):
    ask().says(question).hears(f"faq_{topic}", answer)


def test_the_sms_answer_is_the_one_for_sms(ask):
    visitor = ask(channel="sms").says("are service dogs allowed?")
    visitor.hears("faq_service_dogs", "Service dogs are welcome.").does_not_hear("every room")


def test_its_button_leads_to_it(ask):
    visitor = ask().says("can i bring my service dog?")
    assert "Is there parking?" in visitor.buttons
    visitor.presses("Is there parking?").hears("faq_parking")


@pytest.mark.parametrize("question", ["is there a parking lot?", "¿dejan entrar perros?"])
def test_another_clinic_never_gives_that_answer(ask, question):
    visitor = ask(GEORGIA).says(question)
    assert visitor.responses[0] not in ("faq_parking", "faq_service_dogs")
    visitor.does_not_hear("free lot", "gratis", "entrar")


def test_another_clinic_says_that_its_material_is_silent(ask):
    ask(GEORGIA).says("can i bring my service dog?").hears("faq_silent", "doesn't say")


def test_shipped_topics_are_still_understood(ask):
    ask().says("can I keep my job during iop?").hears("faq_work_school")
