"""The model card of an exported folder: `README.md` as the Hugging Face Hub reads it.

A YAML head (language, licence, base model, the study's numbers as a model-index) and a page for
people. Every number stands with its circumstances. Names that come from data are escaped; places
on this machine and texts of rows do not appear.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import yaml

from suite.contracts.language import LANGUAGES
from suite.contracts.model import Model
from suite.contracts.results import DataFacts, Final, Rps
from suite.version import __version__

if TYPE_CHECKING:
    from suite.serving.engines.agreement import Agreement
    from suite.study.winner import Winner

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
    return f"---\n{_head(winner, folder)}---\n\n{_page(winner, folder, onnx)}"


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


# ---------------------------------------------------------------- head


def _head(winner: Winner, folder: Path) -> str:
    task, model = winner.definition.task, _model(winner)
    head: dict[str, Any] = {"language": [task.language], "pipeline_tag": "text-classification"}
    if model.licence:
        known = model.licence.lower() in _LICENCES
        head["license"] = model.licence.lower() if known else "other"
        if not known:
            head["license_name"] = model.licence
    if is_classifier(folder):
        head["library_name"] = "transformers"
    if model.hub:
        head["base_model"] = model.hub
    if task.data.hub and winner.results.data.source.startswith("Hub "):
        head["datasets"] = [task.data.hub.id]
    strategy = winner.arm.split("/")[-1].split("+")[0]
    head["tags"] = list(dict.fromkeys(["text-classification", strategy, model.family]))
    head["metrics"] = ["f1", "accuracy"]
    results = _index(winner)
    if results:
        head["model-index"] = [{"name": _title(winner), "results": results}]
    text: str = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=100)
    return text


def _index(winner: Winner) -> list[dict[str, Any]]:
    """The Hub's model-index: what was measured, and on which split."""
    task, final, trial = winner.definition.task, _final(winner), winner.made_by
    hub = task.data.hub if winner.results.data.source.startswith("Hub ") else None
    dataset: dict[str, Any] = {"name": task.title, "type": hub.id if hub else task.name}
    if winner.results.sample:
        dataset = {"name": "bundled sample", "type": "bundled-sample"}
    elif hub:
        dataset |= {"revision": hub.revision} | ({"config": hub.config} if hub.config else {})

    def result(split: str, macro_f1: float, accuracy: float) -> dict[str, Any]:
        return {
            "task": {"type": "text-classification", "name": "Text classification"},
            "dataset": dataset | {"split": split},
            "metrics": [
                {"type": "f1", "name": "Macro-F1", "value": round(macro_f1, 6),
                 "args": {"average": "macro"}},
                {"type": "accuracy", "name": "Accuracy", "value": round(accuracy, 6)},
            ],
        }  # fmt: skip

    if final is not None:
        return [result("test", final.test.macro_f1, final.test.accuracy)]
    if trial is not None and trial.validation is not None:
        return [result("validation", trial.validation.macro_f1, trial.validation.accuracy)]
    return []


# ---------------------------------------------------------------- page


