"""The model card of an exported folder: `README.md` as the Hugging Face Hub reads it.

A YAML head (language, licence, base model, the study's numbers as a model-index) and a page for
people, `card.md.jinja`. Every number stands with its circumstances. Names that come from data are
escaped; places on this machine and texts of rows do not appear.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from suite.config import jsonfile
from suite.contracts.language import language_of
from suite.contracts.model import Model
from suite.contracts.results import Final, Scores, TestScores
from suite.contracts.rowfacts import DataFacts
from suite.errors import ModelError, counted
from suite.models.checkpoint import CONFIG, MOST_CONFIG_BYTES
from suite.strategies.asking.settings import NEAR
from suite.strategies.calibrated import temperature_of
from suite.strategies.network.settings import MOST_BYTES, SETTINGS
from suite.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

    from suite.serving.engines.agreement import Agreement
    from suite.study.winner import Winner
from suite.verdict.metrics import METRICS, columns

PAGE = "card.md.jinja"
#: Characters of one name on the page; labels can be as long as somebody likes.
_LONGEST = 200
#: Licences by the Hub's identifiers; others are "other" with their name.
_LICENCES = {"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-sa-4.0", "gemma", "llama3"}


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file that was written, and how it compares with the model it was made from."""

    agreement: Agreement
    rows: int


def card(winner: Winner, folder: Path, onnx: OnnxFile | None = None) -> str:
    """The card of a winner's exported folder.

    Args:
        folder: the exported files, to tell how they are loaded.
        onnx: how the ONNX file compares, where one was written.
    """
    from huggingface_hub import ModelCard

    page = _page(winner, folder, onnx)
    return str(ModelCard(f"---\n{_head(winner, folder)}\n---\n\n{page}"))


def escaped(text: object) -> str:
    """Words that come from data, as one line of Markdown that shows them and does nothing else."""
    line = " ".join(str(text).split())
    line = "".join(c for c in line if c.isprintable() or c == "\u200d")
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST - 1]}…"
    line = html.escape(line, quote=False)
    line = re.sub(r"([\\`*_\[\]|~$@])", r"\\\1", line)
    # Viewers make links of bare addresses.
    return line.replace("://", ":\\//").replace("www.", "www\\.")


def _head(winner: Winner, folder: Path) -> ModelCardData:
    from huggingface_hub import ModelCardData

    task, model = winner.definition.task, _model(winner)
    parts = [*winner.models, *_beside(winner, folder)]
    # Of parts that have several licences none is the whole's.
    named = model.licence if len({one.licence for one in parts}) == 1 else None
    licence = named.lower() if named else None
    hubs = [one.hub for one in parts if one.hub]
    known = licence in _LICENCES
    strategy = winner.arm.split("/")[-1].split("+")[0]
    measured = _measured(winner)
    return ModelCardData(
        language=[task.language],
        pipeline_tag="text-classification",
        license=licence if known or licence is None else "other",
        license_name=None if known else named,
        library_name=None if winner.combined else _library(model, folder),
        base_model=hubs[0] if len(hubs) == 1 else hubs or None,
        datasets=[task.data.hub.id] if task.data.hub and _from_hub(winner) else None,
        tags=["text-classification", strategy, model.family],
        metrics=[metric.hub or metric.key for metric in columns(METRICS[winner.results.objective])],
        model_name=_title(winner) if measured else None,
        eval_results=measured or None,
    )


def _based(model: Model) -> str:
    """What a model was before it was trained here."""
    if model.builder:
        return "none: made from the training texts alone"
    if model.endpoint:
        return f"{model.endpoint_model or model.name}, asked at a server"
    if model.hub:
        return f"{model.hub} at revision {model.revision}"
    place = _last_part(model.path or model.name)
    return f"a local folder ({place}), called {model.name} in the study"


def _beside(winner: Winner, folder: Path) -> list[Model]:
    """Models beside those that answer whose weights lie in the folder, too."""
    return winner.beside if any(folder.rglob(f"{NEAR}/{CONFIG}")) else []


def _library(model: Model, folder: Path) -> str | None:
    """What reads the folder's model without the suite, as the Hub names it."""
    if model.family == "static":
        return "model2vec"
    return "transformers" if is_classifier(folder) else None


def _measured(winner: Winner) -> list[EvalResult]:
    """For the Hub's model-index: what was measured, and on which split."""
    from huggingface_hub import EvalResult

    task, final, trial = winner.definition.task, _final(winner), winner.made_by
    hub = task.data.hub if _from_hub(winner) else None
    dataset: dict[str, Any] = {
        "dataset_name": task.title,
        "dataset_type": hub.id if hub else task.name,
    }
    if winner.results.sample:
        dataset = {"dataset_name": "bundled sample", "dataset_type": "bundled-sample"}
    elif hub:
        dataset |= {"dataset_revision": hub.revision, "dataset_config": hub.config}
    validation = trial.validation if trial else None
    scores: TestScores | Scores | None = final.test if final else validation
    if scores is None:
        return []
    common = dataset | {
        "task_type": "text-classification",
        "task_name": "Text classification",
        "dataset_split": "test" if final else "validation",
    }
    return [
        EvalResult(
            metric_type=metric.hub or metric.key,
            metric_name=metric.label("en"),
            metric_value=round(value, 6),
            metric_args={"average": metric.average} if metric.average else None,
            **common,
        )
        for metric in columns(METRICS[winner.results.objective])
        if (value := metric.of(scores)) is not None
    ]


