// SPDX-License-Identifier: GPL-2.0-only
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_US  1000ull
#define NS_PER_MS  1000000ull
#define NS_PER_S   1000000000ull
#define S_PER_DAY  86400u
#define S_PER_YEAR (365u * S_PER_DAY)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *units_bytes(uint64_t bytes, char *buf, size_t len)
{
	static const char suffix[] = "KMGTPE";
	unsigned int unit = 0;
	unsigned int shift;
	uint64_t whole;
	uint64_t rest;
	uint64_t tenths;

	if (bytes < 1024) {
		snprintf(buf, len, "%u", (unsigned int)bytes);
		return buf;
	}
	/* Whole numbers from 1000 on: a decimal would be the seventh character. */
	while (unit < 5 && bytes >> (10 * (unit + 2)))
		unit++;
	shift = 10 * (unit + 1);
	whole = bytes >> shift;
	rest = bytes & ((1ull << shift) - 1);
	tenths = (rest * 10 + (1ull << (shift - 1))) >> shift;
	if (whole >= 1000 ? rest >= 1ull << (shift - 1) : tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (whole == 1024 && unit < 5) {
		whole = 1;
		tenths = 0;
		unit++;
	}
	if (whole >= 1000 || (whole >= 10 && !rest))
		snprintf(buf, len, "%u%c", (unsigned int)whole, suffix[unit]);
	else
		snprintf(buf, len, "%u.%u%c", (unsigned int)whole, (unsigned int)tenths,
			 suffix[unit]);
	return buf;
}

/* Cut, never rounded: 59.96 s must not become "60.0s". */
const char *units_duration(uint64_t ns, char *buf, size_t len)
{
	uint64_t s = ns / NS_PER_S;
	uint32_t days = (uint32_t)(s / S_PER_DAY);
	unsigned int in_day = (unsigned int)(s % S_PER_DAY);

	if (ns < NS_PER_US)
		snprintf(buf, len, "%uns", (unsigned int)ns);
	else if (ns < NS_PER_MS)
		snprintf(buf, len, "%uus", (unsigned int)(ns / NS_PER_US));
	else if (ns < 100 * NS_PER_MS)
		snprintf(buf, len, "%u.%ums", (unsigned int)(ns / NS_PER_MS),
			 (unsigned int)(ns % NS_PER_MS / (NS_PER_MS / 10)));
	else if (ns < NS_PER_S)
		snprintf(buf, len, "%ums", (unsigned int)(ns / NS_PER_MS));
	else if (s < 60)
		snprintf(buf, len, "%u.%us", (unsigned int)s,
			 (unsigned int)(ns % NS_PER_S / (NS_PER_S / 10)));
	else if (s < 3600)
		snprintf(buf, len, "%um%02us", in_day / 60, in_day % 60);
	else if (s < S_PER_DAY)
		snprintf(buf, len, "%uh%02um", in_day / 3600, in_day / 60 % 60);
	else
		snprintf(buf, len, "%ud%02uh", days, in_day / 3600);
	return buf;
}

/* Reads digits of this base from *text on; saturates at UINT64_MAX. False if there is none. */
static bool read_digits(const char **text, unsigned int base, uint64_t *value)
{
	const char *p = *text;
	uint64_t sum = 0;

	for (; base == 16 ? isxdigit((unsigned char)*p) : isdigit((unsigned char)*p); p++) {
		int c = tolower((unsigned char)*p);
		unsigned int digit = (unsigned int)(isdigit(c) ? c - '0' : c - 'a' + 10);

		sum = sum > (UINT64_MAX - digit) / base ? UINT64_MAX : sum * base + digit;
	}
	if (p == *text)
		return false;
	*text = p;
	*value = sum;
	return true;
}

int units_parse_size(const char *text, uint64_t max, uint64_t *bytes)
{
	static const char prefixes[] = "kmg";
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *p = hex ? text + 2 : text;
	unsigned int shift = 0;
	const char *prefix;
	uint64_t value;

	if (!read_digits(&p, hex ? 16 : 10, &value))
		return -EINVAL;
	prefix = *p ? strchr(prefixes, tolower((unsigned char)*p)) : NULL;
	if (!hex && prefix) {
		shift = 10 * (unsigned int)(prefix - prefixes + 1);
		p++;
		if (*p == 'i' && p[1] == 'B')
			p++;
	}
	if (!hex && *p == 'B')
		p++;
	if (*p)
		return -EINVAL;
	if (value > max >> shift)
		return -ERANGE;
	*bytes = value << shift;
	return 0;
}

int units_parse_bytes(const char *text, uint32_t *bytes)
{
	uint64_t value;
	int err = units_parse_size(text, UINT32_MAX, &value);

	if (!err)
		*bytes = (uint32_t)value;
	return err;
}

/* Reads ".ddd" as billionths; further digits are cut. False if no digit follows the point. */
static bool read_fraction(const char **text, uint32_t *billionths)
{
	const char *p = *text + 1;
	uint32_t weight = 100000000;

	*billionths = 0;
	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		*billionths += (uint32_t)(*p - '0') * weight;
		weight /= 10;
	}
	*text = p;
	return true;
}

int units_parse_duration(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", NS_PER_S },         { "ns", 1 },
		{ "us", NS_PER_US },      { "ms", NS_PER_MS },
		{ "s", NS_PER_S },        { "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S }, { "d", S_PER_DAY * NS_PER_S },
	};
	const uint64_t max = 10 * (uint64_t)S_PER_YEAR * NS_PER_S;
	uint32_t billionths = 0;
	uint64_t value;
	uint64_t unit;
	uint64_t part;
	size_t i;

	if (!read_digits(&text, 10, &value))
		return -EINVAL;
	if (*text == '.' && !read_fraction(&text, &billionths))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(units) && strcmp(text, units[i].name); i++)
		;
	if (i == ARRAY_SIZE(units))
		return -EINVAL;
	unit = units[i].ns;
	/* Either factor order stays far below 2^64: units are whole seconds or below one. */
	part = unit >= NS_PER_S ? billionths * (unit / NS_PER_S) : billionths * unit / NS_PER_S;
	if (value > max / unit || value * unit + part > max)
		return -ERANGE;
	*ns = value * unit + part;
	return 0;
}
