// SPDX-License-Identifier: GPL-2.0-only
/* The only file that knows curses (terminfo.c asks terminfo). */
#define NCURSES_WIDECHAR 1
#include "screen/term.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "screen/keys.h"
#include "screen/terminfo.h"

#define ESC_DELAY_MS 50
#define MAX_EMPTY    20 /* reads of nothing in a row: the terminal has gone */
#define CLOSE_WAIT_S 2
#define SUSPEND_MS   100
#define RESET_MAX    256

/* What the signal handlers and the painter tell the painter, one byte each. */
enum wake { WAKE_GRID = 'g', WAKE_QUIT = 'q', WAKE_SIZE = 's', WAKE_SUSPEND = 'z' };

struct term {
	pthread_t painter;
	pthread_mutex_t lock; /* of grid and anew */
	struct grid *grid;    /* the newest one not taken yet */
	bool anew;
	int fd;
	int wake[2]; /* to the painter */
	int keys[2]; /* from it: struct term_input each */
	FILE *in, *out;
	SCREEN *screen;
	bool color;
	bool utf8;
	uint32_t size; /* rows << 16 | columns, written by the painter */
	/* the painter's own */
	struct grid *shown;
	bool quit;
	unsigned int empty;
};

/* What the signal handlers need; there is one terminal. */
static struct {
	volatile sig_atomic_t active;
	int fd;
	int wake_fd;
	struct termios saved;
	char reset[RESET_MAX];
	size_t reset_len;
} restore;

/* ---- signals ------------------------------------------------------------------------------ */

void term_abort(void)
{
	ssize_t ignored;

	if (!restore.active)
		return;
	restore.active = 0;
	/* A terminal that takes nothing must not hold up the end. */
	fcntl(restore.fd, F_SETFL, O_NONBLOCK);
	ignored = write(restore.fd, restore.reset, restore.reset_len);
	(void)ignored;
	tcsetattr(restore.fd, TCSANOW, &restore.saved);
}

static void on_crash(int number)
{
	term_abort();
	raise(number); /* the handler is gone: SA_RESETHAND */
}

static void on_wake(int number)
{
	char what = number == SIGWINCH ? WAKE_SIZE : WAKE_SUSPEND;
	int saved_errno = errno;
	ssize_t ignored = write(restore.wake_fd, &what, 1);

	(void)ignored;
	errno = saved_errno;
}

static void catch_signals(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGTRAP };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
	action = (struct sigaction){ .sa_handler = on_wake, .sa_flags = SA_RESTART };
	sigaction(SIGWINCH, &action, NULL);
	sigaction(SIGTSTP, &action, NULL);
}

static void uncatch_signals(void)
{
	static const int all[] = { SIGSEGV, SIGBUS,  SIGFPE,   SIGILL, SIGABRT,
				   SIGQUIT, SIGTRAP, SIGWINCH, SIGTSTP };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		signal(all[i], SIG_DFL);
}

/* A capability for the handlers, without the delays that only old terminals want. */
static void add_reset(const char *name)
{
	const char *text = tigetstr(name);

	if (!text || text == (char *)-1)
		return;
	while (*text && restore.reset_len + 1 < RESET_MAX) {
		if (text[0] == '$' && text[1] == '<' && strchr(text, '>')) {
			text = strchr(text, '>') + 1;
			continue;
		}
		restore.reset[restore.reset_len++] = *text++;
	}
}

static void prepare_restore(struct term *term)
{
	restore.reset_len = 0;
	add_reset("sgr0");
	add_reset("op");
	add_reset("rmkx");
	add_reset("cnorm");
	add_reset("rmcup");
	if (restore.reset_len + 2 < RESET_MAX) {
		restore.reset[restore.reset_len++] = '\r';
		restore.reset[restore.reset_len++] = '\n';
	}
	restore.fd = term->fd;
	restore.wake_fd = term->wake[1];
}

/* ---- painting ----------------------------------------------------------------------------- */

static void make_colors(struct term *term)
{
	static const short colors[STYLE_CLASSES] = {
		[STYLE_PLAIN] = -1,          [STYLE_USED] = COLOR_CYAN,
		[STYLE_LAZY] = COLOR_YELLOW, [STYLE_FREE] = -1,
		[STYLE_OWN] = COLOR_MAGENTA, [STYLE_ALARM] = COLOR_RED,
		[STYLE_GOOD] = COLOR_GREEN,  [STYLE_FOLLOW] = COLOR_GREEN,
	};

	term->color = term->color && has_colors() && start_color() == OK;
	if (!term->color)
		return;
	use_default_colors();
	for (short i = 1; i < STYLE_CLASSES; i++)
		init_pair(i, colors[i], -1);
}

