"""Serving engines on real small models: every engine at every precision this machine has."""

import json
import shutil
import subprocess
import sys
from functools import cache

import brought
import numpy as np
import pytest
import tiny_decoders
from conftest import PATIENCE
from remembering_run import RememberingRun

from suite import strategies
from suite.contracts import package as declared_package
from suite.contracts.registry import Registry
from suite.contracts.strategy import Predictor, Refused
from suite.contracts.temperature import tempered
from suite.errors import ModelError, SuiteError
from suite.machine import facts
from suite.models.catalogue import load_catalogue, local_model
from suite.serving import engines
from suite.serving.engines import Candidate, candidates, open_engine
from suite.serving.engines.agreement import agreement
from suite.strategies.calibrated import keep_temperature
from suite.version import __version__

CATALOGUE = load_catalogue()
ROWS = tiny_decoders.rows(96)
#: More than go into one batch.
TEXTS = tiny_decoders.rows(100, seed=1).texts
QUICK = {"learning_rate": 2e-3, "batch": 16}
ENGINES = [
    ("torch", "float32"),
    ("torch", "bfloat16"),
    ("torch", "float16"),
    ("torch", "int8"),
    ("onnxruntime", "float32"),
    ("onnxruntime", "int8"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
    ("openvino", "int8"),
]
#: Largest difference of a probability, by what numbers alone can make; the models are small and
#: their weights wide, so that rounding shows more than in a trained one.
BOUNDS = {"float32": 1e-5, "float16": 0.01, "bfloat16": 0.1, "int8": 0.15}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Folders of kept predictors, one of each kind that engines serve."""
    home = tmp_path_factory.mktemp("kept")
    decoder = local_model(f"toy={tiny_decoders.build(home / 'decoder')}")
    made = {
        "encoder head": ("linear_head", CATALOGUE["tiny-bert"], QUICK, {}),
        "decoder head": ("linear_head", CATALOGUE["tiny-qwen3"], QUICK, {}),
        "encoder probe": (
            "probe",
            CATALOGUE["tiny-bert"],
            {"C": 10.0, "pooling": "mean", "scaling": "standard"},
            {},
        ),
        "decoder probe": (
            "probe",
            CATALOGUE["tiny-qwen3"],
            {"C": 10.0, "pooling": "last", "scaling": "l2"},
            {},
        ),
        "asked": ("zero_shot", decoder, {"mode": "no_think", "calibration": "contextual"}, {}),
        "many options": (
            "zero_shot",
            decoder,
            {"mode": "no_think"},
            {"task": tiny_decoders.task(40)},
        ),
        "classic": ("classic", CATALOGUE["tfidf"], {}, {}),
    }
    folders = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(home / "cache"))
        for name, (strategy, model, params, changes) in made.items():
            work = home / name
            work.mkdir()
            changes = {"task": tiny_decoders.task(), "train": ROWS} | changes
            run = RememberingRun(work, model, params=params, **changes)
            folders[name] = work / "kept"
            predictor = strategies.get(strategy).fit(run)
            strategies.save_predictor(predictor, strategy, folders[name])
    return folders


@pytest.fixture(scope="module")
def expected(kept):
    """What the kept predictors answer, by name."""
    return {
        name: strategies.load_predictor(folder).predict_proba(TEXTS)
        for name, folder in kept.items()
    }


def opened(folder, engine, precision, scratch):
    """An engine on the folder; skips with the reason where this machine has it not."""
    reasons = {(c.engine, c.precision): c.refused for c in candidates(folder)}
    if reasons[engine, precision]:
        pytest.skip(reasons[engine, precision])
    try:
        return open_engine(folder, engine, precision, texts=TEXTS[:32], scratch=scratch)
    except Refused as refusal:
        if "this CPU has no" not in str(refusal):
            raise
        pytest.skip(str(refusal))


@pytest.fixture(scope="module")
def served(kept, tmp_path_factory):
    """Engines on kept predictors by name, each opened once for all tests that only ask it."""

    @cache
    def open_once(name, engine, precision):
        return opened(kept[name], engine, precision, tmp_path_factory.mktemp("served"))

    return open_once


# --- what there is, without torch ----------------------------------------------------------------


def test_asking_imports_nothing_heavy(kept):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from suite.serving.engines import candidates\n"
        f"assert len(candidates(Path({str(kept['encoder head'])!r}))) == 10\n"
        "heavy = {'torch', 'transformers', 'onnxruntime', 'openvino'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


def test_every_engine_is_named_with_its_precisions(kept):
    found = [(c.engine, c.precision) for c in candidates(kept["encoder head"])]
    assert set(ENGINES) < set(found)
    assert [engine for engine, _ in found].count("compile") == 1


def test_what_serves_as_it_is_has_one_engine(kept, expected, tmp_path):
    assert candidates(kept["classic"]) == [Candidate("python", "float32")]
    predictor = open_engine(kept["classic"], "python", "float32", texts=TEXTS[:2], scratch=tmp_path)
    np.testing.assert_array_equal(predictor.predict_proba(TEXTS), expected["classic"])
    assert predictor.engine == "python"
    with pytest.raises(Refused, match="as it is"):
        open_engine(kept["classic"], "openvino", "int8", texts=TEXTS[:2], scratch=tmp_path)


def test_a_missing_package_refuses_with_what_would_help(kept, tmp_path, monkeypatch):
    real = declared_package.find_spec
    monkeypatch.setattr(
        declared_package,
        "find_spec",
        lambda name, *rest: None if name in ("onnxruntime", "nncf") else real(name, *rest),
    )
    reasons = {(c.engine, c.precision): c.refused for c in candidates(kept["encoder head"])}
    for pair, package in {
        ("onnxruntime", "float32"): "onnxruntime",
        ("openvino", "int8"): "nncf",
    }.items():
        assert reasons[pair] == f"{package} not installed: pip install 'suite[engines]'"
    assert reasons["openvino", "float32"] is None
    with pytest.raises(Refused, match="onnxruntime not installed"):
        open_engine(kept["encoder head"], "onnxruntime", "int8", texts=TEXTS[:2], scratch=tmp_path)


def test_a_cpu_without_bfloat16_is_not_made_to_imitate_it(kept, tmp_path, monkeypatch):
    info = tmp_path / "cpuinfo"
    info.write_text("flags : avx2 fma\n")
    monkeypatch.setattr(facts, "CPUINFO", info)
    monkeypatch.setattr(facts, "cpu_bf16_flags", lambda: [])
    reasons = {(c.engine, c.precision): c.refused for c in candidates(kept["encoder head"])}
    assert "no bfloat16 arithmetic" in reasons["torch", "bfloat16"]
    assert "no bfloat16 arithmetic" in reasons["openvino", "bfloat16"]
    assert reasons["torch", "float32"] is None


def test_only_a_gpu_that_may_be_used_counts(kept, monkeypatch):
    monkeypatch.setattr(facts, "gpu_files", lambda: True)
    monkeypatch.setattr(facts, "gpus", lambda: (None,))
    monkeypatch.setattr(facts, "cpu_bf16_flags", lambda: [])

    def found():
        return {(c.engine, c.precision): c.refused for c in candidates(kept["encoder head"])}

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert "for CPUs" in found()["torch", "int8"]
    assert ("compile", "bfloat16") in found()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # as `--device cpu` has it
    assert found()["torch", "int8"] is None
    assert ("compile", "float32") in found()


def test_what_can_not_be_a_graph_is_served_by_torch_alone(kept, expected, tmp_path):
    able = [c for c in candidates(kept["many options"]) if c.refused is None]
    assert able == [Candidate("torch", "float32")]
    reasons = {c.refused for c in candidates(kept["many options"])} - {None}
    assert len(reasons) == 1 and "several tokens" in reasons.pop()
    predictor = opened(kept["many options"], "torch", "float32", tmp_path)
    np.testing.assert_allclose(predictor.predict_proba(TEXTS), expected["many options"], atol=1e-6)


def test_a_model_that_writes_its_answer_is_served_by_torch_alone(kept, tmp_path):
    folder = tmp_path / "thinking"
    folder.mkdir()
    (folder / "predictor.json").write_text('{"strategy": "sft"}')
    (folder / "config.json").write_text("{}")
    settings = {"form": "generation", "precision": "float32", "max_tokens": 9}
    (folder / "settings.json").write_text(json.dumps(settings))
    able = [c for c in candidates(folder) if c.refused is None]
    assert able == [Candidate("torch", "float32")]
    assert "thinks in words" in candidates(folder)[-1].refused


def test_a_served_model_is_its_own_engine(tmp_path):
    (tmp_path / "predictor.json").write_text('{"strategy": "zero_shot"}')
    (tmp_path / "settings.json").write_text('{"format": "endpoint"}')
    assert candidates(tmp_path) == [Candidate("endpoint", "server")]


@pytest.mark.parametrize("damage", ["predictor.json", "settings.json", "config.json"])
def test_a_damaged_folder_is_one_message(kept, tmp_path, damage):
    for file in kept["encoder head"].iterdir():
        if file.name != damage:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(ModelError):
        candidates(tmp_path)
    (tmp_path / damage).write_text("{ not json")
    if damage != "config.json":
        with pytest.raises(ModelError):
            candidates(tmp_path)
    with pytest.raises(ModelError):
        open_engine(tmp_path, "openvino", "float32", texts=TEXTS[:2], scratch=tmp_path / "s")


def test_weights_that_can_not_be_read_are_one_message(kept, tmp_path):
    for file in kept["encoder head"].iterdir():
        if file.name != "model.safetensors":
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="no safetensors can be read there"):
        open_engine(tmp_path, "onnxruntime", "float32", texts=TEXTS[:2], scratch=tmp_path / "s")


def test_unknown_engines_and_precisions(kept, tmp_path):
    with pytest.raises(SuiteError, match="unknown engine 'openvin'"):
        open_engine(kept["encoder head"], "openvin", "int8", texts=TEXTS[:2], scratch=tmp_path)
    with pytest.raises(Refused, match="float32, int8 here, not bfloat16"):
        open_engine(
            kept["encoder head"], "onnxruntime", "bfloat16", texts=TEXTS[:2], scratch=tmp_path
        )


# --- one of somebody's own -----------------------------------------------------------------------


@pytest.fixture
def later(tmp_path, monkeypatch):
    """Installs a version of an engine that another package brings."""

    def install(version):
        brought.install(
            tmp_path / "later", monkeypatch, "later", version,
            "[suite.engines]\nlater = later:Later\n", brought.ENGINE,
        )  # fmt: skip
        monkeypatch.setattr(engines, "_KNOWN", Registry("engine", "suite.engines", engines.OWN))

    install("1.0")
    return install


def test_an_engine_comes_in_by_its_entry_point(kept, expected, tmp_path, later):
    assert candidates(kept["classic"]) == [
        Candidate("python", "float32"),
        Candidate("later", "float32"),
        Candidate("later", "int4", "no such units"),
    ]
    assert "later" not in {c.engine for c in candidates(kept["encoder head"])}
    found = open_engine(kept["classic"], "later", "float32", texts=TEXTS[:2], scratch=tmp_path)
    np.testing.assert_array_equal(found.predict_proba(TEXTS), expected["classic"])
    assert found.engine == "later"
    with pytest.raises(Refused, match="no such units"):
        open_engine(kept["classic"], "later", "int4", texts=TEXTS[:2], scratch=tmp_path)


def test_an_engine_that_declares_no_packages_changes_with_its_own(later):
    assert engines.versions("later") == {"suite": __version__, "later": "1.0"}
    later("1.1")
    assert engines.versions("later") == {"suite": __version__, "later": "1.1"}


def test_the_suites_own_engines_declare_what_their_figures_depend_on():
    for name in engines.OWN:
        assert engines._KNOWN.get(name).versions is not None
        assert "suite" not in engines.versions(name)
    assert set(engines.versions("openvino")) == {"openvino", "nncf", "torch"}
    assert engines.versions("endpoint") == engines.versions("never heard of") == {}


def test_what_is_brought_and_can_not_be_loaded_is_one_message(tmp_path, monkeypatch):
    entry_points = "[suite.engines]\nbroken = broken:Engine\n"
    brought.install(tmp_path, monkeypatch, "broken", "1.0", entry_points, "import nowhere\n")
    known = Registry("engine", "suite.engines", {})
    with pytest.raises(SuiteError, match="'broken' can't be loaded: No module named 'nowhere'"):
        known.get("broken")
    with pytest.raises(SuiteError, match="unknown engine 'brokn'") as caught:
        known.get("brokn")
    assert "Did you mean 'broken'?" in str(caught.value)


# --- every engine --------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "precision"), ENGINES)
def test_an_engine_answers_as_the_kept_predictor_does(served, expected, engine, precision, capfd):
    predictor = served("encoder head", engine, precision)
    assert isinstance(predictor, Predictor)
    assert (predictor.engine, predictor.precision, predictor.device) == (engine, precision, "cpu")
    assert predictor.load_seconds > 0 and predictor.batch > 0
    assert (predictor.prepare_seconds > 0) == ((engine, precision) != ("torch", "float32"))
    assert f"{engine}/{precision}" in predictor.serving_shape
    found = predictor.predict_proba(TEXTS)
    assert found.dtype == np.float32 and found.shape == (len(TEXTS), 4)
    np.testing.assert_allclose(found, expected["encoder head"], atol=BOUNDS[precision])
    # In any order and number, alone too.
    np.testing.assert_allclose(
        predictor.predict_proba(TEXTS[7:8]), found[7:8], atol=BOUNDS[precision]
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("engine", ["torch", "onnxruntime", "openvino"])
def test_no_text_is_too_strange(kept, served, engine):
    texts = ["", " ", "[PAD]", "[PAD] lunch [PAD]", "lunch " * 500, "\x00", "💥", "lunch"]
    known = strategies.load_predictor(kept["encoder head"]).predict_proba(texts)
    predictor = served("encoder head", engine, "float32")
    np.testing.assert_allclose(predictor.predict_proba(texts), known, atol=1e-5)
    assert predictor.predict_proba([]).shape == (0, 4)


@pytest.mark.parametrize("name", ["decoder head", "encoder probe", "decoder probe"])
def test_onnxruntime_serves_every_kind(kept, expected, tmp_path, name):
    """Of what is asked it answers at a temperature, below."""
    predictor = opened(kept[name], "onnxruntime", "float32", tmp_path)
    np.testing.assert_allclose(predictor.predict_proba(TEXTS), expected[name], atol=1e-4)


@pytest.mark.parametrize("name", ["decoder head", "encoder probe", "decoder probe", "asked"])
def test_openvino_serves_every_kind(kept, expected, tmp_path, name):
    predictor = opened(kept[name], "openvino", "float32", tmp_path)
    np.testing.assert_allclose(predictor.predict_proba(TEXTS), expected[name], atol=1e-4)
    strange = ["", "<|endoftext|>", "lunch <|endoftext|>", "lunch " * 500]
    known = strategies.load_predictor(kept[name]).predict_proba(strange)
    np.testing.assert_allclose(predictor.predict_proba(strange), known, atol=1e-4)


@pytest.mark.parametrize("name", ["decoder head", "encoder probe", "decoder probe", "asked"])
@pytest.mark.parametrize("precision", ["bfloat16", "float16", "int8"])
def test_torch_serves_every_kind_in_other_numbers(kept, expected, tmp_path, name, precision):
    predictor = opened(kept[name], "torch", precision, tmp_path)
    found = predictor.predict_proba(TEXTS)
    assert np.abs(found - expected[name]).mean() < BOUNDS[precision] / 5
    assert np.abs(found - expected[name]).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_compiled_code_answers_as_the_kept_predictor_does(
    kept, expected, tmp_path, monkeypatch, precision
):
    """In what compiled code computes in on a CPU without units for bfloat16, and on one with."""
    able = "amx_bf16" in facts.cpu_bf16_flags()
    if precision == "bfloat16" and not able:
        pytest.skip("this CPU has no units for bfloat16 (amx_bf16)")
    if precision == "float32":
        monkeypatch.setattr(facts, "cpu_bf16_flags", lambda: [])
    predictor = opened(kept["encoder head"], "compile", precision, tmp_path)
    found, alone = predictor.predict_proba(TEXTS), predictor.predict_proba(TEXTS[:1])
    np.testing.assert_allclose(found, expected["encoder head"], atol=BOUNDS[precision])
    np.testing.assert_allclose(alone, expected["encoder head"][:1], atol=BOUNDS[precision])
    assert predictor.prepare_seconds > 0


def test_compiled_code_computes_in_the_narrowest_numbers_there_are_units_for(kept, monkeypatch):
    for flags, precision in (([], "float32"), (["avx512_bf16"], "float32"),
                             (["avx512_bf16", "amx_bf16"], "bfloat16")):  # fmt: skip
        monkeypatch.setattr(facts, "cpu_bf16_flags", lambda flags=flags: flags)
        assert Candidate("compile", precision) in candidates(kept["encoder head"])


def test_a_predictor_kept_in_bfloat16_is_exported_as_it_is_on_disk(kept, expected, tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    for file in kept["encoder head"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    settings = json.loads((folder / "settings.json").read_text())
    (folder / "settings.json").write_text(json.dumps(settings | {"precision": "bfloat16"}))
    strategy = json.loads((folder / "predictor.json").read_text())["strategy"]
    (folder / "predictor.json").write_text(json.dumps({"strategy": strategy}))
    predictor = opened(folder, "torch", "float32", tmp_path)
    np.testing.assert_allclose(predictor.predict_proba(TEXTS), expected["encoder head"], atol=1e-6)
    predictor.save(tmp_path / "again")
    assert json.loads((tmp_path / "again" / "settings.json").read_text())["precision"] == "bfloat16"


def test_nothing_is_reported_to_anybody_while_converting(monkeypatch):
    from suite.serving.engines import served

    monkeypatch.delenv("CI", raising=False)
    with served.unreported():
        from openvino_telemetry.utils.opt_in_checker import ConsentCheckResult, OptInChecker

        asked = OptInChecker().check(enable_opt_in_dialog=False, disable_in_ci=True)
        assert asked == ConsentCheckResult.DECLINED
    assert "CI" not in served.os.environ


# --- agreement -----------------------------------------------------------------------------------


def probabilities(classes, count=2):
    return np.eye(count, dtype=np.float32)[classes]


def test_agreement_counts_rows_and_differences():
    labels = [0, 1] * 500
    reference = probabilities(labels)
    same = agreement(reference, reference, labels, 2, "bfloat16")
    assert (same.share, same.macro_f1, same.agrees, same.reason) == (1.0, 1.0, True, None)
    flipped = list(labels)
    flipped[:2] = [1 - label for label in labels[:2]]
    close = agreement(reference, probabilities(flipped), labels, 2, "bfloat16")
    assert close.share == 0.998 and close.agrees
    flipped[:6] = [1 - label for label in labels[:6]]
    far = agreement(reference, probabilities(flipped), labels, 2, "bfloat16")
    assert far.share == 0.994 and not far.agrees
    assert "99.40% of its predictions" in far.reason and "99.5%" in far.reason
    assert "0.9940" in far.reason
    # As many go from wrong to right as the other way: in 8 bits that is close enough.
    wrong = list(labels)
    wrong[:4] = [1 - label for label in labels[:4]]
    moved = list(labels)
    moved[4:8] = [1 - label for label in labels[4:8]]
    narrow = agreement(probabilities(wrong), probabilities(moved), labels, 2, "int8")
    assert narrow.share == 0.992 and narrow.agrees
    assert not agreement(probabilities(wrong), probabilities(moved), labels, 2, "float16").agrees


def test_agreement_looks_at_macro_f1_too():
    labels = [0] * 990 + [1] * 10
    reference = probabilities(labels)
    missed = list(labels)
    missed[-4:] = [0] * 4
    found = agreement(reference, probabilities(missed), labels, 2, "float32")
    assert found.share == 0.996 and not found.agrees
    assert "macro-F1" in found.reason and "predictions" not in found.reason


def test_answers_of_other_rows_are_not_compared():
    with pytest.raises(ValueError, match="against"):
        agreement(probabilities([0, 1]), probabilities([0]), [0, 1], 2, "int8")


# --- graphs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Bert", "Roberta"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_an_encoders_graph_gives_its_logits(kind, attention):
    import torch
    import transformers

    from suite.serving.engines import graph

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=50, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=64, num_labels=5, initializer_range=0.5, pad_token_id=1,
    )  # fmt: skip
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    ids = torch.randint(2, 50, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    ids[1, 5:] = 1
    module = graph._classifier(model)
    assert type(module) is graph._FirstToken
    graph.Graph(module, None, 1, 5, 9, None).attend_by(attention)
    with torch.inference_mode():
        own = model(input_ids=ids, attention_mask=mask).logits
        torch.testing.assert_close(module.eval()(ids, mask), own, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["encoder head", "asked", "classic"])
def test_every_engine_answers_at_the_temperature(kept, expected, tmp_path, name):
    folder = shutil.copytree(kept[name], tmp_path / "kept")
    keep_temperature(folder, 2.5)
    wanted = tempered(expected[name], 2.5)
    np.testing.assert_array_equal(strategies.load_predictor(folder).predict_proba(TEXTS), wanted)
    ways = ("python",) if name == "classic" else ("torch", "onnxruntime")
    for engine in ways:
        scratch = tmp_path / engine
        scratch.mkdir()
        predictor = opened(folder, engine, "float32", scratch)
        np.testing.assert_allclose(predictor.predict_proba(TEXTS), wanted, atol=1e-5)
    if name == "encoder head":
        # The file itself, for whoever takes its logits: their softmax is calibrated.
        rows = predictor.answers.graph.encode(TEXTS[:1])
        ids = np.array([rows[0]], dtype=np.int64)
        logits = predictor.answers.run(ids, np.ones_like(ids))
        shares = np.exp(logits - logits.max())
        np.testing.assert_allclose(shares / shares.sum(), wanted[:1], atol=1e-5)
