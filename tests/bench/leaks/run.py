#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""run.py VMTRACE [SCENARIOS [SEED]]: how well `vmtrace leaks` tells leaks from what is none.

Makes so many scenarios (make_scenario.py), each of another seed, asks vmtrace about each, and prints
per kind how many were right; of leaks also after what share of the leak's time it is told first and
with how many areas leaked (of four scenarios of each kind). A false alarm is any other
function than the one that leaks. Exit 1 if anything was wrong."""
import collections
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import make_scenario

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = make_scenario.LEAKS + make_scenario.OTHERS
DETECT = 4


def leaks(vmtrace, path):
    done = subprocess.run([vmtrace, "leaks", "-q", "--json", "--top=0", "-i", path],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{path}: exit {done.returncode}: {done.stderr}")
    suspects = json.loads(done.stdout)["suspects"]
    told = [s for s in suspects if s["score"] >= 0.5]
    if bool(told) != (done.returncode == 3):
        raise RuntimeError(f"{path}: exit {done.returncode} with {len(told)} leaks")
    return told, suspects


def is_of(suspect, function):
    return bool(function) and any(f.startswith(function + "+") for f in suspect["stack"])


def first_told(vmtrace, lines, label, path):
    """The share of the leak's time after which it is told, and stays so; and in seconds."""
    events = [line for line in lines if '"t":' in line]
    end = json.loads(events[-1])["t"]
    best = None
    for percent in range(100, 4, -5):
        until = label["began"] + (end - label["began"]) * percent // 100
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(line for line in lines
                            if '"t":' not in line or json.loads(line)["t"] <= until)
        if not any(is_of(s, label["leak"]) for s in leaks(vmtrace, path)[0]):
            break
        best = (percent, (until - label["began"]) / 1e9)
    return best


def one(vmtrace, folder, kind, seed, detect):
    path = os.path.join(folder, f"{kind}-{seed}.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        subprocess.run([sys.executable, os.path.join(HERE, "make_scenario.py"), kind, str(seed)],
                       stdout=file, check=True)
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    label = json.loads(lines[1])
    told, suspects = leaks(vmtrace, path)
    right = [s for s in told if is_of(s, label["leak"])]
    false = [s for s in told if not is_of(s, label["leak"])]
    what = []
    if label["leak"] and not right:
        what.append(("miss", [(s["score"], s["reasons"], s["live_count"]) for s in suspects
                              if is_of(s, label["leak"])]))
    what += [("false", (s["score"], s["label"], s["reasons"])) for s in false]
    first = first_told(vmtrace, lines, label, path) if detect and right else None
    score = max([s["score"] for s in right] or [0])
    others = max([s["score"] for s in suspects if not is_of(s, label["leak"])] or [0])
    os.remove(path)
    return kind, seed, bool(label["leak"]), bool(right), len(false), what, first, score, others


def show(results):
    rows = collections.defaultdict(list)
    for result in results:
        rows[result[0]].append(result)
    print(f"{'kind':<16} {'runs':>4} {'found':>5} {'missed':>6} {'false':>5}"
          f"  {'least score':>11} {'most else':>9}  told after")
    total = [0, 0, 0, 0]
    for kind in KINDS:
        some = rows[kind]
        found, leak = sum(r[3] for r in some), sum(r[2] for r in some)
        false = sum(r[4] for r in some)
        first = sorted(r[6] for r in some if r[6])
        told = ""
        if first:
            told = f"{first[0][0]} to {first[-1][0]} % of its time"
        least = f"{min(r[7] for r in some):.2f}" if leak else "-"
        print(f"{kind:<16} {len(some):>4} {found if leak else '-':>5} "
              f"{leak - found if leak else '-':>6} {false:>5}  {least:>11} "
              f"{max(r[8] for r in some):>9.2f}  {told}")
        for i, value in enumerate([len(some), found, leak - found, false]):
            total[i] += value
    runs, found, missed, false = total
    print(f"{'all':<16} {runs:>4} {found:>5} {missed:>6} {false:>5}")
    print(f"precision {found / max(1, found + false):.4f}, recall "
          f"{found / max(1, found + missed):.4f}")
    return missed + false


def main():
    vmtrace = sys.argv[1]
    scenarios = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(one, vmtrace, folder, KINDS[i % len(KINDS)], seed + i // len(KINDS),
                            i // len(KINDS) < DETECT) for i in range(scenarios)]
        results = [job.result() for job in jobs]
    for result in results:
        for what in result[5]:
            print(result[0], result[1], *what, file=sys.stderr)
    sys.exit(show(results) > 0)


if __name__ == "__main__":
    main()
