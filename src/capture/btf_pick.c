/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/btf_pick.h"

#include <string.h>

static const struct btf_embedded *find(const struct btf_embedded *table, size_t count,
				       const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(table[i].name, name))
			return &table[i];
	}
	return NULL;
}

enum btf_from btf_pick(const char *wish, bool kernel_has_btf, const char *release,
		       const struct btf_embedded *table, size_t count,
		       const struct btf_embedded **entry)
{
	bool wants_generic = wish && !strcmp(wish, BTF_GENERIC);
	bool wants_embedded = wish && !strcmp(wish, BTF_EMBEDDED);

	*entry = NULL;
	if (wish && !wants_generic && !wants_embedded)
		return BTF_FROM_FILE;
	if (!wish && kernel_has_btf)
		return BTF_FROM_KERNEL;
	if (!wants_generic) {
		*entry = find(table, count, release);
		if (*entry)
			return BTF_FROM_EMBEDDED;
	}
	if (!wants_embedded)
		*entry = find(table, count, BTF_GENERIC);
	return *entry ? BTF_FROM_GENERIC : BTF_FROM_NOWHERE;
}
