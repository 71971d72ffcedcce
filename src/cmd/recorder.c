// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/modules.h"
#include "clock.h"
#include "cmd/command.h"
#include "cmd/machine_facts.h"
#include "log.h"
#include "units.h"

struct recorder {
	struct session *session;
	const struct options *options;
	struct series *series;
	struct stream_fact facts[MACHINE_FACTS_MAX]; /* of this machine */
	uint32_t nr_facts;
	bool modules_changed; /* since the list was written */
	bool full;            /* --max-size is reached */
	bool from_model;      /* begun in the middle of the stream */
	uint64_t begun_ns;    /* ... so long after watching began */
	bool ended;           /* recorder_finish was there */
	int err;              /* of writing */
};

struct recorder *recorder_new(struct session *session, const struct options *options)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return NULL;
	recorder->session = session;
	recorder->options = options;
	return recorder;
}

void recorder_from_model(struct recorder *recorder)
{
	recorder->from_model = true;
	recorder->begun_ns = recorder->session->facts.uptime_ns;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	/* What came before a failure of the source is kept. */
	if (recorder->series && !recorder->ended)
		series_end(recorder->series, false);
	series_close(recorder->series);
	free(recorder);
}

/* ---- what goes in beside the events; a file that has no room for it is left without ---- */

static int write_facts(struct vmt_writer *writer, const struct stream_fact *facts, uint32_t count)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++)
		err = vmt_writer_fact(writer, facts[i]);
	return err == -E2BIG ? 0 : err;
}

static int write_module_list(struct vmt_writer *writer, uint64_t t_ns,
			     const struct stream_module *modules, uint32_t count)
{
	int err = vmt_writer_modules(writer, t_ns, modules, count);

	return err == -E2BIG ? 0 : err;
}

static int write_modules(struct recorder *recorder, struct vmt_writer *writer)
{
	struct modules modules;
	int err = modules_read("/proc/modules", recorder->session->names, &modules);

	recorder->modules_changed = false;
	/* A kernel without modules has no list. */
	if (!err)
		err = write_module_list(writer, clock_now_ns(), modules.list, modules.count);
	else if (err != -ENOMEM)
		err = 0;
	modules_release(&modules);
	return err;
}

/* What the other recording says beside its events, as far as it is read. */
static int copy_facts(struct recorder *recorder, struct vmt_writer *writer)
{
	const struct session *session = recorder->session;
	const struct stream_module *modules;
	const struct stream_fact *facts;
	uint32_t count;
	int err;

	facts = reader_facts(session->reader, &count);
	err = write_facts(writer, facts, count);
	modules = reader_modules(session->reader, &count);
	if (!err && count)
		err = write_module_list(writer, space_counters(session->space)->last_t_ns, modules,
					count);
	return err;
}

static int begin_file(void *context, struct vmt_writer *writer)
{
	struct recorder *recorder = context;
	int err;

	if (recorder->session->reader)
		return copy_facts(recorder, writer);
	if (!recorder->nr_facts)
		recorder->nr_facts = machine_facts_read(recorder->session->names, recorder->facts);
	err = write_facts(writer, recorder->facts, recorder->nr_facts);
	return err ? err : write_modules(recorder, writer);
}

/* ---- events ---- */

static int open_series(struct recorder *recorder)
{
	const struct options *options = recorder->options;
	struct session *session = recorder->session;
	struct series_options series_options = {
		.path = options->output,
		.input = options->input,
		.max_bytes = options->max_bytes,
		.nr_files = options->rotate,
		.overwrite = options->force,
		.thrifty = session->facts.live,
		.from_model = recorder->from_model,
		.begin = begin_file,
		.context = recorder,
	};

	return series_open(&series_options, &session->header, session->names, session->stacks,
			   session->space, &recorder->series);
}

/* Modules come and go with their memory. */
static void watch_modules(struct recorder *recorder, const struct event *event)
{
	const struct area *area;

	if (event->type == EV_ALLOC)
		recorder->modules_changed |= event->kind == KIND_MODULE;
	if (event->type != EV_FREE || recorder->modules_changed)
		return;
	area = space_area_at(recorder->session->space, event->start);
	if (area && area->kind == KIND_MODULE)
		recorder->modules_changed = true;
}

bool recorder_is_over(const struct recorder *recorder)
{
	return recorder->err || recorder->full;
}

/* What happens here is kept for who looks soon when live. A file is read to its end unless it is
 * told, as by a reader of the output that has gone, to stop. */
