// SPDX-License-Identifier: GPL-2.0-only
/* export: the same facts in the formats that other tools open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/jsonl_out.h"
#include "cmd/session.h"
#include "export/export.h"
#include "log.h"
#include "outfile.h"

#define DEFAULT_OWNERS    20
#define DEFAULT_LIFETIMES 200
#define MAX_LIFETIMES     100000

/* What each format needs of the stream, and how it is written at the end of it. */
static const struct format {
	int (*write)(FILE *out, const struct export_data *data); /* NULL: event by event */
	bool samples;
	bool trace;
} formats[EXPORT_FORMATS] = {
	[EXPORT_FOLDED] = { .write = export_folded, .samples = true },
	[EXPORT_PPROF] = { .write = export_pprof, .samples = true },
	[EXPORT_SPEEDSCOPE] = { .write = export_speedscope, .samples = true },
	[EXPORT_PERFETTO] = { .write = export_perfetto, .trace = true },
	[EXPORT_CSV] = { .write = export_csv },
	[EXPORT_PROM] = { .write = export_prom },
	[EXPORT_JSONL] = { .write = NULL },
};

struct exporter {
	struct session session;
	const struct options *options;
	const struct format *format;
	struct sink before, sink;
	struct leaks *leaks; /* --value=leaked, from the first event on */
	struct samples *samples;
	struct trace *trace;
	struct export_failures failures;
	struct jsonl_out jsonl;
};

/* NULL: stdout. */
static const char *output_of(const struct options *options)
{
	return options->output && strcmp(options->output, "-") ? options->output : NULL;
}

static int cannot_write(const char *path, int err)
{
	log_error("cannot write '%s': %s", path, strerror(-err));
	return EXIT_FAILED;
}

static void count_failure(struct export_failures *failures, const struct event *event)
{
	if (event->err == -EBUSY)
		failures->no_space++;
	else if (event->err == -ENOMEM)
		failures->no_memory++;
	else
		failures->other++;
}

/* The evidence for leaks, where these are what is exported. */
static int before_event(void *context, const struct event *event)
{
	struct exporter *exporter = context;
	struct session *session = &exporter->session;
	const struct leaks_options options = { .by = OWNERS_BY_STACK };

	if (exporter->options->value != SAMPLES_LEAKED)
		return 0;
	if (!exporter->leaks)
		exporter->leaks = leaks_new(session->names, session->stacks, &options);
	if (exporter->leaks && !leaks_before(exporter->leaks, session->space, event))
		return 0;
	log_error("out of memory for the evidence");
	return -ENOMEM;
}

static int on_event(void *context, const struct event *event)
{
	struct exporter *exporter = context;
	int err = 0;

	if (event->type == EV_FAIL)
		count_failure(&exporter->failures, event);
	if (exporter->leaks)
		err = leaks_after(exporter->leaks, exporter->session.space, event);
	if (exporter->samples && !err)
		err = samples_event(exporter->samples, exporter->session.space, event);
	if (exporter->trace && !err)
		err = trace_event(exporter->trace, exporter->session.space, event);
	if (exporter->jsonl.out && !err)
		err = jsonl_out_event(&exporter->jsonl, event);
	if (err == -ENOMEM)
		log_error("out of memory for the export");
	if (err == -EIO && exporter->jsonl.out != stdout) /* main tells of stdout */
		cannot_write(exporter->options->output, outfile_stream_error(exporter->jsonl.out));
	return err;
}

/* What the options cannot say by themselves. */
static int check_options(const struct options *options)
{
	bool profile = formats[options->format].samples;

	if (options->format == EXPORT_NONE)
		log_error("export needs --format=folded, pprof, speedscope, perfetto, csv, prom or "
			  "jsonl");
	else if (options->value_given && !profile)
		log_error("--value is for folded, pprof and speedscope; %s has no choice of values",
			  export_format_name(options->format));
	else if (options->interval_given &&
		 (options->format != EXPORT_PROM || !output_of(options) || options->input))
		log_error("--interval is for --format=prom -o FILE of this machine");
	else if (options->format == EXPORT_PPROF && !output_of(options) && isatty(STDOUT_FILENO))
		log_error("pprof is binary: use -o FILE, or pipe it");
	else
		return EXIT_OK;
	return EXIT_USAGE;
}

