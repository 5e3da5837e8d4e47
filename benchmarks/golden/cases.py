"""What a golden pair holds of one case, computed from its parameters and inputs.

`switchhead_*`, `dense_*`, `moa_*` and `sigma_moe*` are layers, `lm_*` language models.
"""

import re

import torch
import torch.nn.functional as F

from layers import attention_layer, below, language_model, sigma_moe


def compute(name, sizes, given, dtype=torch.float64):
    """Every result of a case under the names of the layout without the case's own.

    given: parameters and inputs (`param.*`, `input.*` and `output_cotangent`, or `tokens`).
    """
    given = {key: value.to(dtype) if value.is_floating_point() else value for key, value in given.items()}
    parameters = {key: value.clone().requires_grad_() for key, value in below(given, "param.").items()}
    results = (language_model_results if name.startswith("lm_") else layer_results)(sizes, parameters, given)
    return {key: value.detach() for key, value in results.items()}


def layer_results(sizes, parameters, given):
    inputs = [given[key].clone().requires_grad_() for key in ("input.0", "input.1") if key in given]
    if "expert_sel" in parameters:
        output = sigma_moe(parameters, sizes["k"], *inputs)
    else:
        output = attention_layer(parameters, sizes, *inputs)
    leaves = {f"grad.{key}": value for key, value in parameters.items()}
    leaves |= {f"input_grad.{i}": value for i, value in enumerate(inputs)}
    return {"output": output} | gradients(output, leaves, given["output_cotangent"])


def gradients(output, leaves, cotangent=None):
    """Zero for what the output does not depend on, such as the reference's unused `s_bias`."""
    found = torch.autograd.grad(output, leaves.values(), cotangent, allow_unused=True, materialize_grads=True)
    return dict(zip(leaves, found))


def language_model_results(sizes, parameters, given):
    stream = Stream(sizes, given["tokens"].long())
    first, loss0 = stream.next(parameters)
    second, loss1 = stream.next(parameters)
    leaves = {f"grad_chunk1.{key}": value for key, value in parameters.items()}
    losses, norms = train(sizes, parameters, Stream(sizes, given["tokens"].long()))
    return {
        "logits_chunk0": first.transpose(0, 1),  # [T, B, V]
        "logits_chunk1": second.transpose(0, 1),
        "loss": torch.stack([loss0, loss1]),
        "train_losses": losses,
        "train_grad_norms": norms,
    } | gradients(loss1, leaves)


class Stream:
    """Chunks of the tokens [12·T + 1, B], one after the other, with what the layers remember of them."""

    def __init__(self, sizes, tokens):
        self.sizes, self.tokens, self.chunk = sizes, tokens, 0
        self.memories = [None] * sizes["n_layers"]

    def next(self, parameters):
        """Logits [B, T, V] and loss of the next chunk; the memory then ends with that chunk."""
        T, kept = self.sizes["T"], self.sizes["mem_chunks"] * self.sizes["T"]
        rows = self.tokens[self.chunk * T : (self.chunk + 1) * T + 1].T  # [B, T + 1]
        logits, inputs = language_model(parameters, self.sizes, rows[:, :-1], self.memories)
        if kept > 0:
            joined = [y if m is None else torch.cat([m, y], 1) for m, y in zip(self.memories, inputs)]
            self.memories = [y[:, -kept:] for y in joined]
        self.chunk += 1
        return logits, F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


def train(sizes, parameters, stream):
    """Ten steps of AdamW with decoupled decay and clipping by global norm: losses, norms before clipping."""
    lr, beta1, beta2, epsilon, decay, clip = optimizer_numbers(sizes["optimizer"])
    weights = {key: value.detach().clone().requires_grad_() for key, value in parameters.items()}
    m = {key: torch.zeros_like(value) for key, value in weights.items()}
    v = {key: torch.zeros_like(value) for key, value in weights.items()}
    losses, norms = [], []
    for step in range(1, 11):
        _, loss = stream.next(weights)
        found = gradients(loss, weights)
        norm = torch.stack([g.square().sum() for g in found.values()]).sum().sqrt()
        losses.append(loss.detach())
        norms.append(norm)
        # The small number is that of PyTorch's clip_grad_norm_.
        factor = min(1.0, clip / (norm + 1e-6))
        for key, weight in weights.items():
            g = found[key] * factor
            m[key] = beta1 * m[key] + (1 - beta1) * g
            v[key] = beta2 * v[key] + (1 - beta2) * g * g
            update = (m[key] / (1 - beta1**step)) / ((v[key] / (1 - beta2**step)).sqrt() + epsilon)
            weights[key] = (weight * (1 - lr * decay) - lr * update).detach().requires_grad_()
    return torch.stack(losses), torch.stack(norms)


def optimizer_numbers(text):
    """The json describes the optimiser in words: lr, betas, eps, weight decay, clip."""
    pattern = r"lr (\S+) betas (\S+) (\S+) eps (\S+) decoupled weight decay (\S+) on .*clip global norm (\S+)"
    return [float(number) for number in re.search(pattern, text).groups()]


def deviation(value, stored):
    """Largest difference over the stored tensor's largest magnitude."""
    difference = (value.double() - stored.double()).abs().max().item()
    return 0.0 if difference == 0 else difference / stored.abs().max().item()
