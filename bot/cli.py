"""The `handrail` command. Each subcommand's work is in `bot.commands` or `bot.serve`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import Settings, read_brains
from bot.vocabulary import CHANNELS, LANGUAGES, ROLES

if TYPE_CHECKING:
    from bot.commands.assistant import Assistant

# Imports stand inside the functions: a command loads only what it needs, and Rasa is
# imported after `without_tensorflow.install()`.

_EXIT_FAILED = 1
Command = Callable[[argparse.Namespace, Settings, argparse.ArgumentParser], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2: the arguments cannot be used)."""
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        parser.error(str(error))
    clinic = getattr(chosen, "clinic", None)
    if clinic is not None and not (settings.clinics / f"{clinic}.yml").is_file():
        known = ", ".join(sorted(path.stem for path in settings.clinics.glob("*.yml")))
        parser.error(f"there is no clinic {clinic!r}; there are: {known}")
    try:
        return int(chosen.run(chosen, settings, parser))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has enough; Python must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_FAILED
    except Exception as error:
        from bot.reviewed import DataError  # the supervisor would wait 50 ms for it

        if not isinstance(error, DataError):
            raise
        print(error, file=sys.stderr)
        return _EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="handrail", description="Intake triage assistant for behavioral-health clinics."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Command, help_text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.set_defaults(run=run)
        return added

    serve = command("serve", _serve, "Serve the assistant: gateway, brains and worker, supervised.")
    serve.add_argument(
        "--brains",
        metavar="N",
        help="brain processes that share the conversations; one for each core that the "
        "machine can spare, some 400 MB each (default: HANDRAIL_BRAINS, or 1)",
    )

    train = command("train", _train, "Train the models if the present data has none.")
    train.add_argument("--force", action="store_true", help="train even if nothing has changed")

    check = command("check", _check, "Check profiles, rules, lexicon and translations.")
    check.add_argument("--clinic", metavar="ID", help="check only this clinic's profile")

    command("screen", _screen, 'Safety screen over JSON lines: {"text"} -> tier, categories.')
    command("parse", _parse, 'Understanding over JSON lines: {"text"} -> intent, ranking.')

    triage = command("triage", _triage, "Level-of-care rules over JSON lines of answers.")
    triage.add_argument("--clinic", metavar="ID", help="apply this clinic's own rules")

    converse = command(
        "converse", _converse, 'One conversation over JSON lines: {"user"} or {"button"}.'
    )
    converse.add_argument("--clinic", metavar="ID", required=True)
    converse.add_argument("--channel", choices=CHANNELS, required=True)
    converse.add_argument("--now", metavar="ISO-TIME", required=True, help="the frozen clock")
    converse.add_argument("--lang", choices=LANGUAGES, help="language chosen outside the chat")

    chat = command("chat", _chat, "Talk to the assistant in the terminal.")
    chat.add_argument("--clinic", metavar="ID", default="greater_boston")
    chat.add_argument("--channel", choices=CHANNELS, default="web")
    chat.add_argument("--lang", choices=LANGUAGES)

    user = command("user", _user, "Users of the staff console: add, list, disable, password.")
    todo = user.add_subparsers(dest="todo", required=True, metavar="TODO")
    add = todo.add_parser("add", help="add a user; the password is asked for, or read from stdin")
    add.add_argument("name", help="login name: small letters, digits, dots, hyphens")
    add.add_argument("--role", choices=ROLES, required=True)
    add.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="CLINIC",
        help="whose records the user may see; repeat it for several",
    )
    add.add_argument("--full-name", metavar="NAME", help="as colleagues know the person")
    todo.add_parser("list", help="every user: name, role, clinics, state")
    for name, help_text in (
        ("disable", "keep a user out from now on"),
        ("enable", "let a disabled user in again"),
        ("password", "change a password; it is asked for, or read from stdin"),
    ):
        todo.add_parser(name, help=help_text).add_argument("name")

    outbox = command("outbox", _outbox, "What staff have not been told yet; retry ID: try again.")
    outbox.add_argument("--dead", action="store_true", help="only what was given up")
    again = outbox.add_subparsers(dest="part", metavar="retry").add_parser("retry")
    again.add_argument("id", help="as `handrail outbox` prints it")

    keys = command("keys", _keys_list, "The keys that encrypt the database.")
    key_parts = keys.add_subparsers(dest="part", required=True, metavar="PART")
    key_parts.add_parser("list", help="each key and how much it encrypts").set_defaults(
        run=_keys_list
    )
    key_parts.add_parser("rotate", help="encrypt everything with a new key").set_defaults(
        run=_keys_rotate
    )

    audit = command("audit", _audit_verify, "The record of who did what.")
    audit_parts = audit.add_subparsers(dest="part", required=True, metavar="PART")
    audit_parts.add_parser("verify", help="prove that it is unbroken").set_defaults(
        run=_audit_verify
    )

    purge = command("purge", _purge, "Delete what has been kept long enough.")
    purge.add_argument("--dry-run", action="store_true", help="say what would be deleted")

    embed = command("embed", _embed, "Print what a clinic pastes into its website.")
    embed.add_argument("--clinic", metavar="ID", required=True)
    embed.add_argument(
        "--host", metavar="URL", help="this server's address for visitors, https://chat.example"
    )

    evaluate = command("eval", _evaluate_safety, "Measure a part on labelled text.")
    parts = evaluate.add_subparsers(dest="part", required=True, metavar="PART")
    safety = parts.add_parser("safety", help="recall and false alarms of the safety screen")
    safety.set_defaults(run=_evaluate_safety)
    safety.add_argument("--data", type=Path, required=True, help="folder with JSONL files")
    safety.add_argument("--all-words", action="store_true", help="score test fixtures too")
    safety.add_argument("--worst", type=int, default=0, metavar="N", help="show N worst errors")
    intents = parts.add_parser("intents", help="accuracy of the intent model on any data")
    intents.set_defaults(run=_evaluate_intents)
    for name, needed in (("train", True), ("test", True), ("oos", False)):
        intents.add_argument(
            f"--{name}", type=Path, required=needed, metavar="FILE", help='JSONL {"text", "intent"}'
        )
    return parser


