# SPDX-License-Identifier: GPL-2.0-only
#
# vmtrace. One makefile for everything:
#   make           vmtrace for this machine (amd64: reads recordings; i386: traces too)
#   make i386      build/i386/vmtrace, static, traces
#   make demo      a real 32-bit kernel under qemu, traced; does its whole set-up
#   make check     all tests; does its whole set-up
#   make unit      unit tests and golden tests: seconds, no root, no kernel
#   make screen-keys  the screen driven in tmux: half a minute
#   make bench     what vmtrace costs a kernel, and what events, the map and its views cost here; replay of
#                  10 million events. bench-cost: the first part alone; bench-quick: that it runs
#   make bench-leaks  what leaks finds in SCENARIOS (500) labelled recordings, from SEED (1) on
#   make fuzz      FUZZ_SECONDS (600) of libFuzzer for each parser of bytes from outside
#   make vm        the tests on a real kernel (CASES="..." for some of them)
#   make vm-matrix the user-space cases on other stock kernels (ROWS="..." for others: matrix.sh)
#   make install   DESTDIR=, PREFIX=
#   make clean
# V=1 shows the commands.

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
# A second make of ours takes part in the jobs of the first.
ifeq (0-,$(MAKELEVEL)-$(filter -j%,$(MAKEFLAGS)))
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

V ?= 0
ifeq ($(V),0)
Q   := @
say  = @printf '  %-8s %s\n' '$(1)' '$(2)'
else
Q   :=
say  =
endif

PREFIX  ?= /usr/local
DESTDIR ?=
B       ?= build
CLANG   ?= clang
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
# Not on a user's PATH in Debian.
export PATH := $(PATH):/usr/sbin:/sbin

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS ?= -O2 -g
# On i386 too: files beyond 2 GiB, and times beyond 2038.
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 $(WARN) -Isrc

# ---- sources ---------------------------------------------------------------------------------

# What only a build that traces has: everything that talks to BPF.
LIVE_SRCS := \
	src/capture/btf.c \
	src/capture/capture.c \
	src/capture/cost.c \
	src/capture/inflight.c \
	src/capture/perfbuf.c \
	src/capture/probes.c \
	src/capture/rotate.c \
	src/capture/selftest.c \
	src/capture/start.c \
	src/capture/trial.c \
	src/cmd/doctor.c \
	src/cmd/live_compare.c \
	src/cmd/live_source.c
# In its place in a build that does not.
NONE_SRCS := src/cmd/live_none.c

