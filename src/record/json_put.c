// SPDX-License-Identifier: GPL-2.0-only
#include "record/json_put.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct json_put json_put_new(void)
{
	struct json_put put = { .object = json_object() };

	put.failed = !put.object;
	return put;
}

int json_put_part(FILE *out, struct json_put *put, bool braces)
{
	size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(6) | (braces ? 0 : JSON_EMBED);
	int err = 0;

	if (put->failed)
		err = -ENOMEM;
	else if (json_dumpf(put->object, out, flags) < 0 || ferror(out))
		err = -EIO;
	json_decref(put->object);
	put->object = NULL;
	return err;
}

int json_put_line(FILE *out, struct json_put *put)
{
	int err = json_put_part(out, put, true);

	if (!err && putc('\n', out) == EOF)
		err = -EIO;
	return err;
}

void json_put_append(struct json_put *outer, json_t *array, struct json_put *put)
{
	if (put->failed || json_array_append(array, put->object) < 0)
		outer->failed = true;
	json_decref(put->object);
	put->object = NULL;
}

void json_put_value(struct json_put *put, const char *key, json_t *value)
{
	if (put->failed)
		json_decref(value);
	else if (json_object_set_new_nocheck(put->object, key, value) < 0)
		put->failed = true;
}

void json_put_uint(struct json_put *put, const char *key, uint64_t value)
{
	json_put_value(put, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

void json_put_bool(struct json_put *put, const char *key, bool value)
{
	json_put_value(put, key, json_boolean(value));
}

void json_put_real(struct json_put *put, const char *key, double value)
{
	json_put_value(put, key, json_real(value));
}

void json_put_addr(struct json_put *put, const char *key, uint32_t addr)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08" PRIx32, addr);
	json_put_value(put, key, json_string_nocheck(text));
}

static json_t *repaired_string(const char *text)
{
	char *copy = malloc(strlen(text) * strlen(UTF8_REPLACEMENT) + 1);
	char *to = copy;
	json_t *value;

	if (!copy)
		return NULL;
	while (*text) {
		size_t len = utf8_len(text);

		to = mempcpy(to, len ? text : UTF8_REPLACEMENT,
			     len ? len : strlen(UTF8_REPLACEMENT));
		text += len ? len : 1;
	}
	*to = '\0';
	value = json_string(copy);
	free(copy);
	return value;
}

static json_t *safe_string(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : repaired_string(text);
}

void json_put_text(struct json_put *put, const char *key, const char *text)
{
	json_put_value(put, key, safe_string(text));
}

void json_put_pair(struct json_put *put, const char *key, const char *text)
{
	json_t *safe_key = safe_string(key);

	if (safe_key)
		json_put_text(put, json_string_value(safe_key), text);
	else
		put->failed = true;
	json_decref(safe_key);
}

void json_put_opt_uint(struct json_put *put, const char *key, uint64_t value)
{
	if (value)
		json_put_uint(put, key, value);
}

void json_put_opt_addr(struct json_put *put, const char *key, uint32_t addr)
{
	if (addr)
		json_put_addr(put, key, addr);
}

void json_put_frames(struct json_put *put, const char *key, const struct names *names,
		     struct stack stack)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; array && i < stack.nr_frames; i++) {
		json_t *frame = safe_string(names_text(names, stack.frames[i]));

		if (json_array_append_new(array, frame) < 0)
			put->failed = true;
	}
	json_put_value(put, key, array);
}
