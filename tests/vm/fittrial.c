// SPDX-License-Identifier: GPL-2.0-only
/*
 * fittrial TRIALS SEED [blind] - holds `vmtrace fit` against the kernel. Each trial changes the vmalloc
 * space through vmtest.ko, asks `vmtrace fit - --json` about a random request, and only then has
 * vmtest make that very request. What the kernel did is what it printed, not what vmtrace saw.
 *
 *   yes          it must succeed, without a purge, and at the address told if that is certain
 *   after_purge  it must succeed, with a purge unless it is said that it may do without, and at the
 *                address told if that is certain
 *   no           it must fail
 *   perhaps      counted, with how often it succeeded
 *
 * An address that is not certain must lie between the two told. Whether there was a purge is seen
 * by the answer to a second question, whose counts also show whether anything else changed the
 * space between the first one and the allocation: such a trial says nothing and is counted apart.
 * Exit 1 if one trial disagrees. blind: vmtrace cannot read /proc/kcore once it has begun.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR	    "/sys/kernel/debug/vmtest/"
#define PAGE	    4096u
#define SLOTS	    500
#define ANSWER_MAX  (1u << 20)
#define IOREMAP_MAX 0x1200000u /* what `ioremap auto` has */
#define ARRAY_FROM  0x400000u  /* larger vmallocs have a page array of their own */

enum kind { VMALLOC, VMAP, IOREMAP, VM_MAP_RAM, MODULE, KINDS };
enum verdict { YES, PURGE, NO, PERHAPS, VERDICTS };

static const char *const kind_names[KINDS] = {"vmalloc", "vmap", "ioremap", "vm_map_ram", "module"};
static const char *const verdict_names[VERDICTS] = {"yes", "after_purge", "no", "perhaps"};

struct request {
	enum kind kind;
	uint32_t bytes;
};

struct answer {
	enum verdict verdict;
	bool certain;
	bool maybe_now; /* PURGE: it may do without */
	uint32_t start;
	uint32_t latest;  /* 0: not told */
	uint32_t largest; /* hole */
	uint32_t largest_purged;
};

/* What had happened when an answer was given. */
struct seen {
	uint32_t allocs;
	uint32_t frees;
	uint32_t purges;
};

struct tally {
	uint32_t asked[KINDS][VERDICTS];
	uint32_t certain[VERDICTS];
	uint32_t elsewhere; /* not certain, and it came at another address */
	uint32_t perhaps_served;
	uint32_t disturbed;
	uint32_t wrong;
};

static struct {
	bool used;
	uint32_t bytes;
} slots[SLOTS];
static uint32_t held_bytes, total_bytes, next_slot;
/* Lazy space at most: what was last told, and what was freed since. Beyond the limit the kernel
 * purges some time later by itself (mm/vmalloc.c:lazy_max_pages), and nobody can tell when. */
static uint32_t lazy_bytes, lazy_limit;
static FILE *to_fit, *from_fit;
static int cmd_fd;
static uint64_t rng;
static char line[ANSWER_MAX];
static bool blind;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fittrial: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

/* Small ones as often as large ones: up to 2^max_shift. */
static uint32_t rnd_bytes(uint32_t max_shift)
{
	uint32_t shift = 8 + rnd(max_shift - 8 + 1);

	return (1u << (shift - 1)) + rnd(1u << (shift - 1)) + 1;
}

/* ---- vmtest ------------------------------------------------------------------------------- */

static bool __attribute__((format(printf, 1, 2))) vmtest(const char *format, ...)
{
	char command[128];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (write(cmd_fd, command, (size_t)len) == len)
		return true;
	if (errno != ENOMEM)
		die("'%s': %s", command, strerror(errno));
	return false;
}

