"""From what was typed to a stored study: task, data (or the sample), arms, database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from suite import files, paths
from suite.config.recipe import Recipe, find_recipe
from suite.config.task import find_task
from suite.contracts import moments
from suite.contracts.growth import Curve
from suite.contracts.limits import MOST_SEED, Preset, SamplerName, told
from suite.contracts.model import Model
from suite.contracts.task import NAME, Task
from suite.data import languages, own, sample
from suite.data import load as data
from suite.data.ahead import ahead
from suite.data.draft import Said
from suite.data.named import options
from suite.data.room import Room
from suite.data.snapshot import TaskData, write_snapshot
from suite.endpoint import consent, reach
from suite.errors import DataError, StorageError, StudyError, counted
from suite.machine import facts
from suite.models import hub
from suite.models.catalogue import load_catalogue, local_model, served
from suite.study import (
    arms,
    artifacts,
    auto,
    deciding,
    differences,
    ending,
    folding,
    growing,
    registry,
    sizes,
    splitting,
    storage,
    subsetting,
)
from suite.study.database import Database
from suite.study.definition import Definition, StoredArm
from suite.study.ending import Said as SearchSaid
from suite.study.lock import StudyLock
from suite.study.measurable import check_bounds
from suite.study.parting import curve_recipe
from suite.study.rows_here import ensure_snapshot as ensure_snapshot
from suite.study.rows_here import keep_snapshot


@dataclass(frozen=True)
class Wanted:
    """What `suite study create` was asked for."""

    task: str | Task
    recipe: str | None = None
    name: str | None = None
    arms: Sequence[str] = ()
    models: Sequence[str] = ()
    endpoint: str | None = None
    endpoint_model: str | None = None
    decision: str | None = None
    decision_model: str | None = None
    data: Path | None = None
    sample: bool = False
    no_fallback: bool = False
    trials: int | None = None
    #: What ends the search early, in place of the recipe's.
    stop: SearchSaid = field(default_factory=SearchSaid)
    #: Who proposes hyperparameters, in place of the recipe's.
    sampler: SamplerName | None = None
    #: Of a recipe that leaves the choice of arms open: how thoroughly, in how many seconds, and
    #: bytes that may be downloaded for one model.
    preset: Preset | None = None
    seconds: float | None = None
    most_fetched: float | None = None
    storage: str | None = None
    seed: int | None = None
    train_rows: int | None = None
    #: PART, or PART:ROWS, of a recipe that trains on a part of the rows.
    train_subset: str | None = None
    #: How many splits of its rows the study is to have, itself the first; and whether they may ask
    #: endpoints anew.
    splits: int | None = None
    #: The learning curve that it is to be the largest size of.
    curve: Curve | None = None
    force: bool = False
    #: Bytes of memory that reading rows may use; a part of what there is where None.
    max_memory: int | None = None
    command: str = ""
    #: What a `Task` names its data files from; the working folder where there is none.
    task_folder: Path | None = None
    #: What is said of rows that are named in place of a task.
    said: Said = field(default_factory=Said)
    #: Whether rows without text or label are refused, where they would be left out.
    strict: bool = False


@dataclass(frozen=True)
class Created:
    """A stored study, whether it stood there already, and what changed in the suite since."""

    name: str
    resumed: bool
    definition: Definition
    told: str | None = None


def create(
    wanted: Wanted,
    *,
    warn: Callable[[str], None] = lambda text: None,
    say: Callable[[str], None] = lambda text: None,
) -> Created:
    """Creates a study, or finds the one that is there if it is the same.

    Args:
        warn: told what must not be missed, such as the fallback to the sample.
        say: told what was found in rows that are named in place of a task.

    Raises:
        SuiteError: anything a person can mend, before anything is written.
    """
    for given in (wanted.task, wanted.recipe, wanted.data):
        if isinstance(given, str | Path):
            files.named(given, StudyError)  # it is stored
    rows = _rows(wanted, say)
    if rows is None:
        task, task_file = _task(wanted)
    else:
        task, task_file = rows.task, rows.file.absolute()
        for line in rows.told:
            say(line)
    recipe_named = wanted.recipe
    if recipe_named is not None:
        find_recipe(recipe_named)  # a wrong name is told before the Hub is asked
    catalogue = load_catalogue()
    added = [local_model(option) for option in wanted.models]
    servers = served(
        (wanted.endpoint, wanted.endpoint_model), (wanted.decision, wanted.decision_model)
    )
    added += servers
    catalogue |= {model.name: model for model in added}
    try:
        loaded, task, fell_back = _data(wanted, task, task_file, warn)
    except DataError as error:
        if rows is None or rows.text is not None:
            raise
        raise DataError(
            error.what,
            where=error.where,
            fix=f"{error.fix or ''} The rows are read as {rows.file} says: change it, or remove it "
            "to have it drafted anew.".strip(),
        ) from None
    if rows is not None:
        say(_parts(loaded))
    if wanted.train_rows is None and loaded.facts.train_rows_of is not None:
        wanted = replace(wanted, train_rows=loaded.facts.rows.train)
        say(
            f"  of {counted(loaded.facts.train_rows_of, 'training row')} "
            f"{loaded.facts.rows.train:,} are taken, class by class: --train-rows takes more"
        )
    recipe, recipe_file = _recipe(recipe_named, task, fell_back or wanted.sample)
    recipe = subsetting.asked(_asked(recipe, wanted), wanted.train_subset)
    if wanted.curve is not None:
        recipe = _of_curve(recipe)
    loaded = subsetting.narrowed(loaded, recipe, task, _named(wanted, loaded), wanted.splits)
    seed = subsetting.seed_of(recipe) if wanted.seed is None else _seed(wanted.seed)
    name = _name(wanted, recipe, task)
    if not NAME.fullmatch(name):
        raise StudyError(
            f"--name {name!r} is no name",
            fix="Small letters, digits, '-', '_' and '.', at most 64.",
        )
    before = _before(wanted, name)
    sampler_named = wanted.sampler or (before.sampler_named if before else None)
    recipe = recipe.sampled_by(sampler_named)
    if wanted.stop.given:
        recipe = recipe.model_copy(update={"stop": recipe.stop.after(wanted.stop.given)})
    # Where the recipe leaves the choice of arms open, the one that was made stands.
    there = before if recipe.choose is not None and before and before.recipe.choose else None
    globs = _globs(wanted, catalogue, servers)
    if there is not None:
        recipe = recipe.model_copy(update={"choose": auto.same_preset(there, wanted.preset)})
        # The choice is made once: a machine or a day later another one would be.
        globs = [a.name for a in there.arms if a.model.name in catalogue]
        globs += arms.brought(recipe, (model.name for model in added))
    # Both the command and the catalogue are the user's own words.
    named = [model.endpoint for model in catalogue.values() if model.endpoint is not None]
    with consent.held(consent.Consent(storage.place(wanted.storage), named)):
        planned = arms.plan(
            recipe,
            task,
            catalogue,
            globs=globs,
            added=[model.name for model in added],
            unavailable=reach.unavailable,
            recipe_file=recipe_file,
            lengths=languages.token_lengths(loaded.train.texts),
            rows=loaded.facts.rows.train,
            counts=list(Counter(loaded.train.labels).values()),
        )
        planned, loaded = folding.decide(recipe, planned, task, loaded)
        if recipe.choose is not None and there is None:
            chosen = auto.choose(
                recipe,
                planned,
                task,
                loaded.facts,
                named=bool(wanted.arms),
                most_fetched=wanted.most_fetched,
            )
            recipe, planned = chosen.recipe, chosen.arms
    registry.check(recipe.sampler.package)  # that it can be had is told before it is made
    if before is None:  # one that was made before this was looked at goes on
        check_bounds(recipe, recipe_file, planned)
        deciding.check(recipe, task)
    if all(arm.refused for arm in planned):
        raise StudyError(
            "every arm is refused:\n  " + "\n  ".join(f"{a.name}: {a.refused}" for a in planned)
        )
    if (told := arms.asked_in_english(planned, task)) is not None:
        warn(told)
    away = {a.name: {"refused": str(a.refused), "cause": "endpoint"} for a in planned if a.away}
    definition = Definition(
        name=name,
        task=task,
        task_said=differences.said(task),
        task_file=str(task_file),
        recipe=recipe,
        recipe_said=differences.said(recipe),
        recipe_named=recipe_named,
        arms=[StoredArm.of(arm) for arm in planned],
        arm_globs=list(wanted.arms),
        data=loaded.facts,
        data_dir=str(wanted.data.resolve()) if wanted.data else None,
        train_rows=wanted.train_rows,
        sample=loaded.facts.sample,
        seed=seed,
        sampler_named=sampler_named,
        curve=wanted.curve is not None,
        command=wanted.command,
        created=moments.now(),
        environment=facts.environment(),
    )
    if wanted.splits is not None and wanted.splits > 1:
        splitting.check(definition, force=wanted.force)
    if wanted.curve is not None and before is None:
        growing.joined(None, definition, wanted.curve)
    opened = storage.open_storage(wanted.storage, create=True)
    if wanted.curve is not None and before is not None and before.curve:
        growing.joined(growing.asked(storage.find(opened, name)), before, wanted.curve)
    if rows is not None and rows.text is not None:
        rows.write()
        say(f"Wrote {rows.file}: from now on it says how the rows are read.")
    made = _stood(wanted, definition, loaded, opened, away, warn)
    if wanted.splits is not None:
        asked = splitting.want(
            storage.find(opened, name), made.definition, wanted.splits, force=wanted.force
        )
        if asked is not None:
            for line in splitting.told(made.definition, asked):
                say(f"  {line}")
    if wanted.curve is not None:
        curve = growing.want(storage.find(opened, name), made.definition, wanted.curve)
        for line in growing.told(made.definition, curve, loaded.train.labels):
            say(line)
    return made


def _stood(
    wanted: Wanted,
    definition: Definition,
    loaded: TaskData,
    opened: Database,
    away: Mapping[str, Mapping[str, str]],
    warn: Callable[[str], None],
) -> Created:
    """The study as it was stored now, or stood there before.

    Args:
        away: arms that are out from the beginning.
    """
    name = definition.name
    if not storage.exists(opened, name):
        for warning in loaded.facts.audit.warnings if loaded.facts.audit else ():
            warn(warning)
        with StudyLock(opened, name).held():
            # Who creates the same study meanwhile finds it there, whole.
            if not storage.exists(opened, name):
                with artifacts.begun(opened, name) as (id, folder):
                    write_snapshot(folder / artifacts.DATA, loaded)
                    target = wanted.trials or definition.recipe.trials
                    storage.create(opened, definition, id, target, away)
                return Created(name, resumed=False, definition=definition)
    study, stored = storage.load(opened, name)
    held = artifacts.find(study, stored.data.fingerprint)
    told = differences.check(stored, definition, held.follows)
    if loaded.facts.fingerprint == stored.data.fingerprint:
        keep_snapshot(artifacts.claim(study, stored.data.fingerprint), stored, loaded)
    else:
        ensure_snapshot(study, stored, wanted.data, room=Room(wanted.max_memory))
    ending.want(study, stored, wanted.stop, wanted.trials)
    return Created(name, resumed=True, definition=stored, told=told)


def _rows(wanted: Wanted, say: Callable[[str], None]) -> own.Own | None:
    """The task of the rows that were named in place of one; None where a task was named.

    Raises:
        StudyError: something is said of rows, and none were named; or of others as well.
    """
    if isinstance(wanted.task, str) and own.is_rows(wanted.task):
        if wanted.sample or wanted.data is not None:
            option = "--sample" if wanted.sample else "--data"
            raise StudyError(
                f"{option} names other rows than {wanted.task}", fix="Give one of them."
            )
        source = own.source_of(wanted.task, wanted.name, Room(wanted.max_memory))
        if (said := ahead(source, Room(wanted.max_memory))) is not None:
            say(said)
        return own.own_task(source, wanted.said, name=wanted.name, room=Room(wanted.max_memory))
    if wanted.said != Said():
        raise StudyError(
            "columns, reading and test are said of a file of rows, and a task was named: its file "
            "says them",
            fix="Name the file of rows in place of the task, or change the task file.",
        )
    return None


def _parts(loaded: TaskData) -> str:
    rows = loaded.facts.rows
    return (
        f"  {counted(rows.train, 'row')} to train on, {rows.validation:,} for validation, "
        f"{rows.test:,} for test{_aside(rows.calibration)}"
    )


def _aside(rows: int) -> str:
    return f", {rows:,} set aside for calibration" if rows else ""


def _task(wanted: Wanted) -> tuple[Task, Path]:
    """The task, and its file. A task that came as a value may differ from every file."""
    if isinstance(wanted.task, str):
        return find_task(wanted.task)
    return wanted.task, (wanted.task_folder or Path.cwd()) / f"({wanted.task.name}, a value)"


def _data(
    wanted: Wanted, task: Task, task_file: Path, warn: Callable[[str], None]
) -> tuple[TaskData, Task, bool]:
    """The rows, the task they belong to, and whether the sample took the data's place."""
    if wanted.sample and wanted.data is not None:
        raise StudyError("--sample and --data contradict each other", fix="Give one of them.")
    if not wanted.sample:
        recipe, _ = _recipe(wanted.recipe, task, False)
        try:
            loaded = data.load(
                task,
                task_file,
                data=wanted.data,
                hub_reachable=hub.reachable,
                train_rows=wanted.train_rows,
                most_rows=_most_rows(wanted, recipe, task),
                calibration=recipe.calibration_of(task),
                room=Room(wanted.max_memory),
                strict=wanted.strict,
            )
        except data.HubUnavailable as error:
            if wanted.no_fallback:
                raise DataError(
                    error.what,
                    where=error.where,
                    fix="Give --data DIR with train and test files, or drop --no-fallback to "
                    "study the bundled sample instead.",
                ) from None
            warn(
                f"{error.what}. The BUNDLED SAMPLE is studied instead, as '{task.name}-sample': "
                f"its numbers say nothing about {task.title}. Give --data DIR for the real rows."
            )
        else:
            return loaded, task, False
    stand_in = sample.sample_task(task)
    recipe, _ = _recipe(wanted.recipe, stand_in, True)
    loaded = sample.sample_data(
        stand_in.language,
        train_rows=wanted.train_rows,
        calibration=recipe.calibration_of(stand_in),
    )
    return loaded, stand_in, not wanted.sample


