#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
#   scripts/web-deps.sh build|check
#
# Fetches what the page of `oscope web` is built from (build), and what checks it as well (check), to
# web/node_modules, with npm and by web/package-lock.json. Does nothing when it is there.
set -eu
cd "$(dirname -- "$0")/../web"
case ${1:-} in
build) omit=--omit=dev ;;
check) omit= ;;
*) echo "usage: web-deps.sh build|check" >&2 && exit 2 ;;
esac

mkdir -p node_modules
exec 9>node_modules/.oscope-lock
flock 9
sum=$(sha256sum <package-lock.json)
have=$(cat node_modules/.oscope-have 2>/dev/null || :)
case $have in "check $sum" | "$1 $sum") exit 0 ;; esac
command -v npm >/dev/null || { echo "npm is not there" >&2 && exit 1; }
# npm would remove the folder, and with it the lock
tmp=$(mktemp -d ./.fetch-XXXXXX)
trap 'rm -rf "$tmp"' EXIT
cp package.json package-lock.json .npmrc "$tmp"
# shellcheck disable=SC2086 # no word when it is empty
(cd "$tmp" && npm ci $omit --ignore-scripts --no-progress --loglevel=error >&2)
for old in node_modules/* node_modules/.bin node_modules/.package-lock.json; do rm -rf "$old"; done
cp -R "$tmp/node_modules/." node_modules/
echo "$1 $sum" >node_modules/.oscope-have
