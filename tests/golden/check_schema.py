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


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    keys = keys_of(schema)
    lines = 0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                value = json.loads(line)
                for error in validator.iter_errors(value):
                    sys.exit(f"{path}:{number}: {error.message}\n{line}")
                unknown = set(value) - keys[value["type"]]
                if unknown:
                    sys.exit(f"{path}:{number}: not in the schema: {unknown}\n{line}")
                lines += 1
    if not lines:
        sys.exit("no line was checked")


main()
