"""The lean way of reading against each decoder's own forward pass."""

import numpy as np
import pytest
import torch
import transformers

from suite.strategies.network.lean_decoder import LeanDecoder

KINDS = {
    "Qwen3": {"head_dim": 16},
    "Qwen2": {},  # biases in its projections
    "Llama": {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}},
    "Mistral": {"sliding_window": 64, "head_dim": 32},
}


def decoder_of(kind, **more):
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=300, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        initializer_range=0.25, pad_token_id=0, bos_token_id=None, eos_token_id=1,
        **KINDS.get(kind, {}), **more,
    )  # fmt: skip
    torch.manual_seed(0)
    decoder = transformers.AutoModel.from_config(config).eval().requires_grad_(False)
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            if name.endswith("bias") or "norm" in name:
                parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return decoder


def prompts(*lengths):
    generator = np.random.default_rng(0)
    return [generator.integers(2, 300, size=length).tolist() for length in lengths]


def own(decoder, rows):
    """What the decoder's own forward pass says at the last token of each prompt."""
    with torch.no_grad():
        return torch.stack(
            [decoder(input_ids=torch.tensor([ids])).last_hidden_state[0, -1] for ids in rows]
        )


@pytest.mark.parametrize("lengths", [(9, 30, 1, 30, 17), (12, 12), (5,), (1, 1, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_last_hidden_states_equal_the_decoders_own(kind, lengths):
    decoder = decoder_of(kind)
    rows = prompts(*lengths)
    begin = prompts(11)[0]
    with torch.no_grad():
        lean = LeanDecoder.of(decoder)
        alone = lean.last_hidden(rows, None)
        after = lean.last_hidden(rows, lean.states(begin))
    torch.testing.assert_close(alone, own(decoder, rows), atol=2e-5, rtol=1e-4)
    together = own(decoder, [[*begin, *ids] for ids in rows])
    torch.testing.assert_close(after, together, atol=2e-5, rtol=1e-4)
    assert (alone - after).abs().max() > 0.1


@pytest.mark.parametrize("before", [False, True])
def test_keys_and_values_it_leaves_are_the_decoders_own(before):
    decoder = decoder_of("Qwen3")
    rows, begin = prompts(9, 4), prompts(6)[0]
    with torch.no_grad():
        lean = LeanDecoder.of(decoder)
        kept = []
        found = lean.last_hidden(rows, lean.states(begin) if before else None, kept, 16)
    length = 6 * before
    for row, ids in enumerate(rows):
        whole = [*begin, *ids] if before else ids
        with torch.no_grad():
            outputs = decoder(input_ids=torch.tensor([whole]), use_cache=True)
        torch.testing.assert_close(found[row], outputs.last_hidden_state[0, -1], atol=2e-5, rtol=0)
        for (keys, values), layer in zip(kept, outputs.past_key_values.layers, strict=True):
            assert keys.shape[2] == values.shape[2] == length + 16
            for mine, theirs in ((keys, layer.keys), (values, layer.values)):
                torch.testing.assert_close(
                    mine[row, :, : len(whole)], theirs[0], atol=2e-5, rtol=1e-4
                )


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_16_bits_stay_near_float32(precision):
    rows = prompts(9, 30, 17)
    expected = own(decoder_of("Qwen3"), rows)
    decoder = decoder_of("Qwen3").to(precision)
    with torch.no_grad():
        found = LeanDecoder.of(decoder).last_hidden(rows, None)
        theirs = own(decoder, rows)
    assert found.dtype == torch.float32
    mine = (found - expected).abs().mean()
    assert mine <= 1.5 * (theirs.float() - expected).abs().mean()


def test_lora_and_autocast_keep_their_effect():
    from peft import LoraConfig, get_peft_model

    model = transformers.AutoModelForCausalLM.from_config(decoder_of("Qwen3").config)
    torch.manual_seed(0)
    wrapped = get_peft_model(
        model,
        LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", init_lora_weights=False),
    ).eval()
    rows = prompts(9, 30)
    decoder = model.get_decoder()
    with torch.no_grad():
        lean = LeanDecoder.of(decoder)
        found = lean.last_hidden(rows, None)
        with wrapped.disable_adapter():
            assert (lean.last_hidden(rows, None) - found).abs().max() > 0.01
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = LeanDecoder.of(decoder).last_hidden(rows, None)
    torch.testing.assert_close(found, own(decoder, rows), atol=2e-5, rtol=1e-4)
    assert 0 < (rough - found).abs().max() < 0.1 * found.abs().max()


def test_a_prompt_beyond_the_window_is_not_read():
    with torch.no_grad():
        lean = LeanDecoder.of(decoder_of("Mistral"))
    assert lean.reads(prompts(30, 64), 0)
    assert not lean.reads(prompts(30, 65), 0)
    assert not lean.reads(prompts(30, 60), 5)


@pytest.mark.parametrize("kind", ["GPT2", "Phi", "Gemma", "Olmo2"])
def test_other_architectures_are_left_to_their_own_forward_pass(kind):
    assert LeanDecoder.of(decoder_of(kind)) is None


def test_a_known_name_with_another_forward_pass_is_found_out(monkeypatch):
    decoder = decoder_of("Qwen3")
    with torch.no_grad():
        assert LeanDecoder.of(decoder) is not None
        layer = decoder.layers[1].mlp
        plain = layer.forward
        monkeypatch.setattr(layer, "forward", lambda x: 1.1 * plain(x))
        assert LeanDecoder.of(decoder) is None


def test_parts_that_are_not_known_are_left_alone():
    decoder = decoder_of("Qwen3")
    decoder.layers[2].extra = torch.nn.Linear(64, 64)
    assert LeanDecoder.of(decoder) is None