ALL_SRCS    := $(sort $(wildcard src/*.c src/capture/*.c src/space/*.c src/allocator/*.c src/record/*.c \
		src/view/*.c src/export/*.c src/debuginfo/*.c src/screen/*.c src/cmd/*.c))
PPROF_SRCS  := src/export/pprof.c src/export/gzip.c
LINES_SRCS  := src/debuginfo/debug_file.c
CURSES_SRCS := src/screen/term.c src/screen/terminfo.c
COMMON_SRCS := $(filter-out $(LIVE_SRCS) $(NONE_SRCS) \
		$(PPROF_SRCS) src/export/pprof_none.c \
		$(LINES_SRCS) src/debuginfo/debug_none.c \
		$(CURSES_SRCS) src/screen/term_none.c \
		%.bpf.c,$(ALL_SRCS))

LIVE_LIBS := -lbpf -lelf
BASE_LIBS := -ljansson -lzstd -lz -lpthread

# Optional: the pprof export. The i386 root always has what it needs.
HAVE_PPROF := $(shell pkg-config --exists libprotobuf-c zlib 2>/dev/null && \
	command -v protoc-c >/dev/null && echo yes)
PPROF_LIBS := -lprotobuf-c -lz
PPROF_OBJ  := proto/profile.pb-c.o

# Optional: the lines of the source in leaks. The i386 root always has what it needs.
HAVE_LINES := $(shell pkg-config --exists libdw 2>/dev/null && echo yes)
LINES_LIBS := -ldw -lelf

# Optional: the full-screen view of live and replay. The i386 root always has what it needs.
HAVE_CURSES := $(shell pkg-config --exists ncursesw 2>/dev/null && echo yes)
CURSES_LIBS := -lncursesw -ltinfo

HOST_IS_I386 := $(filter i386% i486% i586% i686%,$(shell $(CC) -dumpmachine 2>/dev/null))

# ---- this machine ----------------------------------------------------------------------------

OPTIONAL_SRCS := $(if $(HAVE_PPROF),$(PPROF_SRCS),src/export/pprof_none.c) \
	$(if $(HAVE_LINES),$(LINES_SRCS),src/debuginfo/debug_none.c) \
	$(if $(HAVE_CURSES),$(CURSES_SRCS),src/screen/term_none.c)
OPTIONAL_LIBS := $(if $(HAVE_PPROF),$(PPROF_LIBS)) $(if $(HAVE_LINES),$(LINES_LIBS)) \
	$(if $(HAVE_CURSES),$(shell pkg-config --libs ncursesw))

HOST_SRCS := $(COMMON_SRCS) $(OPTIONAL_SRCS) $(if $(HOST_IS_I386),$(LIVE_SRCS),$(NONE_SRCS))
HOST_OBJS := $(HOST_SRCS:%.c=$(B)/host/%.o) $(if $(HAVE_PPROF),$(B)/host/$(PPROF_OBJ)) \
	$(if $(HOST_IS_I386),$(B)/host/src/capture/btf_bytes.o $(B)/host/src/capture/objects.o)

.PHONY: all
all: vmtrace

vmtrace: $(HOST_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(if $(HOST_IS_I386),$(LIVE_LIBS)) \
		$(OPTIONAL_LIBS) $(BASE_LIBS)
ifeq (,$(HAVE_PPROF))
	@echo "  note     without protobuf-c: no pprof export" \
		"(apt install libprotobuf-c-dev protobuf-c-compiler zlib1g-dev pkg-config)"
endif
ifeq (,$(HAVE_LINES))
	@echo "  note     without libdw: no --vmlinux for leaks (apt install libdw-dev pkg-config)"
endif
ifeq (,$(HAVE_CURSES))
	@echo "  note     without ncursesw: no full-screen view, live and replay print blocks" \
		"(apt install libncurses-dev pkg-config)"
endif

$(B)/host/%.o: %.c | $(B)/tools.host
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(CFLAGS) -I$(B)/bpf -I$(B)/proto -MMD -MP -c $< -o $@

# ---- static i386 -----------------------------------------------------------------------------

I386_SRCS := $(COMMON_SRCS) $(PPROF_SRCS) $(LINES_SRCS) $(CURSES_SRCS) $(LIVE_SRCS)
I386_OBJS := $(I386_SRCS:%.c=$(B)/i386/%.o) $(B)/i386/$(PPROF_OBJ) \
	$(B)/i386/src/capture/btf_bytes.o $(B)/i386/src/capture/objects.o
# The root is made when the first i386 object is built; its path is then known.
I386_CC = $(CLANG) --target=i386-linux-gnu --sysroot=$$(cat $(B)/i386/.root)

.PHONY: i386
i386: $(B)/i386/vmtrace

# A cache that was removed is made anew.
$(shell root=$$(cat $(B)/i386/.root 2>/dev/null); [ -d "$$root" ] || rm -f $(B)/i386/.root)

$(B)/i386/.root: tools/i386-root.sh tools/lib.sh | $(B)/tools.bpf
	$(Q)mkdir -p $(@D)
	$(Q)tools/i386-root.sh >$@.tmp && mv $@.tmp $@

$(B)/i386/vmtrace: $(I386_OBJS)
	$(call say,LINK,$@)
	$(Q)$(I386_CC) -static $(CFLAGS) -o $@ $^ $(LINES_LIBS) $(LIVE_LIBS) $(PPROF_LIBS) \
		$(CURSES_LIBS) $(BASE_LIBS)

$(B)/i386/%.o: %.c $(B)/i386/.root
	$(call say,CC i386,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(I386_CC) $(BASE_CFLAGS) $(CFLAGS) -I$(B)/bpf -I$(B)/proto -MMD -MP -c $< -o $@

$(B)/i386/floor: tests/bench/cost/floor.c $(B)/i386/.root $(B)/bpf/floor.bpf.o $(B)/bpf/helpers.bpf.o
	$(call say,CC i386,$<)
	$(Q)$(I386_CC) -static $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -o $@ $< -lbpf -lelf -lz

GUEST_TOOLS := $(B)/i386/stim $(B)/i386/ringflood $(B)/i386/fittrial $(B)/i386/onpty

$(GUEST_TOOLS): $(B)/i386/%: tests/vm/%.c $(B)/i386/.root
	$(call say,CC i386,$<)
	$(Q)$(I386_CC) -static $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -o $@ $<

# ---- pprof's messages --------------------------------------------------------------------------

$(B)/proto/profile.pb-c.c: src/export/profile.proto
	$(call need,protoc-c,protobuf-c-compiler)
	$(call say,PROTO,$<)
	$(Q)mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $<

$(B)/host/src/export/pprof.o $(B)/unit/src/export/pprof.o $(B)/i386/src/export/pprof.o: \
	$(B)/proto/profile.pb-c.c

$(B)/host/$(PPROF_OBJ): $(B)/proto/profile.pb-c.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(CFLAGS) -c $< -o $@

$(B)/unit/$(PPROF_OBJ): $(B)/proto/profile.pb-c.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(UNIT_CFLAGS) -c $< -o $@

$(B)/i386/$(PPROF_OBJ): $(B)/proto/profile.pb-c.c $(B)/i386/.root
	$(Q)mkdir -p $(@D)
	$(Q)$(I386_CC) $(BASE_CFLAGS) $(CFLAGS) -c $< -o $@

# ---- BPF -------------------------------------------------------------------------------------

BPF_CFLAGS := -O2 -g -target bpf $(WARN) -Wno-unused-parameter -Wno-missing-prototypes \
	-Isrc -Ivmlinux

# One source, an object for each way out of the kernel (src/transport.bpf.h).
BPF_OBJS := $(B)/bpf/vmtrace.bpf.o $(B)/bpf/vmtrace_perf.bpf.o $(B)/bpf/vmtrace_perf_nostack.bpf.o

# 32-bit arithmetic and jumps: Linux 5.1, while the ring buffer is of 5.8.
$(B)/bpf/vmtrace.bpf.o:              BPF_CFLAGS += -mcpu=v3
$(B)/bpf/vmtrace_perf.bpf.o:         BPF_CFLAGS += -DVMT_PERF
$(B)/bpf/vmtrace_perf_nostack.bpf.o: BPF_CFLAGS += -DVMT_PERF -DVMT_NO_STACK

$(BPF_OBJS): src/vmtrace.bpf.c | $(B)/tools.bpf
	$(call say,BPF,$(@F))
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
	$(Q)llvm-strip -g $@

$(B)/bpf/floor.bpf.o $(B)/bpf/helpers.bpf.o: $(B)/bpf/%.o: tests/bench/cost/%.c | $(B)/tools.bpf
	$(call say,BPF,$(@F))
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -O2 -g -target bpf $(WARN) -Wno-unused-parameter -Wno-missing-prototypes -Ivmlinux -c $< -o $@

$(B)/bpf/%.o: vmlinux/%.c | $(B)/tools.bpf
	$(call say,BTF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -O2 -g -target bpf $(WARN) -Wno-missing-prototypes -c $< -o $@

# Only the types that wanted.bpf.c names are kept: some hundred bytes.
$(B)/bpf/generic.btf: $(B)/bpf/generic.o $(B)/bpf/wanted.bpf.o
	$(call say,BTF,$@)
	$(Q)bpftool gen min_core_btf $< $@ $(B)/bpf/wanted.bpf.o

# What is built into vmtrace: that, and one file for each release (tools/btf.sh).
BTF_FILES := $(B)/bpf/generic.btf $(sort $(wildcard vmlinux/btf/*.btf))

# BTF(number, name, file) for each. The folder is newer when a file has come or gone.
$(B)/bpf/btf_list.h: Makefile $(wildcard vmlinux/btf) $(B)/bpf/generic.btf
	$(Q)n=0; for f in $(BTF_FILES); do \
		name=$${f##*/}; echo "BTF($$n, \"$${name%.btf}\", \"$$f\")"; n=$$((n + 1)); \
	done >$@

$(B)/host/src/capture/objects.o: src/capture/objects.S $(BPF_OBJS)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I$(B)/bpf -c $< -o $@

$(B)/i386/src/capture/objects.o: src/capture/objects.S $(BPF_OBJS) $(B)/i386/.root
	$(Q)mkdir -p $(@D)
	$(Q)$(I386_CC) -Wa,-I$(B)/bpf -c $< -o $@

$(B)/host/src/capture/btf.o $(B)/i386/src/capture/btf.o: $(B)/bpf/btf_list.h

$(B)/host/src/capture/btf_bytes.o: src/capture/btf_bytes.S $(B)/bpf/btf_list.h $(BTF_FILES)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -I$(B)/bpf -c $< -o $@

$(B)/i386/src/capture/btf_bytes.o: src/capture/btf_bytes.S $(B)/bpf/btf_list.h $(BTF_FILES) \
		$(B)/i386/.root
	$(Q)mkdir -p $(@D)
	$(Q)$(I386_CC) -I$(B)/bpf -c $< -o $@

# ---- tools that must be there: one line each, with the package ------------------------------------

define need
	$(Q)command -v $(1) >/dev/null || { echo "vmtrace: '$(1)' is missing: apt install $(2)" >&2; exit 1; }
endef
define need_header
	$(Q)echo '#include <$(1)>' | $(CC) -E -o /dev/null - 2>/dev/null || \
		{ echo "vmtrace: <$(1)> is missing: apt install $(2)" >&2; exit 1; }
endef

$(B)/tools.host:
	$(call need,$(CC),gcc)
	$(call need_header,jansson.h,libjansson-dev)
	$(call need_header,zlib.h,zlib1g-dev)
	$(call need_header,zstd.h,libzstd-dev)
ifneq (,$(HOST_IS_I386))
	$(call need_header,bpf/libbpf.h,libbpf-dev)
	$(call need_header,libelf.h,libelf-dev)
endif
	$(Q)mkdir -p $(@D) && touch $@

$(B)/tools.bpf:
	$(call need,$(CLANG),clang)
	$(call need,llvm-strip,llvm)
	$(call need,bpftool,bpftool)
	$(call need_header,bpf/bpf_helpers.h,libbpf-dev)
	$(Q)mkdir -p $(@D) && touch $@

# ---- unit and golden tests ---------------------------------------------------------------------

UNIT_SRCS   := $(sort $(wildcard tests/unit/test_*.c))
UNIT_TESTS  := $(UNIT_SRCS:tests/unit/%.c=$(B)/unit/%)
UNIT_OBJS   := $(patsubst %.c,$(B)/unit/%.o,$(filter-out src/vmtrace.c src/cmd/%, \
	$(COMMON_SRCS) $(OPTIONAL_SRCS))) $(if $(HAVE_PPROF),$(B)/unit/$(PPROF_OBJ))
UNIT_CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined

# Every fuzz target, on its corpus.
FUZZ_NAMES  := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
UNIT_TESTS  += $(FUZZ_NAMES:%=$(B)/unit/test_fuzz_%)

# Those with random input run twice: in full as vmtrace is built, and less with the sanitizers
# (tests/unit/volume.h).
VOLUME_NAMES := attempt attempt_tree fit freetree holeset jsonl_names order place promises simulate \
	space_overlap trend window
UNIT_TESTS   += $(VOLUME_NAMES:%=$(B)/plain/test_%)

.PHONY: unit unit-tests golden record-files
unit: unit-tests golden record-files

unit-tests: $(UNIT_TESTS)
	$(Q)tests/unit/run.sh $(UNIT_TESTS)

golden: vmtrace
	$(Q)VMTRACE=./vmtrace tests/golden/run.sh

record-files: vmtrace
	$(Q)VMTRACE=./vmtrace tests/record.sh

# The screen, key by key, in tmux.
.PHONY: screen-keys
screen-keys: vmtrace
	$(Q)VMTRACE=./vmtrace tests/screen.sh

$(B)/tools.unit: | $(B)/tools.host
	$(call need_header,cmocka.h,libcmocka-dev)
	$(Q)touch $@

$(B)/unit/libvmtrace.a: $(UNIT_OBJS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/unit/%.o: %.c | $(B)/tools.unit
	$(call say,CC unit,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(UNIT_CFLAGS) -I$(B)/proto -MMD -MP -c $< -o $@

$(B)/unit/test_%: $(B)/unit/tests/unit/test_%.o $(B)/unit/libvmtrace.a
	$(Q)$(CC) $(UNIT_CFLAGS) -o $@ $^ -lcmocka $(OPTIONAL_LIBS) $(BASE_LIBS)

$(VOLUME_NAMES:%=$(B)/plain/test_%): $(B)/plain/test_%: $(B)/host/tests/unit/test_%.o \
		$(filter-out %/src/vmtrace.o $(B)/host/src/cmd/%,$(HOST_OBJS))
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(if $(HOST_IS_I386),$(LIVE_LIBS)) $(OPTIONAL_LIBS) $(BASE_LIBS)

$(VOLUME_NAMES:%=$(B)/host/tests/unit/test_%.o): | $(B)/tools.unit

# ---- benchmarks: print figures, judge nothing -------------------------------------------------------

BENCH_EVENTS ?= 10000000
BENCH_FILE   := $(B)/bench/load-$(BENCH_EVENTS).vmt

# Built by make check, so that they do not rot.
.PHONY: bench-programs
bench-programs: $(patsubst %,$(B)/host/tests/bench/%,walk make_load replay consume views leaks/chances)

.PHONY: bench bench-cost bench-quick
bench: bench-cost $(patsubst %,$(B)/host/tests/bench/%,walk views consume replay) $(BENCH_FILE) vmtrace
	$(Q)$(B)/host/tests/bench/walk
	$(Q)$(B)/host/tests/bench/views
	$(Q)$(B)/host/tests/bench/consume
	$(Q)$(B)/host/tests/bench/replay $(BENCH_FILE) ./vmtrace

# On real kernels under qemu; COSTS="686-pae:pairs ..." for some of them.
bench-cost: guest bench-guest
	$(Q)tests/bench/cost/run.sh $(COSTS)

# That they run: a few pairs, nothing to be learnt from.
bench-quick: guest bench-guest
	$(Q)tests/bench/cost/run.sh 686-pae:quick

.PHONY: bench-guest
bench-guest: $(B)/i386/floor

SCENARIOS ?= 500
SEED      ?= 1

.PHONY: bench-leaks
bench-leaks: vmtrace $(B)/host/tests/bench/leaks/chances
	$(Q)$(B)/host/tests/bench/leaks/chances
	$(Q)python3 tests/bench/leaks/run.py ./vmtrace $(SCENARIOS) $(SEED)

$(B)/host/tests/bench/leaks/chances: $(B)/host/tests/bench/leaks/chances.o \
		$(B)/host/src/space/leak_judge.o $(B)/host/src/space/leak_ages.o
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -lm

$(B)/host/tests/bench/walk: $(B)/host/tests/bench/walk.o $(filter $(B)/host/src/space/% $(B)/host/src/allocator/% \
		%/src/units.o,$(HOST_OBJS))
	$(Q)$(CC) $(CFLAGS) -o $@ $^

$(patsubst %,$(B)/host/tests/bench/%,make_load replay consume views): $(B)/host/tests/bench/%: \
		$(B)/host/tests/bench/%.o $(filter-out %/src/vmtrace.o $(B)/host/src/cmd/%,$(HOST_OBJS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(if $(HOST_IS_I386),$(LIVE_LIBS)) $(OPTIONAL_LIBS) $(BASE_LIBS)

# Static, so that valgrind can count what it does on i386.
.PHONY: i386-bench
i386-bench: $(B)/i386/bench/consume

$(B)/i386/bench/consume: $(B)/i386/tests/bench/consume.o \
		$(filter-out %/src/vmtrace.o $(B)/i386/src/cmd/%,$(I386_OBJS))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(I386_CC) -static $(CFLAGS) -o $@ $^ $(LINES_LIBS) $(LIVE_LIBS) $(PPROF_LIBS) \
		$(CURSES_LIBS) $(BASE_LIBS)

$(BENCH_FILE): $(B)/host/tests/bench/make_load
	$(call say,LOAD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$< $@ $(BENCH_EVENTS)

$(B)/unit/test_fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c tests/fuzz/fuzz.h \
		tests/unit/vmt_wrap.h $(B)/unit/libvmtrace.a
	$(call say,CC unit,$<)
	$(Q)$(CC) $(BASE_CFLAGS) $(UNIT_CFLAGS) -DCORPUS='"tests/fuzz/corpus/$*"' -o $@ \
		$(filter %.c %.a,$^) $(BASE_LIBS)

# ---- fuzzing: FUZZ_SECONDS for each target, what is found goes to build/fuzz ------------------------

FUZZ_SECONDS ?= 600
FUZZ_CFLAGS  := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_OBJS    := $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out src/vmtrace.c src/cmd/%,$(COMMON_SRCS)) \
	src/debuginfo/debug_none.c)

.PHONY: fuzz
fuzz: $(FUZZ_NAMES:%=$(B)/fuzz/%)
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $(B)/fuzz $(FUZZ_NAMES)

$(B)/tools.fuzz: | $(B)/tools.host
	$(call need,$(CLANG),clang libclang-rt-dev)
	$(Q)touch $@

$(B)/fuzz/%.o: %.c | $(B)/tools.fuzz
	$(call say,CC fuzz,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BASE_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(FUZZ_NAMES:%=$(B)/fuzz/%): $(B)/fuzz/%: $(B)/fuzz/tests/fuzz/fuzz_%.o $(FUZZ_OBJS)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(BASE_LIBS)

# ---- the real kernel ---------------------------------------------------------------------------

FLAVOUR ?= 686-pae
CASES   ?=
ROWS    ?=
KMOD    := $(B)/i386/kmod/$(subst /,_,$(FLAVOUR))

.PHONY: vm vm-matrix kmod guest
vm: guest vmtrace
	$(Q)tests/vm/run.sh $(CASES)

# Other stock kernels: a table of what was seen on each (docs/KERNELS.md).
vm-matrix: $(B)/i386/vmtrace $(GUEST_TOOLS)
	$(Q)tests/vm/matrix.sh $(ROWS)

guest: $(B)/i386/vmtrace $(GUEST_TOOLS) kmod

kmod: $(B)/i386/.root
	$(Q)tools/kmod.sh tests/kmod $(FLAVOUR) $(KMOD)

# ---- everything, from a fresh machine --------------------------------------------------------------

.PHONY: demo demo-run check check-build setup
setup:
	$(Q)tools/packages.sh all

# The tools must be installed before make looks at them, so the rest is a second make.
demo: setup
	$(Q)$(MAKE) --no-print-directory demo-run

demo-run: guest
	$(Q)tests/vm/demo.sh

# The stamps: how long what comes before the tests took, for the table at their end.
check:
	$(Q)mkdir -p $(B) && date +%s >$(B)/check.stamps
	$(Q)tools/packages.sh all
	$(Q)date +%s >>$(B)/check.stamps
	$(Q)$(MAKE) --no-print-directory check-build
	$(Q)date +%s >>$(B)/check.stamps
	$(Q)tests/check.sh

check-build: all bench-programs $(UNIT_TESTS) guest bench-guest

# ---- install, clean --------------------------------------------------------------------------------

.PHONY: install clean
install: vmtrace
	install -D -m 755 vmtrace $(DESTDIR)$(PREFIX)/sbin/vmtrace

clean:
	rm -rf $(B) vmtrace

-include $(shell find $(B) -name '*.d' 2>/dev/null)