static attr_t attributes(uint8_t style)
{
	attr_t attr = A_NORMAL;

	if (style & STYLE_BOLD)
		attr |= A_BOLD;
	if (style & STYLE_REVERSE)
		attr |= A_REVERSE;
	if ((style & STYLE_CLASS_MASK) == STYLE_FREE && !(style & (STYLE_REVERSE | STYLE_BOLD)))
		attr |= A_DIM;
	return attr;
}

static void put_cell(const struct term *term, uint32_t row, uint32_t column,
		     const struct cell *cell)
{
	short pair = term->color ? (short)(cell->style & STYLE_CLASS_MASK) : 0;
	wchar_t text[2] = { (wchar_t)cell->rune, 0 };
	cchar_t put;

	if (setcchar(&put, text, attributes(cell->style), pair, NULL) == OK)
		mvadd_wch((int)row, (int)column, &put);
}

static bool same_size(const struct grid *a, const struct grid *b)
{
	return a && b && a->rows == b->rows && a->columns == b->columns;
}

static void paint(struct term *term, struct grid *grid)
{
	const struct grid *old = same_size(term->shown, grid) ? term->shown : NULL;

	if (!old)
		erase();
	for (uint32_t row = 0; row < grid->rows && row < (uint32_t)LINES; row++) {
		for (uint32_t i = 0; i < grid->columns && i < (uint32_t)COLS; i++) {
			size_t at = (size_t)row * grid->columns + i;

			if (!old || old->cells[at].rune != grid->cells[at].rune ||
			    old->cells[at].style != grid->cells[at].style)
				put_cell(term, row, i, &grid->cells[at]);
		}
	}
	refresh();
	grid_free(term->shown);
	term->shown = grid;
}

static void paint_newest(struct term *term)
{
	struct grid *grid;
	bool anew;

	pthread_mutex_lock(&term->lock);
	grid = term->grid;
	anew = term->anew;
	term->grid = NULL;
	term->anew = false;
	pthread_mutex_unlock(&term->lock);
	if (anew)
		clearok(curscr, TRUE);
	if (grid)
		paint(term, grid);
	else if (anew)
		refresh();
}

/* ---- input -------------------------------------------------------------------------------- */

static void tell(struct term *term, uint32_t type, uint32_t key)
{
	struct term_input input = { type, key };
	ssize_t ignored = write(term->keys[1], &input, sizeof(input));

	(void)ignored; /* who does not read his keys loses them */
}

static void take_size(struct term *term)
{
	struct winsize size;

	if (ioctl(term->fd, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	__atomic_store_n(&term->size, (uint32_t)LINES << 16 | (uint32_t)COLS, __ATOMIC_RELEASE);
	tell(term, TERM_RESIZED, 0);
}

/* The shell has the terminal until `fg`. What is sent to the group reaches sudo too. */
static void suspend(struct term *term)
{
	struct timespec pause = { .tv_nsec = SUSPEND_MS * 1000000 };
	struct sigaction action = { .sa_handler = SIG_DFL }, old;

	def_prog_mode();
	endwin();
	sigemptyset(&action.sa_mask);
	sigaction(SIGTSTP, &action, &old);
	kill(0, SIGTSTP);
	nanosleep(&pause, NULL); /* in it the process stands still, and after it goes on */
	sigaction(SIGTSTP, &old, NULL);
	reset_prog_mode();
	clearok(curscr, TRUE);
	take_size(term);
	refresh();
}

static uint32_t translate(wint_t key)
{
	static const struct {
		wint_t curses;
		uint32_t key;
	} table[] = {
		{ KEY_UP, KEYS_UP },
		{ KEY_DOWN, KEYS_DOWN },
		{ KEY_LEFT, KEYS_LEFT },
		{ KEY_RIGHT, KEYS_RIGHT },
		{ KEY_PPAGE, KEYS_PAGE_UP },
		{ KEY_NPAGE, KEYS_PAGE_DOWN },
		{ KEY_HOME, KEYS_HOME },
		{ KEY_END, KEYS_END },
		{ KEY_BTAB, KEYS_BACKTAB },
		{ KEY_ENTER, KEYS_ENTER },
		{ KEY_BACKSPACE, KEYS_BACKSPACE },
		{ KEY_DC, KEYS_BACKSPACE },
		{ KEY_FIND, KEYS_HOME },
		{ KEY_SELECT, KEYS_END },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].curses == key)
			return table[i].key;
	}
	return 0;
}

static void take_key(struct term *term, int kind, wint_t key)
{
	uint32_t known;

	if (kind == KEY_CODE_YES) {
		known = translate(key);
		if (known)
			tell(term, TERM_KEY, known);
		return;
	}
	if (key == 26) /* Ctrl-Z: the terminal is raw, so nobody else makes a signal of it */
		suspend(term);
	else if (key == '\n')
		tell(term, TERM_KEY, KEYS_ENTER);
	else if (key == '\b')
		tell(term, TERM_KEY, KEYS_BACKSPACE);
	else if (key < 128)
		tell(term, TERM_KEY, key);
}

