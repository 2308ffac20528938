"""The training behind `linear_head`: `transformers.Trainer`, driven by a fixed budget.

Optimiser steps × effective batch = passes × rows, whatever the batch size. A batch is drawn at
random and goes through the model in parts of so many tokens, whose gradients add up to the
whole's; where memory is short the parts get smaller, and the training starts again from the
initial weights. Trainer brings the optimiser, the schedule and the loop; how a batch reaches the
model is ours (`feeding`): its own way pads every batch, and its batches grouped by length come
ordered by length.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
import transformers
from torch.nn.functional import cross_entropy
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from suite.contracts.bookmark import bookmarks_of
from suite.contracts.cutting import Cutting
from suite.contracts.strategy import Run
from suite.machine import facts
from suite.models import needs
from suite.strategies.heads import frozen_layers
from suite.strategies.heads.frozen_layers import FrozenLayers, States
from suite.strategies.heads.head_batches import Batch, Order, TokenRows
from suite.strategies.heads.head_knobs import Knobs
from suite.strategies.network import soft_loss, token_cache, transformer, weights
from suite.strategies.network.chunk_pooling import ChunkPooling, last_layer
from suite.strategies.network.continued_trainer import Continued
from suite.strategies.network.feeding import Classifier
from suite.strategies.network.loop import marks
from suite.strategies.network.lora import without_copies
from suite.strategies.network.packing import Packed
from suite.strategies.network.shrinking import Attempts, half_the_tokens
from suite.strategies.network.soft_loss import LossBalance, focused
from suite.strategies.network.sources import source_of
from suite.strategies.network.transformer import Encoded, TransformerPredictor

#: Numbers of the model's width that a layer keeps per token for the backward pass.
_KEPT_PER_LAYER = 40

#: Most tokens that go through a model at once in training: whole batches of most texts, without
#: the memory of a batch of the longest. Halved where memory runs out.
_TOKENS_AT_ONCE = {"cpu": 4_096, "cuda": 65_536}

_ADVICE = "tuning: lora, a smaller max_tokens or a smaller model would help"


class HeadTraining:
    """One trial's training."""

    def __init__(self, run: Run, knobs: Knobs, name: str) -> None:
        self.run = run
        self.name = name
        self.knobs = knobs
        self.source = source_of(run)
        self.where = transformer.device()
        with run.loading():
            self.config = transformer.load_config(self.source)
            self.codec = transformer.load_codec(
                self.source,
                self.config,
                run.task.max_tokens,
                run.model.max_tokens,
                cutting=Cutting.of(run.params),
            )
        width = transformer.width_of(self.config)
        self.precision = transformer.precision_for(self.where, width)
        #: Texts behind one optimiser step.
        self.batch = min(knobs.batch, len(run.train))
        self.steps = max(1, math.ceil(run.epochs * len(run.train) / self.batch))
        self.attempts = Attempts(run, self.batch, _ADVICE)
        self.bookmarks = bookmarks_of(run)

    def predictor(self) -> TransformerPredictor:
        """Trains and returns the final model.

        Raises:
            Pruned: `run.checkpoint` ended the trial.
            Diverged: the loss is no longer finite.
            OutOfMemory: memory ran out, and the batch can't be made smaller.
        """
        run = self.run
        encoded = token_cache.encoded(run, self.codec, self.source)
        lengths = [len(row) for row in encoded.ids]

        def smaller(tokens: int) -> int | None:
            return half_the_tokens(lengths, tokens, self.batch) if run.shrink_batch else None

        tokens = self.attempts.begun(self._fitting_tokens(lengths), smaller)
        run.note(
            device=self.where.type,
            precision=self.precision,
            tuning=self.knobs.tuning,
            max_tokens=self.codec.max_tokens,
            **self.codec.cutting.kept,
            truncated=encoded.cut / max(1, len(encoded.ids)),
            steps=self.steps,
            batch=self.batch,
            tokens_at_once=tokens,
        )
        return self.attempts.fit(
            tokens,
            lambda tokens: self._train(encoded, tokens),
            smaller=smaller,
            notes=lambda tokens: {"tokens_at_once": tokens},
        )

    def _fitting_tokens(self, lengths: Sequence[int]) -> int:
        """Tokens at once whose activations should fit into the memory.

        A process that overdraws a CPU's memory is killed without an error that could be caught;
        a GPU raises one, so there the whole is tried.
        """
        tokens = _TOKENS_AT_ONCE.get(self.where.type, 8_192)
        longest = max(lengths)
        if not self.run.shrink_batch:
            return self.batch * longest
        if self.where.type == "cpu":
            layers = transformer.layers_of(self.config)
            layers = max(1, layers - frozen_layers.depth(layers, self.knobs.freeze))
            per_token = layers * transformer.width_of(self.config) * _KEPT_PER_LAYER * 4
            room = facts.free_memory() / 2
            tokens = min(tokens, int(room / per_token))
        return max(tokens, longest)

    def _model(self) -> tuple[Any, FrozenLayers | None]:
        """The model to be trained, and what of it is not."""
        names = self.run.task.label_names
        lora = self.knobs.tuning == "lora"
        large = (needs.parameters(self.run.model) or 0.0) > 1e9
        transformers.set_seed(self.run.seed)  # The head's weights are drawn while loading.
        with self.run.loading():
            loaded = weights.load(
                "classifier",
                self.source,
                num_labels=len(names),
                id2label=dict(enumerate(names)),
                label2id={name: index for index, name in enumerate(names)},
                problem_type="single_label_classification",
                # A large frozen base is held as it was published; what is trained is float32.
                dtype=torch.bfloat16
                if lora and large and self.precision == "bfloat16"
                else torch.float32,
            )
            self.run.note(**loaded.notes)
            model = loaded.model
            model.config.pad_token_id = self.codec.pad_id
            model.config.use_cache = False
            frozen = None
            if self.knobs.freeze:
                frozen = FrozenLayers.of(model, self.knobs.freeze)
                if frozen is None:  # Nobody knows which layers are its lowest.
                    self.run.note(freeze_used=0.0)
            model = _with_lora(model, self.knobs, frozen) if lora else model
            return without_copies(model, self.precision).to(self.where), frozen

    def _train(self, encoded: Encoded, tokens: int) -> TransformerPredictor:
        run, knobs = self.run, self.knobs
        model, frozen = self._model()
        pooling = None
        if (way := self.codec.cutting.pooling) is not None:
            pooling = ChunkPooling(way, int(last_layer(model).in_features)).to(self.where)
        predictor = TransformerPredictor(
            model,
            self.codec,
            where=self.where,
            precision=self.precision,
            strategy=self.name,
            pooling=pooling,
        )
        classifier = Classifier(
            model,
            self.codec.pad_id,
            self.where,
            limit=self.codec.max_tokens,
            seed=run.seed,
            pooling=pooling,
        )
        run.note(
            parameters=sum(p.numel() for p in model.parameters()),
            threads=torch.get_num_threads(),
            feeding=classifier.feeding,
        )
        watch = _Watch(self, predictor)
        lengths = [len(row) for row in encoded.ids]
        trainer = _Trainer(
            model=model,
            args=self._arguments(),
            train_dataset=TokenRows(encoded.ids, soft_loss.by_row(run.train)),
            data_collator=Batch.of,
            callbacks=[watch],
        )
        trainer.classifier = classifier
        trainer.tokens = tokens
        trainer.loss = _Loss(LossBalance.of(run, self.where), knobs.label_smoothing, watch)
        trainer.autocast = self.autocast
        padded = lengths if classifier.feeding == "padded" else None
        trainer.order = Order(padded, len(lengths), self.batch, run.seed)
        trainer.frozen = frozen
        if frozen is not None:
            trainer.states = self._states(encoded, classifier, frozen, tokens)
        trainer.remove_callback(PrinterCallback)
        if pooling is not None:
            trainer.parts = {"pooling": pooling}
        if classifier.chance is not None:
            trainer.drawn = {"dropout": classifier.chance}
        watch.trainer = trainer
        if self.bookmarks is not None:
            trainer.bookmark = self.bookmarks.begin(self._decided_by(), self.steps)
        if trainer.bookmark is not None:
            trainer.order.skip(trainer.bookmark.step)
            self.attempts.scored = float(trainer.bookmark.values["own"]["scored"])
        trainer.train(resume_from_checkpoint=trainer.goes_on(run.folder / "begun"))
        if knobs.tuning == "lora":
            with run.loading():
                predictor.model = model.merge_and_unload()
        transformer.freeze(predictor.model, self.precision)
        return predictor

    def _states(
        self, encoded: Encoded, classifier: Classifier, frozen: FrozenLayers, tokens: int
    ) -> States | None:
        """What reaches the lowest trained layer, of every row, where it is worth keeping."""
        facts = [
            self.run.model.identity,
            token_cache.stamp(self.source, token_cache.SOURCE_FILES),
            self.run.fingerprint,
            self.codec.max_tokens,
            self.codec.cutting.word,
            self.precision,
            self.where.type,
        ]
        with self.autocast():
            return frozen_layers.states(
                self.run, frozen, classifier, encoded.ids, tokens=tokens, known_by=facts
            )

    def _decided_by(self) -> list[Any]:
        """What decides the training beside its run, as JSON: another goes on from no bookmark of
        this. (How much goes at once follows the memory that is free: a sum's order.)"""
        built = self.run.model.builder is not None  # in each process anew, of the same rows
        weights = [] if built else token_cache.stamp(self.source, token_cache.SOURCE_FILES)
        sizes = [self.attempts.halved, self.batch]
        rows = self.run.fingerprint
        return [self.name, rows, weights, *sizes, self.precision, self.where.type]

    def autocast(self) -> AbstractContextManager[None]:
        """Within: the numbers that this training computes in."""
        return transformer.computing_in(self.precision, self.where)

    def _arguments(self) -> Any:
        knobs, run = self.knobs, self.run
        arguments = TrainingArguments(
            output_dir=str(run.folder / "trainer"),
            max_steps=self.steps,
            per_device_train_batch_size=self.batch,
            optim="adamw_torch_fused",
            learning_rate=knobs.learning_rate,
            lr_scheduler_type=knobs.schedule,
            # Whole steps: the rounding is ours, so a share just below 1 stays a share.
            warmup_steps=round(knobs.warmup * self.steps),
            weight_decay=knobs.weight_decay,
            max_grad_norm=knobs.max_grad_norm,
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


class _Trainer(Continued, Trainer):  # type: ignore[misc]
    """Trainer whose batches go through the model in parts, in our autocast."""

    classifier: Classifier
    tokens: int
    loss: _Loss
    autocast: Callable[[], AbstractContextManager[None]]
    order: Order
    frozen: FrozenLayers | None = None
    states: States | None = None

    def create_optimizer(self, model: Any = None) -> Any:
        """As Trainer's; what joins chunks is no part of the model, and learns with it."""
        optimizer = super().create_optimizer(model)
        joining = self.classifier.pooling
        if joining is not None and (learnt := list(joining.parameters())):
            optimizer.add_param_group({"params": learnt, "weight_decay": 0.0})
        return optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> Order:
        return self.order

    def training_step(
        self, model: Any, inputs: dict[str, Batch], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Gradients of one whole batch; its mean loss, detached."""
        batch = inputs["batch"]
        if not model.training:
            model.train()
        if self.frozen is not None:
            self.frozen.quiet()
        if self.classifier.pooling is not None:  # Trainer empties what its model has.
            self.classifier.pooling.zero_grad()
        total = torch.zeros((), device=self.classifier.where)
        for positions in self.classifier.parts(batch.ids, self.tokens):
            part = self.classifier.batch([batch.ids[i] for i in positions])
            labels = torch.tensor([batch.labels[i] for i in positions]).to(total.device)
            begun = None
            if self.states is not None and isinstance(part.inputs, Packed):
                begun = self.states.of([batch.places[i] for i in positions], part.inputs)
            with self.autocast():
                logits = self.classifier(part, begun)
            loss = self.loss(logits, labels, len(batch.labels))
            self.accelerator.backward(loss)
            total += loss.detach()
        return total


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Reports progress at every step, and hands the live model over at each mark."""

    def __init__(self, training: HeadTraining, predictor: TransformerPredictor) -> None:
        self.training = training
        self.predictor = predictor
        self.marks = marks(training.steps, training.run.checkpoints)
        self.step = 0
        self.trainer: _Trainer | None = None

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """See `transformers.TrainerCallback`."""
        training = self.training
        self.step = int(state.global_step)
        training.run.progress(self.step / training.steps)
        fraction = self.marks.get(self.step)
        if fraction is not None:
            training.attempts.checkpoint(self.predictor, fraction)
        if training.bookmarks is not None and self.trainer is not None:
            own = {"scored": training.attempts.scored}
            whole = partial(self.trainer.marked, state, own)
            training.bookmarks.at(self.step, whole, scored=fraction is not None)


class _Loss:
    """Cross-entropy, balanced and smoothed as asked, averaged over the whole effective batch."""

    def __init__(self, balance: LossBalance, smoothing: float, watch: _Watch) -> None:
        self.balance = balance
        self.smoothing = smoothing
        self.watch = watch

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor, texts: int) -> torch.Tensor:
        # A sum over a part, divided by the texts of all parts: parts add up to the whole.
        logits = logits.float() + self.balance.priors
        losses = cross_entropy(
            logits,
            labels,
            weight=self.balance.weights,
            label_smoothing=self.smoothing,
            reduction="none",
        )
        total = focused(losses, logits, labels, self.balance.gamma).sum()
        if not torch.isfinite(total):
            raise transformer.Diverged(
                f"the loss became {total.item()} at step {self.watch.step + 1}: lower learning_rate"
            )
        mean: torch.Tensor = total / texts
        return mean


def _with_lora(model: Any, knobs: Knobs, frozen: FrozenLayers | None) -> Any:
    """LoRA on every linear layer of the base model that is not frozen; what stands on top of it is
    trained whole."""
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    base = model.base_model_prefix
    still = set() if frozen is None else {m for part in frozen.modules for m in part.modules()}
    linear = [
        name
        for name, module in model.named_modules()
        if name.startswith(f"{base}.")
        and isinstance(module, torch.nn.Linear | Conv1D)
        and module not in still
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
