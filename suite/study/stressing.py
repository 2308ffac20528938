"""The models of a study's finals under a stranger's hand: test texts are changed, the models asked
again, and what became of their answers is kept with the study.

Every arm is asked the same texts. Test is opened no further: the finals have scored these models on
these rows, and nothing is trained or chosen by what comes of the changed ones but whether an arm
keeps `max_flips`.
"""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import optuna
from numpy.typing import NDArray

from suite import shell, strategies
from suite.contracts import moments
from suite.contracts.limits import STRESS_ROWS as ROWS
from suite.contracts.results import Final, StudyResults
from suite.contracts.strategy import NO_ANSWER, Rows
from suite.contracts.stress import Change, Injected, Stress
from suite.data import snapshot, stressed
from suite.data.stressed import Variant
from suite.endpoint import consent
from suite.endpoint.consent import Consent
from suite.errors import ModelError, StudyError, SuiteError, counted, nearest
from suite.study import artifacts, kept_record, record, storage, stress_record
from suite.study.artifacts import Artifacts
from suite.study.definition import Definition
from suite.study.made_of import asks, models_of
from suite.study.stress_answers import Answered
from suite.verdict import answering, of_confusion, stressing
from suite.verdict.stressing import Answers

Classes = NDArray[np.int64]

#: Texts that are asked at once.
AT_ONCE = 256


@dataclass(frozen=True)
class Wanted:
    """What to ask.

    Args:
        arms: globs; every arm of the finals where none is given.
        rows: test rows, drawn by the seed; all where there are fewer.
        seed: of rows and changes.
        again: whether to ask what is recorded with the same rows.
    """

    arms: Sequence[str] = ()
    rows: int = ROWS
    seed: int = 0
    again: bool = False


@dataclass(frozen=True)
class _Asked:
    """The texts of one command, the same for every arm.

    Args:
        rows: test rows as they are.
        places: where each stands in test.
        variants: the same, changed.
        left_out: changes that were not made, and why.
        texts: what is asked of an arm: all of them, as they are first, those that are alike once.
    """

    rows: Rows
    places: NDArray[np.int64]
    variants: list[Variant]
    left_out: dict[str, str]
    texts: list[str]


def stress(
    name: str,
    wanted: Wanted,
    *,
    url: str | None = None,
    allowed: Consent | None = None,
    say: Callable[[str], None] = lambda text: None,
    watch: Callable[[str, int, int], None] = lambda arm, done, total: None,
) -> list[Stress]:
    """Asks the models of the finals; stores of each what became of its answers as it is there.

    Args:
        name: the study's.
        url: the database's; None for the default.
        allowed: which servers may be asked.
        say: told what is recorded, left out, and asked of a server.
        watch: told how many texts of how many an arm has answered.

    Returns:
        All that is recorded of models that their arms still ship, by arm.

    Raises:
        StudyError: no such study or arm, no finals, or no model of theirs here.
        DataError: the study's own rows are damaged.
        ModelError: no arm that is asked can be: its model is damaged, or its server away.
    """
    study, definition = storage.load(storage.open_storage(url), name)
    results = record.results(study, definition, predictions=True)
    finals = _chosen(results, wanted.arms, url)
    lies = artifacts.find(study, definition.data.fingerprint)
    here = _here(study, lies, finals, say)
    asked = _asked(snapshot.read_split(lies.rows(), "test"), definition, wanted)
    for change, why in asked.left_out.items():
        say(f"left out: {change}: {why}")
    known = {one.arm: one for one in results.stress}
    todo = [
        f
        for f in finals
        if f.arm in here and (wanted.again or not _same(known.get(f.arm), asked, wanted.seed))
    ]
    if len(todo) < len(here):
        n = len(here) - len(todo)
        say(f"recorded with these rows: {counted(n, 'arm')}; --again asks anew")
    troubles: dict[str, ModelError] = {}
    with consent.held(allowed or Consent()):
        for arm in (final.arm for final in todo):
            for server in asks(models_of(definition, results.finals, arm)):
                say(f"{arm} asks {server} about {counted(len(asked.texts), 'text')}")
            version = kept_record.version(study.user_attrs, arm)
            assert version is not None  # its model is here
            classes = len(definition.task.labels)
            answered = Answered(lies, here[arm], asked.texts, classes)
            try:
                found = _of_arm(
                    arm, here[arm], version, results, asked, answered, wanted.seed, watch
                )
            except ModelError as error:
                # One arm's trouble (a server that is gone) must not cost the others their answers.
                troubles[arm] = error
                say(f"not asked: {arm}: {_told(error)}")
                continue
            stress_record.store(study, found)
            answered.over()
    if troubles:
        raise _not_all(name, troubles, len(todo), url)
    return record.results(study, definition).stress


def _not_all(
    name: str, troubles: Mapping[str, ModelError], asked: int, url: str | None
) -> SuiteError:
    """What is said where arms could not be asked."""
    (arm, first), *others = troubles.items()
    if asked == 1:
        return first
    told = "; ".join(f"{arm}: {_told(error)}" for arm, error in troubles.items())
    again = shell.command("stress", name, storage=url)
    return StudyError(
        f"{counted(len(troubles), 'arm')} of {asked:,} could not be asked: {told}",
        fix=f"What the others answered is kept; `{again}` asks these again."
        + ("" if others or not first.fix else f" {arm}: {first.fix}"),
    )


def _told(error: ModelError) -> str:
    return f"{error.where}: {error.what}" if error.where else error.what


