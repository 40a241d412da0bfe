/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says: to the serial console and to a ring in memory.
 */
#include "kernel.h"

char log_text[LOG_SIZE];
uint64_t log_end;

static struct spinlock console_lock = {.name = "console"};

/* The UART: a 16550. Registers by offset; what they are depends on whether one reads or writes. */
enum { UART_DATA, UART_IER, UART_IIR, UART_LCR, UART_MCR, UART_LSR, UART_FCR = UART_IIR };
enum { IER_RECEIVED = 1, IER_CAN_SEND = 2, LSR_RECEIVED = 1, LSR_CAN_SEND = 0x20 };

static volatile uint8_t *const uart = (volatile uint8_t *)(DEVICE_BASE + 0x10000000);

/* ---- output ------------------------------------------------------------------------------- */

static void put_byte(char c)
{
    while (!(uart[UART_LSR] & LSR_CAN_SEND))
        ;
    uart[UART_DATA] = (uint8_t)c;
}

static void put_bytes(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            put_byte('\r');
        put_byte(s[i]);
    }
}

void console_write(const char *s, size_t n)
{
    spin_lock(&console_lock);
    put_bytes(s, n);
    spin_unlock(&console_lock);
}

static void print_line(const char *fmt, va_list args)
{
    char line[128];
    size_t n = format(line, sizeof(line) - 1, fmt, args);
    line[n++] = '\n';
    for (size_t i = 0; i < n; i++)
        log_text[(log_end + i) % LOG_SIZE] = line[i];
    log_end += n;
    put_bytes(line, n);
}

void kprintf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    spin_lock(&console_lock);
    print_line(fmt, args);
    spin_unlock(&console_lock);
    va_end(args);
}

/* Nothing can be relied on any more, locks included. */
void panic(const char *fmt, ...)
{
    va_list args;
    intr_off();
    console_lock = (struct spinlock){.name = "console"};
    put_bytes("panic: ", 7);
    va_start(args, fmt);
    print_line(fmt, args);
    va_end(args);
    sbi_reset(false, true);
    for (;;)
        __asm__ volatile("wfi");
}

/* ---- input: lines, edited here ------------------------------------------------------------ */

static struct {
    struct spinlock lock;
    char line[128]; /* bytes that came; a reader gets whole lines */
    size_t n;
    bool complete;
} input = {.lock.name = "input"};

static void received(char c)
{
    if (input.complete) /* the reader is slow: what comes meanwhile is lost */
        return;
    if (c == '\r')
        c = '\n';
    if (c == '\b' || c == 0x7f) {
        if (input.n) {
            input.n--;
            console_write("\b \b", 3);
        }
        return;
    }
    if (c != '\n' && (c < ' ' || input.n >= sizeof(input.line) - 1))
        return;
    console_write(&c, 1);
    input.line[input.n++] = c;
    if (c == '\n') {
        input.complete = true;
        wakeup(&input);
    }
}

size_t console_read(char *to, size_t size)
{
    size_t n = 0;
    spin_lock(&input.lock);
    while (!input.complete && !proc_current()->killed)
        sleep(&input, &input.lock, "console");
    if (input.complete) {
        n = input.n < size ? input.n : size;
        memcpy(to, input.line, n);
        input.n = 0;
        input.complete = false;
    }
    spin_unlock(&input.lock);
    return n;
}

/* ---- the device --------------------------------------------------------------------------- */

void uart_init(void)
{
    uart[UART_IER] = 0;
    uart[UART_LCR] = 3; /* 8 bits, no parity */
    uart[UART_FCR] = 7; /* FIFOs on, and empty */
    uart[UART_IER] = IER_RECEIVED;
}

/* Output is polled, so the interrupt "can send" is of no use to this driver. Trouble: it asks for
 * it nevertheless, and does so anew each time it comes, in case there were something to send. As
 * there never is, the UART is always able to send, and says so at once. */
static void can_send_interrupt(bool on)
{
    uart[UART_IER] = IER_RECEIVED;
    if (on)
        uart[UART_IER] = IER_RECEIVED | IER_CAN_SEND;
}

void uart_transmit_interrupt(bool on)
{
    spin_lock(&input.lock); /* or a handler that looked before turns it on again */
    can_send_interrupt(on);
    spin_unlock(&input.lock);
}

void uart_interrupt(void)
{
    (void)uart[UART_IIR]; /* reading it takes "can send" back */
    spin_lock(&input.lock);
    while (uart[UART_LSR] & LSR_RECEIVED)
        received((char)uart[UART_DATA]);
    if (trouble_is(TROUBLE_storm))
        can_send_interrupt(true);
    spin_unlock(&input.lock);
}
