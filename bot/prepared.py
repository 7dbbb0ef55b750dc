"""What takes long to make is kept on disk, ready to be mapped into memory.

`handrail train` makes it before anything is served. It is a folder of plain arrays whose
name ends in a fingerprint of everything that they were made from, the code included: made
from anything else, it has another name and is not found, so it can be missing but never out
of date. Whoever does not find it makes the arrays anew, in memory. A folder is there
whole or not at all. Processes that map the same files share the memory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def fingerprint(*sources: Path) -> str:
    """What the contents of files come to, as 16 letters and digits.

    Of a zip archive (.npz) its checksums count, so that it need not be read whole.
    """
    digest = hashlib.sha256()
    for source in sources:
        if source.suffix == ".npz":
            with zipfile.ZipFile(source) as archive:
                for part in archive.infolist():
                    digest.update(f"{part.filename} {part.file_size} {part.CRC}\n".encode())
        else:
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def find(folder: Path, name: str, made_from: str) -> dict[str, np.ndarray] | None:
    """The arrays that `keep` wrote, mapped and read-only; None if they are not there.

    Args:
        folder: where prepared things are.
        name: what it is.
        made_from: the `fingerprint` of its sources.

    Raises:
        OSError, ValueError: they are there but cannot be read.
    """
    place = _place(folder, name, made_from)
    if not place.is_dir():
        return None
    return {
        path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in place.glob("*.npy")
    }


def is_kept(folder: Path, name: str, made_from: str) -> bool:
    """Whether `find` would find something."""
    return _place(folder, name, made_from).is_dir()


def keep(folder: Path, name: str, made_from: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays for `find`, and delete what was made from other sources.

    Processes that have mapped older ones keep them until they end.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    try:
        for key, array in arrays.items():
            with (unfinished / f"{key}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
        unfinished.chmod(0o755)
        for older in folder.glob(f"{name}-*"):
            shutil.rmtree(older, ignore_errors=True)
        unfinished.rename(_place(folder, name, made_from))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _place(folder: Path, name: str, made_from: str) -> Path:
    return folder / f"{name}-{made_from}"
