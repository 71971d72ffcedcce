/* SPDX-License-Identifier: GPL-2.0-only */
/* simulate: a recording played again in spaces of other sizes. */
#include "cmd/command.h"
#include "cmd/sizing_file.h"
#include "log.h"
#include "view/simulate.h"

/* 3: failures stay in every size that was tried. */
static int exit_code(const struct sizing *sizing)
{
	const struct sizing_table *table = &sizing->tables[SIZING_RETRIES];

	for (uint32_t i = 0; i < table->count; i++) {
		if (sizing_row_ok(sizing, &table->rows[i]))
			return EXIT_OK;
	}
	return EXIT_FINDING;
}

static int run(const struct options *options)
{
	struct sizing_request request = {
		.path = options->input,
		.sizes = options->sizes,
		.nr_sizes = options->nr_sizes,
		.cpus = options->cpus,
	};
	struct sizing_file file;
	int code;

	if (!options->input) {
		log_error("simulate plays a recording, and a running machine has none: give one "
			  "with -i FILE. 'vmtrace record -o FILE' records until Ctrl-C");
		return EXIT_USAGE;
	}
	code = sizing_file_run(&file, &request);
	if (!code && !file.sizing->played) {
		log_error("'%s' has no list of the areas that were there when it began: nothing "
			  "to start from. Record with 'vmtrace record -o FILE' as root",
			  options->input);
		code = EXIT_FAILED;
	}
	if (!code) {
		struct simulate_view view = {
			.sizing = file.sizing,
			.header = &file.header,
			.names = file.names,
			.stacks = file.stacks,
			.events = file.events,
			.cut_off = file.cut_off,
		};

		code = exit_code(file.sizing);
		if (options->json)
			code = json_simulate(stdout, &view) ? EXIT_FAILED : code;
		else
			text_simulate(stdout, &view);
	}
	sizing_file_close(&file);
	return code;
}

const struct command cmd_simulate = {
	.name = "simulate",
	.summary = "would a recording's failures have happened with another vmalloc=?",
	.help = "Plays the requests of a recording (-i FILE) again in spaces of other sizes, with "
		"the kernel's allocator, and says which size would have been enough, and how well "
		"it predicts the recorded addresses. Exit 3 if requests fail in every size.",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_SIZES,
	.run = run,
};
