/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/requesters.h"

#include <errno.h>
#include <stdlib.h>

#include "space/idtable.h"
#include "allocator/simulation.h"

struct requester {
	uint32_t stack_id;
	uint32_t comm_id; /* only if there is no stack */
	uint32_t size;
	uint32_t align;
};

struct requesters {
	struct idtable table;
	struct requester *list; /* by id - 1 */
	uint32_t *starts;       /* ... what each holds */
	uint32_t count;
	uint32_t capacity;
};

struct requesters *requesters_new(void)
{
	return calloc(1, sizeof(struct requesters));
}

void requesters_free(struct requesters *requesters)
{
	if (!requesters)
		return;
	idtable_release(&requesters->table);
	free(requesters->list);
	free(requesters->starts);
	free(requesters);
}

static struct requester requester_of(const struct simulation_request *request)
{
	return (struct requester){
		.stack_id = request->stack_id,
		.comm_id = request->stack_id ? 0 : request->comm_id,
		.size = request->place.size,
		.align = request->place.align,
	};
}

static bool same(const struct requester *a, const struct requester *b)
{
	return a->stack_id == b->stack_id && a->comm_id == b->comm_id && a->size == b->size &&
	       a->align == b->align;
}

/* Its id; 0 if it is not there. */
static uint32_t find(const struct requesters *requesters, const struct requester *requester)
{
	uint32_t hash = idtable_hash(requester, sizeof(*requester)), pos, id;

	for (id = idtable_first(&requesters->table, hash, &pos); id;
	     id = idtable_next(&requesters->table, hash, &pos)) {
		if (same(&requesters->list[id - 1], requester))
			return id;
	}
	return 0;
}

uint32_t requesters_get(const struct requesters *requesters,
			const struct simulation_request *request)
{
	struct requester requester = requester_of(request);
	uint32_t id = requesters->count ? find(requesters, &requester) : 0;

	return id ? requesters->starts[id - 1] : 0;
}

static int make_room(struct requesters *requesters)
{
	uint32_t capacity = requesters->capacity * 2 + 64;
	struct requester *list;
	uint32_t *starts;

	if (requesters->count < requesters->capacity)
		return 0;
	list = realloc(requesters->list, capacity * sizeof(*list));
	if (!list)
		return -ENOMEM;
	requesters->list = list;
	starts = realloc(requesters->starts, capacity * sizeof(*starts));
	if (!starts)
		return -ENOMEM;
	requesters->starts = starts;
	requesters->capacity = capacity;
	return 0;
}

int requesters_set(struct requesters *requesters, const struct simulation_request *request,
		   uint32_t start)
{
	struct requester requester = requester_of(request);
	uint32_t id = find(requesters, &requester);
	int err;

	if (id) {
		requesters->starts[id - 1] = start;
		return 0;
	}
	err = make_room(requesters);
	if (!err)
		err = idtable_add(&requesters->table, idtable_hash(&requester, sizeof(requester)),
				  requesters->count + 1);
	if (err)
		return err;
	requesters->list[requesters->count] = requester;
	requesters->starts[requesters->count++] = start;
	return 0;
}
