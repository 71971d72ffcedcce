// SPDX-License-Identifier: GPL-2.0-only
/*
 * ringflood MIB: pushes MIB mebibytes of large records through the ring that a running vmtrace uses
 * now, by a BPF program run with BPF_PROG_TEST_RUN: what days of events do to the ring's positions,
 * in seconds. The records are of no type that vmtrace knows, so it drops them.
 *
 * Prints `ringflood: mib=N sent=N refused=N`; exit 3 if the ring takes nothing any more.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RECORD_BYTES 100000
#define DEAD_AFTER   20000 /* refusals in a row, 100 us apart */

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void die(const char *what)
{
	fprintf(stderr, "ringflood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int is_rings(int fd)
{
	struct bpf_map_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(info) } };

	attr.info.info = (uint64_t)(uintptr_t)&info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS &&
	       !strcmp(info.name, "rings");
}

/* The outer map of the running vmtrace: its one entry is the ring in use. */
static int find_rings(void)
{
	uint32_t id = 0;

	for (;;) {
		union bpf_attr attr = { .start_id = id };
		union bpf_attr get = { 0 };
		int fd;

		if (bpf(BPF_MAP_GET_NEXT_ID, &attr) < 0)
			die("no vmtrace is running");
		id = attr.next_id;
		get.map_id = id;
		fd = bpf(BPF_MAP_GET_FD_BY_ID, &get);
		if (fd >= 0 && is_rings(fd))
			return fd;
		if (fd >= 0)
			close(fd);
	}
}

static int make_data(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = RECORD_BYTES,
		.max_entries = 1,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		die("data map");
	return fd;
}

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define LOAD_MAP(reg, fd) \
	INSN(BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define KEY_0                                                                   \
	INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0),                           \
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),                 \
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)

static int load_program(int rings, int data)
{
	const struct bpf_insn insns[] = {
		KEY_0,
		LOAD_MAP(1, data),
		CALL(BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 14, 0), /* to the end */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 7, 0, 0, 0),
		KEY_0,
		LOAD_MAP(1, rings),
		CALL(BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6, 0), /* to the end */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 7, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, RECORD_BYTES),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, BPF_RB_FORCE_WAKEUP),
		CALL(BPF_FUNC_ringbuf_output),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, -1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insn_cnt = sizeof(insns) / sizeof(insns[0]),
		.log_level = 1,
		.log_size = sizeof(log),
	};
	int fd;

	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	attr.log_buf = (uint64_t)(uintptr_t)log;
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0) {
		fputs(log, stderr);
		die("program");
	}
	return fd;
}

/* True if the ring took the record. */
static int push(int program)
{
	union bpf_attr attr = { .test = { .prog_fd = (uint32_t)program } };

	if (bpf(BPF_PROG_TEST_RUN, &attr) < 0)
		die("BPF_PROG_TEST_RUN");
	return attr.test.retval == 0;
}

int main(int argc, char **argv)
{
	uint64_t mib = argc == 2 ? strtoull(argv[1], NULL, 10) : 0, sent = 0, refused = 0;
	unsigned int in_a_row = 0;
	int program;

	if (!mib) {
		fprintf(stderr, "usage: ringflood MIB\n");
		return 2;
	}
	program = load_program(find_rings(), make_data());
	while (sent * RECORD_BYTES < mib << 20 && in_a_row < DEAD_AFTER) {
		if (push(program)) {
			sent++;
			in_a_row = 0;
			continue;
		}
		refused++;
		in_a_row++;
		usleep(100);
	}
	printf("ringflood: mib=%llu sent=%llu refused=%llu\n",
	       (unsigned long long)(sent * RECORD_BYTES >> 20), (unsigned long long)sent,
	       (unsigned long long)refused);
	return in_a_row < DEAD_AFTER ? 0 : 3;
}
