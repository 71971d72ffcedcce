/* SPDX-License-Identifier: GPL-2.0-only */
/* A perf buffer in ordinary memory, written as kernel/events/ring_buffer.c does on a 32-bit kernel:
 * the positions are 32 bits wide, and a record never passes the reader's. */
#ifndef VMTRACE_TESTS_PERF_BUFFER_H
#define VMTRACE_TESTS_PERF_BUFFER_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct perf_buffer_mock {
	struct perf_event_mmap_page *page;
	uint8_t *data;
	uint32_t size;
	uint32_t head; /* not yet published */
	uint32_t lost; /* since the last record */
};

static inline bool mock_init(struct perf_buffer_mock *mock, uint32_t size, uint32_t position)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

	memset(mock, 0, sizeof(*mock));
	mock->page = aligned_alloc(page_size, page_size + size);
	if (!mock->page)
		return false;
	memset(mock->page, 0, page_size + size);
	mock->data = (uint8_t *)mock->page + page_size;
	mock->size = size;
	mock->head = position;
	mock->page->data_head = mock->page->data_tail = position;
	return true;
}

static inline void mock_free(struct perf_buffer_mock *mock)
{
	free(mock->page);
}

/* Bytes that wait. */
static inline uint32_t mock_waiting(const struct perf_buffer_mock *mock)
{
	return mock->head - (uint32_t)__atomic_load_n(&mock->page->data_tail, __ATOMIC_ACQUIRE);
}

static inline void mock_put(struct perf_buffer_mock *mock, const void *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		mock->data[mock->head++ & (mock->size - 1)] = ((const uint8_t *)bytes)[i];
}

/* Makes what was put visible. */
static inline void mock_publish(struct perf_buffer_mock *mock)
{
	__atomic_store_n(&mock->page->data_head, (uint64_t)mock->head, __ATOMIC_RELEASE);
}

/* One event of any type; body_len a multiple of 8. */
static inline bool mock_event(struct perf_buffer_mock *mock, uint32_t type, const void *body,
			      uint32_t body_len)
{
	struct perf_event_header header = {
		.type = type,
		.size = (uint16_t)(sizeof(header) + body_len),
	};
	struct perf_event_header lost_header = {
		.type = PERF_RECORD_LOST,
		.size = sizeof(header) + 16,
	};
	uint64_t lost_body[2] = { 77, mock->lost };
	uint32_t need = header.size + (mock->lost ? lost_header.size : 0);

	if (mock->size - 1 - mock_waiting(mock) < need) {
		mock->lost++;
		return false;
	}
	if (mock->lost) {
		mock_put(mock, &lost_header, sizeof(lost_header));
		mock_put(mock, lost_body, sizeof(lost_body));
		mock->lost = 0;
	}
	mock_put(mock, &header, sizeof(header));
	mock_put(mock, body, body_len);
	mock_publish(mock);
	return true;
}

/* As bpf_perf_event_output: false if the buffer is full. */
static inline bool mock_output(struct perf_buffer_mock *mock, const void *record, uint32_t len)
{
	static __thread uint8_t body[65536];
	uint32_t body_len = (uint32_t)(len + sizeof(uint32_t) + 7) & ~7u;
	uint32_t raw_len = body_len - (uint32_t)sizeof(uint32_t);

	memcpy(body, &raw_len, sizeof(raw_len));
	memcpy(body + sizeof(raw_len), record, len);
	return mock_event(mock, PERF_RECORD_SAMPLE, body, body_len);
}

#endif
