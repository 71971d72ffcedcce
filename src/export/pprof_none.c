// SPDX-License-Identifier: GPL-2.0-only
/* In place of pprof.c in a build without protobuf-c. */
#include "export/export.h"

#include <errno.h>

const bool export_has_pprof = false;

int export_pprof(FILE *out, const struct export_data *data)
{
	(void)out;
	(void)data;
	return -ENOSYS;
}
