// SPDX-License-Identifier: GPL-2.0-only
#include "debuginfo/debug_files.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

#define MAX_FILES 64u

/* What was opened, or looked for in vain. */
struct known {
	char *path; /* NULL: it is not there */
	char module[DEBUG_NAME];
	struct debug_file *file; /* NULL = none */
};

struct debug_files {
	const char *const *paths;
	uint32_t nr_paths;
	const char *release;
	struct known known[MAX_FILES];
	uint32_t nr_known;
	bool stale;          /* a frame was not where the file has its function */
	bool ambiguous;      /* several functions have the name of one */
	const char *example; /* module of a stale one */
};

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Lines of another kernel would be wrong, and look right. */
static bool is_of_release(const struct debug_files *files, const struct debug_file *file,
			  const char *path)
{
	const char *release = debug_file_release(file);

	if (!*release || !*files->release || !strcmp(release, files->release))
		return true;
	log_note("%s is of Linux %s, and this is %s: its lines are left out", path, release,
		 files->release);
	return false;
}

static int add_named(struct debug_files *files, const char *path)
{
	struct known *known = &files->known[files->nr_known];
	int err;

	if (files->nr_known == MAX_FILES) {
		log_error("--vmlinux: more than %u files", MAX_FILES);
		return -E2BIG;
	}
	err = debug_file_open(path, &known->file);
	if (err)
		return err;
	files->nr_known++;
	known->path = strdup(path);
	if (!known->path) {
		log_error("out of memory for --vmlinux");
		return -ENOMEM;
	}
	snprintf(known->module, sizeof(known->module), "%s", debug_file_module(known->file));
	return 0;
}

struct debug_files *debug_files_new(const char *const *paths, uint32_t count)
{
	struct debug_files *files = calloc(1, sizeof(*files));

	if (!files) {
		log_error("out of memory for --vmlinux");
		return NULL;
	}
	files->paths = paths;
	files->nr_paths = count;
	files->release = "";
	for (uint32_t i = 0; i < count; i++) {
		if (is_folder(paths[i]) || !add_named(files, paths[i]))
			continue;
		debug_files_free(files);
		return NULL;
	}
	return files;
}

void debug_files_free(struct debug_files *files)
{
	if (!files)
		return;
	for (uint32_t i = 0; i < files->nr_known; i++) {
		debug_file_close(files->known[i].file);
		free(files->known[i].path);
	}
	free(files);
}

void debug_files_set_release(struct debug_files *files, const char *release)
{
	files->release = release;
	for (uint32_t i = 0; i < files->nr_known; i++) {
		struct known *known = &files->known[i];

		if (!known->file || is_of_release(files, known->file, known->path))
			continue;
		debug_file_close(known->file);
		known->file = NULL;
	}
}

/* ---- folders -----------------------------------------------------------------------------------
 */

/* The module foo_bar is in foo-bar.ko or foo_bar.ko. */
static bool same_name(const char *name, const char *module, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((name[i] == '-' ? '_' : name[i]) != module[i])
			return false;
	}
	return true;
}

static bool is_wanted(const struct debug_files *files, const char *name, const char *module)
{
	size_t len = strlen(module);
	char of_release[2 * DEBUG_NAME];

	if (len)
		return strlen(name) >= len && same_name(name, module, len) &&
		       (!strcmp(name + len, ".ko") || !strcmp(name + len, ".ko.debug"));
	snprintf(of_release, sizeof(of_release), "vmlinux-%s", files->release);
	return !strcmp(name, "vmlinux") || !strcmp(name, of_release) ||
	       !strcmp(name, "vmlinux.debug");
}

/* NULL if there is none in this folder; the path is to be freed. A name may be there for several
 * kernels: what is of another is passed over. */
static struct debug_file *find_in(struct debug_files *files, const char *folder, const char *module,
				  char **path)
{
	char *const roots[] = { (char *)folder, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	struct debug_file *file = NULL;
	FTSENT *entry;

	*path = NULL;
	while (fts && (entry = fts_read(fts))) {
		if (entry->fts_info != FTS_F || !is_wanted(files, entry->fts_name, module))
			continue;
		*path = strdup(entry->fts_path);
		if (*path && !debug_file_open(*path, &file) && is_of_release(files, file, *path))
			break;
		debug_file_close(file);
		file = NULL;
		free(*path);
		*path = NULL;
	}
	if (fts)
		fts_close(fts);
	return file;
}

static struct debug_file *look_for(struct debug_files *files, const char *module)
{
	struct known *known = &files->known[files->nr_known];

	if (files->nr_known == MAX_FILES)
		return NULL;
	files->nr_known++;
	snprintf(known->module, sizeof(known->module), "%s", module);
	for (uint32_t i = 0; i < files->nr_paths && !known->file; i++) {
		if (is_folder(files->paths[i]))
			known->file = find_in(files, files->paths[i], module, &known->path);
	}
	return known->file;
}

static struct debug_file *file_of(struct debug_files *files, const char *module)
{
	for (uint32_t i = 0; i < files->nr_known; i++) {
		if (!strcmp(files->known[i].module, module))
			return files->known[i].file;
	}
	return look_for(files, module);
}

/* ---- frames ------------------------------------------------------------------------------------
 */

struct place {
	char symbol[DEBUG_NAME * 2];
	char module[DEBUG_NAME];
	uint32_t offset;
	uint32_t size; /* 0 = not told */
};

/* "symbol+0x12/0x34 [module]": false for what has no symbol. */
static bool parse_frame(const char *frame, struct place *place)
{
	const char *plus = strchr(frame, '+'), *open = strrchr(frame, '[');
	size_t len = plus ? (size_t)(plus - frame) : 0;
	char *end;

	*place = (struct place){ .size = 0 };
	if (!len || len >= sizeof(place->symbol))
		return false;
	memcpy(place->symbol, frame, len);
	place->offset = (uint32_t)strtoul(plus + 1, &end, 16);
	if (*end == '/')
		place->size = (uint32_t)strtoul(end + 1, NULL, 16);
	if (open && open > plus)
		snprintf(place->module, sizeof(place->module), "%.*s", (int)strcspn(open + 1, "]"),
			 open + 1);
	return true;
}

uint32_t debug_files_lines(struct debug_files *files, const char *frame,
			   struct debug_line lines[DEBUG_INLINED])
{
	struct debug_file *file;
	struct place place;
	int count;

	if (!parse_frame(frame, &place))
		return 0;
	file = file_of(files, place.module);
	if (!file)
		return 0;
	count = debug_file_lines(file, place.symbol, place.offset, place.size, lines,
				 DEBUG_INLINED);
	if (count == -ESTALE || count == -ENOENT) {
		files->stale = true;
		files->example = place.module[0] ? debug_file_module(file) : "vmlinux";
	}
	files->ambiguous |= count == -ENOTUNIQ;
	return count > 0 ? (uint32_t)count : 0;
}

void debug_files_tell(const struct debug_files *files)
{
	if (files->stale)
		log_note("some frames have no line: the file given (%s) does not have their "
			 "function, "
			 "or not as long: is it of another build?",
			 files->example);
	if (files->ambiguous)
		log_note("some frames have no line: several functions have that name");
}
