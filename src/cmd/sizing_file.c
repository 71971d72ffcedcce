/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/sizing_file.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/stop.h"
#include "log.h"
#include "units.h"

#define PROGRESS_EVENTS 65536
#define PROGRESS_NS     2000000000ull

static int open_reader(struct sizing_file *file, struct reader **reader)
{
	char why[256];
	int err = reader_open(file->request.path, file->names, file->stacks, reader, why,
			      sizeof(why));

	if (!err)
		return EXIT_OK;
	if (err == -EBADMSG)
		log_error("'%s' is not a vmtrace recording, or not one for this version: %s",
			  file->request.path, why);
	else
		log_error("cannot read '%s': %s", file->request.path, strerror(-err));
	return EXIT_FAILED;
}

static int failed(const struct sizing_file *file, int err)
{
	if (err == -ENOMEM)
		log_error("out of memory for the simulations");
	else
		log_error("reading '%s': %s", file->request.path, strerror(-err));
	return EXIT_FAILED;
}

/* After 2 s a reader wants to know that something happens. */
static void tell_progress(struct sizing_file *file, uint64_t events)
{
	if (events % PROGRESS_EVENTS || clock_now_ns() - file->begin_ns < PROGRESS_NS)
		return;
	file->begin_ns = clock_now_ns();
	log_info("simulating: reading %u of the recording, %llu events so far",
		 file->sizing->pass + 1, (unsigned long long)events);
}

/* Lines that cannot be true are told once, in the first reading. */
static int feed(struct sizing_file *file, struct reader *reader, struct simulate *simulate)
{
	struct event event;
	uint64_t events = 0;
	int got;

	while ((got = reader_next(reader, &event)) != 0) {
		if (stop_requested()) {
			log_error("interrupted: nothing was worked out");
			return EXIT_FAILED;
		}
		if (got == -EINTR)
			continue;
		if (got == -EBADMSG) {
			if (!file->sizing->pass && !file->request.quiet)
				log_note("%s: %s", file->request.path, reader_why(reader));
			continue;
		}
		if (got > 0)
			got = simulate_apply(simulate, &event);
		if (got < 0)
			return failed(file, got);
		file->events += !file->sizing->pass && event.type != EV_STACK;
		tell_progress(file, ++events);
	}
	file->cut_off = reader_end(reader) != READER_COMPLETE;
	if (reader_end(reader) != READER_DAMAGED)
		return EXIT_OK;
	log_error("'%s' %s", file->request.path, reader_why(reader));
	return EXIT_FAILED;
}

/* One reading. reader: that which is open already, or NULL. */
static int read_once(struct sizing_file *file, struct reader *reader, struct simulate *simulate)
{
	int code = reader ? EXIT_OK : open_reader(file, &reader), err;

	if (!code)
		code = feed(file, reader, simulate);
	reader_close(reader);
	err = sizing_end(file->sizing, simulate);
	if (err && !code)
		code = failed(file, err);
	return code;
}

static int ask(struct sizing_file *file)
{
	const uint32_t *sizes = file->request.sizes;
	uint32_t nr_sizes = file->request.nr_sizes;
	char size[16], most[16];

	if (!nr_sizes)
		sizing_search(file->sizing);
	for (uint32_t i = 0; i < nr_sizes; i++) {
		if (sizing_ask(file->sizing, sizes[i]) == 0)
			continue;
		log_error("--vmalloc=%s: the space of this kernel ends at %08x and cannot be "
			  "larger than %s",
			  units_bytes(sizes[i], size, sizeof(size)), file->header.vmalloc_end,
			  units_bytes(sizing_limit_bytes(file->sizing), most, sizeof(most)));
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int run_passes(struct sizing_file *file, struct reader *reader)
{
	struct simulate *simulate;
	int code = EXIT_OK, more;

	while (!code && (more = sizing_begin(file->sizing, &simulate)) != 0) {
		if (more < 0)
			code = failed(file, more);
		else
			code = read_once(file, reader, simulate);
		reader = more < 0 ? reader : NULL;
	}
	reader_close(reader);
	return code;
}

int sizing_file_run(struct sizing_file *file, const struct sizing_request *request)
{
	struct simulate_options options;
	struct reader *reader;
	int code;

	memset(file, 0, sizeof(*file));
	stop_install();
	file->request = *request;
	file->begin_ns = clock_now_ns();
	file->names = names_new();
	file->stacks = stacks_new();
	if (!file->names || !file->stacks)
		return failed(file, -ENOMEM);
	code = open_reader(file, &reader);
	if (code)
		return code;
	file->header = *reader_header(reader);
	options = (struct simulate_options){
		.start = file->header.vmalloc_start,
		.end = file->header.vmalloc_end,
		.cpus = file->header.cpus,
		.kernel = file->header.kernel,
		.pmd_bytes = file->header.pmd_bytes,
		.exact_pages = file->header.exact_pages,
	};
	file->sizing = sizing_new(&options, request->cpus, strcmp(request->path, "-") != 0);
	code = file->sizing ? ask(file) : failed(file, -ENOMEM);
	if (code) {
		reader_close(reader);
		return code;
	}
	return run_passes(file, reader);
}

void sizing_file_close(struct sizing_file *file)
{
	sizing_free(file->sizing);
	stacks_free(file->stacks);
	names_free(file->names);
	memset(file, 0, sizeof(*file));
}
