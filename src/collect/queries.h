/* SPDX-License-Identifier: MIT */
/*
 * Questions that take long, answered in one thread after each other, so that who asks goes on. Who
 * asks has a place for each kind of question (struct query): the next question takes the place of
 * one that waits, so nothing queues up.
 *
 * Places belong to threads that ask one at a time; they are gone before queries_free().
 */
#ifndef COLLECT_QUERIES_H
#define COLLECT_QUERIES_H

#include "draw/out.h"

struct queries;
struct query;

/* wake: an eventfd that is written to when there is an answer. NULL: out of memory. The thread
 * begins with the first question. */
struct queries *queries_new(int wake);
/* Waits for the answer that is being made. NULL is allowed. */
void queries_free(struct queries *q);

/* Answers a question, in whatever thread: appends to `out`. */
typedef void query_answer(void *arg, const void *question, struct out *out);

/* A place for questions of that many bytes; arg stays until queries_free(). NULL: out of memory. */
struct query *query_new(struct queries *q, size_t bytes, query_answer *answer, void *arg);
/* Does not wait: what is being answered is told to nobody. NULL is allowed. */
void query_free(struct query *p);

/* Asks, copying; an older question that is not answered yet is answered no more. */
void query_ask(struct query *p, const void *question);
/* Is there an answer to the newest question? */
bool query_ready(struct query *p);
/* It, in place of what is in *out, which is its taker's then. False: none, or it was taken. */
bool query_take(struct query *p, struct out *out);

#endif
