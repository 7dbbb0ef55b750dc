"""A process that leaves out what only training needs understands as one that has everything."""

import json
import subprocess
import sys

from bot.commands.parse import read
from bot.settings import ROOT

HELD_OUT = ROOT / "tests" / "nlu"
PARSE = """
import sys
from bot.cli import main
assert main(["parse"]) == 0
left_out = ("dask", "h5py", "joblib", "matplotlib", "sanic", "scipy", "sklearn", "tensorflow")
there = [name for name in left_out if getattr(sys.modules.get(name), "__file__", None)]
assert not there, there
"""


def test_messages_are_parsed_the_same(assistant, loop):
    lines = [
        line
        for name in ("heldout_en.jsonl", "heldout_es.jsonl", "long_messages.jsonl")
        for line in (HELD_OUT / name).read_text(encoding="utf-8").splitlines()[::40]
    ]
    lines.append(json.dumps({"text": "I want to die"}))
    done = subprocess.run(
        [sys.executable, "-c", PARSE],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    for line, parsed in zip(lines, done.stdout.splitlines(), strict=True):
        expected = loop.run_until_complete(read(assistant.brain, json.loads(line)["text"]))
        assert {name: json.loads(parsed)[name] for name in expected} == expected
