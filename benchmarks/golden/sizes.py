"""The cases of a pair that differs from the authors' in every size, and the parameters each has.

The authors' pair has D 24, T 6, B 2, two or three heads, k 2 or 3, one cached chunk and two layers.
Here: E 7, k 1, k = E, E 1, one head and three, odd P and D, no, one and two cached chunks, memory that
is no whole chunk, B 1 and 3, T 2, one layer and three, other subsets of Q, K, V and O.
"""

PACKAGE = dict(causal=True, rotate_fraction=0.5, rope_base=10000)
OPTIMIZER = (
    "AdamW lr {} betas {} {} eps {} decoupled weight decay {} on every parameter, clip global norm {} "
    "before the step; ten steps on chunks 0..9, memory carried"
)


MODULES = {
    "package-rope": "SwitchHeadRope",
    "package-xl": "SwitchHeadXL",
    "xl": "FullMoeRelativeAttention",
    "dense-xl": "FixedRelativeMultiheadAttention",
    "moa": "MoA",
    "sigma-moe": "MoE layer",
}


def all_cases():
    """(name, family, json entry) of every case; the families are those of `shapes`."""
    for name, family, sizes in layer_cases():
        yield name, family, sizes | dict(source=f"benchmarks/golden, after the authors' {MODULES[family]}")
    yield from language_model_cases()


def layer_cases():
    for name, family, B, T, D, H, E, k, P in [
        ("switchhead_rope_h1e7k1", "package-rope", 3, 5, 13, 1, 7, 1, 8),
        ("switchhead_rope_h3e2k2", "package-rope", 1, 7, 10, 3, 2, 2, 9),
        ("switchhead_rope_two_tokens", "package-rope", 2, 2, 11, 2, 3, 1, 4),
        ("switchhead_xl_nocache_h1e7k1", "package-xl", 1, 5, 14, 1, 7, 1, 5),
        ("switchhead_xl_nocache_h3e3k3", "package-xl", 3, 4, 10, 3, 3, 3, 7),
    ]:
        yield name, family, dict(B=B, T=T, d_model=D, n_heads=H, n_experts=E, k=k, d_head=P, **PACKAGE)
    for experts, B, T, memory, D, H, E, k, P in [
        ("v", 1, 4, 4, 10, 3, 7, 2, 5),
        ("k", 3, 4, 8, 12, 1, 5, 2, 7),
        ("q", 2, 3, 3, 13, 2, 4, 3, 4),
        ("o", 1, 5, 10, 10, 1, 7, 1, 6),
        ("qk", 2, 3, 3, 10, 2, 3, 1, 5),
        ("kv", 2, 3, 6, 14, 3, 4, 1, 5),
        ("qo", 1, 5, 5, 12, 2, 7, 2, 4),
        ("vo", 2, 3, 6, 16, 1, 1, 1, 9),
        ("qkvo", 3, 3, 6, 10, 3, 5, 1, 5),
    ]:
        yield f"switchhead_xl_{experts}", "xl", xl_sizes(experts, B, T, memory, D, H, E, k, P)
    yield "switchhead_xl_shared_sel_kvo", "xl", xl_sizes("kvo", 2, 4, 4, 10, 2, 5, 3, 5, same_sel=True)
    yield "switchhead_xl_shared_sel_qkvo", "xl", xl_sizes("qkvo", 1, 3, 6, 14, 1, 7, 2, 4, same_sel=True)
    for name, B, T, memory, D, H, P in [
        ("dense_xl_h1", 1, 4, 8, 10, 1, 7),
        ("dense_xl_h3", 3, 4, 6, 14, 3, 5),
    ]:
        yield name, "dense-xl", dict(B=B, T=T, mem=memory, d_model=D, n_heads=H, d_head=P)
    for mode, selection, B, T, memory, D, H, E, P in [
        ("my", "sigmoid", 3, 4, 4, 10, 1, 7, 5),
        ("my", "softmax", 1, 4, 8, 14, 3, 5, 7),
        ("moa", "softmax", 2, 3, 6, 12, 1, 7, 4),
        ("moa", "softmax", 2, 4, 4, 10, 4, 4, 5),
    ]:
        sizes = dict(B=B, T=T, mem=memory, d_model=D, n_heads=H, n_experts=E, d_head=P)
        yield f"moa_{mode}_{selection}_h{H}e{E}", "moa", sizes | dict(mode=mode, selection=selection)
    for B, T, D, E, G, k in [(3, 5, 13, 5, 9, 1), (1, 4, 10, 3, 7, 3)]:
        sizes = dict(B=B, T=T, d_model=D, n_experts=E, expert_size=G, k=k)
        yield f"sigma_moe_e{E}k{k}", "sigma-moe", sizes | dict(activation="relu", selection="sigmoid")


def xl_sizes(experts, B, T, memory, D, H, E, k, P, **flags):
    flags = {f"{name}_expert": name in experts for name in "qkvo"} | flags
    sizes = dict(B=B, T=T, mem=memory, d_model=D, n_heads=H, n_experts=E, k=k, d_head=P)
    return sizes | dict(flags=flags, selection="sigmoid")


