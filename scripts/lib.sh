# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
# What the shell scripts share: where things are, how to say what goes wrong, and a private apt.
#
# The private apt exists because oscope needs packages that the machine's own apt does not offer:
# QEMU >= 10.0 (Debian 12: from backports) and kernels of other releases and other architectures.
# Nothing below /etc/apt is changed for that. A second apt configuration below the cache folder
# takes the archive's address from the machine's own sources and adds the suites that are needed.
# Sourced, not run: set -eu is the caller's.

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cache=${OSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oscope}
export DEBIAN_FRONTEND=noninteractive

say() { printf '%s\n' "${0##*/}: $*" >&2; }
die() { say "$@"; exit 1; }

# VERSION_CODENAME of this machine: bookworm, trixie.
codename() { (. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}"); }

# One line per Debian source of the machine: URI SUITE KEYRING|- ; both formats that apt knows.
apt_sources() {
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -r "$f" ] && { cat "$f"; echo; }
	done | awk '
		function flush(  i, j, n, m, u, s) {
			if (types ~ /(^| )deb( |$)/ && comps ~ /(^| )main( |$)/ && tolower(on) != "no") {
				n = split(uris, u, " "); m = split(suites, s, " ")
				for (i = 1; i <= n; i++) for (j = 1; j <= m; j++)
					print u[i], s[j], (key ~ /^\// ? key : "-")
			}
			types = uris = suites = comps = key = on = field = ""
		}
		/^#/ { next }
		/^[ \t]*$/ { flush(); next }
		/^[ \t]/ { value = $0 }
		/^[^ \t]/ { field = tolower($0); sub(/:.*/, "", field); value = $0; sub(/^[^:]*:/, "", value) }
		{ gsub(/[ \t]+/, " ", value); sub(/^ /, "", value) }
		field == "types" { types = types " " value }
		field == "uris" { uris = uris " " value }
		field == "suites" { suites = suites " " value }
		field == "components" { comps = comps " " value }
		field == "signed-by" { key = key value }
		field == "enabled" { on = value }
		END { flush() }'
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] && { cat "$f"; echo; }
	done | awk '
		$1 == "deb" {
			key = "-"; i = 2
			if ($2 ~ /^\[/) {
				for (; i <= NF; i++) {
					opt = $i; gsub(/[][]/, "", opt)
					if (opt ~ /^signed-by=\//) { key = opt; sub(/^signed-by=/, "", key) }
					if ($i ~ /\]$/) break
				}
				i++
			}
			for (j = i + 2; j <= NF; j++) if ($j == "main") print $i, $(i + 1), key
		}'
}

# The first source of the machine's own release: sets apt_uri and apt_key.
apt_archive() {
	set -- $(apt_sources | awk -v c="$(codename)" '
		$1 ~ /^cdrom:/ { next }
		$2 == c && !best { best = $0 }
		$2 == "stable" && $1 ~ /debian\/?$/ && !other { other = $0 }
		END { print best ? best : other }')
	[ $# -eq 3 ] || die "no Debian archive found in /etc/apt (a 'deb' source of $(codename) main): add one"
	apt_uri=$1
	apt_key=$3
	[ -r "$apt_key" ] || for apt_key in /usr/share/keyrings/debian-archive-keyring.gpg \
		/usr/share/keyrings/debian-archive-keyring.pgp; do
		[ -r "$apt_key" ] && break
	done
	[ -r "$apt_key" ] || die "no Debian archive keyring: install debian-archive-keyring"
}

# apt_private NAME ARCHES SUITE...: a configuration called NAME with just these suites' indexes,
# fetched. Afterwards `apt-get -c "$apt_conf" ...` uses it, until apt_private_done. The suite `own`
# stands for all that the machine itself has of its release (updates and security too).
apt_private() {
	apt_dir=$cache/apt/$1 apt_arches=$2
	shift 2
	apt_archive
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
	apt_conf=$apt_dir/apt.conf
	apt_opts="target=Packages arch=$(printf %s "$apt_arches" | tr ' ' ,) signed-by=$apt_key"
	for apt_suite; do
		case $apt_suite in
		own)
			apt_sources | awk -v c="$(codename)" -v o="target=Packages" -v k="$apt_key" '
				$1 ~ /^cdrom:/ { next }
				$2 == c || $2 ~ "^" c "[-/](updates|security)$" {
					print "deb [" o " signed-by=" ($3 == "-" ? k : $3) "]", $1, $2, "main"
				}' | sort -u
			;;
		*) printf 'deb [%s] %s %s main\n' "$apt_opts" "$apt_uri" "$apt_suite" ;;
		esac
	done >"$apt_dir/sources.list"
	{
		cat <<-END
			Dir::Etc::SourceList "$apt_dir/sources.list";
			Dir::Etc::SourceParts "/dev/null";
			Dir::State::Lists "$apt_dir/lists";
			Dir::Cache "$apt_dir/cache";
			APT::Sandbox::User "";
			APT::Update::Error-Mode "any";
			Acquire::Languages "none";
			Acquire::GzipIndexes "true";
			Acquire::PDiffs "false";
			Acquire::Retries "3";
			#clear APT::Architectures;
			#clear APT::Update::Post-Invoke-Success;
			#clear APT::Update::Post-Invoke;
		END
		apt_native=$(dpkg --print-architecture)
		for apt_arch in "$apt_native" $apt_arches; do
			printf 'APT::Architectures:: "%s";\n' "$apt_arch"
		done | awk '!seen[$0]++'
	} >"$apt_conf"
	# An index can be in the middle of a mirror's sync: that passes.
	for apt_wait in 2 5 10 20 0; do
		apt-get -c "$apt_conf" -qq update && return 0
		[ "$apt_wait" = 0 ] || { say "cannot fetch the package index, trying again in $apt_wait s"; sleep "$apt_wait"; }
	done
	die "cannot fetch the package index of $* (sources: $apt_dir/sources.list): is the network up?"
}

# One apt of ours at a time; held until this process ends.
apt_lock() {
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9
}

# Indexes are large, soon out of date and quickly fetched: not kept.
apt_private_done() { rm -rf "$apt_dir"; }
