// SPDX-License-Identifier: GPL-2.0-only
#include "debuginfo/debug_file.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define MODULE_BASE 0x1000u /* of the first section of a module: no address is 0 */

struct function {
	const char *name; /* in the file */
	uint32_t addr;
	uint32_t size; /* 0 = not known */
};

struct debug_file {
	const char *path;
	int fd;
	Elf *elf;
	Dwarf *dwarf;
	uint32_t *bases; /* by section: its address if the file is not linked, else 0 */
	size_t nr_bases;
	struct function *functions;
	size_t nr_functions;
	char module[DEBUG_NAME];
	char release[DEBUG_NAME];
};

const char *debug_file_module(const struct debug_file *file)
{
	return file->module;
}

const char *debug_file_release(const struct debug_file *file)
{
	return file->release;
}

void debug_file_close(struct debug_file *file)
{
	if (!file)
		return;
	dwarf_end(file->dwarf);
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	free(file->functions);
	free(file->bases);
	free(file);
}

/* ---- the ELF file ------------------------------------------------------------------------------
 */

static int open_elf(struct debug_file *file)
{
	struct stat st;
	GElf_Ehdr ehdr;

	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &st)) {
		int err = -errno;

		log_error("cannot open %s: %s", file->path, strerror(-err));
		return err;
	}
	elf_version(EV_CURRENT);
	/* Private: the relocation below writes into what is mapped, not into the file. */
	if (S_ISREG(st.st_mode))
		file->elf = elf_begin(file->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &ehdr)) {
		log_error("%s is no ELF file: a vmlinux or .ko with debug information is wanted, "
			  "not a vmlinuz",
			  file->path);
		return -ENOEXEC;
	}
	if (ehdr.e_machine != EM_386 || ehdr.e_ident[EI_CLASS] != ELFCLASS32 ||
	    ehdr.e_ident[EI_DATA] != ELFDATA2LSB) {
		log_error("%s is not of a 32-bit x86 kernel (ELF machine %u)", file->path,
			  ehdr.e_machine);
		return -ENOEXEC;
	}
	return 0;
}

static uint32_t base_of(const struct debug_file *file, size_t section)
{
	return section < file->nr_bases ? file->bases[section] : 0;
}

static bool is_linked(const struct debug_file *file)
{
	GElf_Ehdr ehdr;

	return !gelf_getehdr(file->elf, &ehdr) || ehdr.e_type != ET_REL;
}

static uint32_t align_up(uint32_t addr, uint64_t align)
{
	return align > 1 && align <= 1u << 20 ? (uint32_t)((addr + align - 1) / align * align)
					      : addr;
}

/* A module's sections lie one behind the other. */
static int place_sections(struct debug_file *file)
{
	bool linked = is_linked(file);
	uint32_t next = MODULE_BASE;
	Elf_Scn *scn = NULL;

	if (elf_getshdrnum(file->elf, &file->nr_bases))
		file->nr_bases = 0;
	file->bases = calloc(file->nr_bases + 1, sizeof(*file->bases));
	if (!file->bases)
		return -ENOMEM;
	while (!linked && (scn = elf_nextscn(file->elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_ALLOC) ||
		    elf_ndxscn(scn) >= file->nr_bases)
			continue;
		next = align_up(next, shdr.sh_addralign);
		file->bases[elf_ndxscn(scn)] = next;
		next += (uint32_t)shdr.sh_size;
	}
	return 0;
}

static const char *section_name(const struct debug_file *file, const GElf_Shdr *shdr)
{
	size_t strings;
	const char *name = NULL;

	if (!elf_getshdrstrndx(file->elf, &strings))
		name = elf_strptr(file->elf, strings, shdr->sh_name);
	return name ? name : "";
}

/* NULL if there is none. */
static Elf_Scn *find_section(const struct debug_file *file, const char *name, uint32_t type,
			     GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(file->elf, scn))) {
		if (gelf_getshdr(scn, shdr) && shdr->sh_type == type &&
		    (!name || !strcmp(section_name(file, shdr), name)))
			return scn;
	}
	return NULL;
}

