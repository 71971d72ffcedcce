// SPDX-License-Identifier: GPL-2.0-only
/*
 * stim - makes exact vmalloc-space allocations from user space, for kernels
 * without headers to build a module for. Every operation prints the areas it
 * expects; README.md of tests/kmod describes the lines.
 *
 * Kernel facts used:
 * - bpf_map_area_alloc() asks kmalloc first up to 32 KiB and takes one area
 *   above that; an array map is sizeof(struct bpf_array) + elements long. The
 *   header differs by version and is measured.
 * - A closed map is freed by a kworker after a grace period.
 * - A program of less than a page is one area of one page, and one more for
 *   its image when the JIT is on.
 * - Opening /dev/ptmx makes two ttys, each with one area from n_tty_open().
 * - Reading an iptables table (IPT_SO_GET_ENTRIES) makes one area for a copy of
 *   its counters, 16 bytes a rule, and frees it before it returns
 *   (net/ipv4/netfilter/ip_tables.c, alloc_counters): nothing is faster here.
 * - Up to 6.3 a module's core is one area; from 6.4 on it is several, whose
 *   sizes no file tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PAGE		4096UL
#define KMALLOC_FIRST	32768UL	/* PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER */
#define PROBE_BYTES	65536UL	/* a size at which the header is measured */
#define HEADER_MAX	4096UL
#define SLOTS		64
#define MIXED_MAP_MAX	(256UL << 10)

enum kind { NONE, MAP, PROG, PTY };

struct slot {
	enum kind kind;
	int fd;
};

static unsigned long ops, failed;
static unsigned long header;
static uint32_t rnd_state;

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "stim: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static unsigned long page_align(unsigned long n)
{
	return (n + PAGE - 1) & ~(PAGE - 1);
}

static unsigned long number(const char *s)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(s, &end, 0);
	if (end == s || *end || errno || *s == '-')
		die("not a number: %s", s);
	return n;
}

/* Prints the failure and counts it; the caller goes on. */
static int fail(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "stim: %s: %s\n", what, strerror(errno));
	failed++;
	return -1;
}

/* BPF */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* Elements of 8 bytes, so the payload is exactly 8 * entries. */
static int map_create(unsigned long entries)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.max_entries = entries;
	return bpf(BPF_MAP_CREATE, &attr);
}

static unsigned long map_entries(unsigned long bytes)
{
	return bytes ? (bytes + 7) / 8 : 1;
}

/* 0: kmalloc may serve it, or the header was not measured: nothing certain can
 * be said. */
static unsigned long map_area(unsigned long entries)
{
	unsigned long total = header + entries * 8;

	return header && total > KMALLOC_FIRST ? page_align(total) + PAGE : 0;
}

/* Above a page of page pointers the array of them is an area too. */
static unsigned long map_nested(unsigned long entries)
{
	unsigned long total = header + entries * 8;
	unsigned long array = page_align(total) / PAGE * 4;

	return array > PAGE ? page_align(array) + PAGE : 0;
}

static int prog_load(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insn_cnt = 2;
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t)"GPL";
	return bpf(BPF_PROG_LOAD, &attr);
}

static bool jit_on(void)
{
	FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	int c = f ? fgetc(f) : '0';

	if (f)
		fclose(f);
	return c != '0';
}

/*
 * How many live areas of this size /proc/vmallocinfo shows, with the string in
 * the line. Sizes are real there even when addresses are hashed.
 */
static int count_areas(const char *who, unsigned long size)
{
	FILE *f = fopen("/proc/vmallocinfo", "re");
	unsigned long n;
	char line[512];
	int hits = 0;

	if (!f)
		die("/proc/vmallocinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "unpurged") || !strstr(line, who))
			continue;
		if (sscanf(line, "%*s %lu", &n) == 1 && (!size || n == size))
			hits++;
	}
	fclose(f);
	return hits;
}

/* The header is the smallest d for which a map of PROBE_BYTES - d is this big. */
static bool header_fits(unsigned long d)
{
	unsigned long small = PROBE_BYTES + PAGE, large = small + PAGE;
	int s, l, fd, try;

	for (try = 0; try < 20; try++) {
		s = count_areas("", small);
		l = count_areas("", large);
		fd = map_create((PROBE_BYTES - d) / 8);
		if (fd < 0)
			die("creating a map of %lu bytes: %s", PROBE_BYTES - d,
			    strerror(errno));
		s = count_areas("", small) - s;
		l = count_areas("", large) - l;
		close(fd);
		if (s + l == 1 && (s == 1 || l == 1))
			return s == 1;
		usleep(50000);	/* maps of others or of the last try going */
	}
	die("cannot tell a map's area in /proc/vmallocinfo");
}

