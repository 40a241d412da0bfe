#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
#   guests/fetch.sh ARCH [--suite SUITE]
#
# Puts a stock Debian kernel for ARCH (riscv64, amd64, arm64) and its initramfs into the cache:
#
#   CACHE/guests/ARCH[-SUITE]/{kernel,initramfs.cpio.gz,version,config,modules/}
#
# The kernel is the one of the machine's own release for amd64 and of Debian 13 for the others;
# SUITE names another (bullseye, bookworm-backports, trixie-backports, …). apt downloads and
# verifies the packages; they are unpacked, never installed. Does nothing when all is there.
# `fetch.sh teachos` builds the kernel of guests/teachos, in its place.
set -eu
. "$(dirname -- "$0")/../scripts/lib.sh"

arch=${1:-}
suite=
[ "${2:-}" != --suite ] || suite=${3:?--suite needs a name}
case $arch in
teachos) # ours: two at once would write the same files
	mkdir -p "$cache" && exec 8>"$cache/teachos.lock" && flock 8
	exec make --no-print-directory -s -C "$root/guests/teachos"
	;;
amd64) base=own ;;
riscv64 | arm64) base=trixie ;;
*) die "usage: fetch.sh riscv64|amd64|arm64|teachos [--suite SUITE]" ;;
esac
name=$arch${suite:+-$suite}
dir=$cache/guests/$name
stock=$cache/guests/$arch # has the busybox for every kernel of the arch

# Modules of the initramfs; one that a kernel has built in, or not at all, is left out.
wanted='virtio_mmio virtio_pci virtio_console virtio_blk crc32c_generic ext4 brd loop dummy'
# Those that it carries only; their names are in modules/later.
carried=
[ "$arch" != riscv64 ] || carried=kvm

# The packages that the metapackage linux-image-ARCH stands for: one, or since 7.x four.
kernel_packages() {
	depends() { apt-cache -c "$apt_conf" --no-all-versions show "$1" | sed -n 's/^Depends: //p' | tr ', ' '\n\n'; }
	image=$(depends "linux-image-$arch:$arch" | grep '^linux-image-[0-9]' | head -n 1)
	[ -n "$image" ] || return 0
	echo "$image:$arch"
	depends "$image:$arch" | sed -n "s/^linux-\(base\|binary\|modules\)-[0-9].*/&:$arch/p"
}

# download DIR PACKAGE...: whole files only, the index asked again when it was out of date.
download() {
	(
		mkdir -p "$1" && cd "$1"
		shift
		for try in 1 2 3; do
			apt-get -c "$apt_conf" -qq download "$@" && exit
			sleep "$try"
			apt-get -c "$apt_conf" -qq update || :
		done
		die "could not download: $*"
	)
}

# The decompressed module called $1, and before it those it depends on: names into $list.
add_module() {
	file=$(find "$new/tree" -name "$(printf %s "$1" | sed 's/[-_]/[-_]/g').ko*" | head -n 1)
	[ -n "$file" ] || return 0
	out=$new/modules/$1.ko
	[ ! -e "$out" ] || return 0
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -qdc "$file" ;;
	*.gz) gzip -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$out"
	for d in $(tr '\0' '\n' <"$out" | sed -n 's/^depends=//p' | tr , ' '); do
		add_module "$d"
	done
	echo "${1}" >>"$list"
}

# Where a package has its kernel and config: /boot, or since 7.x beside the modules.
boot_file() { find "$new/tree" -type f -path "*/boot/$1-*" -o -type f -path "*/lib/modules/*/$1" | head -n 1; }

fetched() { [ -s "$dir/version" ] && [ -e "$dir/modules/later" ]; }

fetch_kernel() {
	apt_lock
	! fetched || return 0 # somebody else did it meanwhile
	rm -rf "$dir".new.*
	say "fetching the $name kernel"
	new=$dir.new.$$
	trap 'rm -rf "$new"' EXIT
	trap 'exit 1' INT TERM
	mkdir -p "$new/modules" "$cache/guests"
	apt_private "guest-$name" "$arch" "${suite:-$base}"
	packages=$(kernel_packages)
	[ -n "$packages" ] || die "no linux-image-$arch in ${suite:-$base}"
	[ -n "$suite" ] || packages="$packages busybox-static:$arch"
	# shellcheck disable=SC2086 # a list of names
	download "$new" $packages
	for deb in "$new"/linux-*.deb; do dpkg-deb -x "$deb" "$new/tree"; done
	: >"$new/modules/order"
	: >"$new/modules/later"
	list=$new/modules/order
	for m in $wanted; do add_module "$m"; done
	list=$new/modules/later
	for m in $carried; do add_module "$m"; done
	mv "$(boot_file config)" "$new/config"
	mv "$(boot_file 'vmlinu?')" "$new/kernel"
	version=$(dpkg-deb -f "$new"/linux-image-*.deb Package Version)
	if [ -z "$suite" ]; then
		dpkg-deb -x "$new"/busybox-static*.deb "$new/busybox.tree"
		mv "$(find "$new/busybox.tree" -name busybox -type f -perm -1 | head -n 1)" "$new/busybox"
	fi
	rm -rf "$new/tree" "$new/busybox.tree" "$new"/*.deb
	printf '%s\n' "$version" >"$new/version"
	rm -rf "$dir"
	mv "$new" "$dir"
	trap - EXIT
	apt_private_done
}

[ -z "$suite" ] || [ -s "$stock/busybox" ] || "$0" "$arch"
fetched || fetch_kernel
exec "$root/guests/initramfs.sh" "$arch" ${suite:+--suite "$suite"}
