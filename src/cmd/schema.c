/* SPDX-License-Identifier: GPL-2.0-only */
/* schema: the JSON Schema of the JSON Lines. */
#include <stdio.h>

#include "cmd/command.h"
#include "record/jsonl_schema.h"

static int run(const struct options *options)
{
	(void)options;
	return jsonl_schema_print(stdout) ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_schema = {
	.name = "schema",
	.summary = "the JSON Schema of events --json",
	.help = "Prints the JSON Schema that every line of a recording in JSON Lines "
		"(vmtrace.events/1) follows.",
	.run = run,
};
