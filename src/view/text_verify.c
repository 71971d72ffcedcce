/* SPDX-License-Identifier: GPL-2.0-only */
/* What verify found. */
#include <inttypes.h>

#include "view/text.h"

static void put_diffs(FILE *out, const struct compare_result *result)
{
	static const char *const names[] = { "?", "missing", "extra", "mismatched", "lazy?" };

	for (uint32_t i = 0; i < result->nr_diffs; i++) {
		const struct diff *diff = &result->diffs[i];

		fprintf(out, "  %-10s %08x-%08x  kernel's end %08x\n",
			names[diff->type <= DIFF_LAZY ? diff->type : 0], diff->start,
			diff->model_end ? diff->model_end : diff->kernel_end, diff->kernel_end);
	}
}

void text_verify(FILE *out, const struct compare_result *result,
		 const struct space_counters *counters, uint64_t healed)
{
	put_diffs(out, result);
	fprintf(out, "verify: %u missing, %u extra, %u mismatched\n", result->missing,
		result->extra, result->mismatched);
	fprintf(out, "  %u areas in the kernel's list, %u in the map", result->areas_kernel,
		result->areas_model);
	/* The list is read piece by piece while areas come and go: the numbers may differ by them.
	 */
	if (result->in_flight)
		fprintf(out,
			"; %u place%s changed\n  while the list was read: not counted as a "
			"difference",
			result->in_flight, result->in_flight == 1 ? "" : "s");
	fprintf(out, "\n  lazy: %u KiB in the kernel's list, %u in the map, %u differ\n",
		result->lazy_kernel_bytes / 1024, result->lazy_model_bytes / 1024,
		result->lazy_diff_bytes / 1024);
	fprintf(out, "  %" PRIu64 " lost, %" PRIu64 " healed\n", counters->lost, healed);
}
