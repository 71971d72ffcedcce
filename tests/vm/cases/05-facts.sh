# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 60
# run: named
# What this kernel has, for docs/KERNELS.md: its output is the report (build/vm/case-05-facts.log).
# It only fails if the kernel shows nothing at all.
. /guest/lib.sh

echo "kernel $(uname -r): $(cat /proc/version)"
echo "kptr_restrict $(cat /proc/sys/kernel/kptr_restrict), bpf_jit_enable $(cat /proc/sys/net/core/bpf_jit_enable 2>/dev/null || echo absent)"
ls -l /sys/kernel/btf/vmlinux 2>/dev/null || echo "no BTF of the kernel's own"
echo "tracepoints: $(echo /sys/kernel/tracing/events/vmalloc/*)"
grep -E ' ((alloc|insert|insert_augmented|free|find_unlink)_vmap_area|free_vmap_area_noflush|__purge_vmap_area_lazy|purge_vmap_area_lazy|reclaim_and_purge_vmap_areas|drain_vmap_area_work|pcpu_get_vm_areas|__vmalloc_node(_range)?(_noprof)?|__get_vm_area_node|vfree(_atomic)?|remove_vm_area|vm_map_ram|__bpf_trace_[a-z_]*vmap_area[a-z_]*|__traceiter_[a-z_]*vmap_area[a-z_]*|__probestub_[a-z_]*vmap_area[a-z_]*)(\.[a-z0-9.]+)*$' /proc/kallsyms
echo "symbols of these that ftrace knows:"
grep -E '^(alloc_vmap_area|insert_vmap_area|free_vmap_area_noflush|__purge_vmap_area_lazy|pcpu_get_vm_areas|__vmalloc_node_range(_noprof)?|vfree)(\.[a-z0-9.]+)*( |$)' /sys/kernel/tracing/available_filter_functions
echo "/proc/kcore program headers (type offset vaddr paddr filesz memsz flags align):"
# Word 7 of the header is e_phoff, the low half of word 11 is e_phnum.
phoff=$(hexdump -s 28 -n 4 -e '1/4 "%u"' /proc/kcore)
phnum=$(hexdump -s 44 -n 2 -e '1/2 "%u"' /proc/kcore)
hexdump -v -s "$phoff" -n $((phnum * 32)) -e '8/4 "%08x " "\n"' /proc/kcore
grep -E '^(MemTotal|HighTotal|LowTotal|Vmalloc|Percpu)' /proc/meminfo
dmesg | grep -E 'LOWMEM|HIGHMEM|low ram|vmalloc|percpu: |highmem' || true
echo "/proc/vmallocinfo:"
vmallocinfo_real
[ "$(vmallocinfo_real | wc -l)" -gt 0 ] || fail "/proc/vmallocinfo is empty"
before=$(uptime_cs)
vmtrace map -v >/tmp/map 2>&1 || echo "vmtrace map ends with $?"
echo "vmtrace map -v, $(($(uptime_cs) - before)) hundredths of a second:"
head -n 60 /tmp/map
start_recording /tmp/events
cat /sys/kernel/tracing/kprobe_events /sys/kernel/tracing/kprobe_profile
echo "/sys/kernel/debug/kprobes/list:"
cat /sys/kernel/debug/kprobes/list
stim mixed 200 3 >/tmp/stim || fail "stim: $(tail -n 3 /tmp/stim)"
stop_recording /tmp/events
cat /sys/kernel/tracing/kprobe_profile
grep -m 3 '"type":"alloc"' /tmp/events
grep -m 2 '"type":"free"' /tmp/events
tail -n 1 /tmp/events
vmtrace doctor