/* A file that can be read once only. */
static uint32_t last_addr(void)
{
	char text[32] = "";
	int fd = open(DIR "last", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("cannot read vmtest/last: %s", strerror(errno));
	close(fd);
	return (uint32_t)strtoul(text, NULL, 16);
}

/* Makes the request as area of this slot; the address, 0 = it failed. */
static uint32_t make(const struct request *request, uint32_t slot)
{
	switch (request->kind) {
	case IOREMAP:
		vmtest("ioremap s%u auto %u", slot, request->bytes);
		break;
	case VMAP:
	case VM_MAP_RAM:
		vmtest("%s s%u %u", kind_names[request->kind], slot,
		       (request->bytes - 1) / PAGE + 1);
		break;
	default:
		vmtest("%s s%u %u", kind_names[request->kind], slot, request->bytes);
	}
	return last_addr();
}

static void hold(uint32_t slot, uint32_t bytes)
{
	slots[slot].used = true;
	slots[slot].bytes = bytes;
	held_bytes += bytes;
}

static struct answer settle(void);

static void release(uint32_t slot)
{
	vmtest("free s%u", slot);
	slots[slot].used = false;
	held_bytes -= slots[slot].bytes;
	lazy_bytes += slots[slot].bytes + 2 * PAGE;
	if (lazy_bytes > lazy_limit)
		settle();
}

static bool free_slot(uint32_t *slot)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		*slot = next_slot++ % SLOTS;
		if (!slots[*slot].used)
			return true;
	}
	return false;
}

/* ---- vmtrace fit -------------------------------------------------------------------------- */

