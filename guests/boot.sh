#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
#   guests/boot.sh ARCH [--suite SUITE] [--smp N] [--mem M] [--append WORDS] [--agent SOCKET]
#                  [--print] [-- QEMU ARGS]
#
# The one place that knows how a guest of ours is started: prints (--print, one argument per
# line) or runs the plain QEMU command line, as a user would write it, with the serial console on
# the terminal. --agent adds the command channel of the tests, listening on a unix socket.
set -eu
. "$(dirname -- "$0")/../scripts/lib.sh"

usage() { die "usage: boot.sh ARCH [--suite S] [--smp N] [--mem M] [--append W] [--agent SOCK] [--print] [-- QEMU ARGS]"; }
arch=${1:-}
[ $# -gt 0 ] && shift || usage
smp=1 mem= append= agent= print= suite=
while [ $# -gt 0 ]; do
	case $1 in
	--) shift && break ;;
	--print) print=1 && shift && continue ;;
	esac
	[ $# -gt 1 ] || usage
	case $1 in
	--smp) smp=$2 ;;
	--mem) mem=$2 ;;
	--append) append=$2 ;;
	--agent) agent=$2 ;;
	--suite) suite=$2 ;;
	*) usage ;;
	esac
	shift 2
done
dir=$cache/guests/$arch${suite:+-$suite}
kernel=$dir/kernel initrd=$dir/initramfs.cpio.gz console=ttyS0

case $arch in
riscv64) set -- qemu-system-riscv64 -M virt "$@" ;;
amd64) set -- qemu-system-x86_64 -M q35 -cpu max "$@" ;;
arm64) console=ttyAMA0 && set -- qemu-system-aarch64 -M virt -cpu cortex-a76 "$@" ;;
teachos) # a kernel of our own (guests/teachos), with its programs in it
	set -- qemu-system-riscv64 -M virt "$@"
	kernel=$root/guests/teachos/kernel.elf initrd= mem=${mem:-128M}
	;;
*) usage ;;
esac
[ -s "$kernel" ] && { [ -z "$initrd" ] || [ -s "$initrd" ]; } ||
	die "no guest in ${kernel%/*}: run guests/fetch.sh $arch${suite:+ --suite $suite}"

case " $* " in # a reboot ends QEMU, unless the caller says what it does
*" -action "*) ;;
*) set -- "$@" -no-reboot ;;
esac
set -- "$@" -smp "$smp" -m "${mem:-512M}" -nographic -nic none -kernel "$kernel"
if [ -n "$initrd" ]; then
	set -- "$@" -initrd "$initrd" -append "console=$console panic=-1${append:+ $append}"
elif [ -n "$append" ]; then
	set -- "$@" -append "$append"
fi
[ -z "$agent" ] || set -- "$@" \
	-device virtio-serial-pci -chardev "socket,id=agent,path=$agent,server=on,wait=off" \
	-device virtserialport,chardev=agent,name=oscope.agent
if [ -n "$print" ]; then
	printf '%s\n' "$@"
else
	exec "$@"
fi