def _page(winner: Winner, folder: Path, onnx: OnnxFile | None) -> str:
    found, task = winner.results, winner.definition.task
    parts = [f"# {escaped(_title(winner))}", ""]
    if found.sample:
        parts += [
            "> **Trained and tested on the bundled sample**, which is generated: its numbers say "
            "nothing about real texts.",
            "",
        ]
    parts += [
        f"Classifies {LANGUAGES[task.language].name} texts into "
        f"{len(task.labels)} classes ({escaped(task.title)}). Arm {escaped(winner.arm)} of the "
        f"study {escaped(winner.definition.name)}, trial {winner.trial}, found and measured by "
        f"suite {__version__}.",
        "",
        *_numbers(winner),
        *_classes(winner),
        *_loading(winner, folder, onnx),
        *_speed(winner),
        *_training(winner),
        *_data(winner),
        *_limits(winner, folder),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _numbers(winner: Winner) -> list[str]:
    found, final, trial = winner.results, _final(winner), winner.made_by
    rows = found.data.rows
    lines = ["## Numbers", ""]
    table: list[tuple[str, str]] = []
    if final is not None:
        low, high = final.test.macro_f1_interval
        seeds = f", mean of {final.seeds} seeds" if final.seeds > 1 else ""
        table += [
            ("Test macro-F1", f"{final.test.macro_f1:.4f} (95 % interval {low:.4f} to {high:.4f}"
             f"{seeds})"),
            ("Test accuracy", f"{final.test.accuracy:.4f}"),
            ("Rank in the study", _rank(final, len(found.finals))),
            ("Test rows", f"{rows.test:,}"),
        ]  # fmt: skip
    if trial is not None and trial.validation is not None:
        table += [
            ("Validation macro-F1", f"{trial.validation.macro_f1:.4f}"),
            ("Validation accuracy", f"{trial.validation.accuracy:.4f}"),
            ("Validation rows", f"{rows.validation:,}"),
        ]
    lines += _table(("what", "value"), table)
    if final is None:
        lines += [
            "",
            "**Not tested yet:** validation chose this model, so its validation numbers flatter "
            "it.",
        ]
    else:
        opened = found.test_openings
        once = "once, after the search had ended"
        lines += ["", f"The test split was opened {once if opened == 1 else f'{opened} times'}."]
        if final.seeds > 1:
            lines.append(
                "The test numbers are means over retrainings; the weights in this folder are of "
                f"trial {winner.trial}."
            )
        if final.stale or final.trial != winner.trial:
            lines.append(
                f"**The test numbers are of trial {final.trial}; the study was searched on "
                f"since.** The weights here are of trial {winner.trial}."
                if final.trial != winner.trial
                else "**The study was searched on since it was tested.**"
            )
    return [*lines, ""]


def _rank(final: Final, of: int) -> str:
    rank = f"{final.rank} of {of}"
    ties = [arm for arm in final.ties if arm != final.arm]
    if not ties:
        return rank
    return f"{rank}; can't be told apart from {', '.join(escaped(arm) for arm in ties)}"


def _classes(winner: Winner) -> list[str]:
    final, trial = _final(winner), winner.made_by
    scores: Sequence[float] = final.test.per_class_f1 if final else []
    split = "test"
    if not scores and trial is not None and trial.validation is not None:
        scores, split = trial.validation.per_class_f1, "validation"
    rows = []
    for index, label in enumerate(winner.definition.task.labels):
        f1 = f"{scores[index]:.4f}" if index < len(scores) else "–"
        shown = escaped(label.name)
        if label.shown != label.name:
            shown += f" (shown as {escaped(label.shown)})"
        rows.append((str(index), shown, f1))
    return ["## Classes", "", *_table(("index", "class", f"F1 on {split}"), rows), ""]


def _loading(winner: Winner, folder: Path, onnx: OnnxFile | None) -> list[str]:
    lines = [
        "## Use",
        "",
        "With this folder as `./model`:",
        "",
        "```sh",
        'suite predict ./model "a text to classify"',
        "suite serve ./model",
        "```",
        "",
    ]
    settings = _settings(folder)
    limit = settings.get("max_tokens")
    longest = limit if isinstance(limit, int) else winner.definition.task.max_tokens
    prompted = "prompter" in settings
    if is_classifier(folder) and not prompted:
        lines += [
            "Or with transformers alone:",
            "",
            "```python",
            "import torch",
            "from transformers import AutoModelForSequenceClassification, AutoTokenizer",
            "",
            'tokenizer = AutoTokenizer.from_pretrained("./model")',
            'model = AutoModelForSequenceClassification.from_pretrained("./model")',
            f'texts = tokenizer(["a text to classify"], truncation=True, max_length={longest},',
            '                  padding=True, split_special_tokens=True, return_tensors="pt")',
            "with torch.no_grad():",
            "    probabilities = model(**texts).logits.softmax(-1)",
            "print(model.config.id2label[int(probabilities.argmax())])",
            "```",
        ]
    elif prompted:
        lines.append(
            "The model reads a prompt around the text (`settings.json` holds it), so transformers "
            "alone loads the weights but does not ask the question: use `suite predict`."
        )
    elif (folder / "config.json").is_file():
        lines.append(
            "The transformer in this folder is the unchanged base model; the classifier on its "
            "embeddings stands beside it, where transformers does not look: use `suite predict`."
        )
    else:
        lines.append("The model is not one of transformers: use `suite predict`.")
    if onnx is not None:
        found = onnx.agreement
        lines += [
            "",
            f"`onnx/model.onnx` (float32; inputs `input_ids` and `attention_mask`, int64; output "
            f"`logits`) decides {found.share:.2%} of {onnx.rows:,} validation rows as the model "
            f"does; its macro-F1 there is {found.macro_f1:.4f}, the model's "
            f"{found.reference_macro_f1:.4f}.",
        ]
        if settings.get("bias") is not None:
            lines.append("Calibration is not in the graph: `settings.json` holds its `bias`.")
    return [*lines, ""]


def _speed(winner: Winner) -> list[str]:
    final, trial = _final(winner), winner.made_by
    rps = (final.rps if final else None) or (trial.rps if trial else None)
    if rps is None:
        return []
    single = rps.single_stream
    table = [
        ("One text at a time, p50", _ms(single.p50_ms)),
        ("One text at a time, p90", _ms(single.p90_ms)),
        ("One text at a time, p99", _ms(single.p99_ms)),
        ("Many texts at once", _per_second(rps)),
        ("Engine and precision", escaped(f"{rps.engine}, {rps.precision}")),
        ("Batch", f"{rps.batch:,} texts at most"),
        ("Device", escaped(_device(winner, rps))),
        ("Measured with", "MLPerf LoadGen, from raw text, tokenising included"),
    ]
    notes = [] if rps.valid and single.valid else ["LoadGen did not accept every figure as valid."]
    if rps.contended:
        notes.append("Other work ran on the machine meanwhile.")
    lines = ["## Speed", "", *_table(("what", "value"), table)]
    return [*lines, *(["", " ".join(notes)] if notes else []), ""]


def _per_second(rps: Rps) -> str:
    return "–" if rps.offline_per_second is None else f"{rps.offline_per_second:,.0f} texts/s"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f} ms"


