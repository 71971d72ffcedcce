# title: y
# limit: 900
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
. /guest/bench/lib.sh
COUNT=3000
insmod /kmod/vmbench.ko
measure nothing vmalloc $COUNT nothing
for jit in 0 1; do
	set_jit $jit
	for set in area; do
		measure "jit=$jit $set: no stacks" vmalloc $COUNT vmtrace --probes=$set --stack-depth=0
		measure "jit=$jit $set: stacks" vmalloc $COUNT vmtrace --probes=$set
	done
done
