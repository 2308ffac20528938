"""A frozen transformer as what it is to a regression: token ids in, one vector a row out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.cutting import AS_EVER, Cutting
from suite.contracts.strategy import Run
from suite.strategies.network import shrinking
from suite.strategies.network.chunks import Row
from suite.strategies.network.shrinking import Attempts, half_the_tokens

if TYPE_CHECKING:
    from suite.strategies.network.sources import Source
    from suite.strategies.network.transformer import Codec

Matrix = NDArray[np.float32]

_ADVICE = "a smaller max_tokens or a smaller model would help"


class Embedder:
    """A frozen transformer and its tokenizer: token ids -> one vector per row."""

    def __init__(
        self,
        model: Any,
        codec: Codec,
        source: Source,
        *,
        where: Any,
        precision: str,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        from suite.strategies.network import transformer
        from suite.strategies.network.feeding import Encoder

        self.model = model
        self.encoder = Encoder(model, codec.pad_id, where, limit=codec.max_tokens)
        self.codec = codec
        self.source = source
        self.where = where
        self.precision = precision
        self.batch = transformer.scoring_batch(where)
        #: Most tokens at once; fewer after memory ran out.
        self.tokens = transformer.scoring_tokens(where)
        #: What of the weights is new or ignored, as circumstances of a trial.
        self.notes = dict(notes or {})

    @classmethod
    def of_run(cls, run: Run) -> Embedder:
        """The run's model, loaded off the clock.

        Raises:
            Refused: there are no weights.
        """
        from suite.strategies.network.sources import source_of

        source = source_of(run)
        with run.loading():
            embedder = cls.read(
                source,
                None,
                run.task.max_tokens,
                run.model.max_tokens,
                cutting=Cutting.of(run.params),
            )
        run.note(
            device=embedder.where.type,
            precision=embedder.precision,
            max_tokens=embedder.codec.max_tokens,
            **embedder.codec.cutting.kept,
            batch=embedder.batch,
            **embedder.notes,
        )
        return embedder

    @classmethod
    def read(
        cls,
        source: Source,
        precision: str | None,
        *limits: int | None,
        kept: bool = False,
        cutting: Cutting = AS_EVER,
    ) -> Embedder:
        """A model from a folder, in a given precision or the one that pays here.

        Args:
            kept: whether a predictor saved it, as `weights.load` has it.
            cutting: what is read of a text beyond the limits.

        Raises:
            ModelError: it can't be loaded.
        """
        from suite.strategies.network import transformer, weights

        config = transformer.load_config(source)
        where, width = transformer.device(), transformer.width_of(config)
        chosen = (
            transformer.supported(precision, where, width)
            if precision
            else transformer.precision_for(where, width)
        )
        codec = transformer.load_codec(source, config, *limits, cutting=cutting)
        loaded = weights.load("body", source, kept=kept)
        model = loaded.model
        model.config.use_cache = False
        model.config.pad_token_id = codec.pad_id
        transformer.freeze(model.to(where), chosen)
        return cls(model, codec, source, where=where, precision=chosen, notes=loaded.notes)

    def begin(self, run: Run, rows: Sequence[Row]) -> None:
        """Begins with less at once where the system killed this trial's processes.

        Raises:
            OutOfMemory: they had one text at once already.
        """
        attempts = Attempts(run, self.batch, _ADVICE)
        lengths = [len(row) for row in rows]
        self.tokens = attempts.begun(
            self.tokens, lambda tokens: half_the_tokens(lengths, tokens, self.batch)
        )
        run.note(tokens_at_once=self.tokens)

    def embed(
        self, rows: Sequence[Row], ways: Sequence[str], run: Run | None = None
    ) -> dict[str, Matrix]:
        """Pooling -> embeddings float32 [rows, width], in their order.

        Args:
            run: told of the progress, where given.
        """
        lengths = [len(row) for row in rows]
        self.tokens, found = shrinking.scored(
            self.tokens,
            lambda tokens: self._embedded(rows, ways, run, tokens),
            lambda tokens: half_the_tokens(lengths, tokens, self.batch),
        )
        return found

    def _embedded(
        self, rows: Sequence[Row], ways: Sequence[str], run: Run | None, tokens: int
    ) -> dict[str, Matrix]:
        import torch

        from suite.strategies.network import transformer

        width = transformer.width_of(self.model.config)
        out = {way: np.zeros((len(rows), width), dtype=np.float32) for way in ways}
        done = 0
        with torch.inference_mode(), transformer.computing_in(self.precision, self.where):
            for positions in self.encoder.parts(rows, tokens, self.batch):
                vectors = self.encoder(self.encoder.batch([rows[i] for i in positions]), ways)
                for way in ways:
                    out[way][positions] = vectors[way].cpu().numpy()
                done += len(positions)
                if run is not None:
                    run.progress(0.95 * done / len(rows))
        return out
