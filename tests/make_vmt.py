#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make_vmt.py FILE EVENTS: a recording of that many failures, hardly to be packed, with long facts and
a list of modules in front, made from docs/FORMAT.md alone."""
import random
import struct
import sys
import zlib

T0 = 10**12


def padded(data):
    return data + bytes(-len(data) % 4)


def record(kind, body):
    return struct.pack("<HBB", len(body) + 4, kind, 0) + body


def block(records, nr_events, first_event):
    payload = b"".join(records)
    head = struct.pack("<4sBBHIIIIQQQI", b"VMTB", 1, 0, 0, len(payload), len(payload), nr_events, 0, first_event,
                       T0 if nr_events else 0, T0 + first_event + nr_events, zlib.crc32(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload


def header():
    head = struct.pack("<8sHHIIIIIQQIIII128s64s32s32x", b"\x8fVMT\r\n\x1a\n", 1, 320, 4096, 0, 0, 0xf77fe000,
                       0xfeffe000, T0, 0, 2, 0, 0, 0, b"6.1.0-test-686-pae", b"", b"")
    return head[:20] + struct.pack("<I", zlib.crc32(head)) + head[24:]


def definitions():
    names, facts = [], []
    for i in range(12):
        for text in (b"fact\xff.%d" % i, bytes(97 + random.randrange(26) for _ in range(1000))):
            names.append(record(1, struct.pack("<II", len(names) + 1, len(text)) + padded(text)))
        facts.append(record(3, struct.pack("<II", len(names) - 1, len(names))))
    names.append(record(1, struct.pack("<II4s", len(names) + 1, 3, b"foo")))
    return names + facts + [record(4, struct.pack("<IQIII", 1, T0, len(names), 0xf7900000, 8192))]


def fail(n):
    words = [random.getrandbits(32) for _ in range(8)]
    body = struct.pack("<IQIIIIIIIIIIiI", words[0], T0 + n, words[1], 0, 0, words[2], 4096, words[3], words[4],
                       words[5], words[6], words[7], -16, 1)
    return record(19, body)


def main():
    random.seed(1)
    count = int(sys.argv[2])
    with open(sys.argv[1], "wb") as out:
        out.write(header())
        out.write(block(definitions(), 0, 0))
        for first in range(0, count, 1000):
            events = [fail(n) for n in range(first, min(first + 1000, count))]
            out.write(block(events, len(events), first))
        index = struct.pack("<4sBBHIIIIQQQI", b"VMTB", 2, 0, 0, 0, 0, 0, 0, count, 0, 0, 0)
        at = out.tell()
        out.write(index + struct.pack("<I", zlib.crc32(index)))
        trailer = struct.pack("<4sIQQQQ", b"VMTT", 0, at, count, 0, out.tell() + 40)
        out.write(trailer[:4] + struct.pack("<I", zlib.crc32(trailer)) + trailer[8:])


main()