int recorder_event(struct recorder *recorder, const struct event *event)
{
	bool over = recorder_is_over(recorder);

	if (!over && !recorder->series) {
		recorder->err = open_series(recorder);
		over = recorder->err != 0;
	}
	if (!over) {
		int err = series_event(recorder->series, event);

		if (err) {
			recorder->full = err == -E2BIG;
			recorder->err = recorder->full ? 0 : err;
			over = true;
		}
	}
	watch_modules(recorder, event);
	return over && recorder->session->reader ? -EPIPE : 0;
}

int recorder_begin(struct recorder *recorder)
{
	/* No event came that would have opened it. */
	if (!recorder->series && !recorder->err)
		recorder->err = open_series(recorder);
	if (recorder->series)
		return EXIT_OK;
	log_error("cannot write '%s': %s", recorder->options->output, strerror(-recorder->err));
	return EXIT_FAILED;
}

void recorder_tick(struct recorder *recorder, uint64_t now_ns)
{
	if (recorder_is_over(recorder) || !recorder->series)
		return;
	if (recorder->modules_changed && recorder->session->facts.live)
		recorder->err = write_modules(recorder, series_writer(recorder->series));
	if (!recorder->err)
		recorder->err = series_tick(recorder->series, now_ns);
}

struct series_stats recorder_stats(const struct recorder *recorder)
{
	return recorder->series ? series_stats(recorder->series) : (struct series_stats){ 0 };
}

const char *recorder_path(const struct recorder *recorder)
{
	return series_path(recorder->series);
}

/* ---- what the user sees ---- */

static void say_failed(const char *path, int err)
{
	if (err == -EEXIST)
		log_error("'%s' exists already; --force overwrites it", path);
	else if (err == -ETXTBSY)
		log_error("'%s' is the recording that is read: write another file", path);
	else if (err == -EOVERFLOW)
		log_error("--max-size is too small: the map with which every file begins does not "
			  "fit into '%s'",
			  path);
	else
		log_error("cannot write '%s': %s; what is in it can be read", path, strerror(-err));
}

static void summarize(const struct recorder *recorder, const char *path, struct series_stats stats)
{
	const struct options *options = recorder->options;
	uint64_t tenths = stats.events ? stats.bytes * 10 / stats.events : 0;
	char watched[16], bytes[16], files[64] = "";

	if (options->rotate)
		snprintf(files, sizeof(files), " (file %" PRIu32 " of the ring, begun %" PRIu32 ")",
			 (stats.nr_begun - 1) % options->rotate + 1, stats.nr_begun);
	log_info("recorded %s into '%s'%s: %" PRIu64 " events, %s, %" PRIu64 ".%" PRIu64
		 " bytes an event, %" PRIu64 " lost",
		 units_duration(recorder->session->facts.uptime_ns - recorder->begun_ns, watched,
				sizeof(watched)),
		 path, files, stats.events, units_bytes(stats.bytes, bytes, sizeof(bytes)),
		 tenths / 10, tenths % 10, stats.lost);
}

/* Ends the file. A recording of one that was cut off says itself that it was. */
int recorder_finish(struct recorder *recorder)
{
	bool whole = !recorder->err && !recorder->session->cut_off;
	const char *path = series_path(recorder->series);
	int err;

	if (recorder->session->reader && !recorder_is_over(recorder))
		recorder->err = copy_facts(recorder, series_writer(recorder->series));
	err = series_end(recorder->series, whole);
	recorder->ended = true;
	if (!recorder->err)
		recorder->err = err;
	if (recorder->err)
		say_failed(path, recorder->err);
	else if (recorder->full)
		log_note("'%s' has reached --max-size: the recording ends here. --rotate=N goes on "
			 "and keeps the newest",
			 path);
	summarize(recorder, path, series_stats(recorder->series));
	return recorder->err ? EXIT_FAILED : EXIT_OK;
}

int recorder_check(const struct options *options)
{
	struct series_options series_options = { .path = options->output,
						 .input = options->input,
						 .nr_files = options->rotate,
						 .overwrite = options->force };
	char path[4096];
	int err;

	if (!options->output) {
		log_error("record needs -o FILE, where the recording goes");
		return EXIT_USAGE;
	}
	if (!strcmp(options->output, "-") && isatty(STDOUT_FILENO)) {
		log_error("a recording is not for a terminal: -o FILE, or -o - into a pipe");
		return EXIT_USAGE;
	}
	err = series_check(&series_options, path, sizeof(path));
	if (!err)
		return EXIT_OK;
	say_failed(path, err);
	return EXIT_FAILED;
}
