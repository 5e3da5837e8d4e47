"""Random parameters and inputs of a case, drawn again until float32 can be expected to agree.

A near tie would let rounding decide which expert is chosen, or whether a ReLU passes its input; a
gradient that nearly cancels, such as that of a learned scale, would be all rounding. A right
implementation would fail such a case.
"""

import math

import torch

import layers
from cases import compute, deviation
from sizes import shapes

SMALLEST_GAP = 1e-3
"""Between the last chosen and the first refused logit, in every routing of a case, training included."""

NEAREST_KINK = 2e-5
"""What goes into a ReLU is at least that far from zero."""

NOISE, LARGEST_CHANGE = 2e-7, 1e-5
"""Relative noise in all that is given, and the most that it may change a result: half of what is allowed."""

FLOAT32_ERROR = 3e-6
"""How far float32 PyTorch may be off."""


def draw_case(name, family, sizes, seed):
    """What is given, and what results: two dictionaries of tensors."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(2000):
        drawn = {key: draw(key, shape, sizes, generator) for key, shape in shapes(name, family, sizes).items()}
        given = {f"param.{key}": value for key, value in drawn.items()}
        given |= draw_inputs(name, sizes, generator)
        layers.gaps.clear()
        layers.kinks.clear()
        results = compute(name, sizes, given)
        if min(layers.gaps, default=math.inf) < SMALLEST_GAP or min(layers.kinks, default=math.inf) < NEAREST_KINK:
            continue
        if all(largest_deviation(other, results) < limit for other, limit in disturbed(name, sizes, given, generator)):
            return given, results
    raise SystemExit(f"{name}: none of 2000 draws was well conditioned; make it smaller.")


def disturbed(name, sizes, given, generator):
    """Results with noise, twice, and in float32; and how far each may be off."""
    for _ in range(2):
        yield compute(name, sizes, {key: shake(value, generator) for key, value in given.items()}), LARGEST_CHANGE
    yield compute(name, sizes, given, torch.float32), FLOAT32_ERROR


def largest_deviation(results, expected):
    return max(deviation(results[key], value) for key, value in expected.items())


def shake(value, generator):
    if not value.is_floating_point():
        return value
    return value.double() * (1 + NOISE * torch.randn(value.shape, generator=generator).double())


def draw(name, shape, sizes, generator):
    """Away from initial values, so that gains, biases and scales matter; float32, as they are stored."""
    last = name.split(".")[-1]
    normal = torch.randn(shape, generator=generator)
    if last == "scale":
        return (0.6 + 0.8 * torch.rand(shape, generator=generator)) / math.sqrt(sizes["d_head"])
    if "norm" in name and last == "weight":
        return 1 + 0.3 * normal
    if len(shape) == 1 or "_bias" in name:
        return 0.4 * normal
    if "sel" in name:
        return 2 * normal / math.sqrt(shape[-1])
    # Expert matrices are [experts, in, out], those of MoA's keys and values [in, out], linear ones [out, in].
    fan_in = shape[-2] if len(shape) == 3 or last == "data_to_kv" else shape[-1]
    return normal / math.sqrt(fan_in)


def draw_inputs(name, sizes, generator):
    B, T, D = sizes["B"], sizes["T"], sizes["d_model"]
    if name.startswith("lm_"):
        tokens = torch.randint(sizes["vocab"], (12 * T + 1, B), generator=generator, dtype=torch.int32)
        return {"tokens": tokens}
    inputs = {"input.0": torch.randn(B, T, D, generator=generator)}
    if "mem" in sizes:
        inputs["input.1"] = torch.randn(B, sizes["mem"], D, generator=generator)
    return inputs | {"output_cotangent": torch.randn(B, T, D, generator=generator)}
