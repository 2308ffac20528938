"""What keeps a study from being gone on with: what its user named otherwise, or edited since.

A stored study keeps its definition. What changed with the suite (a default, a shipped task or
recipe, the catalogue, a strategy's space) is no difference, and only told.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from suite import paths
from suite.config.recipe import find_recipe
from suite.config.task import load_task
from suite.config.yamlfile import is_path
from suite.contracts.model import Companion, Model
from suite.errors import StudyError
from suite.models.catalogue import load_catalogue
from suite.study.definition import Definition, StoredArm
from suite.study.parting import curve_recipe, part_recipe, split_task

Follows = Callable[[Path], bool]

#: Keys that change no result, or may change while a study runs.
_TASK_FREE = {
    "title",
    "description",
    "references",
    "imbalance",
    "latency_bound_ms",
    "data.id",
    "data.licence",
    "data.note",
    "data.parted",
}
#: Which part is trained on, the command may say too; the rows' fingerprint tells of another one.
_RECIPE_FREE = {
    "title",
    "description",
    "trials",
    "stop",
    "train_subset.by",
    "train_subset.part",
    "train_subset.rows",
    "train_subset.draw",
}
#: The same of a recipe that chooses its arms: what the choice fills in, and what it was made for;
#: `create` compares the preset.
_CHOICE_FREE = _RECIPE_FREE | {"arms", "finals.seeds", "choose.seconds", "choose.preset"}


def check_unchanged(stored: Definition, follows: Follows) -> str | None:
    """Compares a stored study with its task file, its recipe and the catalogue as they are now.

    A file that is gone is no change: the study has its own.

    Args:
        follows: as in `check`.

    Returns:
        What `check` returns.

    Raises:
        StudyError: as `check`.
    """
    stored = _placed(stored, follows)
    asked = stored
    task_file = Path(stored.task_file)
    if not task_file.is_file() and paths.is_shipped(task_file, "tasks"):
        task_file = paths.bundled("tasks") / task_file.name
    if not stored.sample and _ours(task_file, follows) and task_file.is_file():
        task = split_task(load_task(task_file), stored.split)
        changes = {"task": task, "task_said": said(task), "task_file": str(task_file)}
        asked = asked.model_copy(update=changes)
    recipe_file = _recipe_file(stored)
    if _ours(recipe_file, follows) and recipe_file.is_file():
        recipe, _ = find_recipe(stored.recipe_named or stored.recipe.name)
        recipe = part_recipe(recipe).sampled_by(stored.sampler_named)
        if stored.curve or stored.subset is not None:
            recipe = curve_recipe(recipe, stored.subset)
        asked = asked.model_copy(update={"recipe": recipe, "recipe_said": said(recipe)})
    catalogue = load_catalogue()
    arms = [
        arm.model_copy(update={"model": catalogue.get(arm.model.name, arm.model)})
        if _origin(arm.model) is None
        else arm
        for arm in asked.arms
    ]
    return check(stored, asked.model_copy(update={"arms": arms}), follows)


def check(stored: Definition, asked: Definition, follows: Follows) -> str | None:
    """Compares a stored study with what is asked for now.

    Args:
        follows: whether a file that the stored study names may be looked at; those of a database
            that came from elsewhere are not its user's.

    Returns:
        A sentence on what changed with the suite and is not followed; None where nothing did.

    Raises:
        StudyError: naming each difference that is the user's.
    """
    stored = _placed(stored, follows)
    found = _Found()
    same_task = _compare_tasks(found, stored, asked)
    _compare_recipes(found, stored, asked)
    if _named_seed(stored) is not None or _named_seed(asked) is not None:
        found.note("--seed", stored.seed, asked.seed)
    if asked.sampler_named is not None:
        found.note("--sampler", stored.recipe.sampler.name, asked.sampler_named)
    found.note("--train-rows", stored.train_rows, asked.train_rows)
    found.note("a learning curve", stored.curve, asked.curve)
    if same_task:
        found.note("data fingerprint", stored.data.fingerprint, asked.data.fingerprint)
    _compare_arms(found, stored, asked)
    if found.named:
        raise StudyError(
            f"the study '{stored.name}' exists and differs from what is asked:\n  "
            + "\n  ".join(found.named),
            fix="Give another --name, restore what changed, or `suite study delete "
            f"{stored.name}` first.",
        )
    if not found.changed:
        return None
    return (
        f"Changed in the suite since the study '{stored.name}' was made: "
        f"{', '.join(found.changed)}. The study keeps what it was made with."
    )


def _placed(stored: Definition, follows: Follows) -> Definition:
    """A stored study whose files are the ones to look at here: of a shipped file, as its name
    tells, this installation's stands for one that may not be followed."""
    changes: dict[str, str] = {}
    for key, kind in (("task_file", "tasks"), ("recipe_named", "studies")):
        named = getattr(stored, key)
        if named is None or not is_path(named):
            continue
        file = Path(named)
        if file.parent.name == kind and not follows(file):
            changes[key] = str(paths.bundled(kind) / file.name)
    return stored.model_copy(update=changes)


