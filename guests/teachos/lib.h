/* SPDX-License-Identifier: MIT */
/* What lib.c offers to the kernel and to its programs. */
#ifndef TEACHOS_LIB_H
#define TEACHOS_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool same_string(const char *a, const char *b);
/* As much as fits; always ends with NUL. */
void copy_name(char *to, const char *from, size_t size);
/* Returns the length of what was written; as much as fits, always ends with NUL. */
size_t format(char *to, size_t size, const char *fmt, va_list args);

#endif
