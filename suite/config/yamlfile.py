"""YAML file -> closed pydantic object, with the file, line and key in every error.

The loader is yaml.SafeLoader, further bounded: at most 1 MB, no anchors or aliases (a few
lines of them expand to gigabytes), no repeated keys, at most 30 levels. Numbers are read as YAML
1.2 reads them: 1e-5 is one. Where the schema wants a text, a number is the text as written: a
label 1e5, 007 or 1.50 is that, and not 100000.0, 7 or 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from suite.errors import YamlError, counted, nearest
from suite.files import read_small

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
#: Of whole numbers; what is larger is a text where a text is wanted, and else refused.
MOST = 2**63 - 1

_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")

Lines = dict[tuple[str | int, ...], int]
ModelT = TypeVar("ModelT", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """SafeLoader with the floats of YAML 1.2, where 1.1 wants a point and a signed exponent."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def is_path(name: str) -> bool:
    """Whether a task or a recipe is named by its file's path, and not by its name."""
    return name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file.

    Raises:
        YamlError: it is missing, unreadable, too large, or not UTF-8.
    """
    try:
        return read_small(path, MAX_BYTES, YamlError).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(
            f"not UTF-8 (byte {error.start})", where=str(path), fix="Save the file as UTF-8."
        ) from None


def parse(text: str, where: str, schema: Any = Any) -> tuple[Any, Lines]:
    """Text -> plain objects, and the line on which each key path starts (from 1).

    Args:
        schema: the type that is wanted; where it wants a text, a number stays as written.

    Raises:
        YamlError: not YAML, or YAML that the bounds above refuse.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            # Counted here, event by event: the scanner takes minutes over 100,000 brackets.
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise YamlError(
                        f"nested deeper than {MAX_DEPTH} levels",
                        where=_at(where, event),
                    )
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise YamlError(
                    "anchors and aliases (& and *) are not allowed",
                    where=_at(where, event),
                    fix="Write the values out, or quote a text that starts with & or *.",
                )
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise YamlError("the file is empty", where=where)
        lines: Lines = {}
        value = _build(node, (), lines, where, schema)
        return value, lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        problem = error.problem or error.context or "not valid YAML"
        fix = None
        if "'\\t'" in problem:
            problem, fix = "a tab is used for indentation", "Indent with spaces."
        elif "mapping values are not allowed" in problem:
            fix = "A text with ': ' in it needs quotes."
        raise YamlError(problem, where=f"{where}{line}", fix=fix) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not valid YAML: {error}", where=where) from None
    except RecursionError:
        raise YamlError(f"nested deeper than {MAX_DEPTH} levels", where=where) from None


def _at(where: str, event: yaml.Event) -> str:
    return f"{where}, line {event.start_mark.line + 1}" if event.start_mark else where


def _build(
    node: yaml.Node, path: tuple[str | int, ...], lines: Lines, where: str, schema: Any
) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(path) > MAX_DEPTH:
        raise YamlError(f"nested deeper than {MAX_DEPTH} levels", where=f"{where}, line {line}")
    if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
        raise YamlError(
            f"the tag {node.tag!r:.60} is not allowed",
            where=f"{where}, line {line}",
            fix="Write plain keys, lists and values.",
        )
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError("a key must be a plain word", where=f"{where}, line {line}")
            key = str(key_node.value)
            key_line = key_node.start_mark.line + 1
            if key in mapping:
                raise YamlError(f"the key '{key}' stands twice", where=f"{where}, line {key_line}")
            lines[(*path, key)] = key_line
            mapping[key] = _build(value_node, (*path, key), lines, where, _under(schema, key))
        return mapping
    if isinstance(node, yaml.SequenceNode):
        inner = _under(schema, 0)
        return [
            _build(child, (*path, i), lines, where, inner) for i, child in enumerate(node.value)
        ]
    kinds = set(_kinds(schema))
    loader = _Loader("")
    try:
        value = loader.construct_object(node, deep=True)
        if isinstance(value, int) and abs(value) > MOST:
            raise OverflowError("a number too large")
    except OverflowError as error:
        if str in kinds:
            return str(node.value)
        raise _wrong(node, error, where) from None
    # What the library raises of a value that is not what its tag says (`!!int ""`).
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        if str in kinds and node.value.isdecimal():  # thousands of digits
            return str(node.value)
        raise _wrong(node, error, where) from None
    finally:
        loader.dispose()
    if value is not None and not isinstance(value, str | int | float | bool):
        return str(node.value)  # dates, binaries: texts to us
    if type(value) in (int, float) and str in kinds:
        as_written = type(value) not in kinds or str(value) != node.value
        return str(node.value) if as_written else value
    return value


