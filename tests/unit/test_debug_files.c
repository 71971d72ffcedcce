// SPDX-License-Identifier: GPL-2.0-only
/* Lines of the source, of files that the test has compiled. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sanitizer/lsan_interface.h>

#include "debuginfo/debug_files.h"
#include "log.h"

#define RELEASE "6.1.0-50-686-pae"

/* ask() is a call at the end of what is inlined into leak(). */
static const char source[] =
	"extern void *vmalloc(unsigned long);\n"
	"#ifdef MODULE\n"
	"__attribute__((section(\".modinfo\"), used)) static const char a[] = \"name=leaky_one\";\n"
	"__attribute__((section(\".modinfo\"), used)) static const char b[] = \"vermagic=" RELEASE
	" SMP\";\n"
	"#else\n"
	"const char linux_banner[] = \"Linux version " RELEASE " (gcc)\";\n"
	"__attribute__((noipa)) void *vmalloc(unsigned long n) { return (void *)n; }\n"
	"#endif\n"
	"void *kept;\n"
	"static inline __attribute__((always_inline)) void *get(unsigned long n)\n"
	"{\n"
	"	void *p = vmalloc(n); /* here: get */\n"
	"	__asm__ volatile(\"\" ::: \"memory\");\n"
	"	return p;\n"
	"}\n"
	"__attribute__((noinline)) void *leak(unsigned long n)\n"
	"{\n"
	"	kept = get(n); /* here: leak */\n"
	"	return kept;\n"
	"}\n"
	"__attribute__((section(\".init.text\"), noinline)) int start(void)\n"
	"{\n"
	"	leak(3); /* here: start */\n"
	"	return 0;\n"
	"}\n";

static char folder[] = "/tmp/vmtrace-debug-XXXXXX";
static bool can_build;

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static bool compile(const char *name, const char *options)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "cd %s && cc -m32 -O2 -fno-pic -fno-pie -ffreestanding -fno-stack-protector "
		 "-fno-asynchronous-unwind-tables -fcf-protection=none %s -o %s t.c 2>log",
		 folder, options, name);
	return !system(command);
}

