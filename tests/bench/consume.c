// SPDX-License-Identifier: GPL-2.0-only
/*
 * consume [EVENTS]: what an event costs behind the ring. Records as the BPF programs send them, of a
 * made-up kernel (tests/load.h), go through what a live vmtrace does with them: the queue's batches,
 * decoding, the map, and a recording as `vmtrace record` writes it. Processor time for each step more;
 * the first is the floor, which is to touch every record once.
 *
 * For counts instead of times, on i386 too:
 *   make i386-bench && valgrind --tool=callgrind --toggle-collect=consume build/i386/bench/consume 200000
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOAD_SLOT_PAGES 40u /* areas of 20 pages, as in the load of tests/kmod/vmtest.c */
#include "../load.h"
#include "capture/decode.h"
#include "capture/symbols.h"
#include "record/vmt_write.h"
#include "space/space.h"
#include "space/trend.h"

#define BATCH_BYTES (64u << 10)
#define CODE        0xc1000000u /* function i at CODE + i * FUNCTION */
#define FUNCTION    0x100u
#define OWN_PID     1u
#define NR_CODE     2000u

enum depth { TOUCH, DECODE, APPLY, RECORD, DEPTHS };

struct batch {
	uint8_t *bytes;
	uint32_t len;
};

/* The records of EVENTS events, in batches as the pump hands them over. */
struct records {
	struct batch *batches;
	uint32_t nr_batches;
	uint64_t events;
	bool named[LOAD_STACKS + 1]; /* by stack id: sent once, named since */
};

struct consumer {
	enum depth depth;
	struct decode *decode;
	struct space *space;
	struct trend *trend;
	struct vmt_writer *writer;
	uint64_t events;
	uint64_t touched;
};

static void die(const char *what)
{
	fprintf(stderr, "consume: %s\n", what);
	exit(1);
}

/* ---- the records ---- */

static uint8_t *reserve(struct records *records, uint32_t len)
{
	struct batch *batch =
		records->nr_batches ? &records->batches[records->nr_batches - 1] : NULL;
	uint8_t *at;

	if (!batch || batch->len + len > BATCH_BYTES) {
		records->batches = realloc(records->batches,
					   (records->nr_batches + 1) * sizeof(*records->batches));
		if (!records->batches)
			die("out of memory");
		batch = &records->batches[records->nr_batches++];
		batch->bytes = calloc(1, BATCH_BYTES);
		batch->len = 0;
		if (!batch->bytes)
			die("out of memory");
	}
	at = batch->bytes + batch->len;
	batch->len += len;
	return at;
}

/* The stack of a stack id: made up, but always the same, and as deep as load.h has it. */
static uint32_t put_frames(uint32_t *frames, uint32_t stack_id)
{
	uint32_t nr_frames = 6 + stack_id % 12;

	for (uint32_t i = 0; i < nr_frames; i++)
		frames[i] = CODE + (stack_id * 7 + i * 13) % NR_CODE * FUNCTION + i;
	return nr_frames;
}

static uint32_t wire_len(const struct records *records, const struct event *event)
{
	switch (event->type) {
	case EV_ALLOC:
		return (uint32_t)sizeof(struct wire_alloc) +
		       (records->named[event->stack_id] ? 0 : 4 * (6 + event->stack_id % 12));
	case EV_PURGE:
		return sizeof(struct wire_purge);
	case EV_VFREE:
		return sizeof(struct wire_vfree);
	default:
		return sizeof(struct wire_head);
	}
}

static void fill_alloc(struct records *records, struct wire_alloc *alloc,
		       const struct event *event)
{
	alloc->size = event->size;
	alloc->align = event->align;
	alloc->vstart = event->vstart;
	alloc->head.reserved = 6; /* gfp's place among the arguments */
	alloc->at_sp[1] = event->vend;
	alloc->at_sp[3] = event->gfp;
	alloc->latency_ns = event->latency_ns;
	alloc->requested = event->requested;
	alloc->stack_name = event->stack_id * 0x9e3779b97f4a7c15ull;
	if (!records->named[event->stack_id])
		alloc->head.nr_frames =
			(uint8_t)put_frames((uint32_t *)(alloc + 1), event->stack_id);
	records->named[event->stack_id] = true;
}

static void put_record(struct records *records, const struct event *event, const char *comm)
{
	uint32_t len = wire_len(records, event);
	uint8_t *at = reserve(records, 8 + ((len + 7) & ~7u));
	struct wire_head *head = (struct wire_head *)(at + 8);

	memcpy(at, &len, sizeof(len));
	head->t_ns = event->t_ns;
	head->pid = event->pid;
	head->tid = event->tid;
	head->start = event->start;
	head->end = event->end;
	snprintf(head->comm, sizeof(head->comm), "%s", comm);
	if (event->type == EV_ALLOC) {
		head->type = WIRE_ALLOC;
		fill_alloc(records, (struct wire_alloc *)head, event);
	} else if (event->type == EV_PURGE) {
		head->type = WIRE_PURGE;
		((struct wire_purge *)head)->begin_ns = event->begin_ns;
	} else if (event->type == EV_VFREE) {
		head->type = WIRE_VFREE;
		((struct wire_vfree *)head)->caller = CODE + 5;
	} else {
		head->type = WIRE_FREE;
	}
	records->events++;
}

