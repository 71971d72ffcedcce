#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make_scenario.py KIND SEED: a labelled stream of events (JSON Lines) to stdout.

Prints what a machine does in which one thing of this KIND goes on beside balanced load. The label
is a line of type "label", which readers skip: the function that leaks, or "", and when it began.
Parameters are drawn at random from wide ranges, and know nothing of the rules of vmtrace."""
import heapq
import json
import random
import sys

PAGE = 4096
START = 0xf77fe000
END = 0xfeffe000
SECOND = 10 ** 9

LEAKS = ["steady", "slow", "error-path", "late", "hidden", "ioremap", "module-gone", "cron",
         "missed-leak", "module-gone-later", "module-listed", "office",
         "declining"]
OTHERS = ["plateau-linear", "plateau-fill", "module-load", "rings", "sawtooth", "long-lives", "seeds",
          "burst-end", "rising", "own", "lazy", "missed-frees", "missed-repaired", "heavy-tail",
          "steps", "module-clean", "modules", "replaced", "high-water", "sweep", "churn-fill"]


class Machine:
    """Events in the order of time; addresses are given at once when the events are written."""

    def __init__(self, kind, seed):
        self.rnd = random.Random(f"{kind}/{seed}")
        self.kind = kind
        self.todo = []          # (t, number, what, area)
        self.number = 0
        self.stacks = {}
        self.lines = []
        self.length = int(self.rnd.choice([60, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600]) *
                          self.rnd.uniform(0.8, 1.25) * SECOND)
        self.base = self.rnd.choice([0, 5000 * SECOND, 86400 * 9 * SECOND])
        self.free_pages = None
        self.lossy = []         # times in which frees are not told

    # -- what happens

    def put(self, t, what, area):
        self.number += 1
        if 0 <= t <= self.length:
            heapq.heappush(self.todo, (int(t), self.number, what, area))

    def area(self, t, life, frames, pages=None, kind="vmalloc", pid=None, comm="app", own=False):
        """An area from t on; life None: for ever."""
        area = {"pages": pages or self.rnd.choice([1, 1, 2, 4, 4, 8]), "frames": frames, "kind": kind,
                "pid": pid or self.rnd.choice([100, 200, 300]), "comm": comm, "own": own,
                "addr": None, "t": t}
        self.put(t, "alloc", area)
        if life is not None:
            self.put(t + max(1000, life), "free", area)
        return area

    def poisson(self, rate, begin, end):
        t = begin
        while True:
            t += self.rnd.expovariate(rate)
            if t > end:
                return
            yield t

    def even(self, count, begin, end, jitter=0.4):
        wait = (end - begin) / count
        for i in range(count):
            yield begin + (i + 0.5 + self.rnd.uniform(-jitter, jitter)) * wait

    # -- what is written

    def stack(self, frames):
        key = tuple(frames)
        if key not in self.stacks:
            self.stacks[key] = len(self.stacks) + 1
            self.lines.append({"type": "stack", "id": self.stacks[key], "frames": list(frames)})
        return self.stacks[key]

    def take(self, pages):
        for start, end in self.holes:
            if end - start >= pages:
                self.holes.remove((start, end))
                if end - start > pages:
                    self.holes.append((start + pages, end))
                    self.holes.sort()
                return START + start * PAGE
        return None

    def give(self, addr, pages):
        start = (addr - START) // PAGE
        end = start + pages
        out = []
        for s, e in self.holes:
            if e == start:
                start = s
            elif s == end:
                end = e
            else:
                out.append((s, e))
        out.append((start, end))
        self.holes = sorted(out)

    def seed_areas(self):
        for _ in range(self.rnd.randint(5, 40)):
            pages = self.rnd.choice([1, 2, 8, 33]) + 1
            addr = self.take(pages)
            self.lines.append({"type": "area", "t": self.base, "start": hex(addr),
                               "end": hex(addr + pages * PAGE), "guard_pages": 1, "state": "used",
                               "kind": "vmalloc", "caller": self.rnd.choice(
                                   ["n_tty_open+0x16/0xd0", "old_cache+0x41/0x90 [old]"])})
            area = {"addr": addr, "pages": pages - 1, "pid": 1, "comm": "init", "seeded": True}
            if self.rnd.random() < 0.3:
                self.put(self.rnd.uniform(0, self.length), "free", area)

    def write(self, label, began):
        self.holes = [(0, (END - START) // PAGE)]
        self.lines.append({"type": "header", "schema": "vmtrace.events/1", "kernel": "6.1.0-x",
                           "vmalloc_start": hex(START), "vmalloc_end": hex(END),
                           "page_size": PAGE, "cpus": 2})
        self.lines.append({"type": "label", "kind": self.kind, "leak": label,
                           "began": int(began) + self.base})
        self.seed_areas()
        lazy, lazy_pages, live, count = [], 0, set(), 0
        limit = self.rnd.choice([2000, 8000])
        wanted = {}
        while self.todo:
            t, _, what, area = heapq.heappop(self.todo)
            now = t + self.base
            if what == "alloc":
                area["addr"] = self.take(area["pages"] + 1)
                if area["addr"] is None:
                    area["dead"] = True
                    continue
                line = {"type": "alloc", "t": now, "start": hex(area["addr"]),
                        "end": hex(area["addr"] + (area["pages"] + 1) * PAGE), "guard_pages": 1,
                        "align": PAGE, "kind": area["kind"], "pid": area["pid"],
                        "comm": area["comm"], "stack": self.stack(area["frames"])}
                if area["own"]:
                    line["own"] = True
                self.lines.append(line)
                wanted[id(area)] = area
            elif what == "free":
                if area.get("dead") or area["addr"] is None:
                    continue
                wanted.pop(id(area), None)
                lazy.append(area)
                lazy_pages += area["pages"] + 1
                missed = any(a <= t <= b for a, b in self.lossy)
                if missed:
                    count += 1
                else:
                    self.lines.append({"type": "free", "t": now, "start": hex(area["addr"]),
                                       "end": hex(area["addr"] + (area["pages"] + 1) * PAGE),
                                       "pid": area.get("freer", (area["pid"],))[0],
                                       "comm": area.get("freer", (0, area["comm"]))[1]})
                if lazy_pages > limit and self.kind != "lazy":
                    self.lines.append({"type": "purge", "t": now + 10, "begin": now + 5})
                    for old in lazy:
                        self.give(old["addr"], old["pages"] + 1)
                    lazy, lazy_pages = [], 0
            elif what == "lost":
                if count:
                    self.lines.append({"type": "lost", "t": now, "count": count, "cause": "ring"})
                count = 0
            elif what == "list":
                self.lines.append({"type": "snapshot", "phase": "begin", "t": now, "begin": now})
                for some in wanted.values():
                    caller = some["frames"][-2 if len(some["frames"]) > 1 else 0]
                    if t > some.get("gone", t):
                        caller = hex(0xf8000000 + self.rnd.randrange(1 << 24))
                    self.lines.append({"type": "area", "t": now, "start": hex(some["addr"]),
                                       "end": hex(some["addr"] + (some["pages"] + 1) * PAGE),
                                       "guard_pages": 1, "state": "used", "kind": some["kind"],
                                       "caller": caller})
                for line in self.lines[2:]:
                    if line["type"] == "area" and line["t"] == self.base and "caller" in line and \
                            not any(int(line["start"], 16) == old["addr"] for old in lazy):
                        self.lines.append(dict(line, t=now))
                for old in lazy:
                    self.lines.append({"type": "area", "t": now, "start": hex(old["addr"]),
                                       "end": hex(old["addr"] + (old["pages"] + 1) * PAGE),
                                       "guard_pages": 0, "state": "lazy", "kind": "unknown"})
                self.lines.append({"type": "snapshot", "phase": "end", "t": now + 1000,
                                   "begin": now})
        self.lines.append({"type": "trailer", "events": len(self.lines) - 2, "lost": count})
        stacks = [line for line in self.lines if line["type"] == "stack"]
        rest = [line for line in self.lines if line["type"] != "stack"]
        for line in rest[:2] + stacks + rest[2:]:
            sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")


ALLOC = ["alloc_vmap_area+0x0", "__get_vm_area_node+0x9a", "__vmalloc_node_range+0x83", "vmalloc+0x6f"]
IOREMAP = ["alloc_vmap_area+0x0", "__get_vm_area_node+0x9a", "get_vm_area_caller+0x43",
           "__ioremap_caller+0x14b", "ioremap+0x18"]


def path(*frames, plumbing=None):
    return (plumbing or ALLOC) + list(frames)


def life_of(rnd, mean):
    """Draws lives of one shape with about this mean."""
    shape = rnd.choice(["fixed", "even", "exponential", "lognormal"])
    if shape == "fixed":
        return lambda: mean * rnd.uniform(0.95, 1.05)
    if shape == "even":
        return lambda: mean * rnd.uniform(0.2, 1.8)
    if shape == "exponential":
        return lambda: rnd.expovariate(1 / mean)
    return lambda: mean * rnd.lognormvariate(-0.3, 0.8)


def background(m):
    """Balanced load on some paths, and a few that come and stay."""
    for i in range(m.rnd.randint(1, 3)):
        count = m.rnd.randint(30, 400)
        life = life_of(m.rnd, m.length * m.rnd.uniform(0.001, 0.05))
        frames = path(f"load{i}_get+0x20 [load{i}]", f"load{i}_open+0x31 [load{i}]")
        for t in m.poisson(count / m.length, 0, m.length):
            m.area(t, life(), frames, comm=f"load{i}")


# ---- leaks: each returns (function, when it begins) -------------------------------------------------

def steady(m):
    count = m.rnd.randint(20, 600)
    draw = m.rnd.choice([lambda: m.poisson(count / m.length, 0, m.length),
                         lambda: m.even(count, 0, m.length)])
    for t in draw():
        m.area(t, None, path("leaky_add+0x41 [leaky]", "leaky_ioctl+0x90 [leaky]"))
    return "leaky_add", 0


def slow(m):
    days = m.rnd.uniform(1.5, 6)
    m.length = int(days * 86400 * SECOND)
    for t in m.even(int(days * 24), 0, m.length, m.rnd.choice([0.02, 0.4])):
        m.area(t, None, path("leaky_tick+0x41 [leaky]", "process_one_work+0x1a0"), pages=1)
    return "leaky_tick", 0


def error_path(m):
    calls = m.rnd.randint(400, 4000)
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.0005, 0.02))
    frames = path("leaky_send+0x41 [leaky]", "leaky_ioctl+0x90 [leaky]")
    for t in m.poisson(calls / m.length, 0, m.length):
        m.area(t, None if m.rnd.random() < 0.03 else life(), frames, pages=2)
    return "leaky_send", 0


def late(m):
    begin = m.length * m.rnd.uniform(0.4, 0.75)
    frames = path("leaky_add+0x41 [leaky]", "leaky_ioctl+0x90 [leaky]")
    if m.rnd.random() < 0.5:
        life = life_of(m.rnd, m.length * 0.005)
        for t in m.poisson(300 / m.length, 0, m.length):
            m.area(t, life(), frames)
    for t in m.poisson(m.rnd.randint(20, 300) / (m.length - begin), begin, m.length):
        m.area(t, None, frames)
    return "leaky_add", begin


def hidden(m):
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.001, 0.02))
    good = path("buf_alloc+0x41 [stack]", "good_path+0x90 [stack]", "stack_ioctl+0x12 [stack]")
    bad = path("buf_alloc+0x41 [stack]", "bad_path+0x33 [stack]", "stack_ioctl+0x12 [stack]")
    for t in m.poisson(m.rnd.randint(1500, 5000) / m.length, 0, m.length):
        m.area(t, life(), good, pages=2)
    for t in m.poisson(m.rnd.randint(20, 80) / m.length, 0, m.length):
        m.area(t, None, bad, pages=2)
    return "bad_path", 0


def ioremap(m):
    frames = path("dev_probe+0x41 [dev]", "really_probe+0x90", plumbing=IOREMAP)
    for t in m.poisson(m.rnd.randint(15, 120) / m.length, 0, m.length):
        m.area(t, None, frames, kind="ioremap", pages=m.rnd.choice([1, 4, 16]))
    return "dev_probe", 0


def module_text(m, begin, end, pid, gone_pid):
    frames = ["alloc_vmap_area+0x0", "__get_vm_area_node+0x9a", "__vmalloc_node_range+0x83",
              "module_alloc+0x50", "load_module+0xa31"]
    area = m.area(begin, None, frames, kind="module", pid=pid, comm="insmod", pages=8)
    if end is not None:
        area["freer"] = (gone_pid, "rmmod")
        m.put(end, "free", area)
    return area


def module_gone(m):
    begin, end = m.length * m.rnd.uniform(0.05, 0.4), m.length * m.rnd.uniform(0.5, 0.9)
    module_text(m, begin, end, 900, 901)
    frames = path("mod_init_buffers+0x41 [mod]", "mod_init+0x20 [mod]", "do_one_initcall+0x42",
                  "do_init_module+0x46")
    for i in range(m.rnd.randint(2, 20)):
        keep = i % 2 == 0
        m.area(begin + (i + 1) * 10 ** 6, None if keep else end - begin - 10 ** 8, frames, pid=900,
               comm="insmod")
    return "mod_init_buffers", end


def module_gone_later(m):
    """Nothing ties what is left to the areas of the module: another task calls it."""
    begin, end = m.length * m.rnd.uniform(0.05, 0.4), m.length * m.rnd.uniform(0.5, 0.9)
    module_text(m, begin, end, 900, 901)
    frames = path("mod_buffer+0x41 [mod]", "mod_ioctl+0x20 [mod]")
    for t in m.even(m.rnd.randint(1, 4), begin, end - (end - begin) / 10):
        m.area(t, None, frames)
    return "mod_buffer", end


def cron(m):
    runs = m.rnd.randint(8, 20)
    frames = path("job_new+0x41 [job]", "job_ioctl+0x90 [job]")
    for t in m.even(runs, 0, m.length, 0.05):
        for i in range(m.rnd.randint(2, 12)):
            m.area(t + i * 10 ** 7, None if i % 2 == 0 else 10 ** 8, frames, comm="cron")
    return "job_new", 0


def missed_leak(m):
    miss(m, m.rnd.choice([True, False]), m.rnd.randint(1, 3), 0.01)
    return steady(m)


def module_listed(m):
    """Its own areas are from before; the list has bare addresses for what it left."""
    end = m.length * m.rnd.uniform(0.4, 0.9)
    frames = path("mod_buffer+0x41 [mod]", "mod_ioctl+0x20 [mod]")
    for t in m.even(m.rnd.randint(1, 6), 0, end * 0.95):
        m.area(t, None, frames)["gone"] = end
    m.put(end + (m.length - end) * m.rnd.uniform(0.1, 0.9), "list", None)
    return "mod_buffer", end


def office(m):
    """It leaks in office hours only."""
    m.length = int(m.rnd.uniform(2.5, 8) * 86400 * SECOND)
    frames = path("doc_open+0x41 [smb]", "smb_open+0x90 [smb]")
    life = life_of(m.rnd, 300 * SECOND)
    count, day = m.rnd.randint(8, 60), 86400 * SECOND
    begin = m.rnd.uniform(0, day / 3)
    while begin < m.length:
        for t in m.poisson(count / (day / 3), begin, begin + day / 3):
            m.area(t, None, frames, pages=1)
            for _ in range(2):
                m.area(t + 10 ** 7, life(), frames, pages=1)
        begin += day
    return "doc_open", 0


def declining(m):
    """An error path of which ever less is asked."""
    share, power = m.rnd.uniform(0.02, 0.1), m.rnd.uniform(1.2, 2)
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.0005, 0.02))
    frames = path("leaky_send+0x41 [leaky]", "leaky_ioctl+0x90 [leaky]")
    for _ in range(int(max(m.rnd.randint(300, 3000), 25 / share))):
        m.area(m.length * m.rnd.random() ** power,
               None if m.rnd.random() < share else life(), frames)
    return "leaky_send", 0


# ---- what is none ------------------------------------------------------------------------------------

def plateau_linear(m):
    full = m.length * m.rnd.uniform(0.1, 0.75)
    for t in m.even(m.rnd.randint(10, 500), 0, full):
        m.area(t, None, path("cache_grow+0x41 [cache]", "cache_get+0x90 [cache]"))


def plateau_fill(m):
    slots, calls = m.rnd.randint(20, 300), m.rnd.uniform(4, 12)
    have = set()
    for t in m.poisson(slots * calls / m.length, 0, m.length):
        slot = m.rnd.randrange(slots)
        if slot not in have:
            have.add(slot)
            m.area(t, None, path("cache_grow+0x41 [cache]", "cache_get+0x90 [cache]"))


def module_load(m):
    for i in range(m.rnd.randint(1, 4)):
        begin = m.length * m.rnd.uniform(0.02, 0.95)
        module_text(m, begin, None, 900 + i, 0)
        for j in range(m.rnd.randint(1, 64)):
            m.area(begin + (j + 1) * 10 ** 6, None,
                   path(f"mod{i}_init+0x41 [mod{i}]", "do_one_initcall+0x42"), pid=900 + i)


def rings(m):
    queues, times = m.rnd.randint(1, 16), m.rnd.randint(2, 12)
    changes = sorted(m.rnd.uniform(0, m.length) for _ in range(times)) + [m.length * 2]
    for i in range(times):
        for _ in range(queues):
            m.area(changes[i], changes[i + 1] - changes[i] + 10 ** 6,
                   path("ring_alloc+0x41 [nic]", "nic_set_ringparam+0x90 [nic]"),
                   pages=1 << min(i, 5))


def sawtooth(m):
    teeth = m.rnd.uniform(2.5, 12)
    width = m.length / teeth
    count = m.rnd.randint(10, 60)
    for tooth in range(int(teeth) + 1):
        for t in m.even(count, tooth * width, (tooth + 1) * width):
            m.area(t, (tooth + 1) * width - t + m.rnd.uniform(0, width * 0.02),
                   path("batch_add+0x41 [batch]", "batch_write+0x90 [batch]"))


def long_lives(m):
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.1, 0.5))
    for t in m.poisson(m.rnd.randint(40, 800) / m.length, 0, m.length):
        m.area(t, life(), path("session_new+0x41 [sess]", "sess_open+0x90 [sess]"))


def heavy_tail(m):
    least = m.length * m.rnd.uniform(0.0005, 0.01)
    power = m.rnd.uniform(0.8, 1.5)
    for t in m.poisson(m.rnd.randint(300, 2000) / m.length, 0, m.length):
        m.area(t, least * m.rnd.paretovariate(power),
               path("conn_new+0x41 [conn]", "conn_open+0x90 [conn]"), pages=1)


def seeds(m):
    pass


def burst_end(m):
    begin = m.length * m.rnd.uniform(0.96, 0.995)
    frames = path("burst_get+0x41 [burst]", "burst_open+0x90 [burst]")
    if m.rnd.random() < 0.5:
        life = life_of(m.rnd, m.length * 0.01)
        for t in m.poisson(m.rnd.randint(50, 400) / m.length, 0, m.length):
            m.area(t, life(), frames)
    for t in m.even(m.rnd.randint(20, 400), begin, m.length):
        m.area(t, None, frames)


def rising(m):
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.01, 0.15))
    frames = path("file_buf+0x41 [fs]", "fs_open+0x90 [fs]")
    for _ in range(m.rnd.randint(200, 2500)):
        t = m.length * max(m.rnd.random(), m.rnd.random())
        m.area(t, life(), frames, pages=1)


def own(m):
    for t in m.even(m.rnd.randint(20, 60), 0, m.length):
        m.area(t, None, path("bpf_map_area_alloc+0x41", "array_map_alloc+0x90"), own=True)


def lazy(m):
    life = life_of(m.rnd, m.length * 0.001)
    for t in m.poisson(m.rnd.randint(500, 2500) / m.length, 0, m.length):
        m.area(t, life(), path("frame_get+0x41 [cam]", "cam_open+0x90 [cam]"), pages=2)


def miss(m, repaired, times, width):
    for i in range(times):
        begin = m.length * m.rnd.uniform(0.05, 0.9)
        end = begin + m.length * m.rnd.uniform(width / 2, width)
        m.lossy.append((begin, end))
        m.put(end + 1, "lost", None)
        if repaired:
            m.put(end + m.length * 0.02, "list", None)


def missed_frees(m):
    miss(m, False, m.rnd.randint(1, 4), 0.02)
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.001, 0.05))
    for t in m.poisson(m.rnd.randint(200, 2500) / m.length, 0, m.length):
        m.area(t, life(), path("pkt_get+0x41 [pkt]", "pkt_open+0x90 [pkt]"), pages=1)


def missed_repaired(m):
    miss(m, True, m.rnd.randint(3, 12), 0.04)
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.001, 0.05))
    for t in m.poisson(m.rnd.randint(200, 2500) / m.length, 0, m.length):
        m.area(t, life(), path("pkt_get+0x41 [pkt]", "pkt_open+0x90 [pkt]"), pages=1)


def steps(m):
    frames = path("pool_add+0x41 [pool]", "pool_resize+0x90 [pool]")
    for _ in range(m.rnd.randint(1, 3)):
        t = m.length * m.rnd.uniform(0, 0.9)
        for i in range(m.rnd.randint(5, 100)):
            m.area(t + i * 10 ** 6, None, frames)


def module_clean(m):
    at = m.length * 0.02
    for i in range(m.rnd.randint(3, 20)):
        stay = m.length * m.rnd.uniform(0.01, 0.04)
        if at + stay > m.length:
            break
        module_text(m, at, at + stay, 900 + 2 * i, 901 + 2 * i)
        for j in range(m.rnd.randint(1, 10)):
            m.area(at + (j + 1) * 10 ** 6, stay - 10 ** 8,
                   path("mod_init_buffers+0x41 [mod]", "mod_init+0x20 [mod]",
                        "do_one_initcall+0x42"), pid=900 + 2 * i, comm="insmod")
        at += stay * m.rnd.uniform(1.1, 2)


def modules(m):
    """Modules come one after the other, and stay."""
    for i, t in enumerate(m.even(m.rnd.randint(5, 25), 0, m.length)):
        module_text(m, t, None, 900 + i, 0)
        for j in range(m.rnd.randint(0, 4)):
            m.area(t + (j + 1) * 10 ** 6, None,
                   path(f"mod{i}_init+0x41 [mod{i}]", "do_one_initcall+0x42"), pid=900 + i)


def replaced(m):
    """A cache that is full throws one out for each that comes, the oldest or any."""
    size, live = m.rnd.randint(8, 200), []
    oldest = m.rnd.random() < 0.5
    for t in m.poisson(size * m.rnd.uniform(1.5, 10) / m.length, 0, m.length):
        if len(live) == size:
            m.put(t - 1000, "free", live.pop(0 if oldest else m.rnd.randrange(size)))
        live.append(m.area(t, None, path("cache_grow+0x41 [cache]", "cache_get+0x90 [cache]")))


def high_water(m):
    """A pool keeps the most that was ever needed at a time."""
    mean, have = m.rnd.randint(10, 80), 0
    spread = mean * m.rnd.uniform(0.1, 0.4)
    for t in m.even(m.rnd.randint(200, 2000), 0, m.length):
        while have < m.rnd.gauss(mean, spread):
            have += 1
            m.area(t + have * 1000, None, path("pool_add+0x41 [pool]", "pool_get+0x90 [pool]"))


def sweep(m):
    """What is used no more goes when the collector comes round."""
    wait = m.length / m.rnd.uniform(2.5, 15)
    for t in m.poisson(m.rnd.randint(60, 1000) / m.length, 0, m.length):
        unused = t + m.rnd.expovariate(3 / wait)
        m.area(t, (unused // wait + 1) * wait - t + m.rnd.uniform(0, wait / 200),
               path("entry_new+0x41 [table]", "table_add+0x90 [table]"), pages=1)


def churn_fill(m):
    """A cache fills on a path of which most is freed soon; of it, as much as ever or ever less is asked."""
    slots, power, have = m.rnd.randint(10, 100), m.rnd.choice([1, m.rnd.uniform(1.1, 2)]), set()
    life = life_of(m.rnd, m.length * m.rnd.uniform(0.0005, 0.01))
    for t in sorted(m.length * m.rnd.random() ** power
                    for _ in range(int(slots * m.rnd.uniform(8, 40)))):
        slot = m.rnd.randrange(slots)
        m.area(t, life() if slot in have else None,
               path("cache_grow+0x41 [cache]", "cache_get+0x90 [cache]"))
        have.add(slot)


def main():
    kind, seed = sys.argv[1], int(sys.argv[2])
    machine = Machine(kind, seed)
    result = globals()[kind.replace("-", "_")](machine)
    background(machine)
    machine.write(*(result or ("", 0)))


if __name__ == "__main__":
    main()
