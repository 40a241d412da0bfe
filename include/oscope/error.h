/* SPDX-License-Identifier: MIT */
/*
 * Errors as values.
 *
 * Every liboscope function that can fail returns NULL on success or an error that the caller owns
 * and frees with oscope_error_free(). The library never prints and never exits. A message says what
 * failed and on what; the hint, if there is one, says what the user can do about it.
 */
#ifndef OSCOPE_ERROR_H
#define OSCOPE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

enum oscope_code {
    OSCOPE_E_NOMEM = 1,   /* out of memory, or a cap on memory was reached */
    OSCOPE_E_IO,          /* a system call on a file, socket or process failed */
    OSCOPE_E_USAGE,       /* the caller's argument is wrong */
    OSCOPE_E_NOT_FOUND,   /* the thing named does not exist (session, task, symbol, member, type) */
    OSCOPE_E_FAULT,       /* a guest address is not mapped or not backed by RAM */
    OSCOPE_E_BAD_DATA,    /* guest memory or a file contradicts itself */
    OSCOPE_E_UNSUPPORTED, /* understood, but not covered: arch, kernel, format */
    OSCOPE_E_PERMISSION,  /* the host's kernel said no */
    OSCOPE_E_BUSY,        /* somebody else holds it */
    OSCOPE_E_TIMEOUT,     /* no answer in time */
    OSCOPE_E_GONE,        /* the guest or its QEMU ended */
};

struct oscope_error {
    enum oscope_code code;
    char *message; /* one line, no newline, no final stop; never NULL */
    char *hint;    /* one line or NULL */
};

/* Frees err; NULL is allowed. */
void oscope_error_free(struct oscope_error *err);

#ifdef __cplusplus
}
#endif
#endif
