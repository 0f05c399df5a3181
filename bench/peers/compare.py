#!/usr/bin/env python3
"""Prints how the figures of `kingfisher bench --json` compare with those of torch_bench.py, and with the project's goals.

    python3 compare.py bench.json torch.json

Times are those of steps that the host does not wait for (step_ms_streamed). A ratio above 1 says that Kingfisher is faster.
"""
import json
import sys

MODES = ["eager", "compile", "graph"]


def key(record):
    return record["model"], record["optimizer"], record["precision"]


def main(arguments):
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[0]) as file:
        ours = json.load(file)
    theirs = {"results": []}
    if len(arguments) > 1:
        with open(arguments[1]) as file:
            theirs = json.load(file)
    peers = {(key(r), r["mode"]): r["step_ms_streamed"] for r in theirs["results"]}
    steps = {key(r): r for r in ours["results"] if r["model"] != "update"}
    print(f"{'model':14s} {'optimizer':18s} {'type':5s} {'ours ms':>9s}", end="")
    print("".join(f" {mode + ' ms':>11s} {'ratio':>6s}" for mode in MODES))
    slower = []
    for (model, optimizer, precision), record in steps.items():
        own = record["step_ms_streamed"]
        line = f"{model:14s} {optimizer:18s} {precision:5s} {own:9.3f}"
        for mode in MODES:
            peer = peers.get(((model, optimizer, precision), mode))
            line += f" {peer:11.3f} {peer / own:6.2f}" if peer else f" {'-':>11s} {'-':>6s}"
            if peer and mode == "graph" and peer < own:
                slower.append(f"{model} {optimizer} {precision} ({peer / own:.2f})")
        print(line)
    print()
    goals(steps, ours, slower, any(mode == "graph" for _, mode in peers))
    return 0


def goals(steps, ours, slower, compared):
    def goal(text, met, figures):
        print(f"{'met    ' if met else 'NOT MET'}  {text}: {figures}")

    ratios = []
    for (model, optimizer, precision), record in steps.items():
        sgd = steps.get((model, "SGD", precision))
        if optimizer == "AdaFisher" and sgd:
            ratios.append((record["step_ms_streamed"] / sgd["step_ms_streamed"], f"{model} {precision}"))
    if ratios:
        worst = max(ratios)
        goal("AdaFisher's step takes at most 1.03 times SGD's", worst[0] <= 1.03, f"at worst {worst[0]:.3f} ({worst[1]})")
    if compared:
        goal("faster than PyTorch in a CUDA graph", not slower, ", ".join(slower) or "everywhere")
    host = max(((r["host_us"], " ".join(k)) for k, r in steps.items()), default=None)
    if host and ours["device"].startswith("cuda"):
        goal("at most 20 microseconds of the host a step", host[0] <= 20, f"at worst {host[0]:.1f} ({host[1]})")
    for record in ours["results"]:
        if record["model"] == "update":
            share = record["share_of_copy"]
            if not isinstance(share, str):
                goal(f"the update of {record['optimizer']} at 90 % of a copy's bandwidth", share >= 0.9, f"{100 * share:.0f} %")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
