"""What a user decides once for a folder: where studies lie, which tasks, what is computed on.

A setting comes from the first of: an option, the environment, `suite.toml`, the table
`[tool.suite]` of `pyproject.toml` (both in the working folder), its default.

    storage = "sqlite:///studies/suite.db"      SUITE_STORAGE
    tasks = "tasks"                             SUITE_TASKS      a folder of task files
    device = "cpu"                              SUITE_DEVICE     cpu, cuda, cuda:1 or mps
    threads = 4                                 SUITE_THREADS
    lang = "en"                                 SUITE_LANG       of pages and of the terminal
    price = {per_hour = 0.34}                   SUITE_PRICE      what machines and servers cost
    energy = true                               SUITE_ENERGY     read what trainings take of it
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from suite import paths, redaction
from suite.contracts.prices import Prices, Tariff
from suite.errors import SettingsError, counted, nearest
from suite.files import read_small

FILE, PROJECT, TABLE = "suite.toml", "pyproject.toml", "tool.suite"

#: Bytes of either file, at most.
_MOST_BYTES = 1_000_000
MOST_THREADS = 1024

DEFAULT = "default"


class _Values(BaseModel):
    """What may be set, wherever it stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    storage: Annotated[str, Field(min_length=1)] | None = None
    tasks: Annotated[str, Field(min_length=1)] | None = None
    device: Annotated[str, Field(pattern=r"^(cpu|mps|cuda(:\d{1,3})?)$")] | None = None
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)] | None = None
    lang: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    price: Prices | None = None
    energy: bool | None = None


NAMES = tuple(_Values.model_fields)

Value = str | int | Prices | None


@dataclass(frozen=True)
class Setting:
    """One setting.

    Args:
        value: None where nothing is set and nothing is assumed.
        origin: where it is said: an option, a variable, a file with its line, or `default`.
    """

    name: str
    value: Value
    origin: str


#: What options of this command say.
_options: dict[str, str | int] = {}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"SUITE_{name.upper()}"


def ask(name: str, value: str | int) -> None:
    """Takes what an option says, until `forget`.

    Raises:
        SettingsError: it is no value of the setting.
    """
    _options[name] = getattr(_checked({name: value}, f"--{name}"), name)


def forget() -> None:
    """Forgets what options said: another command begins."""
    _options.clear()


def settings() -> dict[str, Setting]:
    """Every setting, by name.

    Raises:
        SettingsError: a file or a variable says what is no setting, or no value of one; with file
            and line.
    """
    defaults: dict[str, Value] = {"storage": paths.STORAGE, "tasks": "tasks"}
    found = {name: Setting(name, defaults.get(name), DEFAULT) for name in NAMES}
    for file, table in ((PROJECT, TABLE), (FILE, "")):
        found |= _of_file(Path(file), table)
    found |= _of_environment()
    found |= {name: Setting(name, value, f"--{name}") for name, value in _options.items()}
    storage = found["storage"].value
    if isinstance(storage, str):
        # Before anything can repeat it.
        redaction.remember(storage)
    return found


def value(name: str) -> Value:
    """One setting's value; errors as of `settings`."""
    return settings()[name].value


def storage() -> str:
    """The database that is used where none is named."""
    return str(value("storage"))


def tasks_folder() -> Path:
    """The folder of the user's own tasks.

    Raises:
        SettingsError: one is set, and is not there.
    """
    setting = settings()["tasks"]
    folder = Path(str(setting.value)).expanduser()
    if setting.origin != DEFAULT and not folder.is_dir():
        raise SettingsError(
            f"no folder {folder}", where=setting.origin, fix="Name a folder of task files."
        )
    return folder


def task_files() -> dict[str, Path]:
    """Name -> file of every task; the user's own win over the bundled."""
    return paths.yaml_files("tasks", tasks_folder())


def _of_environment() -> dict[str, Setting]:
    found = {}
    for name in NAMES:
        text = os.environ.get(variable(name), "")
        if not text:
            continue
        checked = _checked({name: _read(name, text)}, variable(name))
        found[name] = Setting(name, getattr(checked, name), variable(name))
    return found


