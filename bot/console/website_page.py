"""What an admin pastes into the clinic's website, with a preview of the chat."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from starlette.responses import Response

from bot.clinic.profile import Clinic
from bot.console.office import Ask, Office, RefusedError


@dataclasses.dataclass(frozen=True)
class Website:
    """What the gateway knows of the chat on a clinic's website.

    Attributes:
        snippets: heading and text of what is pasted, for a clinic and this server's
            address; raises ValueError if the address is none.
        policy: the Content-Security-Policy of a page with a preview.
    """

    snippets: Callable[[Clinic, str], Sequence[tuple[str, str]]]
    policy: str


def show(website: Website, office: Office, ask: Ask) -> Response:
    """The snippets of one clinic, and its chat as visitors see it."""
    asked = ask.request.query_params.get("clinic")
    if asked is not None and asked not in office.clinics:
        raise RefusedError(404, "No such clinic", "Choose one of the clinics of this server.")
    clinic = office.clinics[asked] if asked else next(iter(office.clinics.values()))
    host = f"{ask.request.url.scheme}://{ask.request.url.netloc}"
    try:
        snippets = website.snippets(clinic, host)
    except ValueError as error:
        raise RefusedError(400, "This address cannot be used", str(error)) from None
    response = office.page(
        ask,
        "website.html",
        clinic=clinic,
        clinics=list(office.clinics.values()),
        host=host,
        snippets=snippets,
    )
    response.headers["Content-Security-Policy"] = website.policy
    return response
