/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * floor OBJECT PROGRAM p:FUNCTION r:FUNCTION...: a BPF program on the entry (p) or the return (r)
 * of each function, until a signal ends it. Prints "ready" when all are there.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#define MAX_HOOKS 32

static int attach(const struct bpf_program *program, const char *hook, struct bpf_link **link)
{
	if ((hook[0] != 'p' && hook[0] != 'r') || hook[1] != ':')
		return -1;
	*link = bpf_program__attach_kprobe(program, hook[0] == 'r', hook + 2);
	return *link ? 0 : -1;
}

static int attach_all(const struct bpf_program *program, int count, char **hooks)
{
	static struct bpf_link *links[MAX_HOOKS];

	for (int i = 0; i < count && i < MAX_HOOKS; i++) {
		if (attach(program, hooks[i], &links[i]) < 0) {
			fprintf(stderr, "floor: no probe on %s\n", hooks[i]);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	/* Made by tests/vm/initramfs.sh; stock i386 kernels have none of their own. */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = "/boot/btf-generic");
	struct bpf_program *program;
	struct bpf_object *object;
	int code;

	if (argc < 4) {
		fprintf(stderr, "usage: floor OBJECT PROGRAM p:FUNCTION r:FUNCTION...\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], &opts);
	if (!object || bpf_object__load(object) < 0) {
		fprintf(stderr, "floor: cannot load %s\n", argv[1]);
		return 1;
	}
	program = bpf_object__find_program_by_name(object, argv[2]);
	code = program ? attach_all(program, argc - 3, argv + 3) : 1;
	if (!code) {
		puts("ready");
		fflush(stdout);
		pause();
	}
	bpf_object__close(object);
	return code;
}
