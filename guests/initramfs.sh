#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
#   guests/initramfs.sh ARCH [--suite SUITE]
#
# Builds the guest's root: Debian's static busybox, our init, our workloads (cross-built, static)
# and a few kernel modules, as one cpio that needs no root to make. Rebuilt only when a source is
# newer than what is in the cache.
set -eu
. "$(dirname -- "$0")/../scripts/lib.sh"

arch=${1:?usage: initramfs.sh ARCH [--suite SUITE]}
suite=
[ "${2:-}" != --suite ] || suite=${3:?--suite needs a name}
dir=$cache/guests/$arch${suite:+-$suite}
stock=$cache/guests/$arch
here=$root/guests
out=$dir/initramfs.cpio.gz

[ -s "$dir/modules/order" ] || [ -e "$dir/modules/order" ] || die "no kernel in $dir: run guests/fetch.sh $arch"
newer=$(find "$here/init" "$here/work.sh" "$here/initramfs.sh" "$here/work" "$dir/modules" -newer "$out" 2>/dev/null || echo none)
[ -n "$newer" ] || exit 0

case $arch in
riscv64) cc=riscv64-linux-gnu-gcc ;;
arm64) cc=aarch64-linux-gnu-gcc ;;
amd64) cc=x86_64-linux-gnu-gcc ;;
esac
command -v "$cc" >/dev/null || die "no $cc: run scripts/setup.sh demo $arch"

tmp=$(mktemp -d "$dir/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
r=$tmp/root
mkdir -p "$r/bin" "$r/dev" "$r/etc" "$r/lib/modules" "$r/mnt" "$r/proc" "$r/root" "$r/sys" "$r/tmp"
ln -s bin "$r/sbin"
cp "$stock/busybox" "$r/bin/busybox"
for a in sh $(sed -n 's/^# applets: //p' "$here/initramfs.sh"); do ln -s busybox "$r/bin/$a"; done
cp "$here/init" "$r/init"
cp "$here/work.sh" "$r/bin/work"
chmod 755 "$r/init" "$r/bin/work" "$r/bin/busybox"
cp "$dir"/modules/* "$r/lib/modules/"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$r/etc/passwd"
for src in "$here"/work/*.c; do
	bin=${src##*/}
	"$cc" -std=c17 -O2 -static -pthread -Wall -Wextra -Werror -s -o "$r/bin/${bin%.c}" "$src"
done
(cd "$r" && find . | LC_ALL=C sort | cpio --quiet -o -H newc --owner=0:0) | gzip -6 >"$tmp/cpio.gz"
mv "$tmp/cpio.gz" "$out"

# The applets that get a name of their own; the rest is there as `busybox NAME`.
# applets: ash awk base64 basename cat chmod cp cttyhack cut date dd df dirname dmesg du echo env
# applets: expr false find free grep gunzip gzip halt head hexdump hostname id insmod ip kill
# applets: killall less ln losetup ls lsmod md5sum mkdir mke2fs mknod mktemp modinfo more mount mv
# applets: nproc od pidof poweroff printf ps pwd readlink reboot reset rm rmdir rmmod sed seq
# applets: setsid sha256sum sleep sort stat strings stty swapoff swapon sync sysctl tail tar
# applets: taskset tee test time timeout top touch tr true truncate tty umount uname uniq unshare
# applets: uptime usleep vi watch wc which who xargs yes zcat
