/* SPDX-License-Identifier: MIT */
/* What libFuzzer calls, for every harness here. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
