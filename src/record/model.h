/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model as a snapshot: the events that bring an empty model to where this one is. A recording
 * that begins in the middle of a stream begins with them, and needs nothing that came before.
 */
#ifndef VMTRACE_RECORD_MODEL_H
#define VMTRACE_RECORD_MODEL_H

#include "space/space.h"
#include "stream.h"

/*
 * SNAPSHOT_BEGIN, an AREA for each area with what is known of it (owner, birth, task; of a lazy one
 * who freed it and when; of a module where modules begin), SNAPSHOT_END, and a VFREE for each area
 * that was told to be freed and is not yet. Not carried: what has been counted, who called vfree,
 * and the birth of what is lazy. Where pages are still unknown there is no END, so that they stay
 * so (and those that events showed to be free become so again). Where the model is uncertain, one
 * LOST event goes in front, so that it stays so. Times are that of the newest event. 0, or what
 * sink returns.
 */
int model_emit(const struct space *space, const struct sink *sink);

#endif