/* Without libdw, or a compiler for i386, there is nothing to try. */
static int set_up(void **state)
{
	struct debug_file *file;
	FILE *out;

	(void)state;
	log_set_level(LOG_ERROR - 1);
	if (!mkdtemp(folder))
		return -1;
	out = fopen(path_of("t.c"), "w");
	if (!out || fputs(source, out) < 0 || fclose(out))
		return -1;
	can_build = compile("leaky-one.ko", "-DMODULE -g -c") &&
		    compile("packed.ko", "-DMODULE -g -gz -c") &&
		    compile("bare.ko", "-DMODULE -c") &&
		    compile("vmlinux", "-g -nostdlib -static -Wl,-e,start -Wl,-Ttext=0xc1000000") &&
		    debug_file_open(path_of("vmlinux"), &file) != -ENOSYS;
	if (can_build)
		debug_file_close(file);
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static uint32_t line_of(const char *mark)
{
	uint32_t line = 1;

	for (const char *at = source; at != strstr(source, mark); at++)
		line += *at == '\n';
	return line;
}

/* Where the call in leak() returns to, as the file has it. */
static uint32_t call_offset(const char *name, const char *function)
{
	char command[512], line[128];
	uint32_t offset = 0;
	FILE *in;

	snprintf(command, sizeof(command),
		 "objdump -d --no-show-raw-insn %s | sed -n '/<%s>:/,/^$/p' | "
		 "awk '/<%s>:/ { base = $1 } found { print base, $1; exit } /[ \\t]call/ { found = 1 }'",
		 path_of(name), function, function);
	in = popen(command, "r");
	if (in && fgets(line, sizeof(line), in)) {
		char *end;
		uint32_t base = (uint32_t)strtoul(line, &end, 16);

		offset = (uint32_t)strtoul(end, NULL, 16) - base;
	}
	if (in)
		pclose(in);
	assert_int_not_equal(offset, 0);
	return offset;
}

static void expect_line(const struct debug_line *line, const char *function, const char *mark,
			bool inlined)
{
	assert_string_equal(line->function, function);
	assert_string_equal(line->file, "t.c");
	assert_int_equal(line->line, line_of(mark));
	assert_int_equal(line->inlined, inlined);
}

static void expect_lines(struct debug_files *files, const char *name, const char *frame)
{
	struct debug_line lines[DEBUG_INLINED];
	char text[64];

	snprintf(text, sizeof(text), frame, call_offset(name, "leak"));
	assert_int_equal(debug_files_lines(files, text, lines), 2);
	expect_line(&lines[0], "get", "here: get", true);
	expect_line(&lines[1], "leak", "here: leak", false);
}

static struct debug_files *open_one(const char *name)
{
	static char path[128];
	static const char *const paths[] = { path };
	struct debug_files *files;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	files = debug_files_new(paths, 1);
	assert_non_null(files);
	debug_files_set_release(files, RELEASE);
	return files;
}

static void module(void **state)
{
	static const char *const names[] = { "leaky-one.ko", "packed.ko" };
	struct debug_line lines[DEBUG_INLINED];

	(void)state;
	if (!can_build)
		skip();
	for (size_t i = 0; i < 2; i++) {
		struct debug_files *files = open_one(names[i]);
		char frame[64];

		expect_lines(files, names[i], "leak+0x%x [leaky_one]");
		expect_lines(files, names[i], "leak+0x%x/0x40 [leaky_one]");
		/* Of another section: each has its own addresses. */
		snprintf(frame, sizeof(frame), "start+0x%x [leaky_one]",
			 call_offset(names[i], "start"));
		assert_int_equal(debug_files_lines(files, frame, lines), 1);
		expect_line(&lines[0], "start", "here: start", false);
		assert_int_equal(debug_files_lines(files, "leak+0x5", lines), 0);
		assert_int_equal(debug_files_lines(files, "leak+0x5 [other]", lines), 0);
		debug_files_free(files);
	}
}

static void kernel(void **state)
{
	struct debug_files *files;

	(void)state;
	if (!can_build)
		skip();
	files = open_one("vmlinux");
	expect_lines(files, "vmlinux", "leak+0x%x");
	debug_files_free(files);
}

/* A folder has both; what is asked for is found by its name. */
static void in_folder(void **state)
{
	const char *paths[] = { folder };
	struct debug_files *files;

	(void)state;
	if (!can_build)
		skip();
	files = debug_files_new(paths, 1);
	assert_non_null(files);
	debug_files_set_release(files, RELEASE);
	expect_lines(files, "vmlinux", "leak+0x%x");
	expect_lines(files, "leaky-one.ko", "leak+0x%x [leaky_one]");
	debug_files_free(files);
}

static void other_build(void **state)
{
	struct debug_line lines[DEBUG_INLINED];
	struct debug_file *file;
	struct debug_files *files;

	(void)state;
	if (!can_build)
		skip();
	assert_int_equal(debug_file_open(path_of("leaky-one.ko"), &file), 0);
	assert_string_equal(debug_file_module(file), "leaky_one");
	assert_string_equal(debug_file_release(file), RELEASE);
	assert_int_equal(debug_file_lines(file, "leak", 0x400, 0, lines, DEBUG_INLINED), -ESTALE);
	assert_int_equal(debug_file_lines(file, "leak", 1, 2, lines, DEBUG_INLINED), -ESTALE);
	assert_int_equal(debug_file_lines(file, "gone", 1, 0, lines, DEBUG_INLINED), -ENOENT);
	debug_file_close(file);
	assert_int_equal(debug_file_open(path_of("vmlinux"), &file), 0);
	assert_string_equal(debug_file_module(file), "");
	assert_string_equal(debug_file_release(file), RELEASE);
	debug_file_close(file);
	files = open_one("vmlinux");
	debug_files_set_release(files, "5.10.0-32-686");
	assert_int_equal(debug_files_lines(files, "leak+0x5", lines), 0);
	debug_files_free(files);
}

static void not_one(void **state)
{
	struct debug_file *file;

	(void)state;
	if (!can_build)
		skip();
	assert_int_equal(debug_file_open(path_of("t.c"), &file), -ENOEXEC);
	assert_int_equal(debug_file_open("/dev/null", &file), -ENOEXEC);
	assert_int_equal(debug_file_open("/proc/self/exe", &file),
			 sizeof(long) == 4 ? 0 : -ENOEXEC);
	debug_file_close(file);
	assert_int_equal(debug_file_open(path_of("none"), &file), -ENOENT);
	assert_int_equal(debug_file_open(path_of("bare.ko"), &file), -ENODATA);
	assert_null(file);
	debug_file_close(file);
}

static size_t read_all(const char *path, uint8_t **bytes)
{
	FILE *in = fopen(path, "rb");
	struct stat st;

	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	*bytes = malloc((size_t)st.st_size);
	assert_non_null(*bytes);
	assert_int_equal(fread(*bytes, 1, (size_t)st.st_size, in), st.st_size);
	fclose(in);
	return (size_t)st.st_size;
}

/* Cut off, and with wrong bytes: any answer will do, if it comes. */
static void damaged(void **state)
{
	struct debug_line lines[DEBUG_INLINED];
	uint8_t *good;
	size_t size;
	uint32_t random = 1;

	(void)state;
	if (!can_build)
		skip();
	size = read_all(path_of("leaky-one.ko"), &good);
	for (int round = 0; round < 300; round++) {
		int fd = open(path_of("damaged.ko"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		size_t len = round % 3 ? size : size * (size_t)round / 300;
		struct debug_file *file;

		assert_true(fd >= 0);
		assert_int_equal(write(fd, good, len), len);
		for (int i = 0; round % 3 && i < 8; i++) {
			random = random * 1664525 + 1013904223;
			assert_int_equal(pwrite(fd, &random, 1, random % size), 1);
		}
		close(fd);
		if (debug_file_open(path_of("damaged.ko"), &file))
			continue;
		/* libdw itself (0.188) loses some bytes when a unit is wrong. */
		__lsan_disable();
		debug_file_lines(file, "leak", 9, 0, lines, DEBUG_INLINED);
		debug_file_lines(file, "start", 9, 0, lines, DEBUG_INLINED);
		__lsan_enable();
		debug_file_close(file);
	}
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module),      cmocka_unit_test(kernel),
		cmocka_unit_test(in_folder),   cmocka_unit_test(other_build),
		cmocka_unit_test(not_one),     cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
