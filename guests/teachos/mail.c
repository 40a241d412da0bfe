/* SPDX-License-Identifier: MIT */
/*
 * Messages of one number between processes: the example of how to wait for something with sleep()
 * and wakeup(), and of what happens when it is done wrong.
 */
#include "kernel.h"

static struct spinlock mail_lock = {.name = "mail"};

static struct proc *receiver(int pid)
{
    for (int i = 0; i < NPROC; i++)
        if (procs[i].pid == pid && procs[i].state >= PROC_READY && !procs[i].mailbox.closed)
            return &procs[i];
    return NULL;
}

/* Waits until the mailbox is empty. False: there is no such process (any more). */
bool mail_send(int pid, uint64_t value)
{
    struct proc *self = proc_current(), *to;
    bool sent = false;
    spin_lock(&mail_lock);
    while ((to = receiver(pid)) && to->mailbox.full && !self->killed)
        sleep(&to->mailbox.from, &mail_lock, "full mailbox");
    if (to && !self->killed) {
        to->mailbox = (struct mailbox){.full = true, .from = self->pid, .value = value};
        wakeup(&to->mailbox);
        sent = true;
    }
    spin_unlock(&mail_lock);
    return sent;
}

void mail_close(struct proc *p)
{
    spin_lock(&mail_lock);
    p->mailbox.closed = true;
    wakeup(&p->mailbox.from);
    spin_unlock(&mail_lock);
}

/* Trouble: between the look, which found the mailbox empty, and the sleep nobody has the lock. Who
 * sends just then wakes nobody. Such a gap is short in real kernels; here it is made wide. */
static void sleep_too_late(const struct mailbox *box)
{
    spin_unlock(&mail_lock);
    sleep_until(time_now() + TIME_HZ / 20, "nothing yet");
    sleep(box, NULL, "mail");
    spin_lock(&mail_lock);
}

/* The pid of the sender; -1: killed while waiting. */
int mail_receive(uint64_t *value)
{
    struct proc *self = proc_current();
    struct mailbox *box = &self->mailbox;
    int from = -1;
    spin_lock(&mail_lock);
    while (!box->full && !self->killed) {
        if (trouble_is(TROUBLE_lostwake))
            sleep_too_late(box);
        else
            sleep(box, &mail_lock, "mail");
    }
    if (box->full) {
        from = box->from;
        *value = box->value;
        box->full = false;
        wakeup(&box->from);
    }
    spin_unlock(&mail_lock);
    return from;
}
