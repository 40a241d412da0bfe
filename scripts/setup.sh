#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
# Installs what is missing on a Debian 12 or 13 machine, and nothing when nothing is.
#
#   scripts/setup.sh [-y] [-n] demo [ARCH]   what building oscope and one demo guest need
#   scripts/setup.sh [-y] [-n] web           what building `oscope web` needs as well
#   scripts/setup.sh [-y] [-n] all           what the tests need on top: every guest, clang, linters
#
# Asks once before it installs, unless root runs it, CI is set or -y is given; -n only tells what
# is missing (status 1 then). QEMU must be 10.0 or newer: Debian 12 has that in its backports,
# which are asked through a private apt configuration (lib.sh). /etc/apt stays as it is.
set -eu
. "$(dirname -- "$0")/lib.sh"

QEMU_MIN=10

# package list by need; ARCH picks QEMU and the cross compiler.
build='build-essential meson ninja-build pkg-config libelf-dev libdw-dev libjansson-dev libzstd-dev
	libexpat1-dev libncurses-dev libvterm-dev libcmocka-dev scdoc python3 cpio zstd xz-utils gzip'
checks='python3-pytest tmux clang clang-format clang-tidy cppcheck llvm gdb-multiarch
	babeltrace2 chromium fonts-dejavu-core openssl prometheus'
web=libwebsockets-dev
case $(codename) in
bookworm) checks="$checks libclang-rt-14-dev" ;;
*) checks="$checks libclang-rt-19-dev" ;;
esac

qemu_of() { case $1 in riscv64) echo riscv ;; amd64) echo x86 ;; arm64) echo arm ;; esac; }
qemu_cmd() { case $1 in amd64) echo x86_64 ;; arm64) echo aarch64 ;; *) echo "$1" ;; esac; }
cross_of() {
	[ "$1" = "$(dpkg --print-architecture)" ] && return
	case $1 in
	riscv64) echo gcc-riscv64-linux-gnu libc6-dev-riscv64-cross ;;
	amd64) echo gcc-x86-64-linux-gnu libc6-dev-amd64-cross ;;
	arm64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
	esac
}

# Those of the named packages that are not installed.
missing() {
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		awk -v want="$*" '$1 == "installed" { have[$2] = 1 }
			END { n = split(want, w, " "); for (i = 1; i <= n; i++) if (!(w[i] in have)) print w[i] }'
}

# The QEMU packages that are missing or too old; an own QEMU in PATH is as good as a package.
missing_qemu() {
	for a; do
		v=$("qemu-system-$(qemu_cmd "$a")" --version 2>/dev/null |
			sed -n '1s/.*version \([0-9]*\).*/\1/p') || v=
		[ "${v:-0}" -ge $QEMU_MIN ] || echo "qemu-system-$(qemu_of "$a")"
	done
}

# Node and npm, unless they are there: own ones in PATH are as good as packages, and exclude these.
missing_node() {
	v=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/') || v=
	[ "${v:-0}" -ge 18 ] || echo nodejs
	command -v npm >/dev/null || echo npm
}

yes=${CI:+1}
[ "$(id -u)" != 0 ] || yes=1
dry=
while getopts yn o; do
	case $o in y) yes=1 ;; n) dry=1 ;; *) exit 2 ;; esac
done
shift $((OPTIND - 1))
case ${1:-} in
demo) arches=${2:-riscv64} packages=$build ;;
web) arches='' packages="$build $web $(missing_node)" ;;
all) arches='riscv64 amd64 arm64' packages="$build $checks $web $(missing_node)" ;;
*) die "usage: setup.sh [-y] [-n] demo [riscv64|amd64|arm64] | web | all" ;;
esac
for a in $arches; do
	[ -n "$(qemu_of "$a")" ] || die "no guest for $a: riscv64, amd64 and arm64 exist"
	packages="$packages $(cross_of "$a")"
done
command -v apt-get >/dev/null || die "not a Debian machine: install by hand what $0 lists, and QEMU >= $QEMU_MIN"

# shellcheck disable=SC2086 # lists of words
{
	need=$(missing $packages | tr '\n' ' ')
	qemu=$(missing_qemu $arches | tr '\n' ' ')
}
[ -n "$need$qemu" ] || exit 0
say "missing: $need$qemu"
[ -z "$dry" ] || exit 1
if [ -z "$yes" ]; then
	[ -t 0 ] || die "run it with -y to install these packages (by sudo apt-get)"
	printf 'Install them with sudo apt-get? [Y/n] '
	read -r answer
	case $answer in '' | [yY]*) ;; *) die "nothing was installed" ;; esac
fi
sudo=
[ "$(id -u)" = 0 ] || sudo='sudo env DEBIAN_FRONTEND=noninteractive'
[ -z "$sudo" ] || command -v sudo >/dev/null || die "not root and no sudo: run it as root"

# get SUITE|'' PACKAGE...: archives go where the machine's own apt keeps them.
get() {
	from=$1
	shift
	for try in 1 2 3; do
		$sudo apt-get -c "$apt_conf" -o Dir::Cache::archives=/var/cache/apt/archives \
			-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o DPkg::Lock::Timeout=300 \
			-o Dpkg::Use-Pty=0 -qq -y --no-install-recommends ${from:+-t "$from"} \
			install "$@" >"$cache/setup.log" 2>&1 && return
		say "apt-get failed (try $try): $(tail -n 1 "$cache/setup.log")"
		sleep 5
	done
	die "could not install: $* (see $cache/setup.log)"
}

backports=
case $(codename) in
bookworm) [ -z "$qemu" ] || backports=bookworm-backports ;;
esac
# shellcheck disable=SC2086
{
	apt_lock
	apt_private setup "$(dpkg --print-architecture)" own $backports
	[ -z "$need" ] || get '' $need
	[ -z "$qemu" ] || get "$backports" $qemu
	left=$(missing $need | tr '\n' ' ')$(missing_qemu $arches | tr '\n' ' ')
}
[ -z "$left" ] || die "still missing after installing: $left"
apt_private_done
# The tests start one of their own; the package begins a service that nobody asked for.
case " $need" in
*" prometheus "*) [ ! -d /run/systemd/system ] || $sudo systemctl disable -q --now prometheus ;;
esac
