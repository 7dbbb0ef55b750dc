"""Read the YAML that people review, and say where a mistake is.

Clinic profiles, rules, questions, lexicon and texts are YAML so that clinicians
and admins can read and change them. Every mistake is reported with file and
line. YAML 1.2 booleans only: `no` and `yes` stay words, because they are answers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Tuple, Type, TypeVar, Union

import pydantic
import yaml

Location = Tuple[Union[str, int], ...]
ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)


class Problem:
    """One mistake in reviewed data: where it is and what would mend it."""

    def __init__(self, path: Path, line: int, message: str, *, warning: bool = False):
        self.path = path
        self.line = line
        self.message = message
        self.warning = warning

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        return f"{self.path}:{self.line}: {kind}{self.message}"

    def __repr__(self) -> str:
        return f"Problem({str(self)!r})"


class DataError(Exception):
    """Reviewed data that cannot be used; `problems` lists every mistake found."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems: List[Problem] = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """PyYAML's C loader with YAML 1.2 booleans and no dates."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_TRUE_FALSE = re.compile("^(?:true|True|TRUE|false|False|FALSE)$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _TRUE_FALSE, list("tTfF"))


_INDENTED_BY_TAB = re.compile(r"^ *\t", re.MULTILINE)
_TAB = "a line begins with a tab; put spaces in its place"
_LAYOUT = (
    "look here and at the lines above: one begins further left or right than its neighbours, "
    "a colon has no space after it, or a text with a colon or quotation mark in it is not quoted"
)
_HINTS = {
    "value_error.extra": "; is the key misspelt, or does it stand too far left or right?",
    "value_error.date": "; write a day that exists, such as 2026-12-24",
    "type_error.tuple": '; begin each entry of the list with "- "',
    "type_error.list": '; begin each entry of the list with "- "',
    "type_error.bool": "; write true or false",
    "type_error.none.not_allowed": "; nothing stands here",
}


class Document:
    """A YAML file's content together with the line of everything in it.

    Args:
        path: the file; a missing or unreadable one raises `DataError`.

    Attributes:
        path: the file.
        data: plain dicts, lists, strings, numbers and booleans.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise DataError([Problem(path, 1, f"cannot be read: {error}")]) from error
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            message = "a letter here is not UTF-8; save the file with the encoding UTF-8"
            raise DataError([Problem(path, line, message)]) from error
        loader = _Loader(text)
        try:
            self._node = loader.get_single_node()
            self.data: Any = loader.construct_document(self._node) if self._node else None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            reason = getattr(error, "problem", None) or str(error)
            hint = _TAB if _INDENTED_BY_TAB.search(text) else _LAYOUT
            message = f"not valid YAML: {reason}; {hint}"
            raise DataError([Problem(path, line, message)]) from error
        finally:
            loader.dispose()
        duplicates = list(_duplicate_keys(self._node)) if self._node else []
        if duplicates:
            raise DataError(
                Problem(path, line, f"the key {key!r} stands twice; keep one")
                for key, line in duplicates
            )

    def line(self, location: Location = ()) -> int:
        """The line (from 1) of the entry at `location`, or of its nearest parent."""
        node = self._node
        line = node.start_mark.line + 1 if node else 1
        for step in location:
            child = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(step):
                        child, line = value, key.start_mark.line + 1
                        break
            elif (
                isinstance(node, yaml.SequenceNode)
                and isinstance(step, int)
                and 0 <= step < len(node.value)
            ):
                child = node.value[step]
                line = child.start_mark.line + 1
            if child is None:
                break
            node = child
        return line

    def problem(self, location: Location, message: str, *, warning: bool = False) -> Problem:
        """A problem at `location` of this file."""
        return Problem(self.path, self.line(location), message, warning=warning)

    def parse(self, model: Type[ModelT], location: Location = ()) -> ModelT:
        """The content at `location` as a `model`; raises `DataError` with lines."""
        data: Any = self.data
        for step in location:
            data = data[step]
        if not isinstance(data, dict):
            raise DataError([self.problem(location, "a mapping (key: value) is expected")])
        try:
            return model.parse_obj(data)
        except pydantic.ValidationError as error:
            raise DataError(
                self.problem(
                    location + tuple(found["loc"]),
                    f"{'.'.join(str(step) for step in found['loc'])}: {found['msg']}"
                    f"{_HINTS.get(found['type'], '')}",
                )
                for found in error.errors()
            ) from error


class ReviewedModel(pydantic.BaseModel):
    """Base of every schema: unknown keys are mistakes, values do not change."""

    class Config:
        extra = "forbid"
        allow_mutation = False


class Bilingual(ReviewedModel):
    """A text in every language the house speaks."""

    en: pydantic.constr(strip_whitespace=True, min_length=1)  # type: ignore[valid-type]
    es: pydantic.constr(strip_whitespace=True, min_length=1)  # type: ignore[valid-type]

    def in_language(self, language: str) -> str:
        """The text in `language` ("en" or "es")."""
        return str(getattr(self, language))


def _duplicate_keys(node: Any) -> Iterable[Tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: Dict[str, int] = {}
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen[key.value] = key.start_mark.line + 1
            yield from _duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _duplicate_keys(value)
