"""The training behind `linear_head`: `transformers.Trainer`, driven by a fixed budget.

Optimiser steps × effective batch = passes × rows, whatever the batch size. Where memory is
short the batch is cut into equal parts whose gradients add up to the same, and the training
starts again from the initial weights.
"""

from __future__ import annotations

import gc
import math
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import psutil
import torch
import transformers
from torch.nn.functional import cross_entropy
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from suite.protocols import Run
from suite.strategies import limits, transformer
from suite.strategies.head_knobs import Knobs
from suite.strategies.transformer import Codec, Encoded, TransformerPredictor

#: Numbers of the model's width that a layer keeps per token for the backward pass.
_KEPT_PER_LAYER = 40


class OutOfMemory(RuntimeError):
    """Memory ran out, and no smaller batch may be tried."""


def marks(steps: int, checkpoints: int) -> dict[int, float]:
    """Optimiser step -> fraction of the budget that is scored there.

    Where there are fewer steps than checkpoints, those that fall on one step are scored once,
    under the largest fraction.

    >>> marks(10, 2)
    {5: 0.5, 10: 1.0}
    >>> marks(2, 4)
    {1: 0.5, 2: 1.0}
    """
    return {-(-i * steps // checkpoints): i / checkpoints for i in range(1, checkpoints + 1)}


def class_weights(labels: Sequence[int], classes: int) -> list[float]:
    """Weights in inverse proportion to class counts; 1 on average over the rows.

    >>> class_weights([0, 0, 0, 1], 2)
    [0.6666666666666666, 2.0]
    """
    counts = [0] * classes
    for label in labels:
        counts[label] += 1
    present = sum(count > 0 for count in counts)
    return [len(labels) / (present * count) if count else 0.0 for count in counts]


def smaller(batch: int, whole: int) -> int:
    """The next smaller device batch: the largest divisor of the whole batch up to half of `batch`.

    >>> smaller(32, 32), smaller(12, 12), smaller(5, 5)
    (16, 6, 1)
    """
    return next(size for size in range(max(1, batch // 2), 0, -1) if whole % size == 0)


class HeadTraining:
    """One trial's training."""

    def __init__(self, run: Run, knobs: Knobs, name: str) -> None:
        self.run = run
        self.name = name
        self.knobs = knobs
        self.source = transformer.source_of(run)
        self.where = transformer.device()
        with run.loading():
            self.config = transformer.load_config(self.source)
            self.codec = transformer.load_codec(
                self.source, self.config, run.task.max_tokens, run.model.max_tokens
            )
        width = transformer.width_of(self.config)
        self.precision = transformer.precision_for(self.where, width)
        #: Texts behind one optimiser step.
        self.batch = min(knobs.batch, len(run.train))
        self.steps = max(1, math.ceil(run.epochs * len(run.train) / self.batch))
        #: The largest fraction that was scored; a second attempt scores only what comes after.
        self.scored = 0.0

    def predictor(self) -> TransformerPredictor:
        """Trains and returns the final model.

        Raises:
            Pruned: `run.checkpoint` ended the trial.
            Diverged: the loss is no longer finite.
            OutOfMemory: memory ran out, and the batch can't be made smaller.
        """
        run = self.run
        encoded = self.codec.encode(run.train.texts)
        device_batch = self._fitting_batch(encoded)
        run.note(
            device=self.where.type,
            precision=self.precision,
            tuning=self.knobs.tuning,
            max_tokens=self.codec.max_tokens,
            truncated=encoded.cut / max(1, len(encoded.ids)),
            steps=self.steps,
            batch=self.batch,
            device_batch=device_batch,
        )
        while True:
            try:
                return self._train(encoded, device_batch)
            except (RuntimeError, MemoryError) as error:
                if not transformer.out_of_memory(error):
                    raise
                trouble = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Out here the failed attempt's frames, and with them its tensors, are gone.
            gc.collect()
            if self.where.type == "cuda":
                torch.cuda.empty_cache()
            if device_batch == 1:
                raise OutOfMemory(
                    f"out of memory at a single text ({trouble}): tuning: lora, a smaller "
                    f"max_tokens or a smaller model would help"
                )
            if not run.shrink_batch:
                raise OutOfMemory(
                    f"out of memory at a batch of {device_batch} ({trouble}): a smaller batch, or "
                    f"shrink_batch: true in the recipe, would help"
                )
            device_batch = smaller(device_batch, self.batch)
            run.note(device_batch=device_batch, memory_ran_out=trouble)

    def _fitting_batch(self, encoded: Encoded) -> int:
        """The largest part of the batch whose activations should fit into the CPU's memory.

        A process that overdraws it is killed without an error that could be caught; a GPU
        raises one, so there the whole batch is tried.
        """
        size = self.batch
        if self.where.type != "cpu" or not self.run.shrink_batch:
            return size
        layers = int(getattr(self.config, "num_hidden_layers", None) or 12)
        longest = max(len(row) for row in encoded.ids)
        per_text = longest * layers * transformer.width_of(self.config) * _KEPT_PER_LAYER * 4
        room = min(psutil.virtual_memory().available, limits.machine_memory()) / 2
        while size > 1 and size * per_text > room:
            size = smaller(size, self.batch)
        return size

    def _model(self) -> Any:
        names = self.run.task.label_names
        lora = self.knobs.tuning == "lora"
        large = (limits.parameters(self.run.model) or 0.0) > 1e9
        transformers.set_seed(self.run.seed)  # The head's weights are drawn while loading.
        with self.run.loading(), transformer.readable(self.source):
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                self.source.where,
                num_labels=len(names),
                id2label=dict(enumerate(names)),
                label2id={name: index for index, name in enumerate(names)},
                problem_type="single_label_classification",
                # A large frozen base is held as it was published; what is trained is float32.
                dtype=torch.bfloat16
                if lora and large and self.precision == "bfloat16"
                else torch.float32,
                **self.source.arguments,
            )
            model.config.pad_token_id = self.codec.pad_id
            model.config.use_cache = False
            return (_with_lora(model, self.knobs) if lora else model).to(self.where)

    def _train(self, encoded: Encoded, device_batch: int) -> TransformerPredictor:
        run, knobs = self.run, self.knobs
        model = self._model()
        predictor = TransformerPredictor(
            model, self.codec, where=self.where, precision=self.precision, strategy=self.name
        )
        run.note(
            parameters=sum(p.numel() for p in model.parameters()), threads=torch.get_num_threads()
        )
        rows = [
            {"input_ids": ids, "labels": label}
            for ids, label in zip(encoded.ids, run.train.labels, strict=True)
        ]
        weights = None
        if run.task.class_weights == "balanced":
            weights = torch.tensor(
                class_weights(run.train.labels, len(run.task.labels)), device=self.where
            )
        watch = _Watch(self, predictor)
        trainer = _Trainer(
            model=model,
            args=self._arguments(device_batch),
            train_dataset=rows,
            data_collator=_Collator(self.codec, self.where),
            compute_loss_func=_Loss(weights, knobs.label_smoothing, watch),
            callbacks=[watch],
        )
        trainer.autocast = lambda: transformer.computing_in(self.precision, self.where)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        if knobs.tuning == "lora":
            with run.loading():
                predictor.model = model.merge_and_unload()
        transformer.freeze(predictor.model, self.precision)
        return predictor

    def _arguments(self, device_batch: int) -> Any:
        knobs, run = self.knobs, self.run
        arguments = TrainingArguments(
            output_dir=str(run.folder / "trainer"),
            max_steps=self.steps,
            per_device_train_batch_size=device_batch,
            gradient_accumulation_steps=self.batch // device_batch,
            learning_rate=knobs.learning_rate,
            lr_scheduler_type=knobs.schedule,
            # Whole steps: the rounding is ours, so a share just below 1 stays a share.
            warmup_steps=round(knobs.warmup * self.steps),
            weight_decay=knobs.weight_decay,
            max_grad_norm=knobs.max_grad_norm,
            train_sampling_strategy="group_by_length",
            use_cpu=self.where.type == "cpu",
            seed=run.seed,
            data_seed=run.seed,
            save_strategy="no",
            eval_strategy="no",
            logging_strategy="no",
            logging_nan_inf_filter=False,  # `_Loss` stops at the first one instead.
            report_to="none",
            disable_tqdm=True,
            log_level="error",
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
        # One trial, one device: on a machine with several, Trainer would wrap the model in
        # DataParallel and so multiply the batch.
        if arguments.device.type == "cuda":
            arguments._n_gpu = 1
        return arguments


class _Trainer(Trainer):  # type: ignore[misc]
    """Trainer with our autocast: its own would stay wrapped around the model's `forward`."""

    autocast: Any

    def autocast_smart_context_manager(
        self, cache_enabled: bool | None = True
    ) -> AbstractContextManager[None]:
        """What the forward pass is computed in."""
        context: AbstractContextManager[None] = self.autocast()
        return context


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Reports progress at every step, and hands the live model over at each mark."""

    def __init__(self, training: HeadTraining, predictor: TransformerPredictor) -> None:
        self.training = training
        self.predictor = predictor
        self.marks = marks(training.steps, training.run.checkpoints)
        self.step = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """See `transformers.TrainerCallback`."""
        training = self.training
        self.step = int(state.global_step)
        training.run.progress(self.step / training.steps)
        fraction = self.marks.get(self.step)
        if fraction is not None and fraction > training.scored:
            training.run.checkpoint(self.predictor, fraction)
            training.scored = fraction


class _Collator:
    """Rows -> a padded batch, as the predictor pads."""

    def __init__(self, codec: Codec, where: torch.device) -> None:
        self.codec = codec
        self.where = where

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        batch = self.codec.pad([row["input_ids"] for row in rows], self.where)
        batch["labels"] = torch.tensor([row["labels"] for row in rows], device=self.where)
        return batch


class _Loss:
    """Cross-entropy, weighted and smoothed as asked, averaged over the whole effective batch."""

    def __init__(self, weights: torch.Tensor | None, smoothing: float, watch: _Watch) -> None:
        self.weights = weights
        self.smoothing = smoothing
        self.watch = watch

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any) -> torch.Tensor:
        # A sum over a part, divided by the texts of all parts: parts add up to the whole.
        total: torch.Tensor = cross_entropy(
            outputs.logits.float(),
            labels,
            weight=self.weights,
            label_smoothing=self.smoothing,
            reduction="sum",
        )
        if not torch.isfinite(total):
            raise transformer.Diverged(
                f"the loss became {total.item()} at step {self.watch.step + 1}: lower learning_rate"
            )
        mean: torch.Tensor = total / num_items_in_batch
        return mean


def _with_lora(model: Any, knobs: Knobs) -> Any:
    """LoRA on every linear layer of the base model; what stands on top of it is trained whole."""
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    base = model.base_model_prefix
    linear = [
        name
        for name, module in model.named_modules()
        if name.startswith(f"{base}.") and isinstance(module, torch.nn.Linear | Conv1D)
    ]
    on_top = [
        name
        for name, module in model.named_children()
        if name != base and any(True for _ in module.parameters())
    ]
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=knobs.lora_rank,
        lora_alpha=2 * knobs.lora_rank,
        lora_dropout=knobs.lora_dropout,
        target_modules=linear,
        modules_to_save=on_top,
    )
    with warnings.catch_warnings():
        # GPT-2's layers are stored transposed; peft notices by itself and says so.
        warnings.filterwarnings("ignore", message="fan_in_fan_out")
        return get_peft_model(model, config)
