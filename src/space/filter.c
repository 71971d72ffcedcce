// SPDX-License-Identifier: GPL-2.0-only
/* The words of a filter into a tree. A parser by recursive descent, one function a rule. */
#include "space/filter.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "space/filter_internal.h"
#include "space/kind.h"
#include "units.h"

#define NO_NODE   UINT16_MAX
#define SHOWN_LEN 24 /* of a word in a message */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct parser {
	struct filter *filter;
	struct filter_error *error;
	const char *at;
	uint32_t terms;
	uint32_t depth;
	bool failed;
};

/* A word of the text: not ended by a NUL. */
struct word {
	const char *text;
	size_t len;
};

enum value_class { VALUE_TEXT, VALUE_NAME, VALUE_NUMBER };

static const struct {
	const char *name;
	enum value_class type;
} fields[FIELD_COUNT] = {
	[FIELD_MOD] = { "mod", VALUE_TEXT },       [FIELD_CALLER] = { "caller", VALUE_TEXT },
	[FIELD_STACK] = { "stack", VALUE_TEXT },   [FIELD_COMM] = { "comm", VALUE_TEXT },
	[FIELD_KIND] = { "kind", VALUE_NAME },     [FIELD_STATE] = { "state", VALUE_NAME },
	[FIELD_PID] = { "pid", VALUE_NUMBER },     [FIELD_SIZE] = { "size", VALUE_NUMBER },
	[FIELD_GUARD] = { "guard", VALUE_NUMBER }, [FIELD_AGE] = { "age", VALUE_NUMBER },
	[FIELD_ADDR] = { "addr", VALUE_NUMBER },
};

static const char all_fields[] = "mod caller stack comm kind state pid size guard age addr";

/* Longer ones before those that they begin with. */
static const struct {
	const char *text;
	enum filter_operator op;
	bool negated;
} operators[] = {
	{ "!=", OPERATOR_IS, true },       { "!~", OPERATOR_HAS, true },
	{ "<=", OPERATOR_AT_MOST, false }, { ">=", OPERATOR_AT_LEAST, false },
	{ "==", OPERATOR_IS, false },      { "=", OPERATOR_IS, false },
	{ "~", OPERATOR_HAS, false },      { "<", OPERATOR_BELOW, false },
	{ ">", OPERATOR_ABOVE, false },
};

/* ---- errors ------------------------------------------------------------------------------------
 */

