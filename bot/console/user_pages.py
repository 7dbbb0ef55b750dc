"""Users: what an admin sees and changes. No health information is on these pages."""

from __future__ import annotations

from starlette.responses import Response

from bot.console.office import Ask, Office, to
from bot.console.users import UserError, add_user, disable_user, enable_user, set_password
from bot.store import reading
from bot.store.staff import Staff
from bot.vocabulary import ROLES


def show(office: Office, ask: Ask, problem: str | None = None) -> Response:
    """Every user, and the form to add one."""
    with reading(office.engine) as db:
        members = Staff(db).all()
    return office.page(
        ask,
        "users.html",
        status=422 if problem else 200,
        members=members,
        roles=ROLES,
        clinics=office.clinics,
        problem=problem,
        typed=ask.form,
    )


def change(office: Office, ask: Ask) -> Response:
    """Add, disable or enable a user, or give one a new password."""
    form = ask.form
    name = form.get("name", "").strip().lower()
    actor = ask.member.name
    try:
        if form.get("todo") == "add":
            role = form.get("role", "")
            if role not in ROLES:
                raise UserError("choose a role")
            add_user(
                office.engine,
                office.passwords,
                name=name,
                full_name=form.get("full_name", ""),
                role=role,
                clinics=[clinic for clinic in office.clinics if form.get(f"at_{clinic}")],
                password=form.get("password", ""),
                now=ask.now,
                actor=actor,
            )
        elif form.get("todo") == "password":
            password = form.get("password", "")
            set_password(office.engine, office.passwords, name, password, ask.now, actor=actor)
        elif form.get("todo") == "disable":
            if name == actor:
                raise UserError("you cannot disable yourself; another admin can")
            disable_user(office.engine, name, ask.now, actor=actor)
        elif form.get("todo") == "enable":
            enable_user(office.engine, name, ask.now, actor=actor)
        else:
            raise UserError("there is nothing to do")
    except UserError as error:
        return show(office, ask, str(error))
    return to("/console/users")
