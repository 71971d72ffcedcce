// SPDX-License-Identifier: GPL-2.0-only
/* diff: two recordings, two times of one, or a recording and this machine now. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/session.h"
#include "log.h"
#include "units.h"
#include "view/diff.h"

#define DEFAULT_TOP 20

/* FILE or FILE@TIME. */
struct moment {
	char path[PATH_MAX];
	uint64_t at_ns; /* SESSION_NO_LIMIT: the end */
};

struct side {
	struct moment when;
	struct options options;
	struct session session;
};

/* A file whose name has an '@' in it is meant by its whole name. "@TIME": of the other file. */
static int parse_moment(const char *text, const char *other, struct moment *when)
{
	const char *at = strrchr(text, '@');
	int len = (int)strlen(text);

	when->at_ns = SESSION_NO_LIMIT;
	if (at && access(text, F_OK) && !units_parse_duration(at + 1, &when->at_ns))
		len = (int)(at - text);
	if ((size_t)snprintf(when->path, sizeof(when->path), "%.*s", len, text) >=
	    sizeof(when->path)) {
		log_error("the name of '%.40s...' is too long", text);
		return EXIT_USAGE;
	}
	if (!when->path[0] && other)
		memcpy(when->path, other, strlen(other) + 1);
	if (when->path[0])
		return EXIT_OK;
	log_error("'%s' does not say of which file", text);
	return EXIT_USAGE;
}

static int parse_moments(const struct options *options, struct side sides[DIFF_SIDES])
{
	int code;

	if (options->sort != OWNERS_SORT_BYTES && options->sort != OWNERS_SORT_COUNT) {
		log_error("diff sorts by the change of bytes or count");
		return EXIT_USAGE;
	}
	if (options->nr_words < 1 || options->nr_words > DIFF_SIDES) {
		log_error("diff needs one or two recordings: vmtrace diff A [B], each FILE or "
			  "FILE@TIME; "
			  "without B, this machine now");
		return EXIT_USAGE;
	}
	code = parse_moment(options->words[0], NULL, &sides[DIFF_A].when);
	if (!code && options->nr_words > 1)
		code = parse_moment(options->words[1], sides[DIFF_A].when.path,
				    &sides[DIFF_B].when);
	return code;
}

/* It takes a moment until the first list is read. */
static void note_late(const struct session *session)
{
	uint64_t late_ns = session->facts.uptime_ns - session->limit_ns;
	char begin[16];

	if (late_ns >= 1000000000)
		log_note("'%s' begins %s into its recording, after the time asked for: its begin "
			 "is taken",
			 session->options->input,
			 units_duration(session->facts.uptime_ns, begin, sizeof(begin)));
}

static int load(struct side *side, const struct options *options)
{
	struct session *session = &side->session;
	int code;

	side->options = *options;
	side->options.input = side->when.path[0] ? side->when.path : NULL;
	code = session_open(session, &side->options, NULL);
	if (code)
		return code;
	session->limit_ns = side->when.at_ns;
	session->wants_list = true;
	code = session_run(session, 0);
	if (code != SESSION_END && code != SESSION_MORE)
		return code;
	if (session->begins_late)
		note_late(session);
	else if (side->options.input && side->when.at_ns != SESSION_NO_LIMIT &&
		 !session->limit_reached)
		log_note("'%s' ends before the time asked for: its end is taken", side->when.path);
	return EXIT_OK;
}

static struct diff_source source_of(struct side *side)
{
	struct session *session = &side->session;
	bool at_time = side->options.input && session->limit_reached && !session->begins_late;

	return (struct diff_source){
		.view = session_view(session, stdout),
		.name = side->options.input,
		.at_ns = at_time ? side->when.at_ns : session->facts.uptime_ns,
		.at_end = side->options.input && !session->limit_reached,
	};
}

static int print(struct side sides[DIFF_SIDES], const struct options *options)
{
	struct diff_view diff = {
		.sources = { source_of(&sides[DIFF_A]), source_of(&sides[DIFF_B]) },
		.by = options->by,
		.sort = options->sort,
		.top = options->top ? options->top : DEFAULT_TOP,
	};

	if (strcmp(sides[DIFF_A].session.header.kernel, sides[DIFF_B].session.header.kernel))
		log_note("the kernels differ: the same function may have another offset in each");
	if (options->json)
		return json_diff(stdout, &diff) ? EXIT_FAILED : EXIT_OK;
	if (!text_diff(stdout, &diff))
		return EXIT_OK;
	log_error("out of memory");
	return EXIT_FAILED;
}

static int run(const struct options *options)
{
	struct side *sides = calloc(DIFF_SIDES, sizeof(*sides));
	int code;

	if (!sides) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	code = parse_moments(options, sides);
	for (unsigned int side = 0; side < DIFF_SIDES && !code; side++)
		code = load(&sides[side], options);
	if (!code)
		code = print(sides, options);
	for (unsigned int side = 0; side < DIFF_SIDES && !code; side++)
		code = session_exit_code(&sides[side].session);
	for (unsigned int side = 0; side < DIFF_SIDES; side++)
		session_close(&sides[side].session);
	free(sides);
	return code;
}

const struct command cmd_diff = {
	.name = "diff",
	.summary = "what grew between two recordings, two times of one, or one and now",
	.help = "Compares A and B, each FILE, or FILE@TIME for a time into the recording (10s, "
		"2h); "
		"B may be @TIME, of the same file. Without B, A is compared with this machine now. "
		"Change is what B has more than A.",
	.words = "A [B]",
	.takes = TAKES_JSON | TAKES_TOP | TAKES_OWNERS | TAKES_COLOR | TAKES_WORDS | TAKES_CAPTURE,
	.run = run,
};
