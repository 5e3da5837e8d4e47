"""Golden pairs: checks one, or makes one of other sizes. Needs `torch` (a CPU build) and `safetensors`.

    python3 benchmarks/golden/make.py --check golden.safetensors golden.json
    python3 benchmarks/golden/make.py --out DIR [--seed N]
"""

import argparse
import json
import pathlib

import torch
from safetensors.torch import load_file, save_file

from cases import compute, deviation
from draw import draw_case
from layers import below
from sizes import all_cases


def check(tensors_path, json_path):
    """Recomputes every case from its parameters; the number of cases further off than 1e-5."""
    tensors = load_file(tensors_path)
    failed = 0
    for name, sizes in json.loads(pathlib.Path(json_path).read_text()).items():
        stored = below(tensors, f"{name}.")
        results = compute(name, sizes, stored)
        inputs = ("param.", "input.", "tokens", "output_cotangent")
        missing = {key for key in stored if not key.startswith(inputs)} ^ set(results)
        off = {key: deviation(value, stored[key]) for key, value in results.items() if key in stored}
        worst = max(off, key=off.get)
        passed = off[worst] < 1e-5 and not missing
        failed += not passed
        print(f"{'passed' if passed else 'FAILED'} {name}: {len(off)} tensors, worst {worst} {off[worst]:.1e}", *missing)
    return failed


def make(folder, seed):
    tensors, sizes_of = {}, {}
    for index, (name, family, sizes) in enumerate(all_cases()):
        given, results = draw_case(name, family, sizes, seed * 1000 + index)
        stored = given | {key: value.float() for key, value in results.items()}
        tensors |= {f"{name}.{key}": value.contiguous() for key, value in stored.items()}
        sizes_of[name] = sizes
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "other.safetensors")
    (folder / "other.json").write_text(json.dumps(sizes_of, indent=2) + "\n")
    print(f"{len(sizes_of)} cases, {(folder / 'other.safetensors').stat().st_size / 1e6:.2f} MB in {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", nargs=2, metavar=("TENSORS", "CASES"), help="an existing pair")
    action.add_argument("--out", type=pathlib.Path, metavar="DIR", help="where other.safetensors and other.json go")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.check:
        raise SystemExit(1 if check(*options.check) else 0)
    make(options.out, options.seed)


if __name__ == "__main__":
    main()
