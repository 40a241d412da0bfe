#!/bin/sh
# SPDX-License-Identifier: MIT
# Documentation must not lag behind the program: check.sh BUILD-DIR
# Every command has a man page that names its options, stands in the README and in the completions,
# and docs/JSON.md and docs/EVENTS.md are what they are made from. Prints PASS and FAIL lines; exit
# status 1 if any failed.
set -u
build=${1:?usage: check.sh BUILD-DIR}
root=$(cd "$(dirname "$0")/../.." && pwd)
oscope=$build/oscope
passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# check NAME COMMAND...: PASS when the command succeeds
check() {
    name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        echo "PASS $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name"
        sed 's/^/    /' "$tmp/out"
        failed=$((failed + 1))
    fi
}

# has FILE WORD: the file has the word, not as part of another
has() {
    grep -Eq -- "(^|[^[:alnum:]_-])$2([^[:alnum:]_-]|\$)" "$1" || {
        echo "'$2' is not in $1"
        return 1
    }
}

# Each option of the command stands in its page; options of all views in oscope(1).
options_described() {
    page=$root/man/oscope-$1.1.scd
    [ "$1" = oscope ] && page=$root/man/oscope.1.scd
    missing=0
    for option in $(awk -v c="$1" '$1 == "option" && $2 == c { print $3 }' "$tmp/table"); do
        grep -q -- "$option" "$page" || { echo "$option is not in $page"; missing=1; }
    done
    return $missing
}

# same COMMITTED MADE COMMAND: the command makes it anew
same() {
    diff -u "$1" "$2" || { echo "run: $3"; return 1; }
}

# A page of fields: each column of the view is named in its man page.
fields_described() {
    command=$1
    page=$root/man/oscope-$command.1.scd
    missing=0
    for field in $(awk -v c="$command" -F'`' \
        '/^## / { split(substr($0, 4), w, " "); on = w[1] == c } on && /^\| `/ { print $2 }' \
        "$root/docs/JSON.md"); do
        [ "$field" = consistency ] && continue
        has "$page" "$field" || missing=1
    done
    return $missing
}

# Between <!-- demo:NAME --> and <!-- /demo --> stands real output.
demo_filled() {
    awk '/^<!-- \/demo -->/ { if (!lines) { print "empty block " name; bad = 1 } on = 0 }
         on && NF && !/^```/ { lines++ }
         /^<!-- demo:/ { on = 1; lines = 0; name = $2 }
         END { exit bad }' "$root/README.md"
}

"$oscope" help --table >"$tmp/table" || { echo "FAIL $oscope does not run"; exit 1; }
for shell in bash zsh fish; do
    "$oscope" completion $shell >"$tmp/completion.$shell"
done

for command in $(awk '$1 == "command" && $3 != "hidden" { print $2 }' "$tmp/table"); do
    check "$command: man page" test -s "$root/man/oscope-$command.1.scd"
    check "$command: page says its name" grep -q "^oscope-$command(1)" "$root/man/oscope-$command.1.scd"
    check "$command: options described" options_described "$command"
    check "$command: fields described" fields_described "$command"
    check "$command: in oscope(1)" has "$root/man/oscope.1.scd" "$command"
    check "$command: in README" grep -q -- "oscope $command" "$root/README.md"
    for shell in bash zsh fish; do
        check "$command: $shell completion" has "$tmp/completion.$shell" "$command"
    done
    check "$command: --help" "$oscope" "$command" --help
    check "$command: help" "$oscope" help "$command"
done
# Each key that a profile may have stands in its page.
keys_described() {
    missing=0
    for key in $(sed -n 's/^X([A-Z0-9_]*, "\([a-z]*\)", "\([a-z0-9-]*\)".*/\2/p' "$root/src/os/profile/keys.h") \
        name arch symbols mode linear; do
        grep -q -- "\*$key\*" "$root/man/oscope-profile.1.scd" || {
            echo "$key is not in man/oscope-profile.1.scd"
            missing=1
        }
    done
    return $missing
}
check "profile: keys described" keys_described
check "oscope(1): options described" options_described oscope
check "bash completion: syntax" bash -n "$tmp/completion.bash"
if command -v zsh >/dev/null; then
    check "zsh completion: syntax" zsh -n "$tmp/completion.zsh"
fi
if command -v fish >/dev/null; then
    check "fish completion: syntax" fish -n "$tmp/completion.fish"
fi
for page in "$root"/man/*.scd; do
    if command -v scdoc >/dev/null; then
        check "$(basename "$page"): scdoc" sh -c 'scdoc <"$1"' - "$page"
    fi
    name=$(basename "$page" .1.scd)
    if [ "$name" != oscope ]; then
        check "$name: is a command" grep -q "^command ${name#oscope-}\( \|\$\)" "$tmp/table"
    fi
done
"$oscope" help --json-fields >"$tmp/JSON.md"
check "docs/JSON.md is current" same "$root/docs/JSON.md" "$tmp/JSON.md" \
    "oscope help --json-fields > docs/JSON.md"
/usr/bin/python3 "$root/src/trace/gen_events.py" docs "$root/src/trace/events.toml" "$tmp/EVENTS.md"
check "docs/EVENTS.md is current" same "$root/docs/EVENTS.md" "$tmp/EVENTS.md" \
    "src/trace/gen_events.py docs src/trace/events.toml docs/EVENTS.md"
check "README: demo blocks are filled" demo_filled

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
