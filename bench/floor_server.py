"""The floor for a turn: the gateway's own server, one sentence encoding, one durable commit.

    python bench/floor_server.py PORT DATABASE

`POST /` takes {"text"}, answers {"text"}; there is no dialogue. Whatever a turn costs beyond
this is Handrail's own.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from datetime import datetime, timezone

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.gateway.run import server
from bot.nlu.sentence_encoder import encode
from bot.settings import Settings
from bot.store import writing
from bot.store.engine import open_engine
from bot.store.vault import Vault

METADATA = sa.MetaData()
SAID = sa.Table(
    "said",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text),
    sa.Column("at", sa.Text),
)


def main() -> int:
    """Serve until stopped."""
    port, database = int(sys.argv[1]), sys.argv[2]
    settings = dataclasses.replace(Settings.from_environment(), host="127.0.0.1", port=port)
    engine = open_engine(database, Vault.of_settings(settings.keys, settings.key_file))
    METADATA.create_all(engine)

    def write(text: str) -> None:
        with writing(engine) as connection:
            now = datetime.now(timezone.utc).isoformat()
            connection.execute(sa.insert(SAID).values(text=text, at=now))

    async def say(request: Request) -> JSONResponse:
        text = (await request.json())["text"]
        encode([text])
        await asyncio.to_thread(write, text)
        return JSONResponse({"text": text})

    app = Starlette(routes=[Route("/", say, methods=["POST"])])
    uvicorn.Server(server(app, settings)).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
