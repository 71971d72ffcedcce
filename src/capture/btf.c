/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "capture/btf_pick.h"
#include "log.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/* The files that the Makefile found, as btf_bytes.S has them. */
#define BTF(n, name, file) extern const unsigned char btf_##n##_begin[], btf_##n##_end[];
#include "btf_list.h"
#undef BTF
#define BTF(n, name, file) { name, btf_##n##_begin, btf_##n##_end },
static const struct btf_embedded embedded[] = {
#include "btf_list.h"
};

#define NR_EMBEDDED (sizeof(embedded) / sizeof(embedded[0]))

/* arch/x86/include/asm/ptrace.h, CONFIG_X86_32; 168 on x86-64 */
#define PT_REGS_BYTES 68

#define QUESTION "is it of a 32-bit x86 kernel?"

/* What the programs cannot do without: if it is missing, the load fails with words that blame the
 * kernel. On no kernel is one of these members inside an unnamed union. */
static const struct needed {
	const char *type;
	const char *members[6]; /* up to the first NULL */
} needed[] = {
	{ "vmap_area", { "va_start", "va_end" } },
	{ "pt_regs", { "ax", "bp", "cx", "dx", "sp" } },
	{ "vm_struct", { NULL } },
};

static const struct btf_type *find_struct(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

static bool has_member(const struct btf *btf, const struct btf_type *type, const char *name)
{
	const struct btf_member *members = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *found = btf__name_by_offset(btf, members[i].name_off);

		if (found && !strcmp(found, name))
			return true;
	}
	return false;
}

static bool has_needed(const struct btf *btf, const struct needed *what, const char *path)
{
	const struct btf_type *type = find_struct(btf, what->type);

	if (!type) {
		log_error("BTF file '%s' has no struct %s: " QUESTION, path, what->type);
		return false;
	}
	for (size_t i = 0; what->members[i]; i++) {
		if (has_member(btf, type, what->members[i]))
			continue;
		log_error("BTF file '%s' has no %s in struct %s: " QUESTION, path, what->members[i],
			  what->type);
		return false;
	}
	return true;
}

/* The programs read va_start and va_end in one piece, as every kernel so far has them. */
static bool area_is_one_piece(const struct btf *btf)
{
	const struct btf_type *type = find_struct(btf, "vmap_area");
	const struct btf_member *members = type ? btf_members(type) : NULL;
	uint32_t start = 0, end = 0;

	for (uint32_t i = 0; type && i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, members[i].name_off);

		if (name && !strcmp(name, "va_start"))
			start = btf_member_bit_offset(type, i);
		if (name && !strcmp(name, "va_end"))
			end = btf_member_bit_offset(type, i);
	}
	return end == start + 32;
}

/* Else says what is wrong with it. */
static bool is_of_i386(const struct btf *btf, const char *path)
{
	uint32_t regs_bytes;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!has_needed(btf, &needed[i], path))
			return false;
	}
	if (!area_is_one_piece(btf)) {
		log_error("BTF file '%s' has a struct vmap_area whose va_end is not right behind "
			  "its va_start: " QUESTION,
			  path);
		return false;
	}
	regs_bytes = find_struct(btf, "pt_regs")->size;
	if (regs_bytes == PT_REGS_BYTES)
		return true;
	log_error("BTF file '%s' has a struct pt_regs of %u bytes, not %u: " QUESTION, path,
		  regs_bytes, PT_REGS_BYTES);
	return false;
}

/* A pipe or a device could be read only once, or without end; libbpf reads it again. */
static int check_readable(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (err) {
		log_error("cannot read BTF file '%s': %s. Leave --btf out to use the built-in one",
			  path, strerror(-err));
		return err;
	}
	if (S_ISREG(st.st_mode))
		return 0;
	log_error("cannot read BTF file '%s': it is %s", path,
		  S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
	return -EINVAL;
}

static int choose_file(const char *path, struct btf_choice *choice)
{
	struct btf *btf;
	int err = check_readable(path);

	if (err)
		return err;
	btf = btf__parse(path, NULL);
	if (!btf) {
		log_error("'%s' is not a BTF file, or is damaged: raw BTF or an ELF file with a "
			  ".BTF section is needed. Leave --btf out to use the built-in one",
			  path);
		return -EINVAL;
	}
	err = is_of_i386(btf, path) ? 0 : -EINVAL;
	btf__free(btf);
	snprintf(choice->path, sizeof(choice->path), "%s", path);
	snprintf(choice->source, sizeof(choice->source), "file");
	return err;
}

/* libbpf takes a path, so the bytes go into an anonymous file. */
static int choose_embedded(const struct btf_embedded *entry, struct btf_choice *choice)
{
	size_t len = (size_t)(entry->end - entry->begin);

	choice->fd = memfd_create("vmtrace-btf", MFD_CLOEXEC);
	if (choice->fd < 0 || write(choice->fd, entry->begin, len) != (ssize_t)len) {
		int err = errno ? -errno : -EIO;

		log_error("cannot make the built-in BTF available: %s", strerror(-err));
		btf_choice_release(choice);
		return err;
	}
	snprintf(choice->path, sizeof(choice->path), "/proc/self/fd/%d", choice->fd);
	return 0;
}

/* A BTF of kinds that this libbpf does not know is as good as none. */
static bool kernel_btf_usable(void)
{
	struct btf *btf;
	bool usable;

	if (access(KERNEL_BTF, R_OK) < 0)
		return false;
	btf = btf__parse(KERNEL_BTF, NULL);
	if (!btf) {
		log_note("cannot use the kernel's own BTF (%s): using a built-in one",
			 strerror(errno));
		return false;
	}
	usable = area_is_one_piece(btf);
	btf__free(btf);
	if (!usable)
		log_note("the kernel's own BTF has a struct vmap_area of another kind: using a "
			 "built-in one; the self-test will tell if that fits");
	return usable;
}

int btf_choose(const char *wish, struct btf_choice *choice)
{
	const struct btf_embedded *entry;
	struct utsname uts = { 0 };

	memset(choice, 0, sizeof(*choice));
	choice->fd = -1;
	uname(&uts);
	switch (btf_pick(wish, !wish && kernel_btf_usable(), uts.release, embedded, NR_EMBEDDED,
			 &entry)) {
	case BTF_FROM_FILE:
		return choose_file(wish, choice);
	case BTF_FROM_KERNEL:
		snprintf(choice->source, sizeof(choice->source), "kernel");
		return 0;
	case BTF_FROM_EMBEDDED:
		snprintf(choice->source, sizeof(choice->source), "embedded %s", entry->name);
		return choose_embedded(entry, choice);
	case BTF_FROM_GENERIC:
		snprintf(choice->source, sizeof(choice->source), "generic i386");
		return choose_embedded(entry, choice);
	case BTF_FROM_NOWHERE:
		break;
	}
	log_error("no BTF of kernel %s is built in: leave --btf out, or use --btf=generic",
		  uts.release);
	return -ENOENT;
}

void btf_choice_release(struct btf_choice *choice)
{
	if (choice->fd >= 0)
		close(choice->fd);
	choice->fd = -1;
}
