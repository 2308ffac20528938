"""LoRA in mixed precision: peft's copies are left out, and nothing else changes."""

import pytest
import torch

from suite.strategies.network.lora import without_copies

pytestmark = pytest.mark.usefixtures("one_thread")


def model():
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    base = LlamaForCausalLM(config).to(torch.bfloat16)
    found = get_peft_model(
        base, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear")
    )
    for name, parameter in found.named_parameters():
        if "lora_B" in name:  # zeros at first: then nothing would be seen of its input
            torch.nn.init.normal_(parameter)
    return found.train()


def step(found):
    """The loss, the gradients, and the bytes that the backward pass keeps beside weights."""
    ids = torch.randint(50, (3, 40), generator=torch.Generator().manual_seed(1))
    own = {p.untyped_storage().data_ptr() for p in found.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", torch.bfloat16):
        loss = found(input_ids=ids, labels=ids).loss
    loss.backward()
    gradients = {n: p.grad for n, p in found.named_parameters() if p.grad is not None}
    return loss.detach(), gradients, sum(kept.values())


def test_the_loss_and_its_gradient_are_the_same_and_less_is_kept_for_it():
    loss, gradients, bytes_kept = step(model())
    lean_loss, lean_gradients, lean_kept = step(without_copies(model(), "bfloat16"))
    assert torch.equal(loss, lean_loss)
    assert gradients.keys() == lean_gradients.keys() and len(gradients) == 2 * 7 * 2
    for name, gradient in gradients.items():
        torch.testing.assert_close(lean_gradients[name], gradient, rtol=2e-2, atol=1e-3)
    assert lean_kept < 0.9 * bytes_kept


def test_in_float32_peft_goes_on_as_it_does():
    found = without_copies(model(), "float32")
    assert all(getattr(module, "cast_input_dtype_enabled", True) for module in found.modules())
