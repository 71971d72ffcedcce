// SPDX-License-Identifier: GPL-2.0-only
/*
 * onpty COLUMNSxROWS FILE COMMAND [ARGUMENT...]: runs the command on a terminal of its own, of this
 * size. What it draws is appended to FILE; what comes from stdin is typed, up to its end. A line
 * "@resize COLUMNSxROWS" of stdin resizes, "@hold" stops reading what is drawn (a terminal that
 * takes nothing), "@go" reads on, "@hangup" closes the terminal. Exits as the command does, 128 + N
 * after signal N.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct onpty {
	int terminal;
	int file;
	bool hold;
	bool typed_all;
};

static struct winsize parse_size(const char *text)
{
	unsigned int columns = 80, rows = 24;

	if (sscanf(text, "%ux%u", &columns, &rows) != 2) {
		fprintf(stderr, "onpty: '%s' is not COLUMNSxROWS\n", text);
		exit(2);
	}
	return (struct winsize){ .ws_col = (unsigned short)columns,
				 .ws_row = (unsigned short)rows };
}

static bool is_order(struct onpty *onpty, const char *line)
{
	struct winsize size;

	if (!strncmp(line, "@resize ", 8)) {
		size = parse_size(line + 8);
		ioctl(onpty->terminal, TIOCSWINSZ, &size);
	} else if (!strcmp(line, "@hold")) {
		onpty->hold = true;
	} else if (!strcmp(line, "@go")) {
		onpty->hold = false;
	} else if (!strcmp(line, "@hangup")) {
		close(onpty->terminal);
		onpty->terminal = -1;
	} else {
		return false;
	}
	return true;
}

static void press(const struct onpty *onpty, const char *bytes, size_t len)
{
	if (len && onpty->terminal >= 0 && write(onpty->terminal, bytes, len) < 0)
		perror("onpty: typing");
}

/* What was written at several times may come in one read: an order is from an @ that begins it, or a
 * line, to the end of that line. */
static void type(struct onpty *onpty)
{
	char bytes[4096], *at = bytes;
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes) - 1);

	if (got <= 0) {
		onpty->typed_all = true;
		return;
	}
	bytes[got] = '\0';
	while (*at) {
		char *order = strchr(at, '@'), *end = order ? strchr(order, '\n') : NULL;

		if (!end)
			break;
		*end = '\0';
		press(onpty, at, (size_t)(order - at));
		if (!is_order(onpty, order)) {
			*end = '\n';
			press(onpty, order, (size_t)(end + 1 - order));
		}
		at = end + 1;
	}
	press(onpty, at, strlen(at));
}

/* False: the command has closed the terminal. */
static bool draw(struct onpty *onpty)
{
	char bytes[4096];
	ssize_t got = read(onpty->terminal, bytes, sizeof(bytes));

	if (got <= 0)
		return got < 0 && errno == EINTR;
	if (write(onpty->file, bytes, (size_t)got) < 0)
		perror("onpty: writing");
	return true;
}

static void run(struct onpty *onpty)
{
	bool more = true;

	while (more && onpty->terminal >= 0) {
		struct pollfd ready[2] = {
			{ .fd = onpty->hold ? -1 : onpty->terminal, .events = POLLIN },
			{ .fd = onpty->typed_all ? -1 : STDIN_FILENO, .events = POLLIN },
		};

		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return;
		if (ready[1].revents)
			type(onpty);
		if (ready[0].revents && onpty->terminal >= 0)
			more = draw(onpty);
	}
}

int main(int argc, char **argv)
{
	struct onpty onpty = { 0 };
	struct winsize size;
	int status;
	pid_t pid;

	if (argc < 4) {
		fputs("usage: onpty COLUMNSxROWS FILE COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	size = parse_size(argv[1]);
	onpty.file = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (onpty.file < 0) {
		perror(argv[2]);
		return 1;
	}
	pid = forkpty(&onpty.terminal, NULL, NULL, &size);
	if (pid < 0) {
		perror("onpty: no terminal");
		return 1;
	}
	if (!pid) {
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	run(&onpty);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