/* Rounded up to 8: elements are of 8 bytes, so that is all that matters. */
static void measure_header(void)
{
	unsigned long low = 0, high = HEADER_MAX, mid;

	if (!header_fits(high))
		die("struct bpf_array is larger than %lu bytes", high);
	while (high - low > 8) {
		mid = (low + high) / 2 & ~7UL;
		if (header_fits(mid))
			high = mid;
		else
			low = mid;
	}
	header = high;
	printf("stim: op=header bytes=%lu\n", header);
}

/* ptys */

static int pty_open(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* The size of the n_tty areas this kernel makes; 0 if it cannot be told. */
static unsigned long pty_area(void)
{
	FILE *f = fopen("/proc/vmallocinfo", "re");
	unsigned long n = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "n_tty_open") &&
		    sscanf(line, "%*s %lu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* iptables */

/* What to read of the filter table, which is there when iptable_filter is loaded. */
static struct ipt_get_entries *table_request(int fd, socklen_t *len)
{
	struct ipt_getinfo info = { .name = "filter" };
	socklen_t info_len = sizeof(info);
	struct ipt_get_entries *entries;

	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &info_len))
		return NULL;
	*len = sizeof(*entries) + info.size;
	entries = calloc(1, *len);
	if (!entries)
		return NULL;
	strcpy(entries->name, info.name);
	entries->size = info.size;
	return entries;
}

/* Sub-commands */

static void hold(unsigned long seconds)
{
	if (!seconds)
		return;
	printf("stim: op=hold seconds=%lu\n", seconds);
	fflush(stdout);
	sleep(seconds);
}

static int one_map(unsigned long bytes)
{
	unsigned long entries = map_entries(bytes);
	int fd = map_create(entries);

	ops++;
	if (fd < 0)
		return fail("bpf(BPF_MAP_CREATE)");
	printf("stim: op=map fd=%d bytes=%lu alloc_bytes=%lu area_bytes=%lu nested_area_bytes=%lu\n",
	       fd, entries * 8, header + entries * 8, map_area(entries),
	       map_nested(entries));
	return fd;
}

static int one_prog(bool jit)
{
	int fd = prog_load();

	ops++;
	if (fd < 0)
		return fail("bpf(BPF_PROG_LOAD)");
	printf("stim: op=prog fd=%d areas=%d area_bytes=%lu\n", fd,
	       jit ? 2 : 1, 2 * PAGE);
	return fd;
}

static int one_pty(void)
{
	static unsigned long area;
	int fd = pty_open();

	ops++;
	if (fd < 0)
		return fail("/dev/ptmx (is devpts mounted?)");
	if (!area)
		area = pty_area();
	printf("stim: op=pty fd=%d areas=2 area_bytes=%lu\n", fd, area);
	return fd;
}

static void print_close(int fd)
{
	printf("stim: op=close fd=%d\n", fd);
	close(fd);
}

static void cmd_many(enum kind kind, unsigned long bytes, unsigned long count,
		     unsigned long seconds)
{
	bool jit = jit_on();
	unsigned long i;
	int *fds;

	fds = calloc(count ? count : 1, sizeof(*fds));
	if (!fds)
		die("%s", strerror(errno));
	for (i = 0; i < count; i++)
		fds[i] = kind == MAP ? one_map(bytes) :
			 kind == PROG ? one_prog(jit) : one_pty();
	hold(seconds);
	for (i = 0; i < count; i++)
		if (fds[i] >= 0)
			print_close(fds[i]);
	free(fds);
}

static void module_name(const char *path, char *name, size_t len)
{
	const char *base = strrchr(path, '/');
	char *p;

	snprintf(name, len, "%s", base ? base + 1 : path);
	p = strchr(name, '.');
	if (p)
		*p = '\0';
	for (p = name; *p; p++)
		if (*p == '-')
			*p = '_';
}

static unsigned long module_core(const char *name)
{
	unsigned long n = 0;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/coresize", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static bool kernel_before(int major, int minor)
{
	struct utsname u;
	int a = 0, b = 0;

	if (uname(&u) || sscanf(u.release, "%d.%d", &a, &b) != 2)
		return false;
	return a < major || (a == major && b < minor);
}

static void print_module(const char *name)
{
	unsigned long core = module_core(name);
	bool one = core && kernel_before(6, 4);

	printf("stim: op=module name=%s core_bytes=%lu area_bytes=%lu\n", name,
	       core, one ? page_align(core) + PAGE : 0);
}

static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return fail(path);
	err = syscall(__NR_finit_module, fd, "", 0);
	if (err)
		fail("finit_module");
	close(fd);
	return err;
}

static void cmd_module(const char *path, unsigned long seconds)
{
	char name[64];

	ops++;
	module_name(path, name, sizeof(name));
	if (module_load(path))
		return;
	print_module(name);
	hold(seconds);
	printf("stim: op=module_unload name=%s\n", name);
	if (syscall(__NR_delete_module, name, O_NONBLOCK))
		fail("delete_module");
}

