# What a trace viewer relies on. Input: the trace; $map: `map --json` of the same recording.
def counters: [.traceEvents[] | select(.ph == "C")];
def last_of(name): [counters[] | select(.name == name) | .args.bytes] | last;
def lives: [.traceEvents[] | select(.ph == "b" or .ph == "e")];

[ (.traceEvents | all(has("ph") and has("pid") and has("name"))),
  (.traceEvents | all(.ph == "M" or (.ts | type) == "number")),
  (counters | all(.args.bytes | type == "number" and . >= 0)),
  # of each counter the times go forward
  (counters | group_by(.name) | all([.[].ts] | . == sort)),
  ($map[0] as $m | $m.unknown_bytes > 0 or
    (last_of("used") == $m.used_bytes and last_of("guard") == $m.guard_bytes and
     last_of("lazy") == $m.lazy_bytes and last_of("free") == $m.free_bytes and
     last_of("largest_hole") == $m.largest_hole_bytes)),
  ([.traceEvents[] | select(.ph == "i") | .s == "g" and (.args.size | type) == "number"] | all),
  (lives | all(.cat == "area" and (.id | type) == "string")),
  # every life has one begin and one end, which is not before it
  (lives | group_by(.id) | all(map(.ph) == ["b", "e"] and .[0].ts <= .[1].ts and .[0].name == .[1].name))
] | if all then "ok" else error("failed checks: \(to_entries | map(select(.value | not).key))") end
