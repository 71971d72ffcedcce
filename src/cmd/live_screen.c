// SPDX-License-Identifier: GPL-2.0-only
/* The screen of this machine: a frame every --interval, and at once after a key. */
#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/live.h"
#include "cmd/stop.h"

static bool key_waits(void *context)
{
	const struct live *live = context;

	return term_pending(live->screen.term);
}

/* All keys that wait. True: the screen is to be drawn now. */
static bool take_keys(struct live *live)
{
	bool any, some = false;

	do {
		enum action action = screen_input(&live->screen, &any);

		some |= any;
		if (action == ACTION_QUIT)
			live->ending = true;
		else if (action != ACTION_NONE && action != ACTION_PAUSE)
			screen_write(&live->screen, action);
	} while (any && !live->ending);
	return some;
}

static uint64_t slice_ns(const struct live *live, uint64_t now_ns, uint64_t next_ns)
{
	if (next_ns > live->until_ns)
		next_ns = live->until_ns;
	if (next_ns > now_ns + LIVE_SLICE_NS)
		next_ns = now_ns + LIVE_SLICE_NS;
	return next_ns > now_ns ? next_ns - now_ns : 1;
}

/* Events until something else is to be done; what -o and w write is looked after. */
static int run_slice(struct live *live, uint64_t now_ns, uint64_t next_ns)
{
	int code = session_run(&live->watch.session, slice_ns(live, now_ns, next_ns));

	now_ns = clock_now_ns();
	screen_record_tick(&live->screen, now_ns);
	if (code == SESSION_MORE)
		code = live_tick(live, now_ns);
	if (code == SESSION_MORE && live->jsonl.out && fflush(stdout))
		code = errno == EPIPE ? SESSION_END : EXIT_FAILED;
	return code;
}

static int show(struct live *live, uint64_t interval_ns)
{
	uint64_t now_ns = clock_now_ns(), next_ns = now_ns;
	int code = SESSION_MORE;

	while (code == SESSION_MORE && !live->ending && now_ns < live->until_ns) {
		bool key = take_keys(live);

		if (now_ns >= next_ns) {
			/* As blocks do, so that a recording knows that the clock went on. */
			if (session_tell_time(&live->watch.session))
				return SESSION_END;
			screen_frame(&live->screen, now_ns, now_ns);
			next_ns = now_ns + interval_ns;
		} else if (key) {
			screen_frame(&live->screen, now_ns, now_ns);
		}
		code = run_slice(live, now_ns, next_ns);
		now_ns = clock_now_ns();
	}
	/* What had happened before the end belongs to it. */
	live->watch.session.wanted = NULL;
	return code == SESSION_MORE && live->ending ? session_run(&live->watch.session, 0) : code;
}

int live_screen_flow(struct live *live, const struct options *options)
{
	struct session *session = &live->watch.session;
	int code;

	if (screen_open(&live->screen))
		return EXIT_FAILED;
	live->until_ns = live_until(clock_now_ns(), options->duration_ns);
	session->wanted = key_waits;
	session->wanted_context = live;
	code = show(live, options->interval_ns);
	session->wanted = NULL;
	session_tell_time(session);
	screen_close(&live->screen);
	return code;
}