/*
 * The rest of a sequence that terminfo does not know (a function key, the mouse, an answer of the
 * terminal), or else its letters would be taken for keys. After an Esc that was pressed nothing
 * follows at once. ECMA-48, 5.4: a CSI ends with a byte from @ to ~; SS3 has one more.
 */
static bool swallow_sequence(void)
{
	wint_t key;

	if (get_wch(&key) == ERR)
		return false;
	if (key == 'O') {
		get_wch(&key);
		return true;
	}
	if (key != '[') {
		unget_wch((wchar_t)key);
		return false;
	}
	while (get_wch(&key) != ERR && (key < '@' || key > '~'))
		;
	return true;
}

static void take_keys(struct term *term)
{
	bool any = false;
	wint_t key;
	int kind;

	while ((kind = get_wch(&key)) != ERR) {
		any = true;
		if (kind == KEY_CODE_YES || key != KEYS_ESC || !swallow_sequence())
			take_key(term, kind, key);
	}
	term->empty = any ? 0 : term->empty + 1;
}

static void take_wakes(struct term *term)
{
	char wakes[64];
	ssize_t got = read(term->wake[0], wakes, sizeof(wakes));
	bool size = false, stop = false;

	for (ssize_t i = 0; i < got; i++) {
		term->quit |= wakes[i] == WAKE_QUIT;
		size |= wakes[i] == WAKE_SIZE;
		stop |= wakes[i] == WAKE_SUSPEND;
	}
	if (size)
		take_size(term);
	if (stop)
		suspend(term);
}

static void *painter(void *context)
{
	struct term *term = context;
	struct pollfd ready[2] = {
		{ .fd = term->wake[0], .events = POLLIN },
		{ .fd = term->fd, .events = POLLIN },
	};

	while (!term->quit) {
		paint_newest(term);
		if (poll(ready, 2, -1) < 0)
			continue;
		if (ready[0].revents)
			take_wakes(term);
		if (ready[1].revents & POLLIN)
			take_keys(term);
		if (ready[1].revents & (POLLHUP | POLLERR | POLLNVAL) || term->empty > MAX_EMPTY) {
			tell(term, TERM_CLOSED, 0);
			ready[1].fd = -1;
			term->empty = 0;
		}
	}
	endwin();
	return NULL;
}

/* ---- open and close ----------------------------------------------------------------------- */

/* The locale of the environment; where that is not installed but says UTF-8, the one that every
 * glibc comes with. A system without locales (a static build on a small one) has ASCII. */
