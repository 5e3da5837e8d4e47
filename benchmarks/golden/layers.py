"""The layers of docs/models.md in PyTorch, written to be read, not to be fast.

Every expert is computed for every token and weighted by zero where it was not chosen; relative
positions are looked up pair by pair. So there is nothing to share a mistake with in the product's
kernels. Parameters are a dictionary under the names of the authors' modules.

Symbols: B batch, T tokens, S sources (memory and tokens), D width, H heads, P head width, E experts,
k active experts, G width of a feed-forward expert, V vocabulary.
"""

import math

import torch
import torch.nn.functional as F

gaps = []
"""Smallest distance between the last chosen and the first refused logit of every routing so far."""

kinks = []
"""Smallest distance from zero of what went into every ReLU so far."""


long_names = {"q.weight": "projections.q", "k.weight": "projections.k", "v": "projections.v", "o": "projections.o"}
long_names |= {"sel_v": "selections.v", "sel_o": "selections.o"}
"""The authors' package names SwitchHead's tensors briefly, the paper's own code (and this file) in full."""


def attention_layer(p, sizes, x, memory=None):
    """Any attention family, recognised by its parameters: x [B, T, D], memory [B, M, D] → [B, T, D]."""
    source = x if memory is None else torch.cat([memory, x], 1)  # [B, S, D]
    if "sel_dst" in p:
        return mixture_of_attention_heads(p, sizes, x, source)
    if "global_content_bias" in p:
        return dense_xl(p, sizes, x, source)
    if "data_to_q.weight" in p:
        return dense_rope(p, sizes, x, source)
    return switch_head(p, sizes, x, source)


def dense_rope(p, sizes, x, source):
    q = heads(x @ p["data_to_q.weight"].T, sizes)
    k, v = (heads(y, sizes) for y in (source @ p["data_to_kv.weight"].T).chunk(2, -1))  # rows [2, H, P]
    logits = rotate(q) @ rotate(k).mT / math.sqrt(sizes["d_head"])
    return merge(attend(logits, v)) @ p["out_proj.weight"].T


def dense_xl(p, sizes, x, source):
    q = heads(x @ p["data_to_q.weight"].T, sizes)
    # Rows of this one are [H, 2, P].
    k, v = heads(source @ p["data_to_kv.weight"].T, sizes).chunk(2, -1)
    content = q + p["global_content_bias"][:, None]
    position = q + p["global_pos_bias"][:, None]
    logits = content @ k.mT + position_logits(position, p["pos_to_pq.weight"], k.shape[2])
    return merge(attend(logits * p["scale"], v)) @ p["multi_head_merge.weight"].T


def switch_head(p, sizes, x, source):
    H, scale = sizes["n_heads"], 1 / math.sqrt(sizes["d_head"])
    p = {long_names.get(name, name): value for name, value in p.items()}
    # Whose selection a projection goes by: its own, else that of its side, else (shared) that of O.
    selection = lambda *names: next((p[f"selections.{n}"] for n in names if f"selections.{n}" in p), None)
    selections = {"q": selection("q", "o"), "k": selection("k", "v", "o"), "v": selection("v", "o")}

    def project(name, y):
        weight = p[f"projections.{name}"]
        if weight.dim() == 2:
            return heads(y @ weight.T, sizes)
        gates = route(y, selections[name], H, sizes["k"])  # [B, S, H, E]
        return torch.einsum("btd,hedp,bthe->bhtp", y, weight.unflatten(0, (H, -1)), gates)

    q, k, v = project("q", x), project("k", source), project("v", source)
    if "pos_to_pk" in p:
        logits = q @ k.mT + position_logits(q, p["pos_to_pk"], k.shape[2])
    else:
        logits = rotate(q) @ rotate(k).mT
    y = attend(logits * scale, v)  # [B, H, T, P]
    weight = p["projections.o"]
    if weight.dim() == 2:
        return merge(y) @ weight.T
    gates = route(x, p["selections.o"], H, sizes["k"])
    return torch.einsum("bhtp,hepd,bthe->btd", y, weight.unflatten(0, (H, -1)), gates)


def mixture_of_attention_heads(p, sizes, x, source):
    k, v = (source @ p["data_to_kv"]).chunk(2, -1)  # [B, S, P] each, shared by all heads
    q = torch.einsum("btd,edp->betp", x, p["data_to_q"])
    positions = p["pos_to_pk"].repeat(len(p["data_to_q"]), 1)  # one projection for all heads
    logits = q @ k.mT[:, None] + position_logits(q, positions, k.shape[1])
    y = attend(logits * p["scale"], v[:, None])  # [B, E, T, P]
    gates = moa_gates(x @ p["sel_dst"].T, sizes)
    return torch.einsum("betp,epd,bte->btd", y, p["out_proj"], gates)