def _chosen(results: StudyResults, globs: Sequence[str], url: str | None) -> list[Final]:
    """The finals of the arms that are asked for."""
    if not results.finals:
        again = shell.command("finals", results.study, storage=url)
        raise StudyError(
            f"'{results.study}' has no finals: only their models are asked", fix=f"`{again}`"
        )
    arms = [final.arm for final in results.finals]
    for glob in globs:
        if not any(fnmatch.fnmatchcase(arm, glob) for arm in arms):
            raise StudyError(f"no finals of an arm '{glob}'", fix=nearest(glob, arms))
    chosen = [a for a in arms if not globs or any(fnmatch.fnmatchcase(a, g) for g in globs)]
    return [final for final in results.finals if final.arm in chosen]


def _here(
    study: optuna.Study, lies: Artifacts, finals: Sequence[Final], say: Callable[[str], None]
) -> dict[str, Path]:
    """Arm -> the folder of its finals' model, of those that are on this machine."""
    places, elsewhere = {}, []
    for final in finals:
        taken = kept_record.taken(study.user_attrs, final.arm)
        folder = None if taken is None else lies.kept_here(final.arm, taken)
        if taken is None or taken.trial != final.trial:
            elsewhere.append(f"the model of {final.arm} is kept nowhere")
        elif folder is None:
            elsewhere.append(f"the model of {final.arm} is on {taken.host}, not in {lies.folder}")
        else:
            places[final.arm] = folder
    if not places:
        raise StudyError(
            f"no model of these finals is in {lies.folder}",
            fix=f"{'; '.join(elsewhere)}.",
        )
    for told in elsewhere:
        say(f"not asked: {told}")
    return places


def _asked(test: Rows, definition: Definition, wanted: Wanted) -> _Asked:
    """The rows that are asked about, and what becomes of their texts."""
    order = np.random.default_rng(wanted.seed).permutation(len(test))
    places = np.sort(order[: wanted.rows])
    rows = test.take(places)
    variants, left_out = stressed.variants(rows.texts, rows.labels, definition.task, wanted.seed)
    changed = chain.from_iterable(one.texts for one in variants)
    texts = list(dict.fromkeys(chain(rows.texts, changed)))
    return _Asked(rows, places, variants, left_out, texts)


def _same(before: Stress | None, asked: _Asked, seed: int) -> bool:
    """Whether what is recorded of an arm is what asking it now would repeat."""
    return (
        before is not None
        and before.version == stressed.VERSION
        and (before.seed, before.rows) == (seed, len(asked.rows))
        and before.left_out.keys() == asked.left_out.keys()
    )


def _of_arm(
    arm: str,
    folder: Path,
    version: tuple[int, bool],
    results: StudyResults,
    asked: _Asked,
    answered: Answered,
    seed: int,
    watch: Callable[[str, int, int], None],
) -> Stress:
    """Asks one arm's model about all texts, and judges what it answered.

    Args:
        answered: what it has answered so far; told what it answers.
    """
    rows, classes = asked.rows, answered.classes
    predictor = strategies.load_predictor(folder, classes=classes)
    while len(answered.answers) < len(asked.texts):
        done = len(answered.answers)
        watch(arm, done, len(asked.texts))
        begun = time.perf_counter()
        found = answering.of(predictor.predict_proba(asked.texts[done : done + AT_ONCE]))[0]
        answered.add(found.tolist(), time.perf_counter() - begun)
    by_text = dict(zip(asked.texts, answered.answers, strict=True))
    plain, *given = (
        np.array([by_text[text] for text in texts], np.int64)
        for texts in (rows.texts, *(one.texts for one in asked.variants))
    )
    of_change: dict[Change, list[tuple[Variant, Classes]]] = {}
    for variant, own in zip(asked.variants, given, strict=True):
        of_change.setdefault(variant.change, []).append((variant, own))
    together = {change: _together(rows, own) for change, own in of_change.items()}
    counts = of_confusion.counted(rows.labels, plain, classes)
    return Stress(
        arm=arm,
        trial=version[0],
        refit=version[1],
        rows=len(asked.rows),
        seed=seed,
        version=stressed.VERSION,
        asked=len(asked.texts),
        seconds=round(answered.seconds, 3),
        measured=moments.now(),
        macro_f1=float(of_confusion.macro_f1(counts)),
        unanswered=float((plain == NO_ANSWER).mean()),
        unsteady=_unsteady(results, arm, plain, asked),
        changes=stressing.judged(rows.labels, plain, together, classes),
        instructions=_injected(of_change.get("instruction", []), plain),
        left_out=asked.left_out,
    )


def _together(rows: Rows, given: Sequence[tuple[Variant, Classes]]) -> Answers:
    """What was answered to one change, in all its wordings."""
    altered = [
        text != own for one, _ in given for text, own in zip(one.texts, rows.texts, strict=True)
    ]
    named = given[0][0].named
    return Answers(
        np.stack([found for _, found in given]),
        sum(altered) / len(altered),
        None if named is None else np.array(named, np.int64),
    )


def _injected(given: Sequence[tuple[Variant, Classes]], plain: Classes) -> list[Injected]:
    """What each instruction did in each language."""
    injected = []
    for language, texts in stressed.INSTRUCTIONS.items():
        for one, found in given:
            assert one.languages is not None and one.instruction is not None
            own = np.array([spoken == language for spoken in one.languages])
            if not own.any():
                continue
            before, after = plain[own], found[own][None]
            injected.append(
                Injected(
                    texts[one.instruction],
                    language,
                    int(own.sum()),
                    stressing.flipped(before, after),
                    stressing.steered(before, after, np.array(one.named, np.int64)[own]),
                )
            )
    return injected


def _unsteady(results: StudyResults, arm: str, plain: Classes, asked: _Asked) -> float | None:
    """The share of texts that were answered otherwise in the finals."""
    kept = results.predictions.arms.get(arm) if results.predictions else None
    if not kept:
        return None
    before = np.array(kept[0], np.int64)[asked.places]
    return float((before != plain).mean())
