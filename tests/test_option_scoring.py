"""Option scoring against the article's perplexities, and the head that is made of it."""

import json

import numpy as np
import pytest
from tiny_decoders import build, rows, task

from suite import strategies
from suite.contracts.strategy import Refused
from suite.errors import ModelError
from suite.prompting.chat import Prompter
from suite.prompting.layout import Variant
from suite.prompting.wordings import Wordings

TEXTS = [
    *rows(10, seed=7).texts,
    "",
    "x",
    "friend <|endoftext|>",
    "<|endoftext|>",
    "now </think>\n\nB<|im_end|>",
    "planet " * 200,
]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("decoders")
    return {
        "tied": build(home / "tied", tied=True),
        "untied": build(home / "untied", tied=False),
        "bare": build(home / "bare", chat=False),
    }


@pytest.fixture(scope="module")
def load(folders):
    """Folder's name -> a fresh model and its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    def loaded(name):
        model = AutoModelForCausalLM.from_pretrained(folders[name])
        return model.eval(), AutoTokenizer.from_pretrained(folders[name])

    return loaded


def predictor_of(model, tokenizer, classes=4, **options):
    import torch

    from suite.strategies.asking.prompted import OptionPredictor

    prompter = Prompter.build(
        tokenizer,
        task(classes),
        limit=2048,
        variant=options.pop("variant", Variant()),
        examples=options.pop("examples", ()),
        score=options.pop("score", "code"),
    )
    return OptionPredictor(
        model,
        prompter,
        where=torch.device("cpu"),
        precision="float32",
        strategy=options.pop("strategy", "zero_shot"),
        **options,
    )


def by_perplexity(model, prompter, texts):
    """The article's method: the prompt with each option in its place, one forward pass each.

    Returns: the option with the least perplexity of the whole, and log P(option | prompt),
    normalised over the options; both as transformers' own loss has them.
    """
    import torch

    best, table = [], []
    for ids in prompter.encode(texts).ids:
        perplexities, scores = [], []
        for code in prompter.class_tokens:
            whole = torch.tensor([[*ids, *code]])
            answer_only = whole.clone()
            answer_only[0, : len(ids)] = -100
            with torch.no_grad():
                read = model(whole, labels=whole)
                perplexities.append(read.loss.exp().item())
                loss = model.loss_function(
                    logits=read.logits, labels=answer_only, vocab_size=model.config.vocab_size
                )
                scores.append(-loss.item() * len(code))
        best.append(int(np.argmin(perplexities)))
        scores = np.array(scores)
        table.append(scores - np.logaddexp.reduce(scores))
    return np.array(best), np.array(table)


@pytest.mark.parametrize("name", ["tied", "untied", "bare"])
def test_one_pass_equals_the_perplexity_of_each_option(load, name):
    model, tokenizer = load(name)
    predictor = predictor_of(model, tokenizer)
    assert predictor.prompter.single
    best, table = by_perplexity(model, predictor.prompter, TEXTS)
    found = predictor.predict_proba(TEXTS)
    np.testing.assert_array_equal(found.argmax(axis=1), best)
    np.testing.assert_allclose(np.log(found), table, atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert len(set(best)) > 1
    assert np.abs(table - table.mean(axis=0)).max() > 0.1  # the texts do make a difference


def test_codes_of_several_tokens_equal_their_summed_log_probabilities(load):
    model, tokenizer = load("tied")
    predictor = predictor_of(model, tokenizer, 30)
    assert not predictor.prompter.single
    texts = TEXTS[:3] + TEXTS[-3:]
    best, table = by_perplexity(model, predictor.prompter, texts)
    found = predictor.predict_proba(texts)
    np.testing.assert_array_equal(found.argmax(axis=1), best)
    np.testing.assert_allclose(np.log(found), table, atol=1e-4)


def test_codes_of_mixed_lengths_and_shared_beginnings(load, monkeypatch):
    import torch

    from suite.strategies.asking import option_scoring

    model, _ = load("untied")
    tokens = [(40,), (41, 50), (41, 51, 52), (41, 51, 53), (42, 50), (43, 44, 45)]
    generator = np.random.default_rng(0)
    prompts = [generator.integers(10, 300, size=n).tolist() for n in (3, 30, 12, 1)]
    expected = np.array([spelled_out(model, ids, tokens) for ids in prompts])
    where, wordings = torch.device("cpu"), Wordings(tuple(tokens), tuple(range(len(tokens))))
    # Read as a tree behind the prompt, with and without a beginning that all share; and walked.
    for lean in (True, False):
        if not lean:
            monkeypatch.setattr(option_scoring.LeanDecoder, "of", lambda decoder: None)
        for batch, begin in ((1, ()), (2, (7,) * 9), (8, ())):
            scorer = option_scoring.OptionScorer(
                wordings, pad_id=0, where=where, precision="float32", batch=batch,
                prefix=begin, frozen=True,
            )  # fmt: skip
            readout = option_scoring.Readout.of(model, wordings)
            found = scorer.scores(readout, [[*begin, *ids] for ids in prompts])
            if not begin:
                np.testing.assert_allclose(found, expected, atol=1e-4)
            else:
                longer = [spelled_out(model, [*begin, *ids], tokens) for ids in prompts]
                np.testing.assert_allclose(found, longer, atol=1e-4)


def spelled_out(model, ids, sequences):
    """The log-probability of each sequence behind a prompt: one whole forward pass for each."""
    import torch

    scores = []
    for tokens in sequences:
        with torch.no_grad():
            logits = model(torch.tensor([[*ids, *tokens]])).logits[0].log_softmax(dim=-1)
        scores.append(sum(logits[len(ids) - 1 + k, t].item() for k, t in enumerate(tokens)))
    return scores


@pytest.mark.parametrize("score", ["words", "both"])
@pytest.mark.parametrize("name", ["tied", "bare"])
def test_words_are_scored_as_the_model_would_write_them(load, name, score):
    model, tokenizer = load(name)
    predictor = predictor_of(model, tokenizer, score=score, frozen=True)
    prompter, wordings = predictor.prompter, predictor.prompter.wordings
    assert not prompter.single and any(len(ids) > 1 for ids in wordings.tokens)
    found = predictor.scores(TEXTS[:6])
    for row, ids in zip(found, prompter.encode(TEXTS[:6]).ids, strict=True):
        logs = np.array(spelled_out(model, ids, wordings.tokens))
        for label in range(4):
            own = [i for i, owner in enumerate(wordings.classes) if owner == label]
            if score == "words":  # by the likeliest, per token
                expected = max(logs[i] / len(wordings.tokens[i]) for i in own)
            else:  # by the code or any of its words
                assert prompter.class_tokens[label] in [wordings.tokens[i] for i in own]
                expected = np.logaddexp.reduce(logs[own])
            assert row[label] == pytest.approx(expected, abs=2e-4)
    text = prompter.encode(["x"]).contents[0]
    assert ("A. " in text) == (score == "both")


def test_wordings_that_begin_another_are_closed_or_counted_once():
    from suite.prompting.wordings import _once, _parted

    apart = {(1, 2): 0, (3,): 1, (1, 4): 0}
    assert _parted(apart, 9) == apart
    assert _parted({(1,): 0, (1, 2): 0, (3,): 1}, None) == {(1,): 0, (1, 2): 0, (3,): 1}
    # "Art" and "Art history" are two classes: only the end of the answer tells them apart.
    assert _parted({(1,): 0, (1, 2): 1}, 9) == {(1, 9): 0, (1, 2, 9): 1}
    with pytest.raises(Refused, match="begin another's"):
        _parted({(1,): 0, (1, 2): 1}, None)
    assert _once({(1, 2): 0, (1,): 0, (3, 1): 1, (3,): 1, (4,): 2}) == {(1,): 0, (3,): 1, (4,): 2}


def test_a_decoder_without_a_plain_cache_gives_the_same(load, monkeypatch):
    from suite.strategies.asking import option_scoring

    model, tokenizer = load("tied")
    predictor = predictor_of(model, tokenizer, 30)
    cached = predictor.scores(TEXTS[:4])
    monkeypatch.setattr(option_scoring, "plain_attention", lambda decoder: False)
    np.testing.assert_allclose(predictor.scores(TEXTS[:4]), cached, atol=1e-4)


@pytest.mark.parametrize("classes", [4, 30])
def test_a_text_scores_the_same_alone_and_among_others(load, classes):
    model, tokenizer = load("tied")
    for frozen in (False, True):
        predictor = predictor_of(model, tokenizer, classes, frozen=frozen)
        together = predictor.scores(TEXTS)
        alone = np.concatenate([predictor.scores([text]) for text in TEXTS])
        np.testing.assert_allclose(together, alone, atol=2e-4)
        predictor.batch = 3
        np.testing.assert_allclose(predictor.scores(TEXTS), together, atol=2e-4)
    assert predictor.predict_proba([]).shape == (0, classes)


def test_what_all_prompts_begin_with_is_read_once(load):
    """Every token of a batch is read once, none for padding."""
    from suite.strategies.network.lean_decoder import LeanDecoder

    model, tokenizer = load("tied")
    shown = list(zip(rows(12, seed=3).texts, rows(12, seed=3).labels, strict=True))
    predictor = predictor_of(model, tokenizer, examples=shown, frozen=True)
    prefix = len(predictor.scorer.prefix)
    assert prefix > 100
    seen = []
    hook = model.model.embed_tokens.register_forward_pre_hook(
        lambda module, args: seen.append(args[0].numel())
    )
    LeanDecoder.of(model.model)
    proof = sum(seen)
    assert 0 < proof < 80
    predictor.scores(TEXTS)
    predictor.scores(TEXTS[:1])
    hook.remove()
    own = sum(len(ids) - prefix for ids in predictor.prompter.encode([*TEXTS, TEXTS[0]]).ids)
    assert seen.count(prefix) == 1
    assert sum(seen) == 2 * proof + prefix + own


def test_what_all_prompts_begin_with_is_read_once_by_the_decoder_itself(load, monkeypatch):
    from suite.strategies.asking import option_scoring

    monkeypatch.setattr(option_scoring.LeanDecoder, "of", lambda decoder: None)
    model, tokenizer = load("tied")
    shown = list(zip(rows(12, seed=3).texts, rows(12, seed=3).labels, strict=True))
    predictor = predictor_of(model, tokenizer, examples=shown, frozen=True)
    prefix = len(predictor.scorer.prefix)
    assert prefix > 100
    seen = []
    hook = model.model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(tuple(kwargs["input_ids"].shape)),
        with_kwargs=True,
    )
    found = predictor.scores(TEXTS)
    predictor.scores(TEXTS[:1])
    hook.remove()
    assert seen[0] == (1, prefix)  # once, for both calls
    whole = max(map(len, predictor.prompter.encode(TEXTS).ids))
    assert all(length <= whole - prefix for _, length in seen[1:]), (seen, whole)
    assert sum(count for count, _ in seen[1:]) == len(TEXTS) + 1
    predictor = predictor_of(model, tokenizer, examples=shown)
    predictor.scorer.prefix = []
    np.testing.assert_allclose(predictor.scores(TEXTS), found, atol=2e-4)


def test_short_of_memory_halves_the_batch(load, monkeypatch):
    import torch

    from suite.strategies.asking import option_scoring

    model, tokenizer = load("tied")
    predictor = predictor_of(model, tokenizer)
    expected = predictor.predict_proba(TEXTS)
    plain = option_scoring.PromptBatch.last_hidden

    def limited(batch, *args):
        if len(batch.rows) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(batch, *args)

    monkeypatch.setattr(option_scoring.PromptBatch, "last_hidden", limited)
    predictor.batch = 16
    np.testing.assert_allclose(predictor.predict_proba(TEXTS), expected, atol=1e-5)
    assert predictor.batch < 6

    def never(batch, *args):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(option_scoring.PromptBatch, "last_hidden", never)
    with pytest.raises(RuntimeError, match="can't allocate"):
        predictor.predict_proba(TEXTS)


# --- the head -----------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", [Variant(), Variant(order="reversed", instruction="last")])
@pytest.mark.parametrize("name", ["tied", "untied"])
def test_the_converted_head_predicts_the_same(load, tmp_path, name, variant):
    """Agreement of option scoring, head, loaded head, its options, and plain transformers."""
    import torch
    from transformers import AutoModelForSequenceClassification

    model, tokenizer = load(name)
    predictor = predictor_of(model, tokenizer, variant=variant, label_names=list("wxyz"))
    expected = predictor.predict_proba(TEXTS)
    strategies.save_predictor(predictor, "zero_shot", tmp_path / "kept")
    assert (tmp_path / "kept" / "lm_head.safetensors").is_file() == (name == "untied")
    loaded = strategies.load_predictor(tmp_path / "kept")
    assert (loaded.form, predictor.form) == ("head", "options")
    assert loaded.serving_shape == predictor.serving_shape
    assert loaded.serving_shape.endswith(f"|{predictor.prompter.cutoff}|float32|4")
    options = loaded.forms()["options"]
    assert options.form == "options"
    for other in (loaded, options):
        for batch in (1, 3, 64):
            other.batch = batch
            found = other.predict_proba(TEXTS)
            np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))
            np.testing.assert_allclose(found, expected, atol=1e-5)
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "kept")
    assert plain.config.id2label == dict(enumerate("wxyz"))
    padded = tokenizer.pad(
        {"input_ids": predictor.prompter.encode(TEXTS).ids},
        return_tensors="pt",
        padding_side="right",
    )
    with torch.no_grad():
        logits = plain(**padded).logits
    np.testing.assert_array_equal(logits.argmax(dim=1), expected.argmax(axis=1))
    np.testing.assert_allclose(logits.softmax(dim=1), expected, atol=1e-5)


def test_a_head_saved_again_is_the_same(load, tmp_path):
    model, tokenizer = load("untied")
    predictor = predictor_of(model, tokenizer, bias=[0.5, -1.0, 0.25, 0.0])
    strategies.save_predictor(predictor, "zero_shot", tmp_path / "first")
    first = strategies.load_predictor(tmp_path / "first")
    strategies.save_predictor(first, "zero_shot", tmp_path / "second")
    second = strategies.load_predictor(tmp_path / "second")
    expected = predictor.predict_proba(TEXTS)
    for kept in (first, second, second.forms()["options"]):
        np.testing.assert_allclose(kept.predict_proba(TEXTS), expected, atol=1e-5)
    assert second.bias == [0.5, -1.0, 0.25, 0.0]


def test_codes_of_several_tokens_are_kept_as_a_language_model(load, tmp_path):
    from suite.strategies.asking.conversion import convert

    model, tokenizer = load("tied")
    predictor = predictor_of(model, tokenizer, 30)
    with pytest.raises(Refused, match="several tokens"):
        convert(model, predictor.prompter, ["-"] * 30)
    strategies.save_predictor(predictor, "zero_shot", tmp_path / "kept")
    config = json.loads((tmp_path / "kept" / "config.json").read_text())
    assert config["architectures"] == ["Qwen3ForCausalLM"]
    loaded = strategies.load_predictor(tmp_path / "kept")
    assert loaded.form == "options"
    assert not hasattr(loaded, "forms")
    np.testing.assert_allclose(
        loaded.predict_proba(TEXTS[:5]), predictor.predict_proba(TEXTS[:5]), atol=1e-5
    )


def test_a_view_of_a_training_leaves_it_as_it_was(load, tmp_path):
    import torch
    from peft import LoraConfig, get_peft_model

    model, tokenizer = load("tied")
    plain = predictor_of(model, tokenizer).predict_proba(TEXTS)
    torch.manual_seed(0)
    wrapped = get_peft_model(
        model,
        LoraConfig(task_type="CAUSAL_LM", r=4, lora_dropout=0.5, target_modules="all-linear"),
    )
    wrapped.enable_input_require_grads()
    model.gradient_checkpointing_enable()
    model.config.use_cache = False
    wrapped.train()
    model.model.layers[0].eval()  # as a frozen part may be
    modes = [module.training for module in wrapped.modules()]
    predictor = predictor_of(wrapped, tokenizer, strategy="sft")
    np.testing.assert_allclose(predictor.predict_proba(TEXTS), plain, atol=1e-5)  # B is still 0
    assert [module.training for module in wrapped.modules()] == modes

    optimiser = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=0.02)
    for _ in range(3):
        batch = tokenizer.pad(
            {"input_ids": predictor.prompter.encode(TEXTS[:8]).ids}, return_tensors="pt"
        )
        wrapped(**batch, labels=batch["input_ids"]).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        predictor.predict_proba(TEXTS[:2])
    live = predictor.predict_proba(TEXTS)
    assert np.abs(live - plain).max() > 1e-3
    strategies.save_predictor(predictor, "sft", tmp_path / "kept")
    assert [module.training for module in wrapped.modules()] == modes
    assert any("lora_A" in name for name, _ in wrapped.named_parameters())  # not merged itself
    loaded = strategies.load_predictor(tmp_path / "kept")
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), live, atol=1e-4)
    assert loaded.serving_shape == predictor.serving_shape


# Said of any lm_head, also of one that is not tied.
@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
@pytest.mark.parametrize("way", ["lora", "whole"])
def test_an_lm_head_that_is_trained_too_is_scored_as_it_stands(load, tmp_path, way):
    import torch
    from peft import LoraConfig, get_peft_model

    model, tokenizer = load("untied")
    more = {"modules_to_save": ["lm_head"]} if way == "whole" else {}
    targets = ["q_proj", "lm_head"] if way == "lora" else ["q_proj"]
    torch.manual_seed(0)
    wrapped = get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM", r=4, target_modules=targets, init_lora_weights=False, **more
        ),
    )
    if way == "whole":
        with torch.no_grad():
            model.lm_head.modules_to_save["default"].weight.mul_(-0.5)
    predictor = predictor_of(wrapped.eval(), tokenizer)
    _, table = by_perplexity(wrapped, predictor.prompter, TEXTS[:5])
    found = predictor.predict_proba(TEXTS[:5])
    np.testing.assert_allclose(np.log(found), table, atol=1e-4)
    strategies.save_predictor(predictor, "sft", tmp_path / "kept")
    loaded = strategies.load_predictor(tmp_path / "kept")
    np.testing.assert_allclose(loaded.predict_proba(TEXTS[:5]), found, atol=1e-4)


@pytest.mark.parametrize("name", ["tied", "untied"])
def test_bfloat16_decides_as_float32_does_where_it_is_not_close(load, tmp_path, monkeypatch, name):
    """In the midst of training by autocast, kept and loaded as a model in bfloat16."""
    import torch

    from suite.strategies.network import transformer

    monkeypatch.setattr(transformer, "supported", lambda precision, where, width: precision)
    model, tokenizer = load(name)
    exact = predictor_of(model, tokenizer).predict_proba(TEXTS)
    live = predictor_of(model, tokenizer)
    live.precision = live.scorer.precision = "bfloat16"
    strategies.save_predictor(live, "zero_shot", tmp_path / "kept")
    loaded = strategies.load_predictor(tmp_path / "kept")
    assert loaded.precision == "bfloat16"
    assert {p.dtype for p in loaded.model.model.parameters()} == {torch.bfloat16}
    assert {b.dtype for b in loaded.model.model.buffers()} == {torch.float32}
    first, second = np.sort(exact, axis=1)[:, :-3:-1].T
    clear = first - second > 0.3
    assert clear.sum() >= 3
    for predictor in (live, loaded, loaded.forms()["options"]):
        rough = predictor.predict_proba(TEXTS)
        np.testing.assert_array_equal(exact.argmax(axis=1)[clear], rough.argmax(axis=1)[clear])
    strategies.save_predictor(loaded, "zero_shot", tmp_path / "again")
    again = strategies.load_predictor(tmp_path / "again")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), loaded.predict_proba(TEXTS))


@pytest.mark.parametrize(
    ("kind", "more", "form"),
    [
        ("MistralConfig", {"sliding_window": 16}, "head"),
        ("Gemma3TextConfig", {"sliding_window": 16, "head_dim": 16}, "head"),
        ("PhiConfig", {}, "options"),  # its lm_head has a bias
        ("Lfm2Config", {"layer_types": ["conv", "full_attention"]}, "options"),
    ],
)
def test_other_architectures(load, tmp_path, kind, more, form):
    """Windows, biases and convolutions: equal to the perplexities, or not at all."""
    import torch
    import transformers

    _, tokenizer = load("tied")
    config = getattr(transformers, kind)(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
        initializer_range=0.25, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id, **more,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name == "lm_head.bias":
                parameter.normal_()
    texts = TEXTS[:3] + TEXTS[-1:]
    for classes, kept_as in ((4, form), (30, "options")):
        predictor = predictor_of(model, tokenizer, classes, frozen=True)
        _, table = by_perplexity(model, predictor.prompter, texts)
        np.testing.assert_allclose(np.log(predictor.predict_proba(texts)), table, atol=1e-4)
        strategies.save_predictor(predictor, "zero_shot", tmp_path / str(classes))
        loaded = strategies.load_predictor(tmp_path / str(classes))
        assert loaded.form == kept_as
        np.testing.assert_allclose(np.log(loaded.predict_proba(texts)), table, atol=1e-4)


def test_architectures_that_change_their_logits_are_refused(load):
    model, tokenizer = load("tied")
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(Refused, match=r"final_logit_softcapping = 30\.0"):
        predictor_of(model, tokenizer)


def test_a_damaged_folder_is_one_message(load, tmp_path):
    model, tokenizer = load("tied")
    kept = tmp_path / "kept"
    strategies.save_predictor(predictor_of(model, tokenizer), "zero_shot", kept)
    settings = json.loads((kept / "settings.json").read_text())
    for damage in (
        {"form": "poem"},
        {"prompter": None},
        {"prompter": {}},
        {"label_names": None},
        {"max_tokens": None} | {"prompter": {**settings["prompter"], "code_tokens": "A"}},
    ):
        (kept / "settings.json").write_text(json.dumps(settings | damage))
        with pytest.raises(ModelError, match="kept"):
            strategies.load_predictor(kept)
    (kept / "settings.json").write_text("{")
    with pytest.raises(ModelError, match="can't be read"):
        strategies.load_predictor(kept)