def moa_gates(logits, sizes):
    """Logits [B, T, E] → gates [B, T, E], zero but for the H best. Without `mode`: "my" with sigmoid."""
    chosen = choose(logits, sizes["n_heads"])
    if sizes.get("mode", "my") == "moa":
        return logits.softmax(-1) * chosen
    if sizes.get("selection", "sigmoid") == "sigmoid":
        return logits.sigmoid() * chosen
    return logits.masked_fill(chosen == 0, -math.inf).softmax(-1)


def sigma_moe(p, k, x):
    gates = route(x, p["expert_sel"], 1, k)[:, :, 0]  # [B, T, E]
    hidden = relu(torch.einsum("btd,edg->bteg", x, p["keys"]))
    return torch.einsum("bteg,egd,bte->btd", hidden, p["values"], gates)


def language_model(p, sizes, tokens, memories):
    """Tokens [B, T]; memories: per layer [B, M, D] or None → logits [B, T, V], and each layer's input."""
    h = p["embedding.weight"][tokens] * math.sqrt(sizes["d_model"])
    inputs = []
    for layer, memory in enumerate(memories):
        inputs.append(h.detach())
        own = below(p, f"unique_layers.{layer}.")
        normal = lambda y: F.layer_norm(y, y.shape[-1:], own["norm1.weight"], own["norm1.bias"])
        remembered = None if memory is None else normal(memory)
        h = h + attention_layer(below(own, "self_attn."), sizes, normal(h), remembered)
        y = F.layer_norm(h, h.shape[-1:], own["norm2.weight"], own["norm2.bias"])
        if "linear1.weight" in own:
            hidden = relu(F.linear(y, own["linear1.weight"], own["linear1.bias"]))
            h = h + F.linear(hidden, own["linear2.weight"], own["linear2.bias"])
        else:
            h = h + sigma_moe(below(own, "pkm."), sizes["ff_k"], y)
    h = F.layer_norm(h, h.shape[-1:], p["out_norm.weight"], p["out_norm.bias"])
    return F.linear(h, p["output.weight"], p["output.bias"]), inputs


def relu(y):
    kinks.append(y.abs().min().item())
    return F.relu(y)


def below(p, prefix):
    return {name.removeprefix(prefix): value for name, value in p.items() if name.startswith(prefix)}


def heads(y, sizes):
    """[B, T, H·P] → [B, H, T, P]."""
    return y.unflatten(-1, (sizes["n_heads"], -1)).transpose(1, 2)


def merge(y):
    """[B, H, T, P] → [B, T, H·P]."""
    return y.transpose(1, 2).flatten(2)


def distances(T, S):
    """Source position − destination position [T, S]: 0 on the diagonal, negative for the past."""
    return torch.arange(S)[None] - torch.arange(S - T, S)[:, None]


def attend(logits, v):
    """Causal softmax over the sources: logits [B, H, T, S], v [B, H or 1, S, P] → [B, H, T, P]."""
    future = distances(*logits.shape[2:]) > 0
    return logits.masked_fill(future, -math.inf).softmax(-1) @ v


def position_logits(q, weight, S):
    """q [B, H, T, P] with the projected code of every distance; weight [H·P, D] → [B, H, T, S]."""
    H, T = q.shape[1:3]
    codes = sinusoid(distances(T, S), weight.shape[1]).to(weight)
    r = (codes @ weight.T).unflatten(-1, (H, -1))  # [T, S, H, P]
    return torch.einsum("bhtp,tshp->bhts", q, r)


def sinusoid(position, width):
    """The code of Vaswani et al. 2017: sine in even, cosine in odd channels: [...] → [..., width]."""
    channel = torch.arange(width)
    angle = position[..., None].double() * torch.exp(-math.log(10000) * (channel - channel % 2) / width)
    return torch.where(channel % 2 == 0, angle.sin(), angle.cos())


def rotate(y):
    """RoPE on the first floor(P/2) channels, half paired with half: y [B, H, T, P]."""
    rotated = y.shape[-1] // 2
    first, second, rest = y.split([rotated // 2, rotated // 2, y.shape[-1] - rotated], -1)
    frequency = 10000 ** (-2 * torch.arange(rotated // 2, dtype=torch.float64) / rotated)
    angle = torch.arange(y.shape[2])[:, None] * frequency
    cos, sin = angle.cos().to(y), angle.sin().to(y)
    return torch.cat([first * cos - second * sin, second * cos + first * sin, rest], -1)


def choose(logits, k):
    """1 for the k highest of the last axis, 0 elsewhere; no gradient."""
    best = logits.detach().sort(-1, descending=True)
    if k < logits.shape[-1]:
        gaps.append((best.values[..., k - 1] - best.values[..., k]).min().item())
    return torch.zeros_like(logits).scatter(-1, best.indices[..., :k], 1.0)


def route(y, selection, H, k):
    """Sigmoid gates of the k best experts of every head: y [B, T, D], selection [H·E, D] → [B, T, H, E]."""
    logits = (y @ selection.T).unflatten(-1, (H, -1))
    return logits.sigmoid() * choose(logits, k)
