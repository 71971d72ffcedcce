// SPDX-License-Identifier: GPL-2.0-only
/* A filter expression: compiled, and asked of areas and events. */
#include "fuzz.h"
#include "space/filter.h"
#include "space/kind.h"

struct world {
	struct names *names;
	struct stacks *stacks;
	struct filter_base base;
	struct area areas[3];
	struct event events[EV_TYPE_COUNT];
};

static void make_areas(struct world *world, uint32_t stack_id)
{
	world->areas[0] = (struct area){ .start = 0xf7849000,
					 .end = 0xf7852000,
					 .birth_ns = 1000000000,
					 .origin = area_origin(stack_id, 0),
					 .pid = 108,
					 .comm_id = names_intern_str(world->names, "insmod"),
					 .state = AREA_USED,
					 .kind = KIND_VMALLOC,
					 .guard_pages = 1 };
	world->areas[1] =
		(struct area){ .start = 0xf8000000,
			       .end = 0xf8100000,
			       .origin = area_origin(0, names_intern_str(world->names,
								 "n_tty_open+0x16/0xa0")),
			       .state = AREA_USED,
			       .kind = KIND_IOREMAP,
			       .flags = AREA_F_SEEDED };
	world->areas[2] = world->areas[0];
	world->areas[2].state = AREA_LAZY;
	world->areas[2].free_ns = 5000000000;
}

static void make_world(struct world *world)
{
	uint32_t frames[3];

	world->names = names_new();
	world->stacks = stacks_new();
	FUZZ_CHECK(world->names && world->stacks);
	frames[0] = names_intern_str(world->names, "vmalloc+0x6f");
	frames[1] = names_intern_str(world->names, "ring_alloc+0x41 [foo]");
	frames[2] = names_intern_str(world->names, "foo_open+0x90 [foo]");
	make_areas(world, stacks_intern(world->stacks, frames, 3, NULL));
	world->base = (struct filter_base){ world->names, world->stacks, 600000000000 };
	for (unsigned int type = 0; type < EV_TYPE_COUNT; type++)
		world->events[type] = (struct event){ .type = (uint8_t)type,
						      .t_ns = 2000000000,
						      .start = 0xf7849000,
						      .end = 0xf7852000,
						      .size = 0x9000,
						      .pid = 9,
						      .stack_id = 1,
						      .kind = KIND_VMALLOC,
						      .state = AREA_USED };
}

/* A message is about a place in the text, and can be shown on a terminal. */
static void check_error(const char *text, const struct filter_error *error)
{
	FUZZ_CHECK(error->at <= strlen(text));
	FUZZ_CHECK(*error->why && strlen(error->why) < sizeof(error->why));
	for (const char *c = error->why; *c; c++)
		FUZZ_CHECK(*c >= ' ' && *c <= '~');
}

/* `not (X)` holds where X does not, of everything that a filter may leave out. */
static void check_not(const struct world *world, const struct filter *filter, const char *text)
{
	char inverse[FILTER_MAX_LEN + 8];
	struct filter_error error;
	struct filter *other;

	snprintf(inverse, sizeof(inverse), "not (%s)", text);
	if (filter_compile(inverse, &other, &error))
		return; /* too long, or too deep now */
	for (size_t i = 0; i < sizeof(world->areas) / sizeof(world->areas[0]); i++)
		FUZZ_CHECK(filter_area(filter, &world->base, &world->areas[i]) !=
			   filter_area(other, &world->base, &world->areas[i]));
	for (unsigned int type = 0; type < EV_TYPE_COUNT; type++) {
		const struct event *event = &world->events[type];
		bool judged = type == EV_ALLOC || type == EV_FREE || type == EV_FAIL ||
			      type == EV_VFREE || type == EV_AREA;
		bool a = filter_event(filter, &world->base, &world->areas[0], event);
		bool b = filter_event(other, &world->base, &world->areas[0], event);

		FUZZ_CHECK(judged ? a != b : a == b);
		filter_event(filter, &world->base, NULL, event);
	}
	filter_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);
	struct filter_error error;
	struct filter *filter;
	struct world world;

	FUZZ_CHECK(text);
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (filter_compile(text, &filter, &error)) {
		FUZZ_CHECK(!filter);
		check_error(text, &error);
		free(text);
		return 0;
	}
	FUZZ_CHECK(!strcmp(filter_text(filter), text));
	make_world(&world);
	if (text[strspn(text, " \t\r\n")])
		check_not(&world, filter, text);
	else
		FUZZ_CHECK(filter_area(filter, &world.base, &world.areas[0]));
	filter_free(filter);
	stacks_free(world.stacks);
	names_free(world.names);
	free(text);
	return 0;
}
