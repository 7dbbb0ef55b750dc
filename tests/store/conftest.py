"""Every store test runs twice: on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import uuid
from typing import Iterator

import pgserver
import pytest
import sqlalchemy as sa

from bot.store import migrate, open_engine
from tests.keys import VAULT


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server that lives as long as the tests."""
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request, tmp_path) -> Iterator[str]:
    """URL of a new database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'handrail.db'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    admin.dispose()
    yield sa.engine.make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def engine(empty_database) -> Iterator[sa.engine.Engine]:
    """An engine on a migrated, empty database."""
    engine = open_engine(empty_database, VAULT)
    migrate(engine)
    yield engine
    engine.dispose()