def _page(winner: Winner, folder: Path, onnx: OnnxFile | None) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found, task, final, trial = (
        winner.results, winner.definition.task, _final(winner), winner.made_by
    )  # fmt: skip
    validation = trial.validation if trial else None
    learnt = found.data.rows.train + (found.data.rows.validation if winner.refit else 0)
    scores = final.test.per_class_f1 if final else []
    split = "test"
    if not scores and validation is not None:
        scores, split = validation.per_class_f1, "validation"
    settings = _settings(folder)
    limit = settings.get("max_tokens")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=escaped,
    )
    return environment.get_template(PAGE).render(
        counted=counted,
        arm=winner.arm,
        study=winner.definition.name,
        number=winner.trial,
        version=__version__,
        title=_title(winner),
        task=task,
        language=language_of(task.language).name,
        model=_model(winner),
        models=winner.models,
        beside=_beside(winner, folder),
        combined=winner.combined,
        based=_based,
        found=found,
        rows=found.data.rows,
        final=final,
        shipped=winner.shipped,
        learnt=learnt,
        own=_own(winner, final),
        ties=[arm for arm in final.ties if arm != final.arm] if final else [],
        trial=trial,
        validation=validation,
        objective=METRICS[found.objective],
        further=list(columns(METRICS[found.objective])[1:]),
        classes={"f1": scores, "split": split},
        settings=settings,
        temperature=temperature_of(folder),
        calibration=final.calibration if final else None,
        longest=limit if isinstance(limit, int) else task.max_tokens,
        classifier=is_classifier(folder),
        transformer=(folder / "config.json").is_file(),
        static=winner.combined is None and _model(winner).family == "static",
        onnx=onnx,
        rps=(final.rps if final else None) or (trial.rps if trial else None),
        cpu=_cpu(winner),
        hardware=_hardware(winner),
        trials=next((a.trials for a in found.arms if a.arm == winner.arm), 0),
        versions=_versions(found.environment),
        source=_source(found.data),
        cut=found.data.audit.truncated.get(winner.arm) if found.data.audit else None,
    )


def _cpu(winner: Winner) -> str:
    trial = winner.made_by
    if trial is not None and isinstance(trial.circumstances.get("cpu"), str):
        return str(trial.circumstances["cpu"])
    return str((winner.results.environment.get("cpu") or {}).get("model", "unknown"))


def _hardware(winner: Winner) -> str:
    trial = winner.made_by
    gpus = (trial.circumstances.get("gpus") if trial else None) or []
    cores = (winner.results.environment.get("cpu") or {}).get("usable")
    told = (
        f"{_cpu(winner)}, {counted(cores, 'core')}"
        if isinstance(cores, int | float)
        else _cpu(winner)
    )
    names = [str(g.get("name", g)) if isinstance(g, Mapping) else str(g) for g in gpus]
    return ", ".join([*names, told])


def _versions(environment: Mapping[str, Any]) -> str:
    versions = environment.get("versions") or {}
    wanted = ("torch", "transformers", "scikit-learn", "peft", "llamafactory")
    named = [f"{name} {versions[name]}" for name in wanted if versions.get(name)]
    return ", ".join([f"Python {environment.get('python', '?')}", *named])


def _source(data: DataFacts) -> str:
    """Where rows came from, without this machine's folders."""
    kind, _, rest = data.source.partition(" ")
    if kind not in ("folder", "files"):
        return data.source
    return f"{kind} {', '.join(_last_part(part.strip()) for part in rest.split(','))}"


def _last_part(path: str) -> str:
    names = PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
    return names.name or path


def _from_hub(winner: Winner) -> bool:
    return winner.results.data.source.startswith("Hub ")


def _title(winner: Winner) -> str:
    return f"{winner.definition.task.title}: {winner.arm}"


def _final(winner: Winner) -> Final | None:
    return next((f for f in winner.results.finals if f.arm == winner.arm), None)


def _own(winner: Winner, final: Final | None) -> float | None:
    """What the very model that is shipped scores on test: the first of its arm's trainings."""
    if final is None or not final.seed_scores or final.trial != winner.trial:
        return None
    return final.seed_scores[0]


def _model(winner: Winner) -> Model:
    """Its model; of a combination the one that answers last, or weighs most."""
    cascade = winner.combined is not None and winner.combined.kind == "cascade"
    return winner.models[-1 if cascade else 0]


def _settings(folder: Path) -> dict[str, Any]:
    try:
        return jsonfile.read(folder / SETTINGS, most=MOST_BYTES)
    except ModelError:
        return {}


def is_classifier(folder: Path) -> bool:
    """Whether transformers loads a folder as a sequence classifier, its head with it."""
    try:
        named = jsonfile.read(folder / CONFIG, most=MOST_CONFIG_BYTES).get("architectures")
    except ModelError:
        return False
    return isinstance(named, list) and any("ForSequenceClassification" in str(n) for n in named)
