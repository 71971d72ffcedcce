/* SPDX-License-Identifier: GPL-2.0-only */
/* A compiled filter: what filter.c makes and filter_match.c asks; nobody else includes this. */
#ifndef VMTRACE_SPACE_FILTER_INTERNAL_H
#define VMTRACE_SPACE_FILTER_INTERNAL_H

#include "space/filter.h"

/* A tree of n comparisons has n - 1 joints, and at most FILTER_MAX_DEPTH `not` over each. */
#define FILTER_MAX_NODES (4 * FILTER_MAX_TERMS)

enum filter_field {
	FIELD_MOD = 0,
	FIELD_CALLER,
	FIELD_STACK,
	FIELD_COMM,
	FIELD_KIND,
	FIELD_STATE,
	FIELD_PID,
	FIELD_SIZE,
	FIELD_GUARD,
	FIELD_AGE,
	FIELD_ADDR,
	FIELD_COUNT
};

enum filter_operator {
	OPERATOR_IS = 0, /* = */
	OPERATOR_HAS,    /* ~ */
	OPERATOR_BELOW,
	OPERATOR_AT_MOST,
	OPERATOR_ABOVE,
	OPERATOR_AT_LEAST,
};

enum filter_state { FILTER_USED = AREA_USED, FILTER_LAZY = AREA_LAZY, FILTER_FAILED };

enum filter_node_type { NODE_TERM = 0, NODE_NOT, NODE_AND, NODE_OR };

struct filter_node {
	uint8_t type;  /* enum filter_node_type */
	uint8_t field; /* TERM: enum filter_field */
	uint8_t op;    /* TERM: enum filter_operator */
	uint8_t reserved;
	uint16_t left; /* NOT: the one operand. Nodes are behind their operands */
	uint16_t right;
	uint32_t text;              /* TERM on text: where its value begins in values */
	uint64_t low VMT_ALIGNED8;  /* TERM on numbers */
	uint64_t high VMT_ALIGNED8; /* of a range of addresses, inclusive; else as low */
};

struct filter {
	char text[FILTER_MAX_LEN + 1];   /* as given */
	char values[FILTER_MAX_LEN + 1]; /* the values that are text, each with a NUL */
	uint32_t values_len;
	struct filter_node nodes[FILTER_MAX_NODES];
	uint32_t nr_nodes; /* 0: everything passes. Else the last is the root */
};

#endif
