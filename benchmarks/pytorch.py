"""PyTorch training steps of the same shapes as `switchyard bench`, for side-by-side timing.

One whole step: forward, backward, global-norm clip, AdamW; random tokens, no dropout, float32.
Experts run as a gather and a product per expert. Needs `torch` (a CPU build is enough):

    python3 benchmarks/pytorch.py [--steps N] [--threads N] tiny-dense tiny-switchhead tiny-switchall
"""

import argparse
import math
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SHAPES = {
    "tiny-dense": dict(L=4, D=128, H=8, P=16, d_ff=512, V=256, T=128, B=16),
    "tiny-switchhead": dict(L=4, D=128, H=2, P=24, E=4, k=2, d_ff=512, V=256, T=128, B=16),
    "tiny-switchall": dict(
        L=4, D=128, H=2, P=24, E=4, k=2, ff_experts=8, ff_width=64, ff_k=2, V=256, T=128, B=16
    ),
    "small-dense": dict(L=6, D=256, H=8, P=32, d_ff=1024, V=8000, T=256, B=8),
    "small-switchhead": dict(L=6, D=256, H=2, P=48, E=4, k=2, d_ff=1024, V=8000, T=256, B=8),
}


def rope(x):
    """Rotates the first half of every head: x [B, H, T, P]."""
    rotated = x.shape[-1] // 2
    inverse = 10000 ** (-torch.arange(0, rotated, 2) / rotated)
    angle = torch.arange(x.shape[2])[:, None] * inverse  # [T, rotated / 2]
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    head, rest = x[..., :rotated], x[..., rotated:]
    half = torch.cat([-head[..., rotated // 2 :], head[..., : rotated // 2]], -1)
    return torch.cat([head * cos + half * sin, rest], -1)


def grouped(x, in_rows, expert, weight, matrices, out, out_rows):
    """Adds weight * x[in_rows] @ matrices[expert] to rows of `out`, one gather and product per expert."""
    for e in range(matrices.shape[0]):
        choice = (expert == e).nonzero(as_tuple=True)[0]
        y = (x[in_rows[choice]] @ matrices[e]) * weight[choice, None]
        out = out.index_add(0, out_rows[choice], y)
    return out


class Attention(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        D, H, P = s["D"], s["H"], s["P"]
        self.q, self.k = nn.Linear(D, H * P, bias=False), nn.Linear(D, H * P, bias=False)
        if "E" in s:
            E = s["E"]
            self.select_v, self.select_o = nn.Linear(D, H * E, bias=False), nn.Linear(D, H * E, bias=False)
            self.v = nn.Parameter(torch.randn(H * E, D, P) / math.sqrt(D))
            self.o = nn.Parameter(torch.randn(H * E, P, D) / math.sqrt(H * P))
        else:
            self.v, self.o = nn.Linear(D, H * P, bias=False), nn.Linear(H * P, D, bias=False)

    def route(self, logits):
        """Flat expert index and weight of every choice: [N * H * k] each."""
        s = self.s
        raw, index = logits.view(-1, s["H"], s["E"]).topk(s["k"], -1)
        return (index + torch.arange(s["H"])[:, None] * s["E"]).flatten(), raw.sigmoid().flatten()

    def forward(self, x):
        s = self.s
        B, T, D = x.shape
        H, P = s["H"], s["P"]
        heads = lambda y: y.view(B, T, H, P).transpose(1, 2)
        q, k = rope(heads(self.q(x))), rope(heads(self.k(x)))
        flat, n = x.reshape(B * T, D), B * T
        if "E" in s:
            expert, weight = self.route(self.select_v(x))
            choice = torch.arange(n * H * s["k"])
            v = grouped(flat, choice // (H * s["k"]), expert, weight, self.v, x.new_zeros(n * H, P), choice // s["k"])
        else:
            v = self.v(x)
        y = F.scaled_dot_product_attention(q, k, heads(v), is_causal=True).transpose(1, 2).reshape(n, H * P)
        if "E" not in s:
            return self.o(y).view(B, T, D)
        expert, weight = self.route(self.select_o(x))
        choice = torch.arange(n * H * s["k"])
        out = grouped(y.view(n * H, P), choice // s["k"], expert, weight, self.o, x.new_zeros(n, D), choice // (H * s["k"]))
        return out.view(B, T, D)


class FeedForward(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        if "ff_experts" in s:
            E, G = s["ff_experts"], s["ff_width"]
            self.select = nn.Linear(s["D"], E, bias=False)
            self.keys = nn.Parameter(torch.randn(E, s["D"], G) / math.sqrt(s["D"]))
            self.values = nn.Parameter(torch.randn(E, G, s["D"]) / math.sqrt(E * G))
        else:
            self.up, self.down = nn.Linear(s["D"], s["d_ff"]), nn.Linear(s["d_ff"], s["D"])

    def forward(self, x):
        if "ff_experts" not in self.s:
            return self.down(F.relu(self.up(x)))
        flat = x.reshape(-1, x.shape[-1])
        raw, index = self.select(flat).topk(self.s["ff_k"], -1)
        expert, weight = index.flatten(), raw.sigmoid().flatten()
        token = torch.arange(len(flat)).repeat_interleave(self.s["ff_k"])
        out = torch.zeros_like(flat)
        for e in range(len(self.keys)):
            choice = (expert == e).nonzero(as_tuple=True)[0]
            y = F.relu(flat[token[choice]] @ self.keys[e]) @ self.values[e]
            out = out.index_add(0, token[choice], y * weight[choice, None])
        return out.view_as(x)


class Model(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.scale = math.sqrt(s["D"])
        self.embedding = nn.Embedding(s["V"], s["D"])
        nn.init.normal_(self.embedding.weight, std=1 / self.scale)
        layer = lambda: nn.ModuleList([nn.LayerNorm(s["D"]), Attention(s), nn.LayerNorm(s["D"]), FeedForward(s)])
        self.layers = nn.ModuleList(layer() for _ in range(s["L"]))
        self.norm, self.output = nn.LayerNorm(s["D"]), nn.Linear(s["D"], s["V"])

    def forward(self, tokens):
        h = self.embedding(tokens) * self.scale
        for norm1, attention, norm2, feed_forward in self.layers:
            h = h + attention(norm1(h))
            h = h + feed_forward(norm2(h))
        return self.output(self.norm(h))


def time_steps(s, warmup, steps):
    torch.manual_seed(1)
    model = Model(s)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0)
    tokens = torch.randint(s["V"], (s["B"], s["T"] + 1))
    times = []
    for step in range(warmup + steps):
        start = time.perf_counter()
        logits = model(tokens[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step >= warmup:
            times.append((time.perf_counter() - start) * 1000)
    return sum(p.numel() for p in model.parameters()), times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", choices=SHAPES)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"PyTorch {torch.__version__}, {options.threads} threads, float32")
    for name in options.models:
        parameters, times = time_steps(SHAPES[name], options.warmup, options.steps)
        median = statistics.median(times)
        tokens = SHAPES[name]["B"] * SHAPES[name]["T"] / median * 1000
        print(f"{name}: {parameters} parameters, {median:.1f} ms/step median ({min(times):.1f} to {max(times):.1f}), {tokens:.0f} tokens/s")


if __name__ == "__main__":
    main()
