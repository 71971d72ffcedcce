# title: z
# limit: 60
vmtrace verify --duration=1s -vv --probe-plan=insert >/tmp/v 2>&1 || true
grep -n "BEGIN PROG\|END PROG\|processed" /tmp/v | tail -40
grep -B12 "^processed" /tmp/v | grep -v "^processed 0" | tail -32
tail -3 /tmp/v
