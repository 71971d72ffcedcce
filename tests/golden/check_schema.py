#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_schema.py SCHEMA FILE...: every line of every recording follows the schema, and has no key
of which the schema does not know (which readers would skip)."""
import json
import sys

import jsonschema


def keys_of(schema):
    """The keys of each type, 'type' itself with them."""
    return {part["if"]["properties"]["type"]["const"]: set(part["then"]["properties"]) | {"type"}
            for part in schema["allOf"]}


def check(path, validator, keys):
    """Why a line of the recording is not as the schema says; None if all are."""
    lines = 0
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            value = json.loads(line)
            for error in validator.iter_errors(value):
                return f"{number}: {error.message}\n{line}"
            unknown = set(value) - keys[value["type"]]
            if unknown:
                return f"{number}: not in the schema: {unknown}\n{line}"
            lines += 1
    return None if lines else "no line was checked"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    keys = keys_of(schema)
    failed = 0
    for path in sys.argv[2:]:
        name = path.rsplit("/", 1)[-1].split(".")[0]
        why = check(path, validator, keys)
        print(f"FAIL {name}.schema: {why}" if why else f"ok {name}.schema")
        failed += why is not None
    sys.exit(1 if failed else 0)


main()
