# speedscope's own rules beyond its schema. $map: `map --json` of the same recording.
(.shared.frames | length) as $frames |
[ .["$schema"] == "https://www.speedscope.app/file-format-schema.json",
  (.profiles | map(.name)) == ["inuse", "alloc", "failed"],
  (.activeProfileIndex < (.profiles | length)),
  (.profiles | all(.type == "sampled" and .unit == "bytes" and .startValue == 0)),
  (.profiles | all((.samples | length) == (.weights | length) and .endValue == (.weights | add // 0))),
  (.profiles | all(.samples | all(length >= 3 and all(. >= 0 and . < $frames)))),
  (.shared.frames | all(.name | type == "string" and . != "")),
  ($map[0] | .used_bytes + .guard_bytes) == .profiles[0].endValue
] | if all then "ok" else error("failed checks: \(to_entries | map(select(.value | not).key))") end
