/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/stop.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t requested;
static volatile sig_atomic_t requested_at_s;
static void (*volatile at_abort)(void);

static void on_signal(int number)
{
	struct timespec now;

	(void)number;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (requested && now.tv_sec - requested_at_s < 2) {
		void (*restore)(void) = at_abort;

		if (restore)
			restore();
		_exit(130);
	}
	requested = 1;
	requested_at_s = (sig_atomic_t)now.tv_sec;
}

/* nohup(1) has made it so: the terminal may go. */
static bool hangup_is_ignored(void)
{
	struct sigaction old;

	return sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

/* A write that a signal ends would lose what stdio had in hand, so it is restarted; what waits for
 * input waits in poll(2), which never is. */
void stop_install(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!hangup_is_ignored())
		sigaction(SIGHUP, &action, NULL);
	/* Writes fail then, and tell why: the reader has gone; the limit of `ulimit -f`. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL);
}

bool stop_requested(void)
{
	return requested;
}

void stop_at_abort(void (*restore)(void))
{
	at_abort = restore;
}