static int check_build(const struct options *options)
{
	if (options->format != EXPORT_PPROF || export_has_pprof)
		return EXIT_OK;
	log_error("this vmtrace was built without protobuf-c and so without the pprof export: "
		  "install "
		  "libprotobuf-c-dev, protobuf-c-compiler and zlib1g-dev, and build it again");
	return EXIT_FAILED;
}

/* Told now, not after an hour of watching. A stream is written from its first event on. */
static int open_output(struct exporter *exporter)
{
	const char *path = output_of(exporter->options);
	int err;

	if (path && exporter->options->input && input_is_output(exporter->options->input, path)) {
		log_error("'%s' is the recording that is read: write another file", path);
		return EXIT_FAILED;
	}
	if (!exporter->format->write) {
		exporter->jsonl.session = &exporter->session;
		exporter->jsonl.out = path ? fopen(path, "we") : stdout;
		return exporter->jsonl.out ? EXIT_OK : cannot_write(path, -errno);
	}
	if (!path)
		return EXIT_OK;
	err = outfile_check(path);
	return err ? cannot_write(path, err) : EXIT_OK;
}

/* A file that cannot be read costs no output that is there; live, the first events come at once. */
static int open_both(struct exporter *exporter)
{
	const struct options *options = exporter->options;
	int code = options->input ? EXIT_OK : open_output(exporter);

	if (!code)
		code = session_open_around(&exporter->session, options, &exporter->before,
					   &exporter->sink);
	return !code && options->input ? open_output(exporter) : code;
}

