#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
#   scripts/demo.sh [riscv64|amd64|arm64|teachos]
#
# From nothing to a look inside: installs what is missing, builds, boots a stock Debian kernel
# under `oscope run` with a mixed workload and prints each view once. On a terminal it goes on with
# `oscope top`, until that is left; without a terminal it ends.
# teachos is the teaching kernel of guests/teachos instead, with two processes in a deadlock.
# Every wait is bounded; the guest goes away with this script, however that ends.
set -eu
. "$(dirname -- "$0")/lib.sh"

arch=${1:-riscv64}
guest="a stock Debian kernel for $arch" machine=$arch words=oscope.work=mixed up=faults
[ "$arch" != teachos ] ||
	guest="our teaching kernel" machine=riscv64 words='work=sleepers,5 trouble=deadlock' up=wants
boot_limit=180 # seconds until userspace must be seen
view_limit=60  # seconds a view may take
head=16        # lines shown of a long view
color=never
[ ! -t 1 ] || color=always

oscope=$root/build/oscope
session=demo-$$
tmp=
broker=

# Ends `oscope run` and, should that not pass it on, its QEMU.
cleanup() {
	trap - EXIT
	if [ -n "$broker" ]; then
		qemu=$(cat "/proc/$broker/task/$broker/children" 2>/dev/null || :)
		for signal in TERM TERM KILL; do
			# shellcheck disable=SC2086 # a list of numbers
			kill -$signal "$broker" $qemu 2>/dev/null || break
			for _ in 1 2 3 4 5 6; do
				kill -0 "$broker" 2>/dev/null || break
				sleep 0.3
			done
		done
		wait "$broker" 2>/dev/null || :
	fi
	[ -z "$tmp" ] || rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step() { printf '\n\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }

# show LINES COMMAND ARGS...: the command as a user would type it, and the head of its answer.
show() {
	lines=$1
	shift
	step "oscope $*"
	command=$1
	shift
	timeout "$view_limit" "$oscope" "$command" -s "$session" --color "$color" "$@" >"$tmp/view" 2>&1 || {
		cat "$tmp/view"
		die "oscope $command failed"
	}
	if [ "$lines" = tail ]; then
		tail -n "$head" "$tmp/view"
	else
		head -n "$lines" "$tmp/view"
		rest=$(($(wc -l <"$tmp/view") - lines))
		[ "$rest" -le 0 ] || echo "… $rest more lines"
	fi
}

# values OPERANDS...: a view's rows, plain and bare, for this script itself.
values() { timeout "$view_limit" "$oscope" "$@" -s "$session" --no-header 2>/dev/null || :; }

step "what this machine lacks"
"$root/scripts/setup.sh" demo "$machine" && echo "nothing is missing"
step "build"
make --no-print-directory -C "$root" all | tail -n 1
step "the guest: $guest"
"$root/guests/fetch.sh" "$arch"
[ "$arch" = teachos ] || { tr '\n' ' ' <"$cache/guests/$arch/version" && echo; }

tmp=$(mktemp -d)
IFS='
'
set -f
# a serial port that `oscope top` can type into, and a copy of what it says
serial="socket,id=serial,path=$tmp/serial,server=on,wait=off,logfile=$tmp/console"
set -- $("$root/guests/boot.sh" "$arch" --smp 2 --append "$words" --print -- \
	-chardev "$serial" -serial chardev:serial)
unset IFS
set +f
if [ "$arch" = teachos ]; then # its profile says where things are in it, its DWARF what they are
	kernel=$root/guests/teachos/kernel.elf
	set -- --vmlinux "$kernel" --profile "$root/guests/teachos/teachos.profile" -- "$@"
else
	set -- -- "$@"
fi
step "oscope run $*"
"$oscope" run --name "$session" "$@" </dev/null >"$tmp/run" 2>&1 &
broker=$!

pid=
start=$(date +%s)
until [ -n "$pid" ]; do
	sleep 0.5
	kill -0 "$broker" 2>/dev/null || { cat "$tmp/run" "$tmp/console"; die "the guest ended before it was up"; }
	[ $(($(date +%s) - start)) -lt "$boot_limit" ] || { tail "$tmp/console"; die "no userspace after $boot_limit s"; }
	pid=$(values ps --columns pid,comm | awk -v c="$up" '$2 == c { print $1; exit }')
done
echo "userspace is up after $(($(date +%s) - start)) s; the guest's console ends with:"
sleep 2
tail -n 5 "$tmp/console" | tr -d '\r'

show_linux() {
	show 40 info
	show $head ps
	show $head ps --tree
	show 40 vm "$pid"
	show 30 pt "$pid"
	va=$(values vm "$pid" --columns start,perms | awk '$2 ~ /^rw/ { print $1; exit }')
	show 30 pt "$pid" --va "${va:-0}"
	show 60 mem
	show 40 mem --map
	show tail dmesg
	show 30 bt "$pid"
	show $head print init_task.se --depth 1
	show $head print init_task --list tasks --max 2
	show $head sym 'tcp_v4_*'
	show 16 events sched --for 1
	show 40 report sched --top 6
	show 14 report sched --gantt --for 0.3
}

show_teachos() {
	show 40 info
	show $head ps --tree
	show 30 pt "$pid"
	show 30 pt "$pid" --va 0x10000
	show 60 mem
	show 40 mem --map
	show 40 print user_locks
	show 40 print 'cpus[0].count' --depth 2
	show 20 sym 'proc_*'
	show 20 dev plic
	show 40 report heat --for 1 --top 6
}

if [ "$arch" = teachos ]; then show_teachos; else show_linux; fi

if [ -t 0 ] && [ -t 1 ]; then
	step "your turn"
	cat <<-END
		The guest runs on. Enter shows it on the live screen (? there shows the keys, q ends the demo).
		From another terminal:
		    $oscope ps --watch 1 -s $session
		    $oscope bt all -s $session
		    $oscope help
		What its console says is in $tmp/console, too.
	END
	read -r _ || :
	"$oscope" top -s "$session" || :
fi
step "done"
