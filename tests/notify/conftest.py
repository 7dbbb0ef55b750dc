"""Clinics whose staff are told; times around a night."""

from __future__ import annotations

import pytest

from bot.clinic.profile import Clinic, ClinicWebhook, Notifications, load_clinic
from bot.settings import ROOT

TOLD = Notifications(
    coordinators=["intake@clinic.example", "desk@clinic.example"],
    supervisors=["lead@clinic.example"],
    webhook=ClinicWebhook(url="https://hooks.example/in", secret_from="HOOK_SECRET"),
    urgent_after_minutes=15,
    supervisor_after_minutes=30,
)


@pytest.fixture(scope="session")
def silent() -> Clinic:
    """A clinic as shipped: nobody is told."""
    return load_clinic(ROOT / "clinics" / "greater_boston.yml")


@pytest.fixture(scope="session")
def boston(silent: Clinic) -> Clinic:
    """A clinic that tells two coordinators, a supervisor and a webhook."""
    return silent.copy(update={"notifications": TOLD})
