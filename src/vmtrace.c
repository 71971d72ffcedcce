/* SPDX-License-Identifier: GPL-2.0-only */
/* vmtrace: who holds the vmalloc address space of a 32-bit x86 kernel. The commands and main. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "outfile.h"

static const struct command *const commands[] = {
	&cmd_live,   &cmd_record,   &cmd_replay,   &cmd_map,    &cmd_holes, &cmd_fit,
	&cmd_why,    &cmd_simulate, &cmd_top,      &cmd_leaks,  &cmd_events, &cmd_diff,
	&cmd_export, &cmd_layout,   &cmd_verify,   &cmd_check,  &cmd_snapshot, &cmd_doctor,
	&cmd_info,   &cmd_schema,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fputs("Usage: vmtrace [COMMAND] [OPTION...]\n"
	      "Shows who holds the kernel's vmalloc address space on 32-bit x86 Linux.\n\n"
	      "Commands (no command = live):\n",
	      out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n'vmtrace COMMAND --help' lists the options of a command.\n"
	      "Examples:\n"
	      "  sudo vmtrace                       watch the space, a block every second\n"
	      "  sudo vmtrace map                   who is where now, once\n"
	      "  sudo vmtrace top --by=stack        who holds most, with call stacks\n"
	      "  sudo vmtrace fit 16M               would it fit, and who is in the way\n"
	      "  sudo vmtrace why                   why did an allocation fail?\n"
	      "  sudo vmtrace leaks                 what is never freed, with the evidence\n"
	      "  sudo vmtrace record -o f.vmt       record; then anywhere: vmtrace map -i f.vmt\n"
	      "  vmtrace replay f.vmt               what 'sudo vmtrace' showed meanwhile\n"
	      "Exit: 0 ok, 1 failed, 2 usage, 3 a finding, 4 data incomplete (--strict),\n"
	      "77 the kernel lacks what is needed.\n",
	      out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

/* Output that did not arrive is a failure, except when its reader has gone (vmtrace | head): then
 * also what a command made of that. */
static int finish_output(int code)
{
	int err = outfile_stream_error(stdout);

	if (!err)
		return code;
	if (err == -EPIPE)
		return code == EXIT_FAILED ? EXIT_OK : code;
	fprintf(stderr, "vmtrace: cannot write the output: %s\n", strerror(-err));
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const struct command *command = &cmd_live;
	struct options options;
	char program[64];
	int code;

	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "help"))) {
		print_help(stdout);
		return EXIT_OK;
	}
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))) {
		puts("vmtrace " VMTRACE_VERSION_TEXT);
		return EXIT_OK;
	}
	if (argc > 1 && argv[1][0] != '-') {
		command = find_command(argv[1]);
		if (!command) {
			fprintf(stderr,
				"vmtrace: there is no command '%s'. 'vmtrace --help' lists them\n",
				argv[1]);
			return EXIT_USAGE;
		}
		argc--;
		argv++;
	}
	snprintf(program, sizeof(program), "vmtrace %s", command->name);
	argv[0] = program;
	options_parse(command, argc, argv, &options);
	code = finish_output(command->run(&options));
	options_release(&options);
	return code;
}