def _serve(chosen: argparse.Namespace, settings: Settings, parser: argparse.ArgumentParser) -> int:
    from bot.serve import serve

    if chosen.brains is not None:
        try:
            settings = replace(settings, brains=read_brains(chosen.brains, "--brains"))
        except ValueError as error:
            parser.error(str(error))
    return serve(settings)


def _train(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    from bot.logs import configure_logs
    from bot.training import TrainingFailed, train

    configure_logs("train")
    try:
        train(settings, say=lambda line: print(line, flush=True), force=chosen.force)
    except TrainingFailed as error:
        print(error, file=sys.stderr)
        return _EXIT_FAILED
    return 0


def _check(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    from bot.commands.check import check

    return check(settings, chosen.clinic, datetime.now(timezone.utc).date())


def _screen(_: argparse.Namespace, settings: Settings, parser: argparse.ArgumentParser) -> int:
    from bot.commands.screen import screen

    _need_safety_model(settings, parser)
    return screen(settings)


def _triage(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    from bot.clinic.profile import load_clinic
    from bot.commands.triage import triage

    path = settings.clinics / f"{chosen.clinic}.yml"
    return triage(load_clinic(path) if chosen.clinic else None)


def _user(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    from bot.commands.user import user

    return user(settings, chosen)


def _outbox(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    from bot.commands.outbox import retry, show
    from bot.store import open_store

    if chosen.part == "retry":
        return _on_store(lambda: retry(open_store(settings), chosen.id))
    return _on_store(lambda: show(open_store(settings), dead_only=chosen.dead))


def _embed(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    from bot.clinic.profile import load_clinic
    from bot.commands.embed import embed

    clinic = load_clinic(settings.clinics / f"{chosen.clinic}.yml")
    return embed(clinic, chosen.host or f"http://localhost:{settings.port}")


def _evaluate_safety(
    chosen: argparse.Namespace, settings: Settings, parser: argparse.ArgumentParser
) -> int:
    if not chosen.data.is_dir():
        parser.error(f"--data: {chosen.data} is not a folder")
    _need_safety_model(settings, parser)
    from bot.nlu.sentence_encoder import encode
    from bot.safety.evaluate import evaluate
    from bot.safety.screen import load_screen

    screen = load_screen(classifier_path=settings.safety_model, encode=encode)
    report = evaluate(chosen.data, screen, own_words_only=not chosen.all_words)
    print(report.render(worst=chosen.worst))
    return 0


def _evaluate_intents(
    chosen: argparse.Namespace, _: Settings, parser: argparse.ArgumentParser
) -> int:
    for name in ("train", "test", "oos"):
        path = getattr(chosen, name)
        if path is not None and not path.is_file():
            parser.error(f"--{name}: {path} is not a file")
    from bot.nlu.evaluate import evaluate_intents, read_examples

    try:
        report = evaluate_intents(
            read_examples(chosen.train),
            read_examples(chosen.test),
            read_examples(chosen.oos) if chosen.oos else None,
        )
    except ValueError as error:
        parser.error(str(error))
    print(report.render())
    return 0


def _parse(_: argparse.Namespace, settings: Settings, __: argparse.ArgumentParser) -> int:
    def run(loaded: Assistant) -> int:
        from bot.commands.parse import parse

        return parse(loaded.brain)

    return _with_assistant(settings, run)


def _converse(
    chosen: argparse.Namespace, settings: Settings, parser: argparse.ArgumentParser
) -> int:
    from bot.commands.jsonlines import LineError, read_time

    def run(loaded: Assistant) -> int:
        from bot.commands.converse import converse

        return converse(loaded, chosen.clinic, chosen.channel, now, chosen.lang)

    try:
        now = read_time(chosen.now)
    except LineError as error:
        parser.error(f"--now: {error}")
    return _with_assistant(settings, run)


def _chat(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    def run(loaded: Assistant) -> int:
        from bot.commands.chat import chat

        return chat(loaded, chosen.clinic, chosen.channel, chosen.lang)

    return _with_assistant(settings, run)


def _keys_list(_: argparse.Namespace, settings: Settings, __: argparse.ArgumentParser) -> int:
    from bot.commands.keys import list_keys

    return _on_store(lambda: list_keys(settings))


def _keys_rotate(_: argparse.Namespace, settings: Settings, __: argparse.ArgumentParser) -> int:
    from bot.commands.keys import rotate_keys

    return _on_store(lambda: rotate_keys(settings, datetime.now(timezone.utc)))


def _audit_verify(_: argparse.Namespace, settings: Settings, __: argparse.ArgumentParser) -> int:
    from bot.commands.audit import verify_audit

    return _on_store(lambda: verify_audit(settings))


def _purge(chosen: argparse.Namespace, settings: Settings, _: argparse.ArgumentParser) -> int:
    from bot.commands.purge import purge_store

    now = datetime.now(timezone.utc)
    return _on_store(lambda: purge_store(settings, now, dry_run=chosen.dry_run))


def _on_store(run: Callable[[], int]) -> int:
    """Run a command on the installation's database; its errors go to stderr."""
    from bot.store import StoreError

    try:
        return run()
    except StoreError as error:
        print(error, file=sys.stderr)
        return _EXIT_FAILED


def _need_safety_model(settings: Settings, parser: argparse.ArgumentParser) -> None:
    if not settings.safety_model.is_file():
        parser.error(f"{settings.safety_model} is missing; `handrail train` makes it")


def _with_assistant(settings: Settings, run: Callable[[Assistant], int]) -> int:
    """Load the assistant on a fresh temporary database, then `run` it."""
    from bot.nlu import without_tensorflow

    without_tensorflow.install(training=False)
    import logging

    from bot.logs import configure_logs

    configure_logs("assistant", level=logging.WARNING)
    from bot.brain.brain import TurnFailed
    from bot.commands.assistant import load_assistant
    from bot.store import StoreError

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory(prefix="handrail-") as folder:
        temporary = replace(
            settings, data=Path(folder), database=f"sqlite:///{folder}/handrail.db", keys=None
        )
        try:
            assistant = loop.run_until_complete(load_assistant(temporary))
        except (TurnFailed, StoreError) as error:
            print(error, file=sys.stderr)
            return _EXIT_FAILED
        try:
            return run(assistant)
        finally:
            assistant.engine.dispose()
            loop.close()


if __name__ == "__main__":
    sys.exit(main())
