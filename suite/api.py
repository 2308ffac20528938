"""The suite as a library: what the commands do, as functions that return values.

    from suite import build_report, create_study, load_predictor, run_study

    study = create_study("agnews", sample=True, arms=["tfidf/*"], trials=4)
    results = run_study(study.name)
    build_report(results)
    load_predictor(study.name).predict(["Oil prices fall as supply grows"])

Arguments are named as the command line's options, and mean the same; studies, artifacts and
reports lie where the commands keep them, under the working folder. What a person can mend is
raised as a `SuiteError`. Nothing is printed; the environment and signal handlers are afterwards
as they were. Trials run in processes of their own, which never import the calling script, so a
script needs no `if __name__ == "__main__"`, and a notebook or a thread works as well.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import PrivateAttr

from suite.config.task import find_task
from suite.config.task import reading as reading_of
from suite.contracts.growth import Curve
from suite.contracts.limits import (
    MOST_DRAWS,
    MOST_SPLITS,
    MOST_TRAININGS,
    MOST_TRIALS,
    Preset,
    SamplerName,
    ends,
    positive,
    several,
)
from suite.contracts.results import StudyResults
from suite.contracts.task import Reading, Task
from suite.data.columns import Asked
from suite.data.draft import Said
from suite.data.room import Room
from suite.files import parse_size
from suite.handover import tensorboard as tensorboards
from suite.handover.predictor import Predictor, load_predictor
from suite.machine import surroundings
from suite.report.frames import leaderboard_frame, trials_frame
from suite.study.called import called
from suite.study.create import Created, Wanted, create, ensure_snapshot
from suite.study.differences import check_unchanged
from suite.study.duration import parse_duration
from suite.study.ending import Said as SearchSaid
from suite.study.ending import want
from suite.study.telling import Progress, Stop, Telling, ended

if TYPE_CHECKING:
    from suite.study.course import Watcher

__all__ = [
    "Created",
    "Predictor",
    "Progress",
    "build_report",
    "create_study",
    "leaderboard_frame",
    "load_predictor",
    "load_results",
    "load_task",
    "run_study",
    "score_finals",
    "trials_frame",
]

Format = Literal["html", "json", "csv", "md"]
FORMATS: tuple[Format, ...] = ("html", "json", "csv", "md")


#: What is no part of a call as the page shows it.
_ASIDE = ("task", "command", "warn", "say")


class _FileTask(Task):
    """A task that knows the folder of its file, which its data files are named from."""

    _folder: Path = PrivateAttr(default_factory=Path.cwd)


def load_task(task: str | Path) -> Task:
    """A task by a shipped (or own) task's name, or from a task file.

    Args:
        task: `"agnews"`, or the path of a YAML file.

    Raises:
        TaskError: no such task; the nearest name is told.
        YamlError: the file is no task, with file, line and key.

    Example:
        >>> load_task("agnews").label_names
        ['World', 'Sports', 'Business', 'Sci/Tech']
    """
    found, file = find_task(str(task) if isinstance(task, str) else _path(task))
    values = {name: getattr(found, name) for name in type(found).model_fields}
    known = _FileTask.model_construct(found.model_fields_set, **values)
    known._folder = file.absolute().parent
    return known


def create_study(
    task: str | Path | Task,
    *,
    recipe: str | Path | None = None,
    name: str | None = None,
    arms: Sequence[str] = (),
    models: Mapping[str, str | Path] | Sequence[str] = (),
    endpoint: str | None = None,
    endpoint_model: str | None = None,
    decision: str | None = None,
    decision_model: str | None = None,
    data: str | Path | None = None,
    sample: bool = False,
    no_fallback: bool = False,
    trials: int | None = None,
    target_f1: float | None = None,
    patience: int | None = None,
    sampler: SamplerName | None = None,
    preset: Preset | None = None,
    timeout: float | str | None = None,
    download: int | str | None = None,
    storage: str | None = None,
    seed: int | None = None,
    train_rows: int | None = None,
    train_subset: str | None = None,
    splits: int | None = None,
    curve: Curve | None = None,
    force: bool = False,
    max_memory: int | str | None = None,
    text: str | Sequence[str] = (),
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    time: str | None = None,
    test_share: float | None = None,
    reading: Mapping[str, Any] | Reading | None = None,
    strict: bool = False,
    command: str | None = None,
    warn: Callable[[str], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Created:
    """Creates a study, or finds the one that is there where it is the same; runs nothing.

    Args:
        task: a file or a folder of your own rows, a task's name, a task file's path, or a `Task`.
            For rows, `tasks/NAME.yaml` is written once, and followed from then on.
        recipe: a recipe's name or path; the task's own where none is named, else `auto`.
        name: the study's name (of rows, the task's too); TASK, or TASK-RECIPE.
        arms: globs of model/strategy, in place of the recipe's.
        models: local transformers folders by the name they shall have, or `"NAME=PATH"`s.
        endpoint, endpoint_model: an OpenAI-compatible server, as an arm of its own.
        decision, decision_model: a decision server, likewise; its `jev-latest` where None.
        data: a folder with train, validation or dev, and test files.
        sample: study the bundled sample.
        no_fallback: raise where the data can't be had, instead of studying the sample.
        trials: finished trials the study is to have in all; stored with it.
        target_f1: end the search where a trial within the bounds has this macro-F1 on validation.
        patience: end it where so many finished trials in a row found nothing better. Both are
            stored with the study; 0 takes back what stands.
        sampler: who proposes hyperparameters, in place of the recipe's: `"tpe"`, `"gp"`, `"cmaes"`,
            `"qmc"` or `"random"`.
        preset: how thoroughly a recipe that chooses its arms goes about it: `"fast"`,
            `"balanced"` or `"best"`.
        timeout: the time that they are to finish in, and that a run takes where it is given none:
            seconds, or `"30m"`.
        download: bytes, or `"2GB"`, that one of their models may take to download; 500 MB.
        storage: a database URL; `studies/suite.db` in the working folder where none is given.
        seed: the recipe's where none is given.
        train_rows: take so many training rows (stratified, nested).
        train_subset: of a recipe with one: the part to train on, `"hard"`, `"hard:1000"`, and
            whole `"dynamics:hard:1000:2"`, the second draw of so many rows.
        splits: part the rows so many times into train and test, each searched on its own.
        curve: make it the largest size of a learning curve (`suite.contracts.growth.Curve`), whose
            other sizes `run_study` runs after it; its recipe has its arms, and its finals train on
            train alone.
        force: splits also ask endpoints anew, which may cost money.
        max_memory: what reading the rows may use: bytes, or `"8GB"`; a quarter of what this process
            may use where None.
        text, label, id: columns of rows, where they are not to be guessed; several texts are
            joined.
        group, time: columns to carve test by: rows of one group stay on one side, the newest rows
            are the test.
        test_share: the part of the rows that is the test; a fifth, at most 10,000, where None.
        reading: how a file of rows is read, as `data.reading` of a task says it.
        strict: refuse rows without text or label, which are else left out and counted.
        command: what the study's circumstances say it was made by; this call where None.
        warn: told what must not be missed, in place of a `UserWarning`.
        say: told what was found in rows, a line at a time.

    Returns:
        The study's name, whether it stood there already (`resumed`), and its definition.

    Raises:
        SuiteError: what a person can mend, before anything is written.

    Warns:
        UserWarning: the bundled sample took the data's place.

    Example:
        create_study("tickets.csv", text=["subject", "body"], label="team")
        create_study("agnews", data="./ag_news", arms=["tfidf/*", "minilm/*"],
                     models={"minilm": "/models/all-MiniLM-L6-v2"}, trials=20)
    """
    given = {k: value for k, value in locals().items() if k not in _ASIDE}
    several("arms", arms)
    several("models", models)
    named = models.items() if isinstance(models, Mapping) else ()
    positive(MOST_TRIALS, trials=trials)
    ends(target_f1, patience)
    positive(2**31, train_rows=train_rows)
    positive(MOST_SPLITS, splits=splits)
    if curve is not None:
        positive(MOST_DRAWS, draws=curve.draws)
        positive(2**31, more=curve.more, **{f"sizes[{i}]": n for i, n in enumerate(curve.sizes)})
    wanted = Wanted(
        task=task if isinstance(task, str | Task) else _path(task),
        task_folder=task._folder if isinstance(task, _FileTask) else None,
        recipe=None if recipe is None else str(recipe),
        name=name,
        arms=tuple(arms),
        models=[f"{key}={os.fspath(folder)}" for key, folder in named] or list(models),
        endpoint=endpoint,
        endpoint_model=endpoint_model,
        decision=decision,
        decision_model=decision_model,
        data=None if data is None else Path(data),
        sample=sample,
        no_fallback=no_fallback,
        trials=trials,
        stop=SearchSaid(target_f1, patience),
        sampler=sampler,
        preset=preset,
        seconds=None if timeout is None else parse_duration(str(timeout)),
        most_fetched=None if download is None else parse_size(str(download)),
        storage=storage,
        seed=seed,
        train_rows=train_rows,
        train_subset=train_subset,
        splits=splits,
        curve=curve,
        force=force,
        max_memory=_memory(max_memory),
        command=command or called(task, given),
        said=Said(
            Asked((text,) if isinstance(text, str) else tuple(text), label, id, group, time),
            test_share,
            reading if isinstance(reading, Reading) else reading_of(reading or {}),
        ),
        strict=strict,
    )
    told: list[str] = []
    with surroundings.restored():
        made = create(wanted, warn=warn or told.append, say=say or (lambda line: None))
    for text in told:
        warnings.warn(text, stacklevel=2)
    return made


def run_study(
    name: str | Created,
    *,
    trials: int | None = None,
    target_f1: float | None = None,
    patience: int | None = None,
    timeout: float | str | None = None,
    workers: int = 1,
    storage: str | None = None,
    data: str | Path | None = None,
    max_disk: int | str | None = None,
    max_memory: int | str | None = None,
    force: bool = False,
    retry_arms: Sequence[str] = (),
    tensorboard: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    watcher: Watcher | None = None,
    began: float | None = None,
    stop: threading.Event | None = None,
    importance: bool = True,
    allow_endpoint: Sequence[str] = (),
) -> StudyResults:
    """Runs a study until it has its trials, and scores each arm's best once on test; then its
    further splits, where it has any.

    Trials run in child processes; the call blocks. A study that has all its trials is only read.

    Args:
        name: the study's name, or what `create_study` returned.
        trials: finished trials the study is to have in all; stored with it.
        target_f1, patience: what ends the search before it has its trials, as in
            `create_study`. Where more trials are asked for, patience counts from there.
        timeout: what the call may take, finals included: seconds, or `"30m"`, `"2h"`. A trial
            that does not fit any more is not started; one that runs is not cut off.
        workers: trials at a time on this machine.
        storage: a database URL; `studies/suite.db` in the working folder where none is given.
        data: where the rows lie on this machine, if elsewhere.
        max_disk: stop when the study's files pass this: bytes, or `"20GB"`.
        max_memory: what reading the rows may use, as in `create_study`.
        force: also run arms whose single trial exceeds the budget.
        retry_arms: globs of arms that are out and shall be tried again, whatever the reason. Those
            whose trouble may have passed (an endpoint, a disk, memory, weights, the budget) are
            asked again by every run.
        tensorboard: a folder for TensorBoard's logs, one run per trial.
        progress: told what happens, from the workers' threads, one call at a time. An exception
            it raises ends the run and comes out of it; running trials are queued again.
        watcher: told the same and more, as it happens and as the suite's own values; in place of
            `progress`. The command line's table is one.
        began: when the time of `timeout` began, by `time.monotonic`; now where None.
        stop: set it from another thread to end early; running trials are queued again, and what
            was found so far is returned.
        importance: also compute what mattered among hyperparameters, as `load_results`.
        allow_endpoint: servers (`"HOST"`, `"HOST:PORT"`) that may be asked although you named them
            nowhere: those of a study that came from elsewhere. Kept for the storage.

    Returns:
        Everything the study found, finals with it where all trials are there.

    Raises:
        SuiteError: what a person can mend.
        KeyboardInterrupt: Ctrl-C; everything is saved, and running trials are queued again.

    Example:
        results = run_study("agnews", trials=30, timeout="2h", workers=2)
        print(results.verdict.recommended, results.verdict.best)
    """
    from suite.study import artifacts, course, growing, splitting
    from suite.study import storage as storages
    from suite.study.work import Limits, Work

    positive(MOST_TRIALS, trials=trials, workers=workers)
    ends(target_f1, patience)
    several("allow_endpoint", allow_endpoint)
    several("retry_arms", retry_arms)
    seconds = parse_duration(str(timeout)) if timeout is not None else None
    disk = parse_size(str(max_disk)) if max_disk is not None else None
    first = name if isinstance(name, str) else name.name
    halt = Stop(stop)
    telling = Telling(progress, halt)
    watching = watcher or telling

    def one(study_name: str, seconds: float | None, begun: float) -> None:
        study, definition = storages.load(storages.open_storage(storage), study_name)
        held = artifacts.find(study, definition.data.fingerprint)
        told = check_unchanged(definition, held.follows)
        if told:
            watching.said(told)
        ensure_snapshot(
            study,
            definition,
            None if data is None else Path(data),
            room=Room(_memory(max_memory)),
            say=watching.said,
        )
        carried = definition.subset is not None and definition.subset.carried is not None
        if not carried:
            want(study, definition, SearchSaid(target_f1, patience), trials)
        limits = Limits(workers, seconds, disk, force, begun)
        with tensorboards.watched(watching, study_name, tensorboard) as observer:
            work = Work(storage, study_name, observer, limits, halt, allow_endpoint)
            watching.study(work, workers)
            try:
                with ended(halt, telling), work.ledger.guarded():
                    course.run(work, watching, force=force, retry_arms=retry_arms)
            finally:
                work.close()

    with surroundings.restored():
        opened = storages.open_storage(storage)
        start = time.monotonic() if began is None else began
        splitting.run(
            opened,
            first,
            one,
            seconds=None if seconds is None else seconds * growing.share(opened, first),
            began=start,
            room=Room(_memory(max_memory)),
            say=watching.said,
            ended=halt.is_set,
        )
        growing.run(
            opened,
            first,
            one,
            seconds=seconds,
            began=start,
            say=watching.said,
            ended=halt.is_set,
        )
    return load_results(first, storage=storage, importance=importance)


def score_finals(
    name: str | Created,
    *,
    seeds: int | None = None,
    refit: bool | None = None,
    combine: bool | None = None,
    storage: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    watcher: Watcher | None = None,
    stop: threading.Event | None = None,
    allow_endpoint: Sequence[str] = (),
) -> StudyResults:
    """Trains each arm's best trial again over seeds and scores it on test, however long it takes.

    Trainings that are there are kept, and only missing ones made. Every call that scores opens the
    test split once more, which is counted.

    Args:
        name: the study's name, or what `create_study` returned.
        seeds: trainings of each arm, 1 to 20; where None the recipe's, or 3 where that has one.
        refit: train on train and validation together; where None as the recipe says, else yes.
        combine: rank a cascade and an ensemble of the models, too; where None as it was, or is to.
        storage: a database URL; `studies/suite.db` in the working folder where none is given.
        progress, watcher, allow_endpoint: as of `run_study`.
        stop: set it from another thread to end early; trainings that ended are kept, and what
            was found so far is returned.

    Returns:
        Everything the study found, the finals with it.

    Raises:
        StudyError: no such study, or no arm of it has a finished trial on this machine.
        SuiteError: what else a person can mend.
        KeyboardInterrupt: Ctrl-C; trainings that ended are kept.

    Example:
        for final in score_finals("agnews", seeds=10).finals:
            print(final.rank_range, final.arm, final.seed_scores)
    """
    from suite.study import finals
    from suite.study.work import Limits, Work

    positive(MOST_TRAININGS, seeds=seeds)
    several("allow_endpoint", allow_endpoint)
    study = name if isinstance(name, str) else name.name
    halt = Stop(stop)
    telling = Telling(progress, halt)
    watching = watcher or telling
    with surroundings.restored():
        work = Work(storage, study, watching, Limits(), halt, allow_endpoint)
        try:
            ensure_snapshot(work.ledger.study, work.ledger.definition, say=watching.said)
            with ended(halt, telling), work.ledger.guarded():
                finals.score(
                    work,
                    finals.asked(work.ledger.definition, seeds, refit, combine),
                    say=watching.said,
                    watch=partial(watching.step, "finals"),
                )
        finally:
            work.close()
    return load_results(study, storage=storage)


def load_results(
    name: str,
    *,
    storage: str | None = None,
    importance: bool = True,
    predictions: bool = True,
) -> StudyResults:
    """Everything a study found so far, while it runs too.

    Args:
        name: the study's name.
        storage: a database URL; `studies/suite.db` in the working folder where none is given.
        importance: also compute what mattered among each arm's hyperparameters, as the page
            shows it; takes up to some seconds for a long study.
        predictions: also read what each arm answered on test, row by row.

    Raises:
        StudyError: no such study; the nearest name is told.
        StorageError: the database can't be opened.

    Example:
        for final in load_results("agnews").finals:
            print(final.rank, final.arm, final.test.macro_f1, final.test.macro_f1_interval)
    """
    from suite.study import grown, record, splitting
    from suite.study import storage as storages

    with surroundings.restored():
        opened = storages.open_storage(storage)
        study, definition = storages.load(opened, name)
        found = record.results(study, definition, importance=importance, predictions=predictions)
        return grown.with_growth(splitting.with_splits(found, opened, study), opened, study)


def build_report(
    results: StudyResults | Sequence[StudyResults],
    *,
    out: str | Path = "reports",
    formats: Sequence[Format] = FORMATS,
    lang: Literal["en", "zh"] = "en",
    storage: str | None = None,
) -> list[Path]:
    """Writes a page per study, and the same numbers as JSON, CSV and Markdown.

    Args:
        results: of one study, or of several; several also get an index.
        out: the folder to write into.
        formats: any of html, json, csv, md.
        lang: en or zh.
        storage: the database URL that the commands on the page name; None for the usual one.

    Returns:
        What was written; the last is the page, or the index where there are several studies.

    Raises:
        ReportError: nothing to report, an unknown format or language, or a folder that can't be
            written.

    Example:
        page = build_report([load_results("agnews"), load_results("tnews")], lang="zh")[-1]
    """
    from suite.report import write_reports

    studies = [results] if isinstance(results, StudyResults) else list(results)
    several("formats", formats)
    return write_reports(studies, Path(out), list(formats), lang, storage=storage)


# ---------------------------------------------------------------- arguments


def _path(value: Path) -> str:
    """A path as the command line would have it: told from a name by its separator."""
    text = os.fspath(value)
    return text if os.sep in text else os.path.join(os.curdir, text)


def _memory(said: int | str | None) -> int | None:
    return None if said is None else parse_size(str(said))