/* The first error is told, since the others follow from it. Returns NO_NODE. */
static uint16_t fail(struct parser *parser, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static uint16_t fail(struct parser *parser, const char *where, const char *format, ...)
{
	va_list args;

	if (parser->failed)
		return NO_NODE;
	parser->failed = true;
	parser->error->at = (uint32_t)(where - parser->filter->text);
	va_start(args, format);
	vsnprintf(parser->error->why, sizeof(parser->error->why), format, args);
	va_end(args);
	for (char *c = parser->error->why; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return NO_NODE;
}

/* "'word'", or "the end"; cut where it is long. Returns buf. */
static const char *show(struct word word, char buf[SHOWN_LEN + 8])
{
	if (!word.len)
		snprintf(buf, SHOWN_LEN + 8, "the end");
	else if (word.len > SHOWN_LEN)
		snprintf(buf, SHOWN_LEN + 8, "'%.*s...'", SHOWN_LEN - 3, word.text);
	else
		snprintf(buf, SHOWN_LEN + 8, "'%.*s'", (int)word.len, word.text);
	return buf;
}

/* ---- words -------------------------------------------------------------------------------------
 */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blanks(struct parser *parser)
{
	while (is_blank(*parser->at))
		parser->at++;
}

/* What a person would call the next word: for messages. */
static struct word next_word(const struct parser *parser)
{
	size_t len = strcspn(parser->at, " \t\r\n()");

	return (struct word){ parser->at, len ? len : *parser->at != '\0' };
}

/* The letters here, without passing over them. */
static struct word letters(struct parser *parser)
{
	struct word word;

	skip_blanks(parser);
	word = (struct word){ parser->at, 0 };
	while (is_letter(word.text[word.len]))
		word.len++;
	return word;
}

static bool word_is(struct word word, const char *text)
{
	return strlen(text) == word.len && !memcmp(word.text, text, word.len);
}

/* Passes over `and`, `or` or `not` if it stands here as a whole word. */
static bool take_keyword(struct parser *parser, const char *keyword)
{
	struct word word = letters(parser);

	if (word.len != strlen(keyword) || strncasecmp(word.text, keyword, word.len))
		return false;
	parser->at += word.len;
	return true;
}

static bool is_keyword(struct word word)
{
	static const char *const keywords[] = { "and", "or", "not" };

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		if (word.len == strlen(keywords[i]) &&
		    !strncasecmp(word.text, keywords[i], word.len))
			return true;
	}
	return false;
}

static bool take_char(struct parser *parser, char c)
{
	skip_blanks(parser);
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* ---- nodes -------------------------------------------------------------------------------------
 */

static uint16_t add_node(struct parser *parser, struct filter_node node)
{
	struct filter *filter = parser->filter;

	if (parser->failed)
		return NO_NODE;
	if (filter->nr_nodes == FILTER_MAX_NODES)
		return fail(parser, parser->at, "too long: more than %u parts", FILTER_MAX_NODES);
	filter->nodes[filter->nr_nodes] = node;
	return (uint16_t)filter->nr_nodes++;
}

static uint16_t add_not(struct parser *parser, uint16_t operand)
{
	return add_node(parser, (struct filter_node){ .type = NODE_NOT, .left = operand });
}

static uint16_t add_joint(struct parser *parser, enum filter_node_type type, uint16_t left,
			  uint16_t right)
{
	return add_node(parser, (struct filter_node){ .type = type, .left = left, .right = right });
}

/* ---- values ------------------------------------------------------------------------------------
 */

/* Fits: all values are parts of the text, and behind each at least one of its bytes is none, or it
 * is the last. */
static uint32_t keep_text(struct parser *parser, struct word value)
{
	struct filter *filter = parser->filter;
	uint32_t at = filter->values_len;

	memcpy(filter->values + at, value.text, value.len);
	filter->values[at + value.len] = '\0';
	filter->values_len += (uint32_t)value.len + 1;
	return at;
}

/* Passes over a value, quoted or not. */
static struct word take_value(struct parser *parser)
{
	struct word value;
	char quote;

	skip_blanks(parser);
	quote = *parser->at;
	if (quote == '"' || quote == '\'') {
		const char *close = strchr(parser->at + 1, quote);

		if (!close) {
			fail(parser, parser->at, "the quote %c is not closed", quote);
			return (struct word){ parser->at, 0 };
		}
		value = (struct word){ parser->at + 1, (size_t)(close - parser->at) - 1 };
		if (!value.len)
			fail(parser, parser->at, "expected a value, not an empty one");
		parser->at = close + 1;
		return value;
	}
	value = (struct word){ parser->at, strcspn(parser->at, " \t\r\n()\"'") };
	if (!value.len || strchr("=~<>!", *value.text)) {
		char shown[SHOWN_LEN + 8];

		fail(parser, parser->at, "expected a value, not %s",
		     show(next_word(parser), shown));
	}
	parser->at += value.len;
	return value;
}

/* "f7849000", "0xf7849000": at most 8 digits. */
static bool parse_hex(struct word word, uint64_t *value)
{
	char text[16], *end;

	if (word.len > 2 && word.text[0] == '0' && (word.text[1] == 'x' || word.text[1] == 'X'))
		word = (struct word){ word.text + 2, word.len - 2 };
	if (!word.len || word.len > 8)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)word.len, word.text);
	if (strspn(text, "0123456789abcdefABCDEF") != word.len)
		return false;
	*value = strtoull(text, &end, 16);
	return true;
}

/* An address, or "start-end" as ranges are shown: the end is the first byte behind. */
static bool parse_addr(struct word word, struct filter_node *node)
{
	const char *dash = memchr(word.text, '-', word.len);
	uint64_t end;

	if (!dash) {
		if (!parse_hex(word, &node->low))
			return false;
		node->high = node->low;
		return true;
	}
	if (!parse_hex((struct word){ word.text, (size_t)(dash - word.text) }, &node->low) ||
	    !parse_hex((struct word){ dash + 1, word.len - (size_t)(dash - word.text) - 1 },
		       &end) ||
	    end <= node->low)
		return false;
	node->high = end - 1;
	return true;
}

