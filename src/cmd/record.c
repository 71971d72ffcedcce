/* SPDX-License-Identifier: GPL-2.0-only */
/* record: the event stream into a .vmt file, or a ring of them; with -i from another recording. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/recorder.h"
#include "cmd/session.h"
#include "log.h"
#include "units.h"

#define SLICE_NS    500000000ull
#define PROGRESS_NS 1000000000ull

struct recording {
	struct session session;
	struct recorder *recorder;
	struct sink sink;
	uint64_t progress_ns; /* when the progress was shown */
	bool shows_progress;
};

static int on_event(void *context, const struct event *event)
{
	struct recording *recording = context;

	return recorder_event(recording->recorder, event);
}

static void show_progress(struct recording *recording, uint64_t now_ns)
{
	struct series_stats stats = recorder_stats(recording->recorder);
	char watched[16], bytes[16];

	if (!recording->shows_progress || now_ns - recording->progress_ns < PROGRESS_NS)
		return;
	recording->progress_ns = now_ns;
	fprintf(stderr, "\r%s  %" PRIu64 " events  %s  %" PRIu64 " lost\033[K",
		units_duration(now_ns - recording->session.start_ns, watched, sizeof(watched)),
		stats.events, units_bytes(stats.bytes, bytes, sizeof(bytes)), stats.lost);
}

static void end_progress(struct recording *recording)
{
	if (recording->shows_progress && recording->progress_ns)
		fputs("\r\033[K", stderr);
}

static int flow(struct recording *recording, uint64_t duration_ns)
{
	uint64_t begin_ns = clock_now_ns(), now_ns = begin_ns;
	int code = SESSION_MORE;

	while (code == SESSION_MORE && now_ns - begin_ns < duration_ns) {
		uint64_t left_ns = duration_ns - (now_ns - begin_ns);

		code = session_run(&recording->session, left_ns < SLICE_NS ? left_ns : SLICE_NS);
		now_ns = clock_now_ns();
		recorder_tick(recording->recorder, now_ns);
		if (recorder_is_over(recording->recorder))
			break;
		show_progress(recording, now_ns);
	}
	session_tell_time(&recording->session);
	return code == SESSION_MORE || code == SESSION_END ? EXIT_OK : code;
}

static int finish(struct recording *recording)
{
	int code;

	end_progress(recording);
	code = recorder_finish(recording->recorder);
	return code ? code : session_exit_code(&recording->session);
}

static int run(const struct options *options)
{
	struct recording recording = { 0 };
	int code = recorder_check(options);

	if (code)
		return code;
	recording.recorder = recorder_new(&recording.session, options);
	if (!recording.recorder) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	recording.sink = (struct sink){ .event = on_event, .context = &recording };
	recording.shows_progress = isatty(STDERR_FILENO) && log_level() >= LOG_INFO;
	code = session_open(&recording.session, options, &recording.sink);
	if (!code && !options->input)
		code = recorder_begin(recording.recorder);
	if (!code && !options->input)
		log_info("recording into '%s'; Ctrl-C ends", recorder_path(recording.recorder));
	if (!code)
		code = flow(&recording, options->duration_ns);
	if (!code)
		code = recorder_begin(recording.recorder);
	if (!code)
		code = finish(&recording);
	recorder_free(recording.recorder);
	session_close(&recording.session);
	return code;
}

const struct command cmd_record = {
	.name = "record",
	.summary = "the events into a file, to be looked at later or elsewhere",
	.help = "Records until Ctrl-C, --duration or --max-size into a .vmt file, which every view "
		"reads with -i FILE, on any machine. What was written survives whatever happens "
		"to vmtrace: at most the last two seconds are missing. With -i the "
		"events of another recording are taken (JSON Lines to .vmt).",
	.takes = TAKES_INPUT | TAKES_DURATION | TAKES_CAPTURE | TAKES_OUTPUT | TAKES_RECORD,
	.run = run,
};