def _device(winner: Winner, rps: Rps) -> str:
    told = rps.device or "cpu"
    if told == "cpu":
        told = f"CPU ({_cpu(winner)})"
    return f"{told}, {rps.threads} threads" if rps.threads else told


def _cpu(winner: Winner) -> str:
    trial = winner.made_by
    if trial is not None and isinstance(trial.circumstances.get("cpu"), str):
        return str(trial.circumstances["cpu"])
    return str((winner.results.environment.get("cpu") or {}).get("model", "unknown"))


def _training(winner: Winner) -> list[str]:
    trial, model = winner.made_by, _model(winner)
    found = winner.results
    table: list[tuple[str, str]] = [("Base model", _base(model))]
    if trial is not None:
        if trial.train_seconds is not None:
            others = ", other trials ran meanwhile" if trial.contended else ""
            table.append(("Training time", f"{trial.train_seconds:,.1f} s{others}"))
        if trial.peak_memory_bytes:
            table.append(("Peak memory", f"{trial.peak_memory_bytes / 2**20:,.0f} MiB"))
        table.append(("Seed", str(trial.seed)))
        precision = trial.circumstances.get("precision")
        if isinstance(precision, str):
            table.append(("Precision", escaped(precision)))
        table.append(("Hardware", escaped(_hardware(winner))))
        table += [(escaped(key), _value(value)) for key, value in trial.params.items()]
    table += [
        ("Search", escaped(f"{found.sampler}; pruner: {found.pruner}")),
        ("Trials of this arm", str(next((a.trials for a in found.arms if a.arm == winner.arm), 0))),
        ("Versions", escaped(_versions(found.environment))),
    ]
    return ["## Training", "", *_table(("what", "value"), table), ""]


def _hardware(winner: Winner) -> str:
    trial = winner.made_by
    gpus = (trial.circumstances.get("gpus") if trial else None) or []
    cores = (winner.results.environment.get("cpu") or {}).get("usable")
    told = f"{_cpu(winner)}, {cores:g} cores" if isinstance(cores, int | float) else _cpu(winner)
    names = [str(g.get("name", g)) if isinstance(g, Mapping) else str(g) for g in gpus]
    return ", ".join([*names, told])