def language_model_cases():
    recipes = [
        OPTIMIZER.format("5e-4", ".8", ".99", "1e-5", ".1", ".5"),
        OPTIMIZER.format("3e-4", ".9", ".95", "1e-7", "0", "5"),
    ]
    for index, (name, family, V, L, D, B, T, H, E, k, P, chunks) in enumerate([
        ("lm_dense_rope", "dense-rope", 13, 1, 13, 3, 5, 3, 7, 1, 5, 0),
        ("lm_switchhead_rope_h1e7k1", "xl-names-rope", 11, 3, 11, 1, 4, 1, 7, 1, 4, 0),
        ("lm_dense_xl_two_chunks", "dense-xl", 11, 3, 10, 1, 3, 1, 7, 1, 5, 2),
        ("lm_dense_xl_no_memory", "dense-xl", 7, 1, 14, 3, 4, 3, 7, 1, 5, 0),
        ("lm_switchhead_xl_two_chunks", "xl", 13, 1, 14, 3, 4, 3, 3, 3, 5, 2),
        ("lm_switchhead_xl_h1e7k1", "xl", 11, 3, 10, 1, 3, 1, 7, 1, 5, 1),
        ("lm_moa_xl_two_chunks", "moa", 11, 1, 10, 1, 4, 3, 7, 1, 5, 2),
        ("lm_moa_xl_softmax", "moa", 7, 1, 12, 3, 4, 3, 3, 1, 5, 1),
        ("lm_switchall_xl_two_chunks", "xl", 11, 3, 10, 1, 3, 1, 7, 1, 5, 2),
        ("lm_switchall_rope", "xl-names-rope", 7, 1, 13, 3, 4, 3, 2, 1, 8, 0),
    ]):
        sizes = dict(vocab=V, n_layers=L, d_model=D, B=B, T=T, n_heads=H, n_experts=E, k=k, d_head=P)
        sizes |= dict(d_ff=15 + index, mem_chunks=chunks, ff_experts=5, ff_expert_size=7, ff_k=1 + index % 2)
        words = dict(logits_shape="[T,B,V]", embedding_scale="sqrt(d_model)", dropout=0)
        words |= dict(tokens_shape="[12*T+1,B], chunk c = rows c*T..c*T+T, targets shifted by one")
        # The authors' pair has no mode here: it is "my" with sigmoid.
        mode = dict(mode="moa", selection="softmax") if name == "lm_moa_xl_softmax" else {}
        yield name, family, sizes | mode | words | dict(optimizer=recipes[index % 2])


def shapes(name, family, sizes):
    """Parameters of a case under the authors' names, as the authors' modules have them."""
    if not name.startswith("lm_"):
        return layer_shapes(family, sizes)
    V, D, ff = sizes["vocab"], sizes["d_model"], sizes["d_ff"]
    found = {"embedding.weight": [V, D], "out_norm.weight": [D], "out_norm.bias": [D]}
    found |= {"output.weight": [V, D], "output.bias": [V]}
    block = {f"norm{i}.{part}": [D] for i in (1, 2) for part in ("weight", "bias")}
    block |= {f"self_attn.{key}": shape for key, shape in layer_shapes(family, sizes).items()}
    if name.startswith("lm_switchall"):
        moe = dict(d_model=D, n_experts=sizes["ff_experts"], expert_size=sizes["ff_expert_size"])
        block |= {f"pkm.{key}": shape for key, shape in layer_shapes("sigma-moe", moe).items()}
    else:
        block |= {"linear1.weight": [ff, D], "linear1.bias": [ff], "linear2.weight": [D, ff], "linear2.bias": [D]}
    for layer in range(sizes["n_layers"]):
        found |= {f"unique_layers.{layer}.{key}": shape for key, shape in block.items()}
    return found


def layer_shapes(family, sizes):
    D, E = sizes["d_model"], sizes.get("n_experts")
    if family == "sigma-moe":
        G = sizes["expert_size"]
        return {"expert_sel": [E, D], "keys": [E, D, G], "values": [E, G, D]}
    H, P = sizes["n_heads"], sizes["d_head"]
    if family == "moa":
        experts = {"data_to_q": [E, D, P], "out_proj": [E, P, D], "sel_dst": [E, D]}
        return experts | {"data_to_kv": [D, 2 * P], "pos_to_pk": [P, D], "scale": [1]}
    dense = {"data_to_q.weight": [H * P, D], "data_to_kv.weight": [2 * H * P, D]}
    if family == "dense-rope":
        return dense | {"out_proj.weight": [D, H * P]}
    if family == "dense-xl":
        dense |= {"multi_head_merge.weight": [D, H * P], "pos_to_pq.weight": [H * P, D]}
        return dense | {"global_content_bias": [H, P], "global_pos_bias": [H, P], "scale": [1], "s_bias": [1]}
    return switch_head_shapes(family, sizes)


def switch_head_shapes(family, sizes):
    D, H, E, P = sizes["d_model"], sizes["n_heads"], sizes["n_experts"], sizes["d_head"]
    positions = {} if family.endswith("rope") else {"pos_to_pk": [H * P, D]}
    if family.startswith("package"):
        found = {"q.weight": [H * P, D], "k.weight": [H * P, D], "v": [H * E, D, P], "o": [H * E, P, D]}
        return found | {"sel_v": [H * E, D], "sel_o": [H * E, D]} | positions
    flags = sizes.get("flags", {"v_expert": True, "o_expert": True})
    expert = [name for name in "qkvo" if flags.get(f"{name}_expert")]
    found = {}
    for name in "qkvo":
        matrix, dense = ([P, D], [D, H * P]) if name == "o" else ([D, P], [H * P, D])
        found[f"projections.{name}"] = [H * E, *matrix] if name in expert else dense
    # Q goes by O's selection and K by V's, where those have one; a shared selection is O's.
    for name, other in (("o", None), ("q", "o"), ("v", "o" if flags.get("same_sel") else None), ("k", "v")):
        if name in expert and other not in expert:
            found[f"selections.{name}"] = [H * E, D]
    return found | positions
