"""torch, transformers, peft and scikit-learn for the forkserver of a study that has networks: 7 s
of processor time once, not per trial."""

from __future__ import annotations

import contextlib
import io

with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    import peft  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import torch  # noqa: F401
    import transformers
    from transformers import (  # noqa: F401
        AutoModel,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        Trainer,
        TrainingArguments,
    )

transformers.logging.set_verbosity_error()