def _ours(file: Path, follows: Follows) -> bool:
    """Whether a file may be looked at: it is the user's own, or this installation's."""
    return file.parent in (paths.bundled("tasks"), paths.bundled("studies")) or follows(file)


def said(file: BaseModel) -> dict[str, Any]:
    """What a task or a recipe itself gives a value, without defaults, as plain JSON types."""
    return file.model_dump(mode="json", exclude_unset=True)


class _Found:
    """Differences: by the user's hand, and with the suite."""

    def __init__(self) -> None:
        self.named: list[str] = []
        self.changed: list[str] = []

    def note(self, what: str, stored: object, now: object) -> None:
        """A difference of the user's, if it is one."""
        if stored != now:
            self.named.append(f"{what}: stored {stored}, now {now}")

    def told(self, what: str, places: Sequence[str]) -> None:
        """What changed with the suite, if anything did."""
        if places:
            self.changed.append(f"{what} ({', '.join(dict.fromkeys(places))})")


@dataclass(frozen=True)
class _Edit:
    """A value that differs; `said` where the file gave it, then or now, and no default did."""

    place: str
    stored: Any
    now: Any
    said: bool


def _compare_tasks(found: _Found, stored: Definition, asked: Definition) -> bool:
    """Returns whether the task is the same, so that its rows have to be."""
    found.note("task", stored.task.name, asked.task.name)
    if stored.task.name != asked.task.name:
        return True
    edits = _edits(stored.task, stored.task_said, asked.task, asked.task_said, _TASK_FREE)
    if not edits:
        return True
    shipped = stored.sample or all(
        paths.is_shipped(Path(definition.task_file), "tasks") for definition in (stored, asked)
    )
    by_hand = [edit.place for edit in edits if edit.said and not shipped]
    if by_hand:
        found.named.append(f"the task file {asked.task_file} changed: {', '.join(by_hand)}")
    elif shipped:
        found.told(f"the task '{asked.task.name}'", [edit.place for edit in edits])
    else:
        found.told("defaults of tasks", [edit.place for edit in edits])
    return False


def _compare_recipes(found: _Found, stored: Definition, asked: Definition) -> None:
    name = asked.recipe.name
    chosen = stored.recipe.choose is not None and asked.recipe.choose is not None
    free = _CHOICE_FREE if chosen else _RECIPE_FREE
    edits = _edits(stored.recipe, stored.recipe_said, asked.recipe, asked.recipe_said, free)
    if not edits:
        return
    shipped = all(
        paths.is_shipped(_recipe_file(definition), "studies") for definition in (stored, asked)
    )
    if stored.recipe.name != name:
        if shipped and stored.recipe_named is None and asked.recipe_named is None:
            found.told("the recipe that is taken where none is named", [name])
        else:
            found.note("recipe", stored.recipe.name, name)
    elif shipped:
        found.told(f"the recipe '{name}'", [edit.place for edit in edits])
    else:
        for edit in edits:
            if edit.said:
                found.note(f"recipe {name}, {edit.place}", edit.stored, edit.now)
        found.told("defaults of recipes", [edit.place for edit in edits if not edit.said])


