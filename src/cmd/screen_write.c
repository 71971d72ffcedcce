// SPDX-License-Identifier: GPL-2.0-only
/* What w writes: a recording from now on, this moment of a replay, or the map in words. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/screen.h"
#include "units.h"
#include "view/text.h"

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && !strcmp(text + len - end_len, end);
}

/* A file that is there is only written over when that was said. True if something is to be said. */
static void say_failed(struct screen *screen, int err)
{
	struct state *state = &screen->state;

	if (err == -EEXIST)
		state->prompt = PROMPT_OVERWRITE;
	else
		state_say(state, true, "cannot write '%.100s': %s", state->line, strerror(-err));
}

static void write_text(struct screen *screen, bool overwrite)
{
	struct state *state = &screen->state;
	struct view view = screen->model.from.view;
	int fd = open(state->line, O_WRONLY | O_CREAT | O_CLOEXEC | (overwrite ? O_TRUNC : O_EXCL),
		      0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool failed;

	if (!out) {
		say_failed(screen, -errno);
		return;
	}
	view.style = (struct text_style){ 0 };
	text_areas(out, &view);
	failed = ferror(out);
	failed |= fclose(out) != 0;
	if (failed)
		say_failed(screen, -EIO);
	else
		state_say(state, false, "wrote the map as it is shown to '%.150s'", state->line);
}

static void begin_recording(struct screen *screen, bool overwrite)
{
	struct session *session = &screen->watch->session;
	struct state *state = &screen->state;
	struct series_options check = { .path = screen->recorder_path,
					.input = session->options->input,
					.overwrite = overwrite };
	char path[STATE_LINE];
	int err;

	if (space_in_snapshot(session->space)) {
		state_say(state, true, "the map is being read anew: try again in a moment");
		return;
	}
	snprintf(screen->recorder_path, sizeof(screen->recorder_path), "%s", state->line);
	err = series_check(&check, path, sizeof(path));
	if (err) {
		say_failed(screen, err);
		return;
	}
	screen->recorder_options = *screen->options;
	screen->recorder_options.output = screen->recorder_path;
	screen->recorder_options.max_bytes = 0;
	screen->recorder_options.rotate = 0;
	screen->recorder_options.force = overwrite;
	screen->recorder = recorder_new(session, &screen->recorder_options);
	if (!screen->recorder) {
		say_failed(screen, -ENOMEM);
		return;
	}
	recorder_from_model(screen->recorder);
	if (recorder_begin(screen->recorder) != EXIT_OK) { /* which has logged why */
		recorder_free(screen->recorder);
		screen->recorder = NULL;
		return;
	}
	state_say(state, false, "recording into '%.150s'; w ends it", screen->recorder_path);
}

static void end_recording(struct screen *screen)
{
	struct series_stats stats;
	char bytes[16];

	if (!screen->recorder)
		return;
	recorder_finish(screen->recorder);
	stats = recorder_stats(screen->recorder);
	state_say(&screen->state, false, "wrote %s to '%.150s'",
		  units_bytes(stats.bytes, bytes, sizeof(bytes)), screen->recorder_path);
	recorder_free(screen->recorder);
	screen->recorder = NULL;
}

void screen_write(struct screen *screen, enum action action)
{
	bool overwrite = action == ACTION_OVERWRITE;

	screen->dirty = true;
	if (action == ACTION_WRITE_STOP) {
		end_recording(screen);
	} else if (ends_with(screen->state.line, ".txt")) {
		write_text(screen, overwrite);
	} else if (ends_with(screen->state.line, ".vmt")) {
		begin_recording(screen, overwrite);
		/* Of a recording that is played there is this moment to be written. */
		if (screen->model.play.on)
			end_recording(screen);
	} else {
		state_say(&screen->state, true,
			  "a name ends with .vmt (a recording) or .txt (the map in words)");
	}
}

void screen_record(struct screen *screen, const struct event *event)
{
	if (screen->recorder)
		recorder_event(screen->recorder, event);
}

void screen_record_tick(struct screen *screen, uint64_t now_ns)
{
	if (!screen->recorder)
		return;
	recorder_tick(screen->recorder, now_ns);
	if (recorder_is_over(screen->recorder))
		end_recording(screen);
}