static void start_fit(void)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	if (fork() == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execlp("vmtrace", "vmtrace", "fit", "-", "--json", "-q", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_fit = fdopen(in[1], "w");
	from_fit = fdopen(out[0], "r");
	if (!to_fit || !from_fit)
		die("out of memory");
}

static const char *value_of(const char *key)
{
	char pattern[64];
	const char *at;

	snprintf(pattern, sizeof(pattern), "\"%s\":", key);
	at = strstr(line, pattern);
	if (!at)
		die("no %s in the answer: %.300s", key, line);
	return at + strlen(pattern);
}

static uint32_t number_of(const char *key)
{
	return (uint32_t)strtoul(value_of(key), NULL, 10);
}

/* An address, 0 = null. */
static uint32_t addr_of(const char *key)
{
	const char *value = value_of(key);

	return *value == '"' ? (uint32_t)strtoul(value + 1, NULL, 16) : 0;
}

static struct seen seen_now(void)
{
	return (struct seen){number_of("allocs"), number_of("frees"), number_of("purges")};
}

/* Sends a request; the answer is in line. */
static void send(const char *request)
{
	fprintf(to_fit, "%s\n", request);
	if (fflush(to_fit) || !fgets(line, sizeof(line), from_fit))
		die("vmtrace fit has ended");
}

static struct answer ask(const struct request *request)
{
	struct answer answer = {.verdict = VERDICTS};
	const char *word;
	char text[64];

	snprintf(text, sizeof(text), "%u kind=%s", request->bytes, kind_names[request->kind]);
	send(text);
	if (strstr(line, "\"uncertain\":true"))
		die("the map is uncertain: %.600s", line);
	word = value_of("answer") + 1;
	for (enum verdict v = YES; v < VERDICTS; v++) {
		size_t len = strlen(verdict_names[v]);

		if (!strncmp(word, verdict_names[v], len) && word[len] == '"')
			answer.verdict = v;
	}
	if (answer.verdict == VERDICTS)
		die("what answer is this: %.300s", line);
	answer.certain = !strncmp(value_of("certain"), "true", 4);
	answer.start = addr_of("start");
	answer.latest = addr_of("latest");
	answer.maybe_now = strstr(line, "\"it may do without a purge\"") != NULL;
	answer.largest = number_of("largest_hole_bytes");
	answer.largest_purged = number_of("largest_hole_after_purge_bytes");
	lazy_bytes = number_of("lazy_bytes");
	return answer;
}

/* Waits until no purge is due. */
static struct answer settle(void)
{
	static const struct request any = {.kind = VMALLOC, .bytes = PAGE};
	struct answer answer = ask(&any);

	for (int i = 0; i < 500 && lazy_bytes > lazy_limit; i++) {
		usleep(10000);
		answer = ask(&any);
	}
	if (lazy_bytes > lazy_limit)
		die("%u bytes are lazy and no purge comes", lazy_bytes);
	return answer;
}

/* An empty file in its place; "seen?" is no size, and its answer tells that vmtrace has begun. */
static void hide_kcore(void)
{
	send("seen?");
	if (mount("/dev/null", "/proc/kcore", NULL, MS_BIND, NULL))
		die("/proc/kcore: %s", strerror(errno));
}

/* ---- the trials ----------------------------------------------------------------------------- */

/* What vmtest can be asked for. */
static void limit(struct request *request)
{
	if (request->kind == IOREMAP && request->bytes > IOREMAP_MAX)
		request->bytes = IOREMAP_MAX - rnd(IOREMAP_MAX / 2);
	if (request->kind == VM_MAP_RAM && request->bytes <= 32 * PAGE)
		request->bytes += 32 * PAGE;
}

static struct request random_request(uint32_t max_shift)
{
	static const uint32_t weights[KINDS] = {32, 30, 20, 14, 4};
	struct request request = {.kind = VMALLOC};
	uint32_t pick = rnd(100);

	while (pick >= weights[request.kind])
		pick -= weights[request.kind++];
	request.bytes = rnd_bytes(max_shift);
	limit(&request);
	return request;
}

static void add_one(uint32_t slot)
{
	struct request request = random_request(rnd(3) ? 18 : 23);

	if (request.kind == MODULE)
		request.kind = VMALLOC; /* each free of one is a purge */
	if (make(&request, slot))
		hold(slot, request.bytes);
}

static void free_one(void)
{
	uint32_t slot = rnd(SLOTS);

	for (uint32_t i = 0; i < SLOTS; i++, slot = (slot + 1) % SLOTS) {
		if (slots[slot].used) {
			release(slot);
			return;
		}
	}
}

/* The largest of some: its space is lazy then. */
static void free_large(void)
{
	uint32_t largest = SLOTS;

	for (int i = 0; i < 40; i++) {
		uint32_t slot = rnd(SLOTS);

		if (slots[slot].used &&
		    (largest == SLOTS || slots[slot].bytes > slots[largest].bytes))
			largest = slot;
	}
	if (largest < SLOTS)
		release(largest);
}

/* Some allocations and frees towards how full it is to be. */
static void stir(uint32_t percent_full)
{
	uint32_t goal = (uint32_t)((uint64_t)total_bytes * percent_full / 100), slot;

	for (uint32_t i = rnd(7); i > 0; i--) {
		if (rnd(8) && held_bytes < goal && free_slot(&slot))
			add_one(slot);
		else if (rnd(2) || held_bytes > goal)
			free_one();
	}
}

static bool may_be_at(const struct answer *answer, uint32_t addr)
{
	return addr >= answer->start && (!answer->latest || addr <= answer->latest);
}

static bool agrees(const struct answer *answer, uint32_t got, bool purged)
{
	switch (answer->verdict) {
	case YES:
	case PURGE:
		if (!got || (purged != (answer->verdict == PURGE) && !answer->maybe_now))
			return false;
		return answer->certain ? got == answer->start : may_be_at(answer, got);
	case NO:
		return !got;
	default:
		return !got || may_be_at(answer, got);
	}
}

/* More changes than this one allocation makes: something else was at work. */
static bool is_disturbed(const struct request *request, const struct seen *before,
			 const struct seen *after, uint32_t got)
{
	bool array = (request->kind == VMALLOC || request->kind == MODULE) &&
		     request->bytes > ARRAY_FROM;
	uint32_t allocs = after->allocs - before->allocs, frees = after->frees - before->frees;

	if (got)
		return allocs != (array ? 2u : 1u) || frees;
	return array ? allocs > 1 || frees > allocs : allocs || frees;
}

static void count(struct tally *tally, const struct request *request, const struct answer *answer,
		  uint32_t got)
{
	tally->asked[request->kind][answer->verdict]++;
	tally->certain[answer->verdict] += answer->certain;
	tally->perhaps_served += answer->verdict == PERHAPS && got;
	tally->elsewhere += got && !answer->certain && got != answer->start;
}

/* Makes it a request near what just fits: after a purge only, not at all, or, of ioremap, with
 * little room for its alignment. */
static void want_close(struct request *request)
{
	struct answer now;
	uint32_t more;

	if (rnd(4)) {
		free_large();
		free_large();
	}
	now = settle();
	more = now.largest_purged > now.largest ? now.largest_purged - now.largest : 0;
	if (request->kind == IOREMAP)
		request->bytes = now.largest_purged - rnd(now.largest_purged / 2);
	else if (more >= 4 * PAGE && rnd(4))
		request->bytes = now.largest + rnd(more - 2 * PAGE);
	else
		request->bytes = now.largest_purged - PAGE + rnd(now.largest_purged / 4);
	limit(request);
}

/* Why an address was not certain, of the last answer. */
static void say_open(const struct request *request, const struct answer *told)
{
	const char *notes = value_of("notes"), *end = strchr(notes, ']');

	if (told->certain || told->verdict == NO || blind)
		return;
	printf("open: %s %u: %s %.*s\n", kind_names[request->kind], request->bytes,
	       verdict_names[told->verdict], end ? (int)(end - notes) + 1 : 0, notes);
}

static void say_wrong(const struct request *request, const struct answer *told, uint32_t got,
		      uint32_t purges)
{
	printf("WRONG: %s %u: told %s%s at %08x, got %08x, %u purges\n", kind_names[request->kind],
	       request->bytes, verdict_names[told->verdict], told->certain ? " certainly" : "",
	       told->start, got, purges);
}

static void trial(struct tally *tally, uint32_t percent_full)
{
	struct request request = random_request(rnd(4) ? 26 : 20);
	struct seen before, after;
	struct answer told;
	uint32_t slot, got;

	stir(percent_full);
	while (!free_slot(&slot))
		free_one();
	if (percent_full > 60 && rnd(2))
		want_close(&request);
	told = ask(&request);
	say_open(&request, &told);
	before = seen_now();
	got = make(&request, slot);
	send("seen?");
	after = seen_now();
	if (is_disturbed(&request, &before, &after, got)) {
		printf("disturbed: %s %u: %u allocs %u frees\n", kind_names[request.kind],
		       request.bytes, after.allocs - before.allocs, after.frees - before.frees);
		tally->disturbed++;
	} else if (!agrees(&told, got, after.purges != before.purges)) {
		say_wrong(&request, &told, got, after.purges - before.purges);
		tally->wrong++;
	}
	count(tally, &request, &told, got);
	if (!got)
		return;
	hold(slot, request.bytes);
	if (rnd(3) || request.kind == MODULE)
		release(slot);
}

static void report(const struct tally *tally, uint32_t trials)
{
	uint32_t sums[VERDICTS] = {0};

	printf("%-12s %7s %11s %7s %7s\n", "kind", "yes", "after_purge", "no", "perhaps");
	for (enum kind k = VMALLOC; k < KINDS; k++) {
		const uint32_t *n = tally->asked[k];

		printf("%-12s %7u %11u %7u %7u\n", kind_names[k], n[YES], n[PURGE], n[NO],
		       n[PERHAPS]);
		for (enum verdict v = YES; v < VERDICTS; v++)
			sums[v] += n[v];
	}
	printf("fittrial: trials=%u yes=%u after_purge=%u no=%u perhaps=%u perhaps_served=%u "
	       "certain=%u elsewhere=%u disturbed=%u wrong=%u\n",
	       trials, sums[YES], sums[PURGE], sums[NO], sums[PERHAPS], tally->perhaps_served,
	       tally->certain[YES] + tally->certain[PURGE], tally->elsewhere, tally->disturbed,
	       tally->wrong);
}

static uint32_t vmalloc_total(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char text[128];
	unsigned int kib = 0;

	while (file && fgets(text, sizeof(text), file) &&
	       sscanf(text, "VmallocTotal: %u kB", &kib) != 1)
		;
	if (file)
		fclose(file);
	if (!kib)
		die("no VmallocTotal");
	return kib * 1024;
}

int main(int argc, char **argv)
{
	static const uint32_t levels[] = {20, 50, 70, 80, 88, 60, 92, 96};
	struct tally tally = {0};
	uint32_t trials;

	blind = argc == 4 && !strcmp(argv[3], "blind");
	if (argc != 3 && !blind)
		die("usage: fittrial TRIALS SEED [blind]");
	trials = (uint32_t)strtoul(argv[1], NULL, 10);
	rng = 0x9e3779b97f4a7c15ull * (strtoul(argv[2], NULL, 10) + 1);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmd_fd = open(DIR "cmd", O_WRONLY | O_CLOEXEC);
	if (cmd_fd < 0)
		die("no vmtest.ko: %s", strerror(errno));
	total_bytes = vmalloc_total();
	for (long cpus = sysconf(_SC_NPROCESSORS_ONLN); cpus; cpus >>= 1)
		lazy_limit += 32u << 20;
	start_fit();
	if (blind)
		hide_kcore();
	for (uint32_t i = 0; i < trials; i++)
		trial(&tally, levels[i / 40 % (sizeof(levels) / sizeof(levels[0]))]);
	report(&tally, trials);
	if (blind)
		umount("/proc/kcore");
	fclose(to_fit);
	wait(NULL);
	return tally.wrong != 0;
}
