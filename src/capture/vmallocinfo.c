// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list is trusted as a whole or not at all: before 6.9 the kernel formats it in pieces, and
 * kptr_restrict counts at each piece, so one odd line means that another may be wrong unseen.
 */
#include "capture/vmallocinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINES 256u
#define FIRST_TEXT  4096u

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum line_trust {
	LINE_REAL,
	LINE_HASHED,
	LINE_ZEROED,
	LINE_OUTSIDE, /* well formed, but no area of this kernel's range */
	LINE_BAD,
};

struct cursor {
	const char *p;
	const char *end;
};

struct word {
	const char *text;
	size_t len;
};

struct parser {
	struct vmallocinfo *info;
	uint32_t capacity;
	uint32_t text_used;
	uint32_t text_capacity;
	uint32_t range_start;
	uint32_t range_end;
	bool seen[LINE_BAD + 1];
};

static const struct {
	const char *name;
	uint32_t flag;
} words[] = {
	{ "vm_map_ram", VMI_VM_MAP_RAM },
	{ "ioremap", VMI_IOREMAP },
	{ "vmalloc", VMI_VMALLOC },
	{ "vmap", VMI_VMAP },
	{ "user", VMI_USER },
	{ "dma-coherent", VMI_DMA_COHERENT },
	{ "sparse", VMI_SPARSE },
	{ "vpages", VMI_VPAGES },
};

static int digit_of(char c, unsigned int base)
{
	int digit = -1;

	if (c >= '0' && c <= '9')
		digit = c - '0';
	else if (c >= 'a' && c <= 'f')
		digit = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		digit = c - 'A' + 10;
	return digit < (int)base ? digit : -1;
}

/* Reads digits up to the first other byte. False if there is none or the value overflows. */
static bool read_number(struct cursor *c, unsigned int base, uint64_t *value)
{
	const char *first = c->p;
	uint64_t sum = 0;
	int digit;

	for (; c->p < c->end && (digit = digit_of(*c->p, base)) >= 0; c->p++) {
		if (sum > (UINT64_MAX - (unsigned int)digit) / base)
			return false;
		sum = sum * base + (unsigned int)digit;
	}
	*value = sum;
	return c->p > first;
}

static bool read_text(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len))
		return false;
	c->p += len;
	return true;
}

static bool read_word(struct cursor *c, struct word *word)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
	word->text = c->p;
	while (c->p < c->end && *c->p != ' ')
		c->p++;
	word->len = (size_t)(c->p - word->text);
	return word->len > 0;
}

static bool word_is(struct word word, const char *text)
{
	return word.len == strlen(text) && !memcmp(word.text, text, word.len);
}

/* "0x" and a number; "(ptrval)" and "(____ptrval____)" stand for an address not yet hashable. */
static bool read_address(struct cursor *c, uint64_t *address, bool *no_hash_yet)
{
	if (!read_text(c, "0x"))
		return false;
	if (read_text(c, "(ptrval)") || read_text(c, "(____ptrval____)")) {
		*address = 0;
		*no_hash_yet = true;
		return true;
	}
	return read_number(c, 16, address);
}

static enum line_trust judge(uint64_t start, uint64_t end, uint64_t size, bool no_hash_yet)
{
	if (no_hash_yet)
		return LINE_HASHED;
	if (!start && !end)
		return LINE_ZEROED;
	if (end <= start || end - start != size || (start | end) % VMT_PAGE_SIZE)
		return LINE_HASHED;
	return end > UINT32_MAX ? LINE_OUTSIDE : LINE_REAL;
}

/* "start-end size": fills start and end of line. */
static enum line_trust parse_range(struct cursor *c, struct vmallocinfo_line *line)
{
	bool no_hash_yet = false;
	enum line_trust trust;
	uint64_t start;
	uint64_t end;
	uint64_t size;

	if (!read_address(c, &start, &no_hash_yet) || !read_text(c, "-") ||
	    !read_address(c, &end, &no_hash_yet) || c->p == c->end || *c->p != ' ')
		return LINE_BAD;
	while (c->p < c->end && *c->p == ' ')
		c->p++;
	if (!read_number(c, 10, &size) || (c->p < c->end && *c->p != ' '))
		return LINE_BAD;
	trust = judge(start, end, size, no_hash_yet);
	if (trust == LINE_REAL) {
		line->start = (uint32_t)start;
		line->end = (uint32_t)end;
	}
	return trust;
}

static uint32_t flag_of(struct word word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (word_is(word, words[i].name))
			return words[i].flag;
	}
	return 0;
}

/* "pages=" and "phys=" fill line; any other key (N0=) is known to be one, and skipped. */
static bool parse_key(struct word word, struct vmallocinfo_line *line)
{
	struct cursor c = { word.text, word.text + word.len };
	uint64_t value;

	if (!memchr(word.text, '=', word.len))
		return false;
	if (read_text(&c, "pages=")) {
		if (read_number(&c, 10, &value) && c.p == c.end && value <= UINT32_MAX)
			line->nr_pages = (uint32_t)value;
	} else if (read_text(&c, "phys=0x")) {
		if (read_number(&c, 16, &value) && c.p == c.end)
			line->phys = value;
	}
	return true;
}

static int reserve_text(struct parser *parser, size_t len)
{
	uint32_t capacity = parser->text_capacity ? parser->text_capacity : FIRST_TEXT;
	char *text;

	if (len >= UINT32_MAX / 4 - parser->text_used)
		return -ENOMEM;
	while (capacity - parser->text_used < len)
		capacity *= 2;
	if (capacity == parser->text_capacity)
		return 0;
	text = realloc(parser->info->text, capacity);
	if (!text)
		return -ENOMEM;
	parser->info->text = text;
	parser->text_capacity = capacity;
	return 0;
}

