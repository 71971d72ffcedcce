/* SPDX-License-Identifier: GPL-2.0-only */
/* What the detail pane says, as lines of text: made by the views that the commands print, too. */
#ifndef VMTRACE_SCREEN_DETAIL_H
#define VMTRACE_SCREEN_DETAIL_H

#include <stdint.h>

#include "screen/model.h"

/* Of what state->detail names, laid out for columns. Lines end in \n; to be freed. NULL on lack of
 * memory. */
char *detail_text(const struct model *model, const struct state *state, uint32_t columns);

/* The stack of what is selected in the pane, or of the area under the cursor. As above. */
char *detail_stack(const struct model *model, const struct state *state, uint32_t columns);

#endif
