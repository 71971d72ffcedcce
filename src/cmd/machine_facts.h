/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recording is to know of the machine beside its header. */
#ifndef VMTRACE_CMD_MACHINE_FACTS_H
#define VMTRACE_CMD_MACHINE_FACTS_H

#include <stdint.h>

#include "record/header.h"
#include "space/names.h"

#define MACHINE_FACTS_MAX 16u

/* Reads this machine's facts into facts (of MACHINE_FACTS_MAX); what cannot be read is left out.
 * How many there are. The keys are listed in docs/FORMAT.md. */
uint32_t machine_facts_read(struct names *names, struct stream_fact *facts);

#endif
