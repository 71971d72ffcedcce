/* SPDX-License-Identifier: GPL-2.0-only */
/* fit: would an allocation succeed now, where, and what is in the way? */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/live_source.h"
#include "view/request.h"
#include "cmd/session.h"
#include "cmd/stop.h"
#include "log.h"
#include "view/json_fit.h"
#include "view/text_fit.h"

#define DEFAULT_TOP 12 /* with what stands around the table, 24 lines */
#define LINE_MAX    256
#define WAIT_MS     200

struct asker {
	struct session session;
	const struct options *options;
	bool rows;   /* text: a line each */
	bool doubts; /* one of the answers was not that it succeeds */
};

/* Why a question has no answer. */
static const char *no_answer(int err)
{
	switch (err) {
	case -EDOM:
		return "vm_map_ram of 128K or less gets a part of a block; ask for more than 128K";
	case -EINVAL:
		return "the size is beyond 4G with its guard page";
	default:
		return strerror(-err);
	}
}

static int print_answer(struct asker *asker, const struct fit_answer *answer)
{
	struct view view = session_view(&asker->session, stdout);

	if (asker->options->json)
		return json_fit(stdout, &view, answer);
	if (asker->rows)
		text_fit_row(stdout, &view, answer);
	else
		text_fit(stdout, &view, answer,
			 asker->options->top ? asker->options->top : DEFAULT_TOP);
	return 0;
}

/* Answers on the model as it is. 0, or an error of fit_ask or of the output. */
static int ask(struct asker *asker, const struct fit_question *question)
{
	const struct stream_header *header = &asker->session.header;
	struct fit_kernel kernel = {
		.pmd_bytes = header->pmd_bytes,
		.exact_pages = header->exact_pages,
	};
	struct freetree *tree = NULL;
	struct fit_answer answer;
	int err;

	if (asker->session.capture)
		tree = live_free_tree(&asker->session, &kernel.order);
	kernel.tree = tree;
	err = fit_ask(asker->session.space, &kernel, question, &answer);
	freetree_free(tree);
	if (err)
		return err;
	asker->doubts |= !fit_succeeds(&answer);
	err = print_answer(asker, &answer);
	fit_release(&answer);
	return err;
}

static struct fit_question defaults(const struct options *options)
{
	return (struct fit_question){
		.kind = options->kind,
		.align = options->align,
		.count = options->request_count,
	};
}

/* ---- sizes on the command line -------------------------------------------------------------- */

