"""Train what the assistant needs: the Rasa model and the safety screen's second vote."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bot.clinic.profile import added_questions, load_clinics
from bot.settings import ROOT, Settings

# What the model is made from; a change in any of it makes a new training necessary.
_INPUTS = (
    "config.yml",
    "domain.yml",
    "data",
    "bot/vocabulary.py",
    "bot/nlu",
    "bot/safety/examples",
    "bot/safety/classifier.py",
    # The screen's examples are folded as its lexicon spells.
    "bot/safety/lexicon",
    "bot/safety/lexicon.py",
    "bot/safety/normalise.py",
    "bot/safety/patterns.py",
    "bot/character_ngrams.py",
    "requirements/runtime.txt",
)


class TrainingFailed(Exception):
    """Training gave no model; Rasa has printed why."""


def fingerprint(settings: Settings, root: Path = ROOT) -> str:
    """SHA-256 over everything that the models are made from.

    Raises:
        DataError: a clinic's profile cannot be used.
    """
    digest = hashlib.sha256()
    for path in sorted(_files(root / name for name in _INPUTS)):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    # Of a clinic's file only its own questions are learnt; answers and hours may change freely.
    digest.update(json.dumps(added_questions(load_clinics(settings.clinics))).encode())
    return digest.hexdigest()


def is_current(settings: Settings, root: Path = ROOT) -> bool:
    """Whether both models exist and were made from the present data."""
    stamp = _stamp(settings)
    if not (stamp.is_file() and settings.model.is_file() and settings.safety_model.is_file()):
        return False
    return bool(json.loads(stamp.read_text())["fingerprint"] == fingerprint(settings, root))


def train(
    settings: Settings, say: Callable[[str], None], root: Path = ROOT, force: bool = False
) -> bool:
    """Train both models unless they are current, and lay out what they start from.

    Args:
        settings: where the models go.
        say: called with each progress line.
        root: the project's folder.
        force: do both even if nothing has changed.

    Returns:
        Whether anything was trained.

    Raises:
        TrainingFailed: Rasa could not train.
        DataError: reviewed data is wrong.
        OSError: the disk is full, or may not be written to.
    """
    from bot.nlu import encoder_body

    if force or not encoder_body.is_prepared(settings.prepared):
        say("Unpacking the sentence encoder ...")
        encoder_body.prepare(settings.prepared)
    if not force and is_current(settings, root):
        say("The models are up to date.")
        return False
    started = time.monotonic()
    settings.model.parent.mkdir(parents=True, exist_ok=True)
    _stamp(settings).unlink(missing_ok=True)

    say("Training the assistant and, beside it, the safety screen's second vote ...")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        screen = beside.submit(_train_screen, root / "bot/safety/examples", settings.safety_model)
        train_assistant(settings, root)
        screen.result()
    _stamp(settings).write_text(json.dumps({"fingerprint": fingerprint(settings, root)}))
    say(f"Trained in {time.monotonic() - started:.0f} s: {settings.model}")
    return True


def train_assistant(settings: Settings, root: Path = ROOT) -> None:
    """Train the Rasa model alone, whether or not anything has changed; arguments as in `train`.

    Which clinics' questions it learns is what the environment says (`bot.nlu.importer`).
    """
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ["LOG_LEVEL"] = "ERROR"  # without it Rasa's progress bars flood a log file
    from bot.nlu import without_tensorflow

    without_tensorflow.install()
    from rasa.model_training import train as rasa_train

    result = rasa_train(
        domain=str(root / "domain.yml"),
        config=str(root / "config.yml"),
        training_files=str(root / "data"),
        output=str(settings.model.parent),
        fixed_model_name=settings.model.name.removesuffix(".tar.gz"),
        force_training=True,
    )
    if result.code != 0 or not settings.model.is_file():
        raise TrainingFailed("Rasa could not train a model; see its messages above")


def _train_screen(examples: Path, out: Path) -> None:
    from bot.nlu.sentence_encoder import encode
    from bot.safety import classifier

    classifier.train(examples, out, encode=encode)


def _stamp(settings: Settings) -> Path:
    return settings.model.with_name("trained_from.json")


def _files(places: Iterable[Path]) -> Iterable[Path]:
    for place in places:
        if place.is_file():
            yield place
        elif place.is_dir():
            yield from (
                path
                for path in place.rglob("*")
                if path.is_file() and "__pycache__" not in path.parts
            )
