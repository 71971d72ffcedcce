// SPDX-License-Identifier: GPL-2.0-only
/* A compiled filter against areas and events. */
#include <string.h>

#include "space/filter.h"
#include "space/filter_internal.h"
#include "space/owners.h"

#define MAX_TASKS 2u

struct range {
	uint64_t first;
	uint64_t last; /* inclusive; a number has both the same */
	bool known;
};

/* What is asked. */
struct subject {
	const struct filter_base *base;
	struct area area; /* for labels, stack and kind */
	struct range addr;
	struct range size;
	struct range guard;
	struct range age;
	uint32_t pids[MAX_TASKS];
	uint32_t comms[MAX_TASKS]; /* string ids */
	uint32_t nr_tasks;
	enum filter_state state;
};

static struct range number(uint64_t value)
{
	return (struct range){ value, value, true };
}

static struct range age_of(uint64_t now_ns, uint64_t then_ns)
{
	return number(now_ns > then_ns ? now_ns - then_ns : 0);
}

static void add_task(struct subject *subject, uint32_t pid, uint32_t comm_id)
{
	if ((!pid && !comm_id) || subject->nr_tasks == MAX_TASKS)
		return;
	subject->pids[subject->nr_tasks] = pid;
	subject->comms[subject->nr_tasks++] = comm_id;
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

static bool compare_range(const struct filter_node *term, struct range value)
{
	if (!value.known)
		return false;
	switch (term->op) {
	case OPERATOR_BELOW:
		return value.first < term->low;
	case OPERATOR_AT_MOST:
		return value.first <= term->high;
	case OPERATOR_ABOVE:
		return value.last > term->high;
	case OPERATOR_AT_LEAST:
		return value.last >= term->low;
	default:
		return value.first <= term->high && value.last >= term->low;
	}
}

static bool match_pid(const struct filter_node *term, const struct subject *subject)
{
	for (uint32_t i = 0; i < subject->nr_tasks; i++) {
		if (compare_range(term, number(subject->pids[i])))
			return true;
	}
	return false;
}

/* ---- text --------------------------------------------------------------------------------------
 */

/* "foo" is "foo", "foo+0x41 [bar]", and "foo.constprop.0+0x41"; "foo+0x41" is "foo+0x41 [bar]". */
static bool is_function(const char *label, const char *value)
{
	size_t len = strlen(value);

	return !strncmp(label, value, len) && (!label[len] || strchr("+. ", label[len]));
}

static bool compare_function(const struct filter_node *term, const char *label, const char *value)
{
	return term->op == OPERATOR_HAS ? strstr(label, value) != NULL : is_function(label, value);
}

static bool compare_text(const struct filter_node *term, const char *text, const char *value)
{
	return term->op == OPERATOR_HAS ? strstr(text, value) != NULL : !strcmp(text, value);
}

/* A module's label has brackets, so that one named kernel stays apart; the value may have them. */
static bool match_module(const struct filter_node *term, const struct subject *subject,
			 const char *value)
{
	struct names *names = subject->base->names;
	const char *label =
		names_text(names, owners_label(&subject->area, names, subject->base->stacks,
					       OWNERS_BY_MODULE));
	size_t len = strlen(label);

	if (compare_text(term, label, value))
		return true;
	return term->op == OPERATOR_IS && len > 2 && *label == '[' && strlen(value) == len - 2 &&
	       !memcmp(label + 1, value, len - 2);
}

static const char *caller_label(const struct subject *subject)
{
	struct names *names = subject->base->names;

	return names_text(names, owners_caller_of(&subject->area, names, subject->base->stacks));
}

static bool match_stack(const struct filter_node *term, const struct subject *subject,
			const char *value)
{
	struct stack stack = stacks_get(subject->base->stacks, area_stack(&subject->area));

	for (uint32_t i = 0; i < stack.nr_frames; i++) {
		if (compare_function(term, names_text(subject->base->names, stack.frames[i]),
				     value))
			return true;
	}
	/* Of an area without a stack; else it is one of the frames. */
	return area_caller(&subject->area) && compare_function(term, caller_label(subject), value);
}

static bool match_comm(const struct filter_node *term, const struct subject *subject,
		       const char *value)
{
	for (uint32_t i = 0; i < subject->nr_tasks; i++) {
		if (compare_text(term, names_text(subject->base->names, subject->comms[i]), value))
			return true;
	}
	return false;
}

/* ---- the tree ----------------------------------------------------------------------------------
 */

static bool match_term(const struct filter *filter, const struct filter_node *term,
		       const struct subject *subject)
{
	const char *value = filter->values + term->text;

	switch ((enum filter_field)term->field) {
	case FIELD_MOD:
		return match_module(term, subject, value);
	case FIELD_CALLER:
		return compare_function(term, caller_label(subject), value);
	case FIELD_STACK:
		return match_stack(term, subject, value);
	case FIELD_COMM:
		return match_comm(term, subject, value);
	case FIELD_KIND:
		return compare_range(term, number(subject->area.kind));
	case FIELD_STATE:
		return compare_range(term, number(subject->state));
	case FIELD_PID:
		return match_pid(term, subject);
	case FIELD_SIZE:
		return compare_range(term, subject->size);
	case FIELD_GUARD:
		return compare_range(term, subject->guard);
	case FIELD_AGE:
		return compare_range(term, subject->age);
	case FIELD_ADDR:
		return compare_range(term, subject->addr);
	case FIELD_COUNT:
		break;
	}
	return false;
}

/* As deep as the tree, which has at most FILTER_MAX_NODES nodes. */
static bool match_node(const struct filter *filter, uint32_t index, const struct subject *subject)
{
	const struct filter_node *node = &filter->nodes[index];

	switch ((enum filter_node_type)node->type) {
	case NODE_NOT:
		return !match_node(filter, node->left, subject);
	case NODE_AND:
		return match_node(filter, node->left, subject) &&
		       match_node(filter, node->right, subject);
	case NODE_OR:
		return match_node(filter, node->left, subject) ||
		       match_node(filter, node->right, subject);
	case NODE_TERM:
		break;
	}
	return match_term(filter, node, subject);
}

/* ---- areas -------------------------------------------------------------------------------------
 */

static struct subject subject_of_area(const struct filter_base *base, const struct area *area)
{
	struct subject subject = {
		.base = base,
		.area = *area,
		.addr = { area->start, (uint64_t)area->end - 1, true },
		.size = number(area->end - area->start),
		.guard = number((uint64_t)area->guard_pages * VMT_PAGE_SIZE),
		.state = area->state == AREA_LAZY ? FILTER_LAZY : FILTER_USED,
	};

	subject.age =
		age_of(base->now_ns, area->state == AREA_LAZY ? area->free_ns : area->birth_ns);
	add_task(&subject, area->pid, area->comm_id);
	return subject;
}

bool filter_area(const struct filter *filter, const struct filter_base *base,
		 const struct area *area)
{
	struct subject subject;

	if (!filter || !filter->nr_nodes)
		return true;
	subject = subject_of_area(base, area);
	return match_node(filter, filter->nr_nodes - 1, &subject);
}

/* ---- events ------------------------------------------------------------------------------------
 */

/* ALLOC, AREA, FAIL: all that there is to know is in the event. */
static struct subject subject_of_birth(const struct filter_base *base, const struct event *event)
{
	struct subject subject = {
		.base = base,
		.area = { .origin = area_origin(event->stack_id, event->caller_id),
			  .kind = event->kind },
		.state = FILTER_USED,
	};

	add_task(&subject, event->pid, event->comm_id);
	if (event->type == EV_FAIL) {
		subject.state = FILTER_FAILED;
		subject.size = number(event->size);
		return subject;
	}
	subject.addr = (struct range){ event->start, (uint64_t)event->end - 1, true };
	subject.size = number(event->end - event->start);
	subject.guard = number((uint64_t)event->guard_pages * VMT_PAGE_SIZE);
	if (event->type == EV_ALLOC)
		subject.age = number(0);
	else if (event->flags & EV_F_KNOWN)
		subject.age = age_of(event->t_ns, event->begin_ns);
	if (event->type == EV_AREA && event->state == AREA_LAZY)
		subject.state = FILTER_LAZY;
	return subject;
}

/* FREE, VFREE: the event says who, the area says what. */
static struct subject subject_of_death(const struct filter_base *base, const struct area *area,
				       const struct event *event)
{
	uint64_t end = event->type == EV_FREE ? event->end : (uint64_t)event->start + 1;
	bool same = area && event->start >= area->start && end <= area->end;
	struct subject subject = { .base = base };

	if (same)
		subject = subject_of_area(base, area);
	if (same)
		subject.age = age_of(event->t_ns, area->birth_ns);
	else
		subject.addr = (struct range){ event->start, end - 1, true };
	if (!same && event->type == EV_FREE)
		subject.size = number(event->end - event->start);
	subject.state = event->type == EV_FREE ? FILTER_LAZY : FILTER_USED;
	add_task(&subject, event->pid, event->comm_id);
	return subject;
}

bool filter_event(const struct filter *filter, const struct filter_base *base,
		  const struct area *area, const struct event *event)
{
	struct subject subject;

	if (!filter || !filter->nr_nodes)
		return true;
	switch (event->type) {
	case EV_ALLOC:
	case EV_AREA:
	case EV_FAIL:
		subject = subject_of_birth(base, event);
		break;
	case EV_FREE:
	case EV_VFREE:
		subject = subject_of_death(base, area, event);
		break;
	case EV_PURGE:
		return false;
	default:
		return true;
	}
	return match_node(filter, filter->nr_nodes - 1, &subject);
}
