"""Profiles for the tests: the two shipped ones, and copies that a test may spoil."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.clinic.profile import Clinic, load_clinic
from bot.settings import ROOT

CLINICS = ROOT / "clinics"
PARKING = """extra_faq:
  - id: parking
    label: {en: Is there parking?, es: ¿Hay estacionamiento?}
    questions:
      en: [where can I park, do you have parking, parking?, is there a lot, I come by car]
      es: [dónde me estaciono, hay parqueo, tienen lugar para carros, voy en auto, y el carro]
    source: the clinic's front desk, 2026-11-20
    follow_up: [location_contact]
    web: {en: "Yes, behind the house. Call {phone}.", es: "Sí, detrás. Llame al {phone}."}
    sms: {en: Yes. It is behind the house., es: Hay detras de la casa.}
"""


@pytest.fixture(scope="session")
def boston() -> Clinic:
    return load_clinic(CLINICS / "greater_boston.yml")


@pytest.fixture(scope="session")
def georgia() -> Clinic:
    return load_clinic(CLINICS / "time_wellness_georgia.yml")


@pytest.fixture(scope="session")
def both(boston: Clinic, georgia: Clinic) -> tuple[Clinic, Clinic]:
    return boston, georgia


@pytest.fixture
def spoiled(tmp_path: Path) -> Callable[..., Path]:
    """Boston's file with `old` replaced by `new`, once each; returns the folder."""

    def spoil(*replacements: tuple[str, str]) -> Path:
        text = (CLINICS / "greater_boston.yml").read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "greater_boston.yml").write_text(text, encoding="utf-8")
        return tmp_path

    return spoil


@pytest.fixture(scope="session")
def parking() -> str:
    """An entry that an admin added, in place of `extra_faq: []`."""
    return PARKING


@pytest.fixture
def with_parking(spoiled: Callable[..., Path], parking: str) -> Clinic:
    """Boston with one entry that its admin added."""
    return load_clinic(spoiled(("extra_faq: []", parking)) / "greater_boston.yml")
