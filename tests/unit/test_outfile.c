// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
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

#include "outfile.h"

static char dir[] = "/tmp/vmtrace-outfile-XXXXXX";
static char path[128], link_path[128];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/out.prom", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(link_path);
	return rmdir(dir); /* fails if anything was left */
}

static int remove_files(void **state)
{
	(void)state;
	unlink(path);
	unlink(link_path);
	return 0;
}

static unsigned int files(const char *suffix)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned int count = 0;

	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name), want = strlen(suffix);

		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			 len >= want && !strcmp(entry->d_name + len - want, suffix);
	}
	closedir(d);
	return count;
}

static void assert_content(const char *name, const char *want)
{
	char got[64] = "";
	FILE *in = fopen(name, "r");

	assert_non_null(in);
	if (!fgets(got, sizeof(got), in))
		got[0] = '\0';
	fclose(in);
	assert_string_equal(got, want);
}

static void put(const char *name, const char *text)
{
	struct outfile *out;

	assert_int_equal(outfile_open(name, &out), 0);
	fputs(text, outfile_stream(out));
	assert_int_equal(outfile_commit(out), 0);
}

static void appears_whole(void **state)
{
	struct outfile *out;
	struct stat st;

	(void)state;
	umask(027);
	put(path, "old");
	assert_int_equal(outfile_open(path, &out), 0);
	fputs("new", outfile_stream(out));
	fflush(outfile_stream(out));
	assert_content(path, "old");
	assert_int_equal(files(""), 2);
	assert_int_equal(files(".prom"), 1); /* no collector takes the other for a result */
	assert_int_equal(outfile_commit(out), 0);
	assert_content(path, "new");
	assert_int_equal(files(""), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void aborted(void **state)
{
	struct outfile *out;

	(void)state;
	put(path, "old");
	assert_int_equal(outfile_open(path, &out), 0);
	fputs("half", outfile_stream(out));
	outfile_abort(out);
	outfile_abort(NULL);
	assert_content(path, "old");
	assert_int_equal(files(""), 1);
}

static void links_stay(void **state)
{
	struct stat st;

	(void)state;
	put(path, "old");
	assert_int_equal(symlink("out.prom", link_path), 0);
	put(link_path, "new");
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_content(path, "new");
}

/* Root must not replace /dev/null by a file. */
static void special_files(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR);
	put(path, "through");
	close(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	put("/dev/null", "x");
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void refused(void **state)
{
	struct outfile *out;

	(void)state;
	assert_int_equal(outfile_open("/nonexistent/dir/file", &out), -ENOENT);
	assert_int_equal(outfile_open(dir, &out), -EISDIR);
	assert_int_equal(outfile_open("", &out), -ENOENT);
	if (access("/dev/full", W_OK) == 0) {
		assert_int_equal(outfile_open("/dev/full", &out), 0);
		fputs("x", outfile_stream(out));
		assert_int_equal(outfile_commit(out), -ENOSPC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(appears_whole, remove_files),
		cmocka_unit_test_teardown(aborted, remove_files),
		cmocka_unit_test_teardown(links_stay, remove_files),
		cmocka_unit_test_teardown(special_files, remove_files),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("outfile", tests, setup, teardown);
}
