# SPDX-License-Identifier: MIT
# Copyright the oscope authors
#
# The front door: what is behind each target is in scripts/ and in the meson files.

GUEST ?= riscv64
PREFIX ?= /usr/local
CACHE := $(or $(OSCOPE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/oscope)

.PHONY: all help setup demo test bench pictures lint install clean clean-cache

all: build/build.ninja ## build build/oscope
	@ninja -C build

build/build.ninja:
	@meson setup build --prefix $(PREFIX)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

setup: ## install what is missing (Debian 12 or 13)
	@scripts/setup.sh all

demo: ## boot a stock Debian in QEMU and show it from outside; GUEST=riscv64|amd64|arm64|teachos
	@scripts/demo.sh $(GUEST)

test: ## every test; the last line counts them
	@scripts/setup.sh all
	@/usr/bin/python3 scripts/test.py

bench: ## the benchmarks: prints ratios, asserts nothing
	@scripts/setup.sh all
	@$(MAKE) --no-print-directory all
	@ninja -C build bench/bench_state bench/bench_fold bench/bench_tracks bench/bench_trace bench/bench_tui
	@guests/fetch.sh riscv64
	@/usr/bin/python3 bench/bench.py

pictures: ## takes the pictures of `oscope web` that the README shows
	@scripts/setup.sh all
	@$(MAKE) --no-print-directory all
	@scripts/web-deps.sh check
	@guests/fetch.sh riscv64
	@cd tests/guest && OSCOPE_PICTURES=$(CURDIR)/docs/images /usr/bin/python3 -m pytest -q -p no:cacheprovider --arch riscv64 test_web_pictures.py

lint: ## warnings, format and static checks only
	@scripts/setup.sh all
	@/usr/bin/python3 scripts/test.py --only build,clang,format,cppcheck,docs

install: all ## install to PREFIX (default /usr/local)
	@ninja -C build install

clean: ## remove what was built
	rm -rf build build-*
	@$(MAKE) --no-print-directory -s -C guests/teachos clean

clean-cache: ## remove downloaded kernels and package indexes
	rm -rf "$(CACHE)/guests" "$(CACHE)/apt" "$(CACHE)/setup.log" "$(CACHE)/lock"
