#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""read_vmt.py FILE [JSONL]: a .vmt file as JSON Lines, as `vmtrace events --json -i FILE` prints
it; with JSONL, which that has printed, it says nothing if both are the same.
read_vmt.py --compare NAME.again.jsonl...: so each of them and its NAME.vmt, a line for each.

Written from docs/FORMAT.md and nothing else: that the page is enough is what it shows."""
import json
import struct
import subprocess
import sys
import zlib

KINDS = ("unknown vmalloc vmap ioremap module bpf percpu vm_map_ram user dma-coherent "
         "early").split()
CAUSES = "- ring inflight unmatched no_entry stack read queue missed detail".split()
MAGIC = bytes.fromhex("8f564d540d0a1a0a")


def addr(value):
    return f"0x{value:08x}"


def text(field):
    return field.split(b"\0")[0].decode("utf-8", "replace")


def u32(record, offset):
    return struct.unpack_from("<I", record, offset)[0]


def u64(record, offset):
    return struct.unpack_from("<Q", record, offset)[0]


def check(is_right, what):
    if not is_right:
        sys.exit(f"read_vmt: {what}")


class Vmt:
    def __init__(self, data):
        self.data = data
        self.names = [""]
        self.stacks = 1
        self.events = 0
        self.lost = 0

    # ---- the file ----
    def header(self):
        data = self.data
        check(data[:8] == MAGIC, "no .vmt file")
        version, header_bytes, page_size, state, crc = struct.unpack_from("<HHIII", data, 8)
        zeroed = data[:20] + bytes(4) + data[24:header_bytes]
        check(version == 1 and state == 0 and zlib.crc32(zeroed) == crc, "the header is wrong")
        line = {"type": "header", "schema": "vmtrace.events/1", "kernel": text(data[64:192]),
                "vmalloc_start": addr(u32(data, 24)), "vmalloc_end": addr(u32(data, 28)),
                "page_size": page_size, "cpus": u32(data, 48)}
        self.put(line, "pmd_bytes", u32(data, 56))
        self.put(line, "exact_pages", bool(u32(data, 60) & 1))
        self.put(line, "hostname", text(data[192:256]))
        self.put(line, "tool", text(data[256:288]))
        self.put(line, "start", u64(data, 32))
        self.put(line, "start_wall", u64(data, 40))
        yield line
        self.at = header_bytes

    def block(self):
        """Type and unpacked payload of the block at self.at, which goes on behind it."""
        head = self.data[self.at:self.at + 56]
        (block_type, codec, stored, raw, self.expected) = struct.unpack_from("<BBxxIII", head, 4)
        payload = self.data[self.at + 56:self.at + 56 + stored]
        check(zlib.crc32(head[:52]) == u32(head, 52), "a block's header is wrong")
        check(zlib.crc32(payload) == u32(head, 48), "a block is wrong")
        check(u64(head, 24) == self.events, "a block is missing")
        self.at += 56 + stored
        if codec == 1:
            payload = subprocess.run(["zstd", "-dc"], input=payload, check=True,
                                     stdout=subprocess.PIPE).stdout
        check(len(payload) == raw, "a block has another size")
        return block_type, payload

    def lines(self):
        yield from self.header()
        while self.data[self.at:self.at + 4] == b"VMTB":
            where, before = self.at, self.events
            block_type, payload = self.block()
            if block_type == 2:
                index_at, index = where, payload
            if block_type != 1:
                continue
            while payload:
                length = struct.unpack_from("<H", payload)[0]
                yield from self.record(payload[:length])
                payload = payload[length:]
            check(self.events - before == self.expected, "a block has other events")
        yield from self.trailer(index_at, index)

    def trailer(self, index_at, index):
        end = self.data[self.at:]
        check(end[:4] == b"VMTT" and len(end) == 40, "no trailer at the end")
        check(zlib.crc32(end[:4] + bytes(4) + end[8:]) == u32(end, 4), "the trailer is wrong")
        check(u64(end, 8) == index_at and u64(end, 32) == len(self.data), "a wrong offset")
        check(u64(end, 16) == self.events and u64(end, 24) == self.lost, "a wrong number")
        for entry in struct.iter_unpack("<QQQQ", index):
            check(self.data[entry[0]:entry[0] + 4] == b"VMTB", "the index is wrong")
        yield {"type": "trailer", "events": self.events, "lost": self.lost}

    # ---- records ----
    @staticmethod
    def put(line, key, value):
        """A key that is left out when there is nothing to say."""
        if value:
            line[key] = value

    def put_addr(self, line, key, value):
        if value:
            line[key] = addr(value)

    def put_flags(self, line, flags):
        self.put(line, "own", bool(flags & 1))
        self.put(line, "stack_cut", bool(flags & 2))

    def task(self, record):
        line = {"pid": u32(record, 4)}
        self.put(line, "tid", u32(record, 16))
        line["comm"] = self.names[u32(record, 20)]
        return line

    def record(self, record):
        kind = record[2]
        if kind == 1:
            check(u32(record, 4) == len(self.names), "a name is out of order")
            name = record[12:12 + u32(record, 8)].decode("utf-8", "replace")
            self.names.append(name)
        elif kind == 2:
            check(u32(record, 4) == self.stacks, "a stack is out of order")
            frames = struct.unpack_from(f"<{u32(record, 16)}I", record, 20)
            line = {"type": "stack", "id": self.stacks, "frames": [self.names[i] for i in frames]}
            self.put(line, "t", u64(record, 8))
            self.stacks += 1
            yield line
        elif 16 <= kind <= 25:
            self.events += 1
            make = (self.alloc, self.free, self.purge, self.fail, self.vfree, self.lose,
                    self.snapshot, self.area, self.snapshot, self.time)[kind - 16]
            yield make(record, record[3], u64(record, 8))

    def alloc(self, record, flags, t):
        line = {"type": "alloc", "t": t, "start": addr(u32(record, 24)),
                "end": addr(u32(record, 28)), "guard_pages": record[65]}
        self.put(line, "align", u32(record, 40))
        line["kind"] = KINDS[record[64]]
        line.update(self.task(record))
        self.put(line, "stack", u32(record, 32))
        self.put(line, "size", u32(record, 36))
        self.put(line, "requested", u32(record, 60))
        self.put_addr(line, "vstart", u32(record, 44))
        self.put_addr(line, "vend", u32(record, 48))
        self.put(line, "gfp", u32(record, 52))
        self.put(line, "latency_ns", u32(record, 56))
        self.put_flags(line, flags)
        return line

    def free(self, record, flags, t):
        line = {"type": "free", "t": t, "start": addr(u32(record, 24)),
                "end": addr(u32(record, 28))}
        line.update(self.task(record))
        self.put_flags(line, flags)
        return line

    def purge(self, record, flags, t):
        line = {"type": "purge", "t": t}
        if flags & 4:
            line["begin"] = u64(record, 24)
        for key, value in self.task(record).items():
            self.put(line, key, value)
        self.put_flags(line, flags)
        return line

    def fail(self, record, flags, t):
        line = {"type": "fail", "t": t, "size": u32(record, 28), "align": u32(record, 32),
                "vstart": addr(u32(record, 36)), "vend": addr(u32(record, 40)),
                "errno": -struct.unpack_from("<i", record, 56)[0]}
        line.update(self.task(record))
        self.put(line, "stack", u32(record, 24))
        if record[60]:
            line["kind"] = KINDS[record[60]]
        self.put(line, "requested", u32(record, 52))
        self.put(line, "gfp", u32(record, 44))
        self.put(line, "latency_ns", u32(record, 48))
        self.put_flags(line, flags)
        return line

    def vfree(self, record, flags, t):
        line = {"type": "vfree", "t": t, "addr": addr(u32(record, 24))}
        line.update(self.task(record))
        self.put(line, "caller", self.names[u32(record, 28)])
        self.put_flags(line, flags)
        return line

    def lose(self, record, _flags, t):
        cause = CAUSES[record[20]]
        line = {"type": "lost", "t": t, "count": u32(record, 4), "cause": cause}
        if u32(record, 16) != 0xffffffff:
            line["cpu"] = u32(record, 16)
        if cause in ("ring", "unmatched", "read", "queue", "missed"):
            self.lost += line["count"]
        return line

    def snapshot(self, record, _flags, t):
        return {"type": "snapshot", "t": t, "begin": u64(record, 16),
                "phase": "begin" if record[2] == 22 else "end"}

    def time(self, _record, _flags, t):
        return {"type": "time", "t": t}

    def area(self, record, flags, t):
        line = {"type": "area", "t": t, "start": addr(u32(record, 24)),
                "end": addr(u32(record, 28)), "guard_pages": record[57],
                "state": ("", "used", "lazy")[record[58]], "kind": KINDS[record[56]]}
        self.put(line, "caller", self.names[u32(record, 36)])
        self.put(line, "nr_pages", u32(record, 32))
        if flags & 8:
            line["since"] = u64(record, 16)
        else:
            self.put(line, "begin", u64(record, 16))
        self.put(line, "pid", u32(record, 4))
        self.put(line, "comm", self.names[u32(record, 44)])
        self.put(line, "stack", u32(record, 40))
        self.put(line, "requested", u32(record, 48))
        self.put(line, "align", u32(record, 52))
        self.put_addr(line, "vstart", u32(record, 60))
        self.put_flags(line, flags)
        return line


def compare(lines, path):
    with open(path, encoding="utf-8") as file:
        expected = [json.loads(line) for line in file]
    for number, (got, want) in enumerate(zip(lines, expected), 1):
        check(got == want, f"{path}:{number}: here {got}\nthere {want}")
    check(len(lines) == len(expected), f"{len(lines)} lines here, {len(expected)} there")


def read(path):
    with open(path, "rb") as file:
        return list(Vmt(file.read()).lines())


def compare_all(paths):
    """Each FILE.again.jsonl is what vmtrace printed of FILE.vmt. True if all are the same."""
    same = True
    for path in paths:
        base = path.removesuffix(".again.jsonl")
        name = base.rsplit("/", 1)[-1]
        try:
            compare(read(base + ".vmt"), path)
            print(f"ok {name}.format")
        except (SystemExit, struct.error, IndexError) as why:
            print(f"FAIL {name}.format: {why}")
            same = False
    return same


def main():
    if sys.argv[1] == "--compare":
        sys.exit(0 if compare_all(sys.argv[2:]) else 1)
    if len(sys.argv) > 2:
        compare(read(sys.argv[1]), sys.argv[2])
        return
    for line in read(sys.argv[1]):
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


main()
