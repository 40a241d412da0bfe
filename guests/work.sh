#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
# /bin/work in the guest: starts a named mix of workloads in the background, or ends them all.
dir=/tmp
grep -q ' /mnt ext' /proc/mounts && dir=/mnt
start() { setsid "$@" </dev/null >/dev/null 2>&1 & }
case ${1:-help} in
mixed) # a bit of everything, most of it asleep at any one moment
	start forkstorm 10
	start sleepers 30
	start threads 12
	start fileio "$dir"
	start pipeio 2
	start faults
	start mutexes 5
	;;
quiet) # many things to see, none of which changes by itself
	start sleepers 200
	start threads 50
	start faults hold
	;;
storm)
	start forkstorm 300
	start sleepers 30
	;;
busy)
	start spin
	start mutexes 8
	start fileio "$dir"
	;;
kvm) # riscv64: a guest in the guest; who looks at its modes begins afterwards
	while read -r m; do insmod "/lib/modules/$m.ko"; done </lib/modules/later
	start kvm
	;;
stop)
	killall kvm forkstorm sleepers threads fileio pipeio faults mutexes spin pagetouch 2>/dev/null
	;;
*) echo "usage: work mixed|quiet|storm|busy|kvm|stop, or one of: forkstorm sleepers threads fileio pipeio faults pagefaults mutexes spin pagetouch" ;;
esac
exit 0