static int open_collectors(struct exporter *exporter)
{
	uint32_t top = exporter->options->top ? exporter->options->top : DEFAULT_LIFETIMES;

	if (exporter->format->samples)
		exporter->samples = samples_new();
	if (exporter->format->trace)
		exporter->trace = trace_new(top < MAX_LIFETIMES ? top : MAX_LIFETIMES);
	if ((exporter->format->samples && !exporter->samples) ||
	    (exporter->format->trace && !exporter->trace)) {
		log_error("out of memory for the export");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

/* 0 for a recording that does not tell the time of day at which it began. */
static uint64_t wall_minus_monotonic(const struct stream_header *header)
{
	return header->start_wall_ns > header->start_ns ? header->start_wall_ns - header->start_ns
							: 0;
}

static struct export_data data_of(struct exporter *exporter)
{
	const struct options *options = exporter->options;

	return (struct export_data){
		.view = session_view(&exporter->session, stdout),
		.samples = exporter->samples,
		.trace = exporter->trace,
		.value = options->value,
		.top = options->top ? options->top : DEFAULT_OWNERS,
		.failures = exporter->failures,
		.first_ns = exporter->session.start_ns,
		.wall_ns = wall_minus_monotonic(&exporter->session.header),
	};
}

/* Main tells of a stdout that refuses. */
static int write_stdout(struct exporter *exporter, const struct export_data *data)
{
	int err = exporter->format->write(stdout, data);

	if (!err || err == -EIO)
		return EXIT_OK;
	log_error("cannot export: %s", strerror(-err));
	return EXIT_FAILED;
}

static int write_export(struct exporter *exporter)
{
	struct export_data data = data_of(exporter);
	const char *path = output_of(exporter->options);
	struct outfile *file;
	int err;

	if (!path)
		return write_stdout(exporter, &data);
	err = outfile_open(path, &file);
	if (err)
		return cannot_write(path, err);
	err = exporter->format->write(outfile_stream(file), &data);
	if (err && err != -EIO) {
		outfile_abort(file);
		return cannot_write(path, err);
	}
	err = outfile_commit(file); /* knows why the stream refused, if it did */
	return err ? cannot_write(path, err) : EXIT_OK;
}

static int finish_jsonl(struct exporter *exporter)
{
	FILE *out = exporter->jsonl.out;
	int err = ferror(out) ? 0 : jsonl_out_finish(&exporter->jsonl);

	exporter->jsonl.out = NULL;
	if (out == stdout)
		return EXIT_OK;
	if (!err || err == -EIO)
		err = outfile_stream_error(out);
	if (fclose(out) && !err)
		err = -errno;
	return err ? cannot_write(output_of(exporter->options), err) : EXIT_OK;
}

static int add_leaked(struct exporter *exporter)
{
	const struct session *session = &exporter->session;
	const struct leaks_filter filter = { 0 };
	struct leaks_report report = { 0 };
	int err = leaks_report(exporter->leaks, session->space,
			       session->facts.live ? session->facts.now_ns : 0, &filter, &report);

	if (!err)
		err = samples_leaked(exporter->samples, session->space, exporter->leaks, &report);
	leaks_report_release(&report);
	return err;
}

static int finish(struct exporter *exporter)
{
	struct session *session = &exporter->session;
	int code;

	if ((exporter->samples && samples_finish(exporter->samples, session->space)) ||
	    (exporter->leaks && add_leaked(exporter))) {
		log_error("out of memory for the export");
		return EXIT_FAILED;
	}
	if (exporter->samples && samples_unnamed(exporter->samples))
		log_note("more than %u different allocations: the others have no name",
			 SAMPLES_MAX);
	if (exporter->format->write && space_uncertain(session->space))
		log_note("the map is not certain (events were lost, or no list was read): what is "
			 "in use may be somewhat wrong");
	if (exporter->trace)
		trace_finish(exporter->trace, session->space, session->facts.now_ns);
	code = exporter->format->write ? write_export(exporter) : finish_jsonl(exporter);
	return code ? code : session_exit_code(session);
}

/* Until the time is over; with --interval the file is written again and again meanwhile. */
static int flow(struct exporter *exporter)
{
	const struct options *options = exporter->options;
	uint64_t begin_ns = clock_now_ns(), passed_ns = 0;
	int code;

	if (!options->interval_given)
		return session_run(&exporter->session,
				   options->duration_ns == NO_DURATION ? 0 : options->duration_ns);
	do {
		uint64_t left_ns = options->duration_ns - passed_ns;

		code = session_run(&exporter->session,
				   left_ns < options->interval_ns ? left_ns : options->interval_ns);
		if (code == SESSION_MORE && write_export(exporter))
			code = EXIT_FAILED;
		passed_ns = clock_now_ns() - begin_ns;
	} while (code == SESSION_MORE && passed_ns < options->duration_ns);
	return code;
}

static int run(const struct options *options)
{
	struct exporter exporter = { .options = options, .format = &formats[options->format] };
	int code = check_options(options);

	if (!code)
		code = check_build(options);
	if (code)
		return code;
	exporter.before = (struct sink){ .event = before_event, .context = &exporter };
	exporter.sink = (struct sink){ .event = on_event, .context = &exporter };
	code = open_collectors(&exporter);
	if (!code)
		code = open_both(&exporter);
	if (!code)
		code = flow(&exporter);
	if (code == SESSION_END || code == SESSION_MORE)
		code = finish(&exporter);
	if (exporter.jsonl.out && exporter.jsonl.out != stdout)
		fclose(exporter.jsonl.out);
	leaks_free(exporter.leaks);
	samples_free(exporter.samples);
	trace_free(exporter.trace);
	session_close(&exporter.session);
	return code;
}

const struct command cmd_export = {
	.name = "export",
	.summary = "flame graph, pprof, speedscope, Perfetto, CSV, Prometheus, JSON Lines",
	.help = "Writes what a recording (-i) or this machine holds in a format of other tools: "
		"folded stacks for flamegraph.pl, pprof's profile.pb.gz, speedscope's JSON, a "
		"trace "
		"for ui.perfetto.dev, the areas as CSV, metrics for node_exporter's textfile "
		"collector, or the events as JSON Lines. With -o the file appears whole or not at "
		"all; --format=prom --interval=15s writes it anew each time.",
	.takes = TAKES_INPUT | TAKES_OUTPUT | TAKES_EXPORT | TAKES_DURATION | TAKES_INTERVAL |
		 TAKES_TOP | TAKES_CAPTURE,
	.run = run,
};