/* ---- relocation --------------------------------------------------------------------------------
 */

/* Adds to each place what its symbol became. */
static int relocate(const struct debug_file *file, Elf_Data *rels, Elf_Data *symbols,
		    Elf_Data *target)
{
	GElf_Rel rel;
	GElf_Sym symbol;

	for (int i = 0; gelf_getrel(rels, i, &rel); i++) {
		uint32_t value;

		if (GELF_R_TYPE(rel.r_info) == R_386_NONE)
			continue;
		if (GELF_R_TYPE(rel.r_info) != R_386_32 || target->d_size < sizeof(value) ||
		    rel.r_offset > target->d_size - sizeof(value) ||
		    !gelf_getsym(symbols, (int)GELF_R_SYM(rel.r_info), &symbol))
			return -ENODATA;
		memcpy(&value, (char *)target->d_buf + rel.r_offset, sizeof(value));
		value += (uint32_t)symbol.st_value + base_of(file, symbol.st_shndx);
		memcpy((char *)target->d_buf + rel.r_offset, &value, sizeof(value));
	}
	return 0;
}

static Elf_Data *data_of(struct debug_file *file, size_t section)
{
	Elf_Scn *scn = elf_getscn(file->elf, section);

	return scn ? elf_getdata(scn, NULL) : NULL;
}

static int relocate_section(struct debug_file *file, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Scn *target = elf_getscn(file->elf, shdr->sh_info);
	Elf_Data *rels, *symbols, *data;
	GElf_Shdr to;

	if (!target || !gelf_getshdr(target, &to) || to.sh_flags & SHF_ALLOC ||
	    strncmp(section_name(file, &to), ".debug_", 7))
		return 0;
	if (to.sh_flags & SHF_COMPRESSED && elf_compress(target, 0, 0) < 0)
		return -ENODATA;
	rels = elf_getdata(scn, NULL);
	symbols = data_of(file, shdr->sh_link);
	data = elf_getdata(target, NULL);
	if (!rels || !symbols || !data || !data->d_buf)
		return -ENODATA;
	return relocate(file, rels, symbols, data);
}

static int relocate_all(struct debug_file *file)
{
	Elf_Scn *scn = NULL;
	int err = 0;

	if (is_linked(file))
		return 0;
	while (!err && (scn = elf_nextscn(file->elf, scn))) {
		GElf_Shdr shdr;

		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_REL)
			err = relocate_section(file, scn, &shdr);
	}
	return err;
}

/* ---- symbols -----------------------------------------------------------------------------------
 */

static int read_symbols(struct debug_file *file)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = find_section(file, NULL, SHT_SYMTAB, &shdr);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	size_t count = data && shdr.sh_entsize ? data->d_size / sizeof(Elf32_Sym) : 0;
	GElf_Sym symbol;

	file->functions = calloc(count + 1, sizeof(*file->functions));
	if (!file->functions)
		return -ENOMEM;
	for (size_t i = 0; i < count && gelf_getsym(data, (int)i, &symbol); i++) {
		const char *name = elf_strptr(file->elf, shdr.sh_link, symbol.st_name);
		int type = GELF_ST_TYPE(symbol.st_info);

		if (!name || !*name || symbol.st_shndx == SHN_UNDEF ||
		    symbol.st_shndx >= SHN_LORESERVE ||
		    (type != STT_FUNC && type != STT_NOTYPE && type != STT_OBJECT))
			continue;
		file->functions[file->nr_functions++] = (struct function){
			.name = name,
			.addr = (uint32_t)symbol.st_value + base_of(file, symbol.st_shndx),
			.size = (uint32_t)symbol.st_size,
		};
	}
	return 0;
}

/* ---- what it is of -----------------------------------------------------------------------------
 */

/* What follows key in text, up to a blank, if it is there. */
static void take_value(const char *text, size_t len, const char *key, char value[DEBUG_NAME])
{
	size_t skip = strlen(key), got = 0;

	if (len < skip || strncmp(text, key, skip))
		return;
	for (; skip + got < len && got < DEBUG_NAME - 1 && text[skip + got] > ' '; got++)
		value[got] = text[skip + got];
	value[got] = '\0';
}

