"""`make bench`: every benchmark, or those named: `python -m tests.benchmarks neural`."""

import importlib
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the suite's own children have it

BENCHMARKS = {
    "overhead": "overhead",
    "neural": "neural",
    "encoder_training": "encoder_training",
    "serving": "serving",
    "profile": "profiles",
    "option_scoring": "option_scoring",
    "asking_ceiling": "asking_ceiling",
    "asked_f1": "asked_f1",
    "reading": "reading",
    "agreement": "agreement",
    "equal_f1": "equal_f1",
    "setfit_probe": "setfit_probe",
    "search": "search",
    "samplers": "samplers",
    "serve": "serve",
    "half_open": "half_open",
    "speed_rounds": "speed_rounds",
    "few_rows": "few_rows",
    "static_models": "static_models",
    "contrastive": "contrastive",
    "big_file": "big_file",
    "classic": "classic",
    "large_tfidf": "large_tfidf",
    "long_texts": "long_texts",
    "frozen": "frozen",
    "bookmarks": "bookmarks",
    "sft_step": "sft_step",
    "decisions": "decisions",
    "gpu": "gpu",
    "wrong_labels": "wrong_labels",
    "label_advice": "label_advice",
}

if __name__ == "__main__":
    wanted = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"unknown benchmark '{unknown[0]}'; available: {', '.join(BENCHMARKS)}")
    for name in wanted:
        importlib.import_module(f"tests.benchmarks.{BENCHMARKS[name]}").main()