static bool take_locale(void)
{
	const char *names[] = { getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG") };

	for (int i = 0; i < 3; i++) {
		if (!names[i] || !*names[i])
			continue;
		if (!setlocale(LC_CTYPE, names[i]) &&
		    (strstr(names[i], "UTF-8") || strstr(names[i], "utf8")))
			setlocale(LC_CTYPE, "C.UTF-8");
		break;
	}
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* A console without job control has no /dev/tty. */
static int open_tty(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd < 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd;
}

int term_check(char *why, size_t why_len)
{
	int fd = open_tty(), err;

	snprintf(why, why_len, "there is no terminal");
	if (fd < 0)
		return -ENOTTY;
	err = terminfo_check(fd, why, why_len);
	close(fd);
	return err;
}

static int open_streams(struct term *term)
{
	int in_fd = fcntl(term->fd, F_DUPFD_CLOEXEC, 3),
	    out_fd = fcntl(term->fd, F_DUPFD_CLOEXEC, 3);

	term->in = in_fd < 0 ? NULL : fdopen(in_fd, "r");
	term->out = out_fd < 0 ? NULL : fdopen(out_fd, "w");
	if (!term->in || !term->out)
		return -ENOMEM;
	if (pipe2(term->wake, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    pipe2(term->keys, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* What terminals send for these whatever terminfo says of the one that TERM names. */
static void define_keys(void)
{
	static const struct {
		const char *sequence;
		int key;
	} table[] = {
		{ "\033[H", KEY_HOME },  { "\033OH", KEY_HOME },   { "\033[1~", KEY_HOME },
		{ "\033[7~", KEY_HOME }, { "\033[F", KEY_END },    { "\033OF", KEY_END },
		{ "\033[4~", KEY_END },  { "\033[8~", KEY_END },   { "\033[A", KEY_UP },
		{ "\033OA", KEY_UP },    { "\033[B", KEY_DOWN },   { "\033OB", KEY_DOWN },
		{ "\033[C", KEY_RIGHT }, { "\033OC", KEY_RIGHT },  { "\033[D", KEY_LEFT },
		{ "\033OD", KEY_LEFT },  { "\033[5~", KEY_PPAGE }, { "\033[6~", KEY_NPAGE },
		{ "\033[Z", KEY_BTAB },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		define_key(table[i].sequence, table[i].key);
	/* Else what follows its first three bytes would come as keys. */
	define_key(NULL, KEY_MOUSE);
}

static int start_curses(struct term *term)
{
	term->screen = newterm(NULL, term->out, term->in);
	if (!term->screen)
		return -ENOTSUP;
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	intrflush(stdscr, FALSE);
	leaveok(stdscr, TRUE);
	curs_set(0);
	set_escdelay(ESC_DELAY_MS);
	define_keys();
	make_colors(term);
	prepare_restore(term);
	term->size = (uint32_t)LINES << 16 | (uint32_t)COLS;
	return 0;
}

/* No signal is handled by the painter, which may be stuck. */
static int start_painter(struct term *term)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&term->painter, NULL, painter, term);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static void close_files(struct term *term)
{
	if (term->in)
		fclose(term->in);
	if (term->out)
		fclose(term->out);
	for (int i = 0; i < 2; i++) {
		if (term->wake[i] > 0)
			close(term->wake[i]);
		if (term->keys[i] > 0)
			close(term->keys[i]);
	}
	if (term->fd >= 0)
		close(term->fd);
	pthread_mutex_destroy(&term->lock);
	grid_free(term->grid);
	grid_free(term->shown);
	free(term);
}

int term_open(bool color, struct term **opened, char *why, size_t why_len)
{
	struct term *term = calloc(1, sizeof(*term));
	int err;

	*opened = NULL;
	snprintf(why, why_len, "there is no terminal");
	if (!term)
		return -ENOMEM;
	pthread_mutex_init(&term->lock, NULL);
	term->color = color;
	term->fd = open_tty();
	err = term->fd < 0 || tcgetattr(term->fd, &restore.saved) < 0 ? -ENOTTY : 0;
	if (!err)
		err = terminfo_check(term->fd, why, why_len);
	if (!err)
		err = open_streams(term);
	if (err) {
		close_files(term);
		return err;
	}
	term->utf8 = take_locale();
	restore.wake_fd = term->wake[1];
	catch_signals();
	err = start_curses(term);
	restore.active = !err;
	if (!err)
		err = start_painter(term);
	if (err) {
		snprintf(why, why_len, "the terminal cannot be used: %s", strerror(-err));
		term_abort();
		uncatch_signals();
		close_files(term);
		return err;
	}
	*opened = term;
	return 0;
}

static bool join(struct term *term)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_WAIT_S;
	return pthread_timedjoin_np(term->painter, NULL, &until) == 0;
}

static void wake(struct term *term, char what)
{
	ssize_t ignored = write(term->wake[1], &what, 1);

	(void)ignored; /* full: it will wake anyway */
}

void term_close(struct term *term)
{
	if (!term)
		return;
	wake(term, WAKE_QUIT);
	if (!join(term)) {
		/* What is on its way to a terminal that takes nothing is given up. */
		tcflush(term->fd, TCIOFLUSH);
		if (!join(term)) {
			term_abort();
			return; /* the painter is stuck in it, and needs what it has */
		}
	}
	restore.active = 0;
	uncatch_signals();
	delscreen(term->screen);
	tcsetattr(term->fd, TCSANOW, &restore.saved);
	close_files(term);
}

/* ---- from other threads ------------------------------------------------------------------- */

void term_show(struct term *term, struct grid *grid, bool anew)
{
	struct grid *dropped;

	pthread_mutex_lock(&term->lock);
	dropped = term->grid;
	term->grid = grid;
	term->anew |= anew;
	pthread_mutex_unlock(&term->lock);
	grid_free(dropped);
	wake(term, WAKE_GRID);
}

bool term_pending(struct term *term)
{
	struct pollfd ready = { .fd = term->keys[0], .events = POLLIN };

	return poll(&ready, 1, 0) > 0;
}

void term_wait(struct term *term, unsigned int timeout_ms)
{
	struct pollfd ready = { .fd = term->keys[0], .events = POLLIN };

	poll(&ready, 1, (int)timeout_ms);
}

struct term_input term_read(struct term *term)
{
	struct term_input input = { 0 };

	if (read(term->keys[0], &input, sizeof(input)) != sizeof(input))
		return (struct term_input){ .type = TERM_NOTHING };
	return input;
}

void term_size(const struct term *term, uint32_t *rows, uint32_t *columns)
{
	uint32_t size = __atomic_load_n(&term->size, __ATOMIC_ACQUIRE);

	*rows = size >> 16;
	*columns = size & 0xffff;
}

bool term_utf8(const struct term *term)
{
	return term->utf8;
}