def _compare_arms(found: _Found, stored: Definition, asked: Definition) -> None:
    before, now = ({arm.name: arm for arm in d.arms} for d in (stored, asked))
    if before.keys() != now.keys():
        if stored.arm_globs != asked.arm_globs or _brought(stored) != _brought(asked):
            found.note("arms", ", ".join(before), ", ".join(now))
        elif stored.recipe.arms == asked.recipe.arms:
            found.told("the arms that are named", sorted(before.keys() ^ now.keys()))
    entries: list[str] = []
    spaces: list[str] = []
    for name in (name for name in before if name in now):
        old, new = before[name], now[name]
        if _origin(old.model) != _origin(new.model):
            found.note(f"the model of {name}", old.model.identity, new.model.identity)
        elif (other := _companions_differ(old, new)) is not None:
            then, now_ = (one.companions[other] for one in (old, new))
            found.note(f"{other}, beside {name}", _pinned(then), _pinned(now_))
        elif old.model != new.model:
            entries.append(old.model.name)
        # A refusal may come and go with the machine or the Hub.
        elif old.refused is None and new.refused is None and old.dimensions != new.dimensions:
            spaces.append(name)
    found.told("the catalogue's entries", entries)
    if stored.recipe.spaces == asked.recipe.spaces:
        found.told("search spaces", spaces)


def _companions_differ(old: StoredArm, new: StoredArm) -> str | None:
    """The first of the models that both name beside an arm's own of which one has other weights
    than the other; None where there is none."""
    for name in sorted(old.companions.keys() & new.companions.keys()):
        then, now = old.companions[name], new.companions[name]
        prints = (then.fingerprint, now.fingerprint)
        if _origin(then.model) != _origin(now.model) or (None not in prints and len({*prints}) > 1):
            return name
    return None


def _pinned(companion: Companion) -> str:
    """What exactly it is."""
    print_ = companion.fingerprint
    return companion.model.identity + (f" ({print_[:12]})" if print_ else "")


def _edits(
    stored: BaseModel,
    stored_said: Mapping[str, Any],
    asked: BaseModel,
    asked_said: Mapping[str, Any],
    free: Container[str],
) -> list[_Edit]:
    """Where two tasks or recipes differ, key by key, but for keys that are free to."""
    then, now = stored.model_dump(mode="json"), asked.model_dump(mode="json")
    return list(_walk(then, stored_said, now, asked_said, free, ""))


def _walk(
    then: Mapping[str, Any],
    then_said: Mapping[str, Any],
    now: Mapping[str, Any],
    now_said: Mapping[str, Any],
    free: Container[str],
    path: str,
) -> Iterator[_Edit]:
    for key in dict.fromkeys((*then, *now)):
        before, after, place = then.get(key), now.get(key), f"{path}{key}"
        if before == after or place in free:
            continue
        inner = _keyed(before), _keyed(after)
        if inner[0] and inner[1]:
            said_inside = _keyed(then_said.get(key)), _keyed(now_said.get(key))
            yield from _walk(inner[0], said_inside[0], inner[1], said_inside[1], free, f"{place}.")
        else:
            yield _Edit(place, before, after, key in then_said or key in now_said)


def _keyed(value: Any) -> dict[str, Any]:
    """Keys and values of a table, places and values of a list of tables; else nothing."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return {str(place): item for place, item in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _recipe_file(definition: Definition) -> Path:
    """Where a study's recipe lies, or lay."""
    named = definition.recipe_named or definition.recipe.name
    if is_path(named):
        return Path(named)
    own = Path("studies") / f"{named}.yaml"
    return paths.yaml_files("studies").get(named, own)


def _named_seed(definition: Definition) -> int | None:
    """The seed that was named for the study, where it is not its recipe's; a split has its own."""
    if definition.split is not None:
        return None
    return None if definition.seed == definition.recipe.seed else definition.seed


def _origin(model: Model) -> str | None:
    """The folder or address a user gave for a model; None for one of the catalogue."""
    return model.path or model.endpoint


def _brought(definition: Definition) -> set[str]:
    """The models a user brought."""
    return {arm.model.name for arm in definition.arms if _origin(arm.model) is not None}