def _versions(environment: Mapping[str, Any]) -> str:
    versions = environment.get("versions") or {}
    wanted = ("torch", "transformers", "scikit-learn", "peft", "llamafactory")
    named = [f"{name} {versions[name]}" for name in wanted if versions.get(name)]
    return ", ".join([f"Python {environment.get('python', '?')}", *named])


def _base(model: Model) -> str:
    if model.builder:
        return "none: made from the training texts alone"
    if model.endpoint:
        return f"{escaped(model.endpoint_model or model.name)}, asked at a server"
    if model.hub:
        return f"{escaped(model.hub)} at revision {escaped(model.revision)}"
    where = escaped(_last_part(model.path or model.name))
    return f"a local folder ({where}), called {escaped(model.name)} in the study"


def _value(value: Any) -> str:
    return escaped(f"{value:.6g}" if isinstance(value, float) else value)


def _data(winner: Winner) -> list[str]:
    task, data = winner.definition.task, winner.results.data
    rows = data.rows
    of = f" (of {data.train_rows_of:,})" if data.train_rows_of else ""
    table = [
        ("Source", escaped(_source(data))),
        ("Fingerprint", f"`{data.fingerprint}`"),
        ("Rows", f"train {rows.train:,}{of}, validation {rows.validation:,}, test {rows.test:,}"),
        ("Terms of the data", escaped(task.data.licence)),
    ]
    return ["## Data", "", *_table(("what", "value"), table), ""]


def _source(data: DataFacts) -> str:
    """Where rows came from, without this machine's folders."""
    kind, _, rest = data.source.partition(" ")
    if kind not in ("folder", "files"):
        return data.source
    return f"{kind} {', '.join(_last_part(part.strip()) for part in rest.split(','))}"


def _last_part(path: str) -> str:
    names = PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
    return names.name or path


def _limits(winner: Winner, folder: Path) -> list[str]:
    task, model, data = winner.definition.task, _model(winner), winner.results.data
    language = LANGUAGES[task.language].name
    lines = [
        f"- It knows the {len(task.labels)} classes above and no other: a text of none of them "
        "gets one all the same.",
        f"- It was trained and tested on {language} texts of one source; on texts of another kind "
        "its numbers do not hold.",
        "- Probabilities are the model's own and were not calibrated on other data.",
    ]
    if model.family != "classic":
        lines.append(f"- Texts are read up to {task.max_tokens:,} tokens at most.")
    cut = data.audit.truncated.get(winner.arm) if data.audit else None
    if cut:
        lines.append(f"- {cut:.1%} of the training texts were cut at its limit.")
    prompter = _settings(folder).get("prompter")
    if isinstance(prompter, dict) and prompter.get("shots"):
        lines.append(
            "- `settings.json` holds the training texts that stand in its prompt as examples: who "
            "gets this folder gets them."
        )
    if model.licence:
        lines.append(
            f"- The base model's licence is {escaped(model.licence)}; the terms of the training "
            "data are named above. What they mean together for these weights is for whoever "
            "publishes them to judge."
        )
    else:
        lines.append(
            "- No licence is named for the weights: the terms of the training data are named "
            "above, and whoever publishes the weights chooses."
        )
    return ["## Limits", "", *lines, ""]


# ---------------------------------------------------------------- parts


def _title(winner: Winner) -> str:
    return f"{winner.definition.task.title}: {winner.arm}"


def _final(winner: Winner) -> Final | None:
    return next((f for f in winner.results.finals if f.arm == winner.arm), None)


def _model(winner: Winner) -> Model:
    return winner.definition.arm(winner.arm).model


def _settings(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |"

    return [line(names), line(["---"] * len(names)), *(line(row) for row in rows)]


def is_classifier(folder: Path) -> bool:
    """Whether transformers loads a folder as a sequence classifier, its head with it."""
    try:
        named = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(named, list) and any("ForSequenceClassification" in str(n) for n in named)