static bool parse_decimal(const char *text, uint64_t *value)
{
	char *end;

	if (!*text || strlen(text) > 10 || strspn(text, "0123456789") != strlen(text))
		return false;
	*value = strtoull(text, &end, 10);
	return *value <= UINT32_MAX;
}

static bool parse_number(enum filter_field field, struct word word, struct filter_node *node)
{
	char text[32];
	bool ok;

	if (field == FIELD_ADDR)
		return parse_addr(word, node);
	if (word.len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)word.len, word.text);
	if (field == FIELD_PID)
		ok = parse_decimal(text, &node->low);
	else if (field == FIELD_AGE)
		ok = !units_parse_duration(text, &node->low);
	else
		ok = !units_parse_size(text, UINT32_MAX, &node->low);
	node->high = node->low;
	return ok;
}

static bool parse_kind(struct word word, uint64_t *value)
{
	for (unsigned int kind = 0; kind < KIND_COUNT; kind++) {
		if (word_is(word, kind_name(kind))) {
			*value = kind;
			return true;
		}
	}
	return false;
}

static bool parse_state(struct word word, uint64_t *value)
{
	static const struct {
		const char *name;
		enum filter_state state;
	} states[] = { { "used", FILTER_USED },
		       { "lazy", FILTER_LAZY },
		       { "failed", FILTER_FAILED } };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (word_is(word, states[i].name)) {
			*value = states[i].state;
			return true;
		}
	}
	return false;
}

static const char *wanted(enum filter_field field)
{
	switch (field) {
	case FIELD_KIND:
		return "a kind (vmalloc vmap ioremap module bpf percpu vm_map_ram user "
		       "dma-coherent early unknown)";
	case FIELD_STATE:
		return "used, lazy or failed";
	case FIELD_PID:
		return "a process id";
	case FIELD_AGE:
		return "a time (500ms, 10m, 2h)";
	case FIELD_ADDR:
		return "an address or a range (f7800000-f7900000)";
	default:
		return "a size (64K, 1M)";
	}
}

/* ---- rules -------------------------------------------------------------------------------------
 */

static enum filter_field take_field(struct parser *parser)
{
	struct word word = letters(parser);
	char shown[SHOWN_LEN + 8];

	for (unsigned int field = 0; word.len && field < FIELD_COUNT; field++) {
		if (!word_is(word, fields[field].name))
			continue;
		parser->at += word.len;
		return (enum filter_field)field;
	}
	if (word.len && !is_keyword(word))
		fail(parser, word.text, "no such field: %s. There are %s", show(word, shown),
		     all_fields);
	else
		fail(parser, word.text, "expected a field (%s), not %s", all_fields,
		     show(next_word(parser), shown));
	return FIELD_COUNT;
}

static const char *operators_of(enum value_class type)
{
	return type == VALUE_TEXT ? "= != ~ !~" : type == VALUE_NAME ? "= !=" : "= != < <= > >=";
}

static bool takes_operator(enum value_class type, enum filter_operator op)
{
	return op == OPERATOR_IS || (type == VALUE_TEXT && op == OPERATOR_HAS) ||
	       (type == VALUE_NUMBER && op >= OPERATOR_BELOW);
}

/* The index in operators, ARRAY_SIZE of it if there is none that suits. */
static size_t take_operator(struct parser *parser, enum filter_field field)
{
	enum value_class type = fields[field].type;
	char shown[SHOWN_LEN + 8];
	size_t i;

	skip_blanks(parser);
	for (i = 0; i < ARRAY_SIZE(operators); i++) {
		size_t len = strlen(operators[i].text);

		if (strncmp(parser->at, operators[i].text, len))
			continue;
		if (!takes_operator(type, operators[i].op))
			fail(parser, parser->at, "%s takes %s, not '%s'", fields[field].name,
			     operators_of(type), operators[i].text);
		parser->at += len;
		return i;
	}
	fail(parser, parser->at, "expected %s after '%s', not %s", operators_of(type),
	     fields[field].name, show(next_word(parser), shown));
	return i;
}