def _most_rows(wanted: Wanted, recipe: Recipe, task: Task) -> int | None:
    """How many rows a recipe that chooses its arms trains on, or a curve's largest size, at most;
    None where a number was said, or the study is there and has them all."""
    if wanted.train_rows is not None:
        return None
    before = _before(wanted, _name(wanted, recipe, task))
    if wanted.curve is not None:
        if before is not None:
            return before.train_rows
        return max(wanted.curve.sizes, default=sizes.MOST_ROWS)
    if recipe.choose is None or (before is not None and before.train_rows is None):
        return None
    return auto.MOST_ROWS


def _of_curve(recipe: Recipe) -> Recipe:
    """A recipe as a learning curve has it.

    Raises:
        StudyError: it leaves the choice of arms open, which would be another for each size.
    """
    if recipe.choose is not None:
        raise StudyError(
            f"a learning curve compares the same arms at each size, and '{recipe.name}' chooses "
            "them by the rows there are",
            fix="Name a recipe that has its arms: --recipe curve.",
        )
    return curve_recipe(recipe, None)


def _named(wanted: Wanted, loaded: TaskData) -> list[str]:
    """The words by which another command names the same rows."""
    task = wanted.task if isinstance(wanted.task, str) else wanted.task.name
    folder, sampled = wanted.data, loaded.facts.sample
    return [
        task,
        *options(folder=folder, use_sample=sampled, train_rows=wanted.train_rows),
    ]


