"""In which time zone somebody's "after 5" is meant."""

from __future__ import annotations

import functools
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.clinic.hours import clinic_zone
from bot.clinic.profile import Clinic
from bot.reviewed import Document, ReviewedModel

ZONES_FILE = Path(__file__).with_name("zones.yml")


class Zones(ReviewedModel):
    """The whole of `zones.yml`."""

    zones: dict[str, list[str]]
    in_two_zones: list[str]


@functools.cache
def load_zones() -> Zones:
    """The zones; raises `bot.reviewed.DataError` with file and line."""
    return Document(ZONES_FILE).parse(Zones)


def zone_of(state: str | None, clinic: Clinic) -> ZoneInfo:
    """The zone of a state; the clinic's own where the state has two or is not known.

    Args:
        state: two-letter code, or anything else for "not known".

    Raises:
        UnreadableHoursError: the clinic's zone is needed and there is no such zone.
    """
    for name, states in load_zones().zones.items():
        if state in states:
            return ZoneInfo(name)
    return clinic_zone(clinic)