def _wrong(node: yaml.Node, error: Exception, where: str) -> YamlError:
    """The error of a plain value that is not what its tag says."""
    said = str(error).splitlines()[0] if isinstance(error, ValueError | OverflowError) else ""
    if "digits" in said:  # Python's own words name a function of its own
        said = "a number too large"
    kind = str(node.tag).rpartition(":")[2]
    return YamlError(
        f"{node.value!r:.60}: {said or f'no {kind}'}",
        where=f"{where}, line {node.start_mark.line + 1}",
    )


def _kinds(schema: Any) -> Iterator[Any]:
    """The types that an annotation allows, unions and Annotated taken apart."""
    if get_origin(schema) in (Union, UnionType):
        for one in get_args(schema):
            yield from _kinds(one)
    elif get_origin(schema) is Annotated:
        yield from _kinds(get_args(schema)[0])
    else:
        yield schema


def _under(schema: Any, key: str | int) -> Any:
    """What an annotation says of the value under a key; Any where it says nothing."""
    for kind in _kinds(schema):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and key in kind.model_fields:
            return kind.model_fields[str(key)].annotation
        if get_origin(kind) in (dict, list):
            return get_args(kind)[-1]
    return Any


def load(path: Path, model: type[ModelT]) -> ModelT:
    """A YAML file as a closed pydantic object.

    Raises:
        YamlError: with the file, the line and the key of the first defect, and how many more.
    """
    return validate(read_text(path), model, where=str(path))


def validate(text: str, model: type[ModelT], where: str) -> ModelT:
    """YAML text as a closed pydantic object; errors as in `load`."""
    value, lines = parse(text, where, model)
    if not isinstance(value, dict):
        raise YamlError("the file must hold keys with values", where=f"{where}, line 1")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _readable(error, model, lines, where) from None


def place(path: Path, *keys: str | int) -> str:
    """Where a key stands in a file that was read before, for an error found since: file and line.

    Raises:
        YamlError: the file can't be read any more.
    """
    _, lines = parse(read_text(path), str(path))
    return f"{path}, line {lines.get(keys, 1)}"


def _readable(
    error: ValidationError, model: type[BaseModel], lines: Lines, where: str
) -> YamlError:
    problems = error.errors()
    # An unknown key is usually the cause of a missing one: name it first.
    problems.sort(key=lambda p: p["type"] != "extra_forbidden")
    first = problems[0]
    place = tuple(part for part in first["loc"] if isinstance(part, str | int))
    line_path = place
    while line_path and line_path not in lines:
        line_path = line_path[:-1]
    line = lines.get(line_path, 1)
    key = ".".join(str(part) for part in place) or "(top)"
    fix = None
    if first["type"] == "extra_forbidden":
        known = _keys_at(model, place[:-1])
        what = f"unknown key '{place[-1]}'"
        fix = nearest(str(place[-1]), known) if known else None
    elif first["type"] == "missing":
        what = f"'{key}' is missing"
    elif first["type"] == "model_type":
        what = f"{key}: keys with values are expected, not {first['input']!r:.60}"
    elif first["type"] == "value_error":
        what = f"{key}: {first['msg'].removeprefix('Value error, ')}"
    else:
        given = first["input"]
        shown = repr(given) if len(repr(given)) <= 60 else repr(given)[:57] + "..."
        what = f"{key}: {first['msg'][0].lower()}{first['msg'][1:]}, not {shown}"
    more = len(problems) - 1
    if more:
        fix = f"{fix or ''} ({counted(more, 'more problem')} after this one.)".strip()
    return YamlError(what, where=f"{where}, line {line}", fix=fix)


def _keys_at(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    schema: Any = model
    for part in place:
        schema = _under(schema, part)
    return [key for kind in _kinds(schema) for key in getattr(kind, "model_fields", ())]
