"""`torch`: the kept predictor as trials measure it, or its network in other numbers.

The numbers change inside the predictor, so that whatever it does to be quick (packing, a beginning
that is read once, batches that shrink) stays.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from suite.config import jsonfile
from suite.contracts.engine import Kept
from suite.contracts.strategy import Predictor, Refused
from suite.machine import facts
from suite.serving.engines.network import NetworkEngine
from suite.serving.engines.served import EnginePredictor, converting, device_of
from suite.strategies import MARK, load_uncalibrated, strategy_of
from suite.strategies.network.settings import FIX, MOST_BYTES, SETTINGS

_ON_GPU = "int8 by torch is for CPUs: use bfloat16 or float16 on a GPU"


class TorchEngine(NetworkEngine):
    """The kept predictor, computing in a precision."""

    name = "torch"
    numbers = ("float32", "bfloat16", "float16", "int8")

    def precisions(self, kept: Kept) -> tuple[str, ...]:
        """That of the predictor is among them, whichever it is."""
        found = super().precisions(kept)
        return found if not found or kept.precision in found else (kept.precision, *found)

    def refuses(self, kept: Kept, precision: str) -> str | None:
        """As the others, but what it was kept in."""
        if kept.kind == "network" and precision == kept.precision:
            return None
        if precision == "int8" and kept.fixed is None and facts.has_gpu():
            return _ON_GPU
        return super().refuses(kept, precision)

    def open(
        self, folder: Path, precision: str, *, texts: Sequence[str], scratch: Path
    ) -> EnginePredictor:
        """The kept predictor, its network cast.

        Raises:
            Refused: this machine can't, or the model can't be taken to other numbers.
            ModelError: the folder holds no predictor.
        """
        from suite.serving.engines.graph import network_of

        begun = time.perf_counter()
        predictor: Any = load_uncalibrated(folder)
        loaded = ready = time.perf_counter()
        if predictor.precision != precision:
            if network_of(predictor) is None:
                raise Refused(f"this model serves in {predictor.precision} alone here")
            if predictor.precision != "float32":
                del predictor
                predictor = load_float32(folder, scratch)
            loaded = time.perf_counter()
            _check(precision, device_of(predictor))
            with converting("torch", f"serve in {precision}"):
                _cast(predictor, precision, texts)
                predictor.predict_proba(list(texts[:4]))
            ready = time.perf_counter()
        return EnginePredictor(
            predictor,
            folder=folder,
            engine=self.name,
            precision=precision,
            device=device_of(predictor),
            serving_shape=predictor.serving_shape,
            load_seconds=loaded - begun,
            prepare_seconds=ready - loaded,
        )


def load_float32(folder: Path, scratch: Path) -> Predictor:
    """The kept predictor with its weights as they are on disk, whatever it was scored in, and its
    own probabilities.

    Args:
        scratch: gets a folder of links, with settings that ask for float32.

    Raises:
        ModelError: the folder holds no predictor.
    """
    settings = jsonfile.read(folder / SETTINGS, most=MOST_BYTES, fix=FIX)
    if settings.get("precision") == "float32":
        return load_uncalibrated(folder)
    beside = scratch / "float32"
    beside.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        link = beside / file.name
        if file.name not in (SETTINGS, MARK) and not link.exists():
            os.symlink(file.resolve(), link)
    (beside / SETTINGS).write_text(json.dumps(settings | {"precision": "float32"}), "utf-8")
    (beside / MARK).write_text(json.dumps({"strategy": strategy_of(folder)}), "utf-8")
    return load_uncalibrated(beside)


def _check(precision: str, device: str) -> None:
    """Raises `Refused` where a precision would only be imitated."""
    if device != "cpu":
        if precision == "int8":
            raise Refused(_ON_GPU)
        return
    import torch

    able = torch.cpu.get_capabilities()
    if able.get("architecture") != "x86_64":
        return
    units = {
        "float16": ("avx512_fp16", "amx_fp16"),
        "bfloat16": ("avx512_bf16", "amx_bf16"),
    }.get(precision)
    if units and not any(able.get(name) for name in units):
        raise Refused(
            f"this CPU has no {precision} arithmetic ({' or '.join(units)}), and would only "
            "imitate it"
        )


def _cast(predictor: Any, precision: str, texts: Sequence[str]) -> None:
    """Takes a float32 predictor's network to a precision, in place."""
    from suite.serving.engines import int8
    from suite.serving.engines.graph import network_of
    from suite.strategies.asking import option_scoring
    from suite.strategies.network import transformer

    network = network_of(predictor)
    match precision:
        case "bfloat16" if isinstance(predictor, transformer.TransformerPredictor):
            transformer.freeze(network, precision)
        case "bfloat16":
            option_scoring.settle(network, precision)
        case "float16":
            for parameter in network.parameters():  # Not buffers: positions need float32.
                parameter.data = parameter.data.half()
        case "int8":
            # A reading of our own is compared with transformers' at its first use: while rounding
            # is small.
            predictor.predict_proba(list(texts[:2]))
            _join_projections(predictor)
            int8.quantise(network)
    parts = (predictor, getattr(predictor, "scorer", None), getattr(predictor, "embedder", None))
    for part in parts:
        if part is not None:
            part.precision = precision


def _join_projections(predictor: Any) -> None:
    """One product in place of three, where an encoder's texts are packed."""
    from suite.strategies.network import packed_models

    fed = getattr(predictor, "classifier", None) or getattr(
        getattr(predictor, "embedder", None), "encoder", None
    )
    if fed is not None and fed.feeding == "packed":
        base = getattr(fed.model, fed.model.base_model_prefix, fed.model)
        packed_models.join_projections(base)