static struct records make_records(uint64_t events)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct records records = { 0 };
	struct load load;

	load_init(&load, 1, names, stacks);
	while (records.events < events) {
		struct event event = load_next(&load);

		if (event.type != EV_SNAPSHOT_BEGIN && event.type != EV_SNAPSHOT_END)
			put_record(&records, &event, names_text(names, event.comm_id));
	}
	names_free(names);
	stacks_free(stacks);
	return records;
}

static void release_records(struct records *records)
{
	for (uint32_t i = 0; i < records->nr_batches; i++)
		free(records->batches[i].bytes);
	free(records->batches);
}

/* ---- what becomes of them ---- */

static int take_event(void *context, const struct event *event)
{
	struct consumer *consumer = context;

	consumer->events += event->type != EV_STACK;
	if (consumer->depth < APPLY)
		return 0;
	trend_before(consumer->trend, consumer->space, event);
	if (space_apply(consumer->space, event) < 0)
		die("an event was refused");
	return consumer->depth < RECORD ? 0 : vmt_writer_event(consumer->writer, event);
}

/* Named in the command of the header: callgrind collects from here on. */
static __attribute__((noinline)) void consume(struct consumer *consumer,
					      const struct records *records)
{
	struct sink sink = { .event = take_event, .context = consumer };

	for (uint32_t i = 0; i < records->nr_batches; i++) {
		const struct batch *batch = &records->batches[i];
		uint32_t len;

		for (uint32_t at = 0; at + 8 <= batch->len; at += 8 + ((len + 7) & ~7u)) {
			memcpy(&len, batch->bytes + at, sizeof(len));
			if (consumer->depth == TOUCH)
				consumer->touched += batch->bytes[at + 8 + len - 1];
			else if (decode_record(consumer->decode, batch->bytes + at + 8, len, &sink))
				die("a record was refused");
		}
	}
}

static struct symbols *make_symbols(void)
{
	struct symbols *symbols = symbols_new();
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (uint32_t i = 0; i < NR_CODE; i++)
		fprintf(out, "%08x T function_%u\n", CODE + i * FUNCTION, i);
	fclose(out);
	if (symbols_parse(symbols, text, len))
		die("the symbols were refused");
	free(text);
	return symbols;
}

static double cpu_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One pass; the seconds it took. */
static double run(enum depth depth, const struct records *records, uint64_t *bytes)
{
	struct stream_header header = load_header();
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct symbols *symbols = make_symbols();
	struct resolver *resolver =
		resolver_new(symbols, names, header.vmalloc_start, header.vmalloc_end);
	struct vmt_writer_options options = { .names = names, .stacks = stacks, .thrifty = true };
	struct event begin = { .type = EV_SNAPSHOT_BEGIN, .t_ns = 1, .begin_ns = 1 };
	struct event end = { .type = EV_SNAPSHOT_END, .t_ns = 1, .begin_ns = 1 };
	struct consumer consumer = {
		.depth = depth,
		.decode = decode_new(names, stacks, resolver, OWN_PID),
		.space = space_new(header.vmalloc_start, header.vmalloc_end),
		.trend = trend_new(),
	};
	double begin_s, took;

	if (space_apply(consumer.space, &begin) || space_apply(consumer.space, &end) ||
	    vmt_writer_open(open("/dev/null", O_WRONLY), &header, &options, &consumer.writer))
		die("no consumer");
	begin_s = cpu_now_s();
	consume(&consumer, records);
	took = cpu_now_s() - begin_s;
	*bytes = vmt_writer_stats(consumer.writer).bytes;
	vmt_writer_close(consumer.writer);
	trend_free(consumer.trend);
	space_free(consumer.space);
	decode_free(consumer.decode);
	resolver_free(resolver);
	symbols_free(symbols);
	stacks_free(stacks);
	names_free(names);
	return took;
}

int main(int argc, char **argv)
{
	static const char *const what[] = { "touched (floor)", "and decoded", "and in the map",
					    "and recorded" };
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000, bytes;
	struct records records = make_records(events);
	double before = 0;

	for (enum depth depth = argc > 2 ? (enum depth)atoi(argv[2]) : TOUCH; depth < DEPTHS; depth++) {
		double best = 1e9;

		for (unsigned int round = 0; round < (argc > 2 ? 1 : 5); round++) {
			double took = run(depth, &records, &bytes);

			best = took < best ? took : best;
		}
		printf("consume: %-16s %6.1f ns an event, %6.1f more\n", what[depth],
		       best * 1e9 / (double)records.events,
		       (best - before) * 1e9 / (double)records.events);
		before = best;
		if (argc > 2)
			break;
	}
	release_records(&records);
	return 0;
}