/* "name=foo\0vermagic=6.1.0-50-686-pae SMP ...\0" (include/linux/moduleparam.h). */
static bool read_modinfo(struct debug_file *file)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = find_section(file, ".modinfo", SHT_PROGBITS, &shdr);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	size_t at = 0;

	while (data && data->d_buf && at < data->d_size) {
		const char *text = (const char *)data->d_buf + at;
		size_t len = strnlen(text, data->d_size - at);

		take_value(text, len, "name=", file->module);
		take_value(text, len, "vermagic=", file->release);
		at += len + 1;
	}
	return file->module[0] != '\0';
}

/* linux_banner of vmlinux (init/version.c): "Linux version 6.1.0-50-686-pae (...". */
static void read_banner(struct debug_file *file)
{
	const struct function *banner = NULL;
	Elf_Scn *scn = NULL;

	for (size_t i = 0; i < file->nr_functions && !banner; i++) {
		if (!strcmp(file->functions[i].name, "linux_banner"))
			banner = &file->functions[i];
	}
	while (banner && (scn = elf_nextscn(file->elf, scn))) {
		Elf_Data *data;
		GElf_Shdr shdr;
		size_t at;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_PROGBITS ||
		    banner->addr < shdr.sh_addr || banner->addr - shdr.sh_addr >= shdr.sh_size)
			continue;
		data = elf_getdata(scn, NULL);
		at = banner->addr - shdr.sh_addr;
		if (data && data->d_buf && at < data->d_size)
			take_value((const char *)data->d_buf + at, data->d_size - at,
				   "Linux version ", file->release);
		return;
	}
}

/* A part that was split off has no .modinfo: foo-bar.ko.debug is of the module foo_bar. */
static void read_name(struct debug_file *file)
{
	const char *slash = strrchr(file->path, '/');
	const char *name = slash ? slash + 1 : file->path;
	const char *end = strstr(name, ".ko");

	if (!end)
		return;
	snprintf(file->module, sizeof(file->module), "%.*s", (int)(end - name), name);
	for (char *at = file->module; *at; at++)
		*at = *at == '-' ? '_' : *at;
}

static int open_all(struct debug_file *file)
{
	int err = open_elf(file);

	if (!err)
		err = place_sections(file);
	if (!err)
		err = read_symbols(file);
	if (err)
		return err;
	if (!read_modinfo(file))
		read_name(file);
	if (!file->module[0])
		read_banner(file);
	err = relocate_all(file);
	if (!err)
		file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (err || !file->dwarf || !file->nr_functions) {
		log_error("%s has no debug information (or it is damaged): install the -dbg "
			  "package, or build with CONFIG_DEBUG_INFO",
			  file->path);
		return -ENODATA;
	}
	return 0;
}

int debug_file_open(const char *path, struct debug_file **out)
{
	struct debug_file *file = calloc(1, sizeof(*file));
	int err = -ENOMEM;

	*out = NULL;
	if (file) {
		file->path = path;
		file->fd = -1;
		err = open_all(file);
	}
	if (err == -ENOMEM)
		log_error("out of memory for %s", path);
	if (err)
		debug_file_close(file);
	else
		*out = file;
	return err;
}

/* ---- lines -------------------------------------------------------------------------------------
 */

/* Can a function of this size, 0 = not known, have that offset, and be `size` long, 0 = not known?
 * The size that the running kernel tells has the padding behind it. */
static bool fits(const struct function *f, uint32_t offset, uint32_t size)
{
	return !f->size || (offset <= f->size && (!size || size >= f->size));
}

/* The one function of that name that it can be. 0, -ESTALE if there are only others of that name,
 * -ENOTUNIQ if there are several, -ENOENT. */