def _read(name: str, text: str) -> Any:
    """What a variable says: a number of threads, prices as a table of TOML, else the text."""
    if name == "energy":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if name == "price":
        try:
            return tomllib.loads(f"price = {text}")["price"]
        except tomllib.TOMLDecodeError:
            return text
    return int(text) if name == "threads" and text.isdecimal() else text


def _of_file(file: Path, table: str) -> dict[str, Setting]:
    """What a file of the working folder sets; nothing where there is none."""
    if not file.is_file():
        return {}
    try:
        text = read_small(file, _MOST_BYTES, SettingsError).decode("utf-8")
        held: Any = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise SettingsError(f"not UTF-8 (byte {error.start})", where=str(file)) from None
    except tomllib.TOMLDecodeError as error:
        if table and f"[{table}" not in text:
            return {}  # Not ours to judge.
        line = re.search(r"\(at line (\d+)", str(error))
        where = f"{file}, line {line[1]}" if line else str(file)
        raise SettingsError(re.sub(r" \(at .*\)$", "", str(error)), where=where) from None
    for part in table.split(".") if table else ():
        held = held.get(part, {}) if isinstance(held, dict) else {}
    if not isinstance(held, dict):
        raise SettingsError(f"[{table}] must be a table", where=str(file))
    lines = {name: f"{file}, line {_line(text, table, name)}" for name in held}
    said = _checked(held, str(file), lines)
    return {name: Setting(name, getattr(said, name), lines[name]) for name in said.model_fields_set}


def _line(text: str, table: str, name: str) -> int:
    """The line in which a key of a table stands; the first where it is written unusually."""
    inside = not table
    for number, line in enumerate(text.splitlines(), start=1):
        head = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(#.*)?$", line)
        if head:
            place = head[1].replace(" ", "").replace('"', "")
            if _is_or_holds(f"{table}.{name}".lstrip("."), place):
                return number
            inside = place == table
        key = re.match(r"\s*[\"']?([\w.-]+?)[\"']?\s*=", line)
        if key and _is_or_holds(name if inside else f"{table}.{name}", key[1]):
            return number
    return 1


def _is_or_holds(name: str, key: str) -> bool:
    """Whether a dotted key is the one of a name, or of something inside it."""
    return key == name or key.startswith(f"{name}.")


def _checked(held: dict[str, Any], where: str, lines: dict[str, str] | None = None) -> _Values:
    try:
        return _Values.model_validate(held, strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = min(problems, key=lambda one: one["type"] != "extra_forbidden")
        name = str(first["loc"][0])
        place = (lines or {}).get(name, where)
        more = len(problems) - 1
        after = f" ({counted(more, 'more problem')} after this one.)" if more else ""
        if first["type"] == "extra_forbidden":
            *above, last = (str(part) for part in first["loc"])
            known = (NAMES, Prices.model_fields, Tariff.model_fields)[min(len(above), 2)]
            inside = f" in {'.'.join(above)}" if above else ""
            raise SettingsError(
                f"unknown setting '{last}'{inside}", where=place, fix=nearest(last, known) + after
            ) from None
        if len(first["loc"]) == 1:
            wanted = _WANTED[name]
        else:
            wanted = _WANTED_OF_PRICES.get(first["type"], "an amount from 0 up")
        raise SettingsError(
            f"{'.'.join(map(str, first['loc']))}: {wanted} is expected, not {first['input']!r:.60}",
            where=place,
            fix=after.strip() or None,
        ) from None


_WANTED = {
    "storage": "a database's URL",
    "tasks": "a folder",
    "device": "cpu, cuda, cuda:N or mps",
    "threads": f"a whole number from 1 to {MOST_THREADS:,}",
    "lang": "a language of pages, such as en or zh",
    "energy": "true or false",
    "price": "a table such as {per_hour = 0.34}",
}
#: What is wanted inside it where it is no amount, by pydantic's types of errors.
_WANTED_OF_PRICES = {
    "dict_type": "a table",
    "model_type": "a table",
    "string_type": "a currency such as EUR",
    "string_pattern_mismatch": "a currency such as EUR",
}