def _name(wanted: Wanted, recipe: Recipe, task: Task) -> str:
    named = task.name if wanted.recipe is None else f"{task.name}-{recipe.name}"
    return wanted.name or named + subsetting.ending(recipe, wanted.train_subset)


def _asked(recipe: Recipe, wanted: Wanted) -> Recipe:
    """A recipe with what the command says of the choice of arms.

    Raises:
        StudyError: it says something, and the recipe has its arms.
    """
    if recipe.choose is None:
        if wanted.preset is not None or wanted.most_fetched is not None:
            option = "--preset" if wanted.preset is not None else "--download"
            raise StudyError(
                f"{option} belongs to a recipe that chooses its arms, and '{recipe.name}' has them",
                fix="Give --recipe auto, or leave it out.",
            )
        return recipe
    seconds = wanted.seconds
    if wanted.splits is not None and wanted.splits > 1:
        seconds = (seconds or recipe.choose.seconds) / wanted.splits  # of each
    changes = {"preset": wanted.preset, "seconds": seconds}
    given = {key: value for key, value in changes.items() if value is not None}
    return recipe.model_copy(update={"choose": recipe.choose.model_copy(update=given)})


def _before(wanted: Wanted, name: str) -> Definition | None:
    """The study of that name, where it is there."""
    try:
        opened = storage.open_storage(wanted.storage)
    except (StorageError, StudyError):
        return None  # there is none yet; what else is wrong with it is told when it is made
    return storage.load(opened, name)[1] if storage.exists(opened, name) else None


def _seed(seed: int) -> int:
    """A seed that every generator takes."""
    if type(seed) is not int or not 0 <= seed <= MOST_SEED:
        raise StudyError(f"the seed {told(seed)} is none", fix=f"A whole number, 0 to {MOST_SEED}.")
    return seed


def _recipe(asked: str | None, task: Task, sampled: bool) -> tuple[Recipe, Path]:
    """The recipe asked for; else `sample` for the sample; else the task's own; else `auto`."""
    if asked is not None:
        return find_recipe(asked)
    if sampled:
        return find_recipe("sample")
    if task.name in paths.yaml_files("studies"):
        return find_recipe(task.name)
    return find_recipe("auto")


def _globs(wanted: Wanted, catalogue: Mapping[str, Model], servers: Sequence[Model]) -> list[str]:
    """The arms asked for; a served model joins whatever they are, its name being ours."""
    globs = list(wanted.arms)
    for model in servers if globs else ():
        if not any(
            a.startswith(f"{model.name}/") for g in globs for a in arms.expand(g, catalogue)
        ):
            globs.append(f"{model.name}/*")
    return globs