static void set_value(struct parser *parser, struct filter_node *node, struct word value)
{
	enum filter_field field = (enum filter_field)node->field;
	char shown[SHOWN_LEN + 8];
	bool ok = true;

	if (fields[field].type == VALUE_TEXT)
		node->text = keep_text(parser, value);
	else if (field == FIELD_KIND)
		ok = parse_kind(value, &node->low);
	else if (field == FIELD_STATE)
		ok = parse_state(value, &node->low);
	else
		ok = parse_number(field, value, node);
	if (fields[field].type == VALUE_NAME)
		node->high = node->low;
	if (!ok)
		fail(parser, value.text, "expected %s, not %s", wanted(field), show(value, shown));
}

static uint16_t parse_term(struct parser *parser)
{
	struct filter_node node = { .type = NODE_TERM };
	enum filter_field field = take_field(parser);
	struct word value;
	size_t op;
	uint16_t term;

	if (parser->failed)
		return NO_NODE;
	if (++parser->terms > FILTER_MAX_TERMS)
		return fail(parser, parser->at, "too long: more than %u comparisons",
			    FILTER_MAX_TERMS);
	op = take_operator(parser, field);
	if (parser->failed)
		return NO_NODE;
	value = take_value(parser);
	if (parser->failed)
		return NO_NODE;
	node.field = field;
	node.op = operators[op].op;
	set_value(parser, &node, value);
	term = add_node(parser, node);
	return operators[op].negated ? add_not(parser, term) : term;
}

static uint16_t parse_or(struct parser *parser);

static uint16_t parse_group(struct parser *parser)
{
	const char *open = parser->at - 1;
	uint16_t node = parse_or(parser);
	char shown[SHOWN_LEN + 8];

	if (!parser->failed && !take_char(parser, ')'))
		return fail(parser, parser->at, "expected ')' for the '(' at %u, not %s",
			    (unsigned int)(open - parser->filter->text) + 1,
			    show(next_word(parser), shown));
	return node;
}

static uint16_t parse_unary(struct parser *parser)
{
	uint16_t node;

	if (++parser->depth > FILTER_MAX_DEPTH)
		return fail(parser, parser->at, "nested deeper than %u", FILTER_MAX_DEPTH);
	if (take_keyword(parser, "not"))
		node = add_not(parser, parse_unary(parser));
	else if (take_char(parser, '('))
		node = parse_group(parser);
	else
		node = parse_term(parser);
	parser->depth--;
	return node;
}

static bool at_end_of_and(struct parser *parser)
{
	struct word word = letters(parser);

	return !*parser->at || *parser->at == ')' ||
	       (word.len == 2 && !strncasecmp(word.text, "or", 2));
}

static uint16_t parse_and(struct parser *parser)
{
	uint16_t node = parse_unary(parser);

	while (!parser->failed && (take_keyword(parser, "and") || !at_end_of_and(parser)))
		node = add_joint(parser, NODE_AND, node, parse_unary(parser));
	return node;
}

static uint16_t parse_or(struct parser *parser)
{
	uint16_t node = parse_and(parser);

	while (!parser->failed && take_keyword(parser, "or"))
		node = add_joint(parser, NODE_OR, node, parse_and(parser));
	return node;
}

static void parse_all(struct parser *parser)
{
	char shown[SHOWN_LEN + 8];

	skip_blanks(parser);
	if (!*parser->at)
		return;
	parse_or(parser);
	skip_blanks(parser);
	if (!parser->failed && *parser->at)
		fail(parser, parser->at, "expected a comparison or the end, not %s",
		     show(next_word(parser), shown));
}

int filter_compile(const char *text, struct filter **filter, struct filter_error *error)
{
	size_t len = strnlen(text, FILTER_MAX_LEN + 1);
	struct parser parser = { .error = error };

	*filter = NULL;
	*error = (struct filter_error){ 0 };
	if (len > FILTER_MAX_LEN) {
		error->at = FILTER_MAX_LEN;
		snprintf(error->why, sizeof(error->why), "too long: more than %u bytes",
			 FILTER_MAX_LEN);
		return -EINVAL;
	}
	parser.filter = calloc(1, sizeof(*parser.filter));
	if (!parser.filter)
		return -ENOMEM;
	memcpy(parser.filter->text, text, len);
	parser.at = parser.filter->text;
	parse_all(&parser);
	if (parser.failed) {
		free(parser.filter);
		return -EINVAL;
	}
	*filter = parser.filter;
	return 0;
}

void filter_free(struct filter *filter)
{
	free(filter);
}

const char *filter_text(const struct filter *filter)
{
	return filter->text;
}