static int ask_size(struct asker *asker, const char *size)
{
	struct fit_question question = defaults(asker->options);
	int err = request_parse_size(size, &question.bytes);

	if (!err)
		err = ask(asker, &question);
	if (!err)
		return EXIT_OK;
	log_error("fit %s: %s", size, no_answer(err));
	return err == -EDOM || err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static int ask_sizes(struct asker *asker, const char *const *sizes, uint32_t count)
{
	int code = EXIT_OK;

	asker->rows = count > 1;
	if (asker->rows && !asker->options->json) {
		struct view view = session_view(&asker->session, stdout);

		text_fit_heading(stdout, &view);
	}
	for (uint32_t i = 0; i < count && !code; i++)
		code = ask_size(asker, sizes[i]);
	return code;
}

/* ---- requests from stdin --------------------------------------------------------------------- */

static int answer_line(struct asker *asker, char *line)
{
	struct fit_question question = defaults(asker->options);
	char why[LINE_MAX + 64];
	int err = request_parse_line(line, &question, why, sizeof(why));

	if (!err) {
		err = ask(asker, &question);
		if (err == -EDOM || err == -EINVAL)
			snprintf(why, sizeof(why), "%s", no_answer(err));
	}
	if (err != -EDOM && err != -EINVAL)
		return err;
	if (asker->options->json) {
		struct view view = session_view(&asker->session, stdout);

		return json_fit_error(stdout, &view, why);
	}
	printf("error: %s\n", why);
	return 0;
}

/* All that has happened before the question counts. SESSION_MORE, SESSION_END or an exit code. */
static int take_line(struct asker *asker, char *line)
{
	int code = asker->session.reader ? SESSION_MORE : session_run(&asker->session, 0);
	int err;

	if (code != SESSION_MORE)
		return code;
	err = answer_line(asker, line);
	if (!err && !fflush(stdout))
		return SESSION_MORE;
	if (err == -EIO || !err)
		return errno == EPIPE ? SESSION_END : EXIT_FAILED;
	log_error("fit: %s", strerror(-err));
	return EXIT_FAILED;
}

struct input {
	char bytes[LINE_MAX];
	size_t len;
	bool too_long; /* the rest of this line is skipped */
	bool ended;
};

/* Reads what there is. 0 or -errno. */
static int fill(struct input *input)
{
	ssize_t got = read(STDIN_FILENO, input->bytes + input->len, LINE_MAX - input->len);

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	input->ended = !got;
	input->len += (size_t)got;
	return 0;
}

/* The next whole line, at the end of the input also what is left. False if there is none. */
static bool next_line(struct input *input, char line[LINE_MAX + 1])
{
	char *end = memchr(input->bytes, '\n', input->len);
	size_t len = end ? (size_t)(end - input->bytes) : input->len;
	size_t taken = end ? len + 1 : len;

	if (!end && len < LINE_MAX && !(input->ended && len))
		return false;
	memcpy(line, input->bytes, len);
	line[len] = '\0';
	input->len -= taken;
	memmove(input->bytes, input->bytes + taken, input->len);
	return true;
}

/* A line that does not fit is answered once, as what it begins with: no size is so long. */
static int take_lines(struct asker *asker, struct input *input)
{
	char line[LINE_MAX + 1];
	int code = SESSION_MORE;

	while (code == SESSION_MORE && !stop_requested() && next_line(input, line)) {
		bool skip = input->too_long;

		input->too_long = strlen(line) == LINE_MAX;
		if (!skip)
			code = take_line(asker,
					 input->too_long ? strcpy(line, "(too long)") : line);
	}
	return code;
}

static int serve(struct asker *asker)
{
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	struct input input = { 0 };
	int code = SESSION_MORE, err = 0;

	while (code == SESSION_MORE && !err && !input.ended && !stop_requested()) {
		int got = poll(&ready, 1, WAIT_MS);

		if (got > 0)
			err = fill(&input);
		if (!err)
			code = take_lines(asker, &input);
		if (!got && !asker->session.reader)
			code = session_run(&asker->session, 0);
	}
	if (err)
		log_error("fit: reading requests from stdin: %s", strerror(-err));
	asker->doubts = false; /* each answer has told its own */
	return err ? EXIT_FAILED : code == SESSION_END ? EXIT_OK : code;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int answer_all(struct asker *asker)
{
	static const char *const ladder[] = { "1M", "4M", "8M", "16M", "32M" };
	const struct options *options = asker->options;
	int code;

	if (options->nr_words == 1 && !strcmp(options->words[0], "-"))
		return serve(asker);
	if (options->nr_words)
		return ask_sizes(asker, options->words, options->nr_words);
	code = ask_sizes(asker, ladder, sizeof(ladder) / sizeof(ladder[0]));
	asker->doubts = false; /* nobody asked whether they all fit */
	return code;
}

/* Before anything is opened: words that can never be answered. */
static int check_words(const struct options *options)
{
	uint32_t bytes;

	if (options->nr_words == 1 && !strcmp(options->words[0], "-")) {
		if (!options->input || strcmp(options->input, "-"))
			return EXIT_OK;
		log_error("fit: the recording and the requests cannot both come from stdin");
		return EXIT_USAGE;
	}
	for (uint32_t i = 0; i < options->nr_words; i++) {
		if (request_parse_size(options->words[i], &bytes) == 0)
			continue;
		log_error("fit: '%s' is not a size from 1 to 4G (16M, 64K, 4096)",
			  options->words[i]);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int run(const struct options *options)
{
	struct asker asker = { .options = options };
	int code = check_words(options);

	if (code)
		return code;
	code = session_once(&asker.session, options, 0);
	if (!code)
		code = answer_all(&asker);
	if (!code)
		code = session_exit_code(&asker.session);
	session_close(&asker.session);
	return !code && asker.doubts ? EXIT_FINDING : code;
}

const struct command cmd_fit = {
	.name = "fit",
	.summary = "would SIZE fit now, where, and who is in the way",
	.words = "[SIZE...]\n-",
	.help = "Says whether an allocation of SIZE would succeed now and at which address: yes, "
		"after the purge that the kernel does by itself, perhaps, or NO; for NO the "
		"cheapest "
		"place: the run of that size with the least live bytes in it, and who holds them. "
		"Several sizes: a line each; none: 1M to 32M. '-' answers requests from stdin, one "
		"a "
		"line: SIZE [kind=K] [align=A] [count=N]. Exit 3 if one of the sizes does not "
		"surely fit.",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_TOP | TAKES_WORDS | TAKES_REQUEST,
	.run = run,
};
