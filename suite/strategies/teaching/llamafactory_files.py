"""The files LLaMA-Factory trains from: the rows, their description, and the configuration.

They are what the `sft` strategy itself trains from: the same values go to `run_exp`, and
`llamafactory-cli train FOLDER/train.yaml` runs them as they are, from anywhere, without the
suite. Names of settings are those of LLaMA-Factory 0.9.5 on transformers 5.6.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from suite.strategies.teaching.sft_knobs import Knobs

LIBRARY = "llamafactory"
INSTALL = "pip install llamafactory (its torchaudio must match torch: see pyproject.toml)"

FOLDER = "llamafactory"
CONFIGURATION = "train.yaml"
#: Encoded rows, of no use after a training.
CACHE = "cache"
#: The data set's name inside LLaMA-Factory.
DATASET = "train"

_DATASET_FILE = "train.jsonl"
# The name under which LLaMA-Factory looks for it.
_DESCRIPTION = "dataset_info.json"
_COLUMNS = {"prompt": "instruction", "response": "output"}


@dataclass(frozen=True)
class Example:
    """One row in the alpaca format: what is asked, and what the model is to write."""

    instruction: str
    output: str


@dataclass(frozen=True)
class Plan:
    """What a configuration is made from besides the hyperparameters.

    Args:
        model: the transformers folder that is trained.
        folder: where everything is written; absolute.
        seed: of the order of the rows, of dropout, and of LoRA's matrices.
        epochs: passes over the rows.
        device_batch: rows on the device at once.
        accumulation: device batches behind one optimiser step.
        cutoff: tokens beyond which LLaMA-Factory would cut a row; none is that long.
        template: LLaMA-Factory's name of the chat format; None lets it parse the tokenizer's.
        thinking: whether an empty think block is trained on instead of standing in the prompt.
        on_cpu: no accelerator is to be used, even if there is one.
        bfloat16: compute in bfloat16, the trained weights kept in float32.
        recompute: spend time to save memory (gradient checkpointing).
    """

    model: Path
    folder: Path
    seed: int
    epochs: float
    device_batch: int
    accumulation: int
    cutoff: int
    template: str | None
    thinking: bool
    on_cpu: bool
    bfloat16: bool
    recompute: bool


def configuration(plan: Plan, knobs: Knobs) -> dict[str, dict[str, Any]]:
    """LLaMA-Factory's settings, by section. `flat` makes them the one mapping `run_exp` takes."""
    return {
        "model": {
            "model_name_or_path": str(plan.model),
            "trust_remote_code": False,
            "disable_gradient_checkpointing": not plan.recompute,
        },
        "method": _method(knobs),
        "dataset": _dataset(plan, knobs),
        "output": {
            "output_dir": str(plan.folder / "output"),
            "overwrite_output_dir": True,
            "save_strategy": "no",
            "logging_strategy": "steps",
            "logging_steps": 0.01,
            # A loss that is no number must be seen, not skipped.
            "logging_nan_inf_filter": False,
            "plot_loss": False,
            "report_to": "none",
            "disable_tqdm": True,
        },
        "train": _training(plan, knobs),
    }


def _method(knobs: Knobs) -> dict[str, Any]:
    """What is trained of the model."""
    method: dict[str, Any] = {"stage": "sft", "do_train": True, "finetuning_type": knobs.tuning}
    if knobs.tuning == "lora":
        method |= {
            "lora_target": "all",
            "lora_rank": knobs.lora_rank,
            "lora_alpha": 2 * knobs.lora_rank,
            "lora_dropout": float(knobs.lora_dropout),
        }
    elif knobs.tuning == "freeze":
        method["freeze_trainable_layers"] = knobs.freeze_layers
    return method


def _dataset(plan: Plan, knobs: Knobs) -> dict[str, Any]:
    """Where the rows are, and how they become tokens."""
    data: dict[str, Any] = {
        "dataset": DATASET,
        "dataset_dir": str(plan.folder),
        # Without this the rows would be copied into the user's own cache, and stay there.
        "cache_dir": str(plan.folder / CACHE),
        "overwrite_cache": True,
        "enable_thinking": plan.thinking,
        "cutoff_len": plan.cutoff,
        # The neat way: packed rows do not see each other.
        "packing": knobs.packing,
        "neat_packing": knobs.packing,
    }
    if plan.template is not None:
        data["template"] = plan.template
    return data


def _training(plan: Plan, knobs: Knobs) -> dict[str, Any]:
    """Steps, their sizes, and in which numbers they are computed."""
    schedule = knobs.schedule
    if schedule == "constant" and knobs.warmup > 0:
        schedule = "constant_with_warmup"
    return {
        "per_device_train_batch_size": plan.device_batch,
        "gradient_accumulation_steps": plan.accumulation,
        "learning_rate": float(knobs.learning_rate),
        "lr_scheduler_type": schedule,
        # Below 1 it is a part of all steps: what `warmup_ratio` was.
        "warmup_steps": float(knobs.warmup),
        "num_train_epochs": float(plan.epochs),
        "weight_decay": float(knobs.weight_decay),
        "max_grad_norm": float(knobs.max_grad_norm),
        # Not by length: transformers then feeds stretches of rows in falling length, and a
        # model that has yet to find the text in its prompt learns the place instead (tiny-qwen3
        # on the sample, 300 steps of 8: macro-F1 .10 so, .79 in random order).
        "train_sampling_strategy": "random",
        "bf16": plan.bfloat16,
        "use_cpu": plan.on_cpu,
        "seed": plan.seed,
        "data_seed": plan.seed,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": not plan.on_cpu,
    }


def flat(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Sections as one mapping.

    >>> flat({"model": {"a": 1}, "train": {"b": 2}})
    {'a': 1, 'b': 2}
    """
    return {name: value for section in sections.values() for name, value in section.items()}


def write(
    folder: Path,
    rows: Sequence[Example],
    sections: Mapping[str, Mapping[str, Any]],
    apart: Sequence[str] = (),
) -> Path:
    """Writes rows, their description and the configuration; returns the configuration's path.

    Args:
        apart: what the suite did beyond it, a line each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _DATASET_FILE).open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
    # LLaMA-Factory opens this one in the machine's own encoding: plain ASCII reads everywhere.
    description = {DATASET: {"file_name": _DATASET_FILE, "columns": _COLUMNS}}
    (folder / _DESCRIPTION).write_text(json.dumps(description, indent=2), encoding="ascii")
    path = folder / CONFIGURATION
    blocks = [
        f"# llamafactory-cli train {path}\n"
        "# Of several GPUs show it one (CUDA_VISIBLE_DEVICES=0): each more multiplies the batch.\n"
        + "".join(f"# {line}\n" for line in apart)
    ]
    for name, section in sections.items():
        text = yaml.safe_dump(dict(section), sort_keys=False, allow_unicode=True, width=1000)
        blocks.append(f"### {name}\n{text}")
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path
