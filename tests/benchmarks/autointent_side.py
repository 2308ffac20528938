"""AutoIntent's side of `few_rows`: its lightest preset on given rows. Runs in its own environment.

    PYTHON autointent_side.py ROWS.json OUT.json

ROWS.json holds `embedder` (a folder), `seed`, `train` and `test` (lists of text and label);
OUT.json gets macro-F1 on test, and the seconds of the search.
"""

import json
import sys
import tempfile
import time
from pathlib import Path


def main(source, target):
    from autointent import Dataset, Pipeline
    from autointent.configs import LoggingConfig, SentenceTransformerEmbeddingConfig
    from sklearn.metrics import f1_score

    given = json.loads(Path(source).read_text(encoding="utf-8"))
    begun = time.monotonic()
    pipeline = Pipeline.from_preset("classic-light", seed=given["seed"] + 1)
    pipeline.set_config(SentenceTransformerEmbeddingConfig(model_name=given["embedder"]))
    with tempfile.TemporaryDirectory() as folder:
        pipeline.set_config(LoggingConfig(project_dir=folder, dump_modules=False))
        rows = [{"utterance": row["text"], "label": row["label"]} for row in given["train"]]
        pipeline.fit(Dataset.from_dict({"train": rows}))
        seconds = time.monotonic() - begun
        answers = pipeline.predict([row["text"] for row in given["test"]])
    truth = [row["label"] for row in given["test"]]
    # What it takes for out of scope is no class, and wrong.
    told = [-1 if answer is None else int(answer) for answer in answers]
    score = f1_score(truth, told, average="macro", labels=sorted(set(truth)), zero_division=0)
    found = {"macro_f1": float(score), "seconds": seconds}
    Path(target).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