static void cmd_tables(unsigned long count)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct ipt_get_entries *entries;
	unsigned long i;
	socklen_t len;

	entries = fd < 0 ? NULL : table_request(fd, &len);
	if (!entries)
		die("the filter table: %s (is iptable_filter loaded?)", strerror(errno));
	for (i = 0; i < count; i++) {
		ops += 2;
		if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &len))
			fail("IPT_SO_GET_ENTRIES");
	}
	printf("stim: op=tables count=%lu area_bytes=%lu\n", count, 2 * PAGE);
	free(entries);
	close(fd);
}

static uint32_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 17;
	rnd_state ^= rnd_state << 5;
	return rnd_state;
}

/* From just above the kmalloc limit, so that every map is an area. */
static unsigned long rnd_map_bytes(void)
{
	return KMALLOC_FIRST + rnd() % (MIXED_MAP_MAX - KMALLOC_FIRST);
}

static int slot_open(struct slot *s, bool jit, unsigned long bytes)
{
	if (s->kind == MAP)
		return one_map(bytes);
	return s->kind == PROG ? one_prog(jit) : one_pty();
}

/*
 * Closed maps wait for a grace period, so a fast loop can fill the space with
 * dead ones: a pause and one more try keep that apart from a real failure.
 */
static void slot_fill(struct slot *s, bool jit)
{
	uint32_t pick = rnd() % 8;
	unsigned long bytes = rnd_map_bytes();
	unsigned long had = failed;

	s->kind = pick < 5 ? MAP : pick < 7 ? PROG : PTY;
	s->fd = slot_open(s, jit, bytes);
	if (s->fd >= 0)
		return;
	usleep(200000);
	ops--;
	s->fd = slot_open(s, jit, bytes);
	if (s->fd >= 0)
		failed = had;
	else
		s->kind = NONE;
}

static void slot_close(struct slot *s)
{
	print_close(s->fd);
	s->kind = NONE;
	ops++;
}

static void cmd_mixed(unsigned long count, unsigned long seed)
{
	static struct slot slots[SLOTS];
	bool jit = jit_on();
	struct slot *s;

	rnd_state = (uint32_t)seed * 2654435761U ^ 0x9e3779b9U;
	if (!rnd_state)
		rnd_state = 1;
	while (ops < count) {
		s = &slots[rnd() % SLOTS];
		if (s->kind == NONE)
			slot_fill(s, jit);
		else
			slot_close(s);
	}
	for (s = slots; s < slots + SLOTS; s++)
		if (s->kind != NONE)
			print_close(s->fd);
}

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr,
		"usage: stim map BYTES [COUNT] [hold SECONDS]\n"
		"       stim prog COUNT [hold SECONDS]\n"
		"       stim pty COUNT [hold SECONDS]\n"
		"       stim module PATH [hold SECONDS]\n"
		"       stim tables COUNT\n"
		"       stim mixed OPS SEED\n"
		"       stim load OPS SEED\n");
	exit(1);
}

/* Cuts "hold SECONDS" off the end of the arguments. */
static unsigned long take_hold(int *argc, char **argv)
{
	if (*argc < 4 || strcmp(argv[*argc - 2], "hold"))
		return 0;
	*argc -= 2;
	return number(argv[*argc + 1]);
}

static void run(int argc, char **argv, unsigned long seconds)
{
	const char *cmd = argv[1];

	if (!strcmp(cmd, "map") && argc <= 4) {
		measure_header();
		cmd_many(MAP, number(argv[2]), argc == 4 ? number(argv[3]) : 1,
			 seconds);
	} else if (!strcmp(cmd, "prog") && argc == 3) {
		cmd_many(PROG, 0, number(argv[2]), seconds);
	} else if (!strcmp(cmd, "pty") && argc == 3) {
		cmd_many(PTY, 0, number(argv[2]), seconds);
	} else if (!strcmp(cmd, "module") && argc == 3) {
		cmd_module(argv[2], seconds);
	} else if (!strcmp(cmd, "tables") && argc == 3 && !seconds) {
		cmd_tables(number(argv[2]));
	} else if ((!strcmp(cmd, "mixed") || !strcmp(cmd, "load")) &&
		   argc == 4 && !seconds) {
		/* The measure needs a list that nobody else changes. */
		if (!strcmp(cmd, "mixed"))
			measure_header();
		cmd_mixed(number(argv[2]), number(argv[3]));
	} else {
		usage();
	}
}

int main(int argc, char **argv)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned long seconds = take_hold(&argc, argv);

	if (argc < 3)
		usage();
	/* Up to 5.10 maps and programs count against RLIMIT_MEMLOCK. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	setvbuf(stdout, NULL, _IOLBF, 0);
	run(argc, argv, seconds);
	printf("stim: done ops=%lu failed=%lu\n", ops, failed);
	return failed != 0;
}