static int add_caller(struct parser *parser, struct vmallocinfo_line *line, struct word caller)
{
	int err = reserve_text(parser, caller.len + 1);

	if (err)
		return err;
	memcpy(parser->info->text + parser->text_used, caller.text, caller.len);
	parser->info->text[parser->text_used + caller.len] = 0;
	line->caller = parser->text_used;
	line->caller_len = (uint32_t)caller.len;
	parser->text_used += (uint32_t)caller.len + 1;
	return 0;
}

static int add_line(struct parser *parser, const struct vmallocinfo_line *line)
{
	struct vmallocinfo *info = parser->info;
	uint32_t capacity = parser->capacity ? parser->capacity * 2 : FIRST_LINES;
	struct vmallocinfo_line *lines;

	if (info->count == parser->capacity) {
		if (capacity > UINT32_MAX / 4 / sizeof(*lines))
			return -ENOMEM;
		lines = realloc(info->lines, (size_t)capacity * sizeof(*lines));
		if (!lines)
			return -ENOMEM;
		info->lines = lines;
		parser->capacity = capacity;
	}
	info->lines[info->count++] = *line;
	return 0;
}

/*
 * What follows the size: caller and keywords. *caller is the first word if it is no keyword, with
 * its " [module]". *complete tells whether the last word was one that the kernel ends lines with.
 */
static void parse_rest(struct cursor *c, struct vmallocinfo_line *line, struct word *caller,
		       bool *complete)
{
	struct word word;
	bool first = true;

	if (read_text(c, " unpurged vm_area")) {
		line->flags |= VMI_LAZY;
		*complete = c->p == c->end;
		return;
	}
	while (read_word(c, &word)) {
		uint32_t flag = flag_of(word);
		bool known = flag || parse_key(word, line);

		if (first && !known)
			*caller = word;
		else if (caller->len && word.text == caller->text + caller->len + 1 &&
			 word.text[0] == '[')
			caller->len += 1 + word.len;
		line->flags |= flag;
		*complete = flag != 0;
		first = false;
	}
}

/* One line without its newline. cut: no newline came, so it counts only if nothing is missing. */
static int parse_line(struct parser *parser, struct cursor c, bool cut, enum line_trust *trust)
{
	struct vmallocinfo_line line = { 0 };
	struct word caller = { 0 };
	bool complete = false;
	int err;

	*trust = LINE_BAD;
	if (memchr(c.p, 0, (size_t)(c.end - c.p)))
		return 0;
	*trust = parse_range(&c, &line);
	if (*trust == LINE_BAD)
		return 0;
	parse_rest(&c, &line, &caller, &complete);
	if (cut && !complete)
		*trust = LINE_BAD;
	if (*trust == LINE_REAL && parser->range_end &&
	    (line.start < parser->range_start || line.end > parser->range_end))
		*trust = LINE_OUTSIDE;
	if (*trust != LINE_REAL)
		return 0;
	if (caller.len) {
		err = add_caller(parser, &line, caller);
		if (err)
			return err;
	}
	return add_line(parser, &line);
}

static int parse_lines(struct parser *parser, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	const char *next;
	const char *p;
	uint32_t number = 0;

	for (p = bytes; p < end; p = next) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct cursor line = { p, newline ? newline : end };
		enum line_trust trust;
		int err = parse_line(parser, line, !newline, &trust);

		if (err)
			return err;
		number++;
		next = newline ? newline + 1 : end;
		if (trust == LINE_BAD && !parser->info->bad_line)
			parser->info->bad_line = number;
		if (trust != LINE_BAD || newline)
			parser->seen[trust] = true;
	}
	return 0;
}

static int verdict(const struct parser *parser, size_t len, enum vmallocinfo_trust *trust)
{
	*trust = VMI_GARBAGE;
	if (parser->seen[LINE_HASHED])
		*trust = VMI_HASHED;
	else if (parser->seen[LINE_ZEROED])
		*trust = VMI_ZEROED;
	else if (!len)
		*trust = VMI_EMPTY;
	else if (parser->info->count && !parser->seen[LINE_BAD] && !parser->seen[LINE_OUTSIDE])
		*trust = VMI_REAL;

	switch (*trust) {
	case VMI_REAL:
		return 0;
	case VMI_EMPTY:
		return -ENODATA;
	case VMI_GARBAGE:
		return -EBADMSG;
	case VMI_HASHED:
	case VMI_ZEROED:
		break;
	}
	return -EPERM;
}

int vmallocinfo_parse(const char *bytes, size_t len, uint32_t range_start, uint32_t range_end,
		      struct vmallocinfo *info)
{
	struct parser parser = {
		.info = info,
		.text_used = 1,
		.range_start = range_start,
		.range_end = range_end,
	};
	int err;

	*info = (struct vmallocinfo){ .trust = VMI_GARBAGE };
	info->text = calloc(1, FIRST_TEXT);
	if (!info->text)
		return -ENOMEM;
	parser.text_capacity = FIRST_TEXT;
	err = parse_lines(&parser, bytes, len);
	if (err) {
		vmallocinfo_release(info);
		return err;
	}
	return verdict(&parser, len, &info->trust);
}

void vmallocinfo_release(struct vmallocinfo *info)
{
	free(info->lines);
	free(info->text);
	*info = (struct vmallocinfo){ .trust = VMI_GARBAGE };
}

const char *vmallocinfo_caller(const struct vmallocinfo *info, const struct vmallocinfo_line *line)
{
	return line->caller ? info->text + line->caller : "";
}