static int find_function(const struct debug_file *file, const char *symbol, uint32_t offset,
			 uint32_t size, uint32_t *addr)
{
	int err = -ENOENT;

	for (size_t i = 0; i < file->nr_functions; i++) {
		const struct function *f = &file->functions[i];

		if (strcmp(f->name, symbol))
			continue;
		if (!fits(f, offset, size)) {
			err = err == -ENOENT ? -ESTALE : err;
			continue;
		}
		if (!err && *addr != f->addr)
			return -ENOTUNIQ;
		*addr = f->addr;
		err = 0;
	}
	return err;
}

/* The unit that the address is of; modules of the kernel are built with .debug_aranges, but a
 * kernel built by clang has none. */
static bool find_unit(struct debug_file *file, uint32_t pc, Dwarf_Die *unit)
{
	Dwarf_CU *cu = NULL;
	uint8_t type;

	if (dwarf_addrdie(file->dwarf, pc, unit))
		return true;
	while (!dwarf_get_units(file->dwarf, cu, &cu, NULL, &type, unit, NULL)) {
		if (type == DW_UT_compile && dwarf_haspc(unit, pc) == 1)
			return true;
	}
	return false;
}

static void put_path(Dwarf_Die *unit, const char *path, char file[DEBUG_PATH])
{
	Dwarf_Attribute attr;
	const char *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
	size_t len = folder ? strlen(folder) : 0;

	if (len && !strncmp(path, folder, len) && path[len] == '/')
		path += len + 1;
	while (!strncmp(path, "./", 2))
		path += 2;
	/* The end tells more than the begin. */
	len = strlen(path);
	snprintf(file, DEBUG_PATH, "%s", len < DEBUG_PATH ? path : path + len - DEBUG_PATH + 1);
}

static void put_function(Dwarf_Die *die, struct debug_line *line)
{
	const char *name = dwarf_diename(die);

	line->inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine;
	snprintf(line->function, sizeof(line->function), "%s", name ? name : "?");
}

/* Where an inlined function was called. */
static void put_call(Dwarf_Die *unit, Dwarf_Die *die, struct debug_line *line)
{
	Dwarf_Word number = 0, index = 0;
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	const char *path = NULL;
	size_t count;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &number))
		number = 0;
	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &index) &&
	    !dwarf_getsrcfiles(unit, &files, &count) && index < count)
		path = dwarf_filesrc(files, index, NULL, NULL);
	line->line = (uint32_t)number;
	put_path(unit, path ? path : "?", line->file);
}

/* The scopes that contain the innermost one at pc, it first; to be freed. */
static int scopes_at(Dwarf_Die *unit, uint32_t pc, Dwarf_Die **scopes)
{
	Dwarf_Die *innermost = NULL;
	int count = dwarf_getscopes(unit, pc, &innermost);

	*scopes = NULL;
	if (count > 0)
		count = dwarf_getscopes_die(&innermost[0], scopes);
	free(innermost);
	return count;
}

static int lines_at(struct debug_file *file, uint32_t pc, struct debug_line *lines, uint32_t max)
{
	Dwarf_Die unit, *scopes;
	Dwarf_Line *place;
	const char *path;
	int number, scope_count, count = 0;

	if (!max || !find_unit(file, pc, &unit))
		return 0;
	place = dwarf_getsrc_die(&unit, pc);
	path = place ? dwarf_linesrc(place, NULL, NULL) : NULL;
	if (!path || dwarf_lineno(place, &number))
		return 0;
	memset(lines, 0, max * sizeof(*lines));
	put_path(&unit, path, lines[0].file);
	lines[0].line = (uint32_t)number;
	scope_count = scopes_at(&unit, pc, &scopes);
	for (int i = 0; i < scope_count; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		put_function(&scopes[i], &lines[count++]);
		if (tag == DW_TAG_subprogram || (uint32_t)count == max)
			break;
		put_call(&unit, &scopes[i], &lines[count]);
	}
	free(scopes);
	return count;
}

int debug_file_lines(struct debug_file *file, const char *symbol, uint32_t offset, uint32_t size,
		     struct debug_line *lines, uint32_t max)
{
	uint32_t addr;
	int err = find_function(file, symbol, offset, size, &addr);

	/* A return address is behind the call. */
	return err ? err : lines_at(file, addr + offset - (offset != 0), lines, max);
}
