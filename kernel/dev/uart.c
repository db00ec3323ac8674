/* SPDX-License-Identifier: MIT */
/*
 * uart.c - the serial line, a 16550 (National Semiconductor PC16550D).
 *
 * Output waits for the device: there is no output interrupt and no buffer,
 * so what is printed is out, also when the next thing is a panic.  Each
 * access to a device register leaves translated code and is slow; the
 * transmitter's state is therefore read once for each FIFO-full of bytes.
 *
 * Input comes by interrupt and goes to the console.  The PLIC hands an
 * interrupt to one hart at a time, so uart_intr() never runs twice at once
 * and the receiver needs no lock.
 */
#include "kernel/dev/dev.h"

#include "kernel/dev/fdt.h"
#include "kernel/lock/spinlock.h"
#include "kernel/mm/page.h"

/* Registers, by their distance from the base. */
enum {
	UART_DATA = 0, /* receiver when read, transmitter when written */
	UART_IER = 1,  /* which interrupts */
	UART_FCR = 2,  /* FIFO control */
	UART_LCR = 3,  /* line control */
	UART_LSR = 5,  /* line status */
};

enum {
	IER_INPUT = 1 << 0,
	FCR_ENABLE = 1 << 0,
	FCR_CLEAR = 3 << 1, /* both directions */
	LCR_8N1 = 3,
	LSR_INPUT = 1 << 0,    /* a byte waits to be read */
	LSR_TX_EMPTY = 1 << 5, /* the whole FIFO can be written */
};

enum { FIFO_SIZE = 16 };

static struct {
	struct spinlock lock; /* the transmitter */
	size_t burst;         /* bytes it takes at a time; fixed at boot */
} uart = {
	.lock = SPINLOCK(uart, "uart"),
	.burst = 1,
};

static volatile u8 *
reg(int r)
{
	return (volatile u8 *)pa_to_kva(machine.uart) + r;
}

/* uart_init: the FIFO on; also usable before that, a byte at a time. */
void
uart_init(void)
{
	if (machine.uart == 0)
		return;
	*reg(UART_IER) = 0;
	*reg(UART_LCR) = LCR_8N1;
	*reg(UART_FCR) = FCR_ENABLE | FCR_CLEAR;
	uart.burst = FIFO_SIZE;
	uart_listen(true);
}

void
uart_listen(bool on)
{
	*reg(UART_IER) = on ? IER_INPUT : 0;
}

static void
send(const char *s, size_t n)
{
	while (n > 0) {
		size_t now = MIN(n, uart.burst);

		while (!(*reg(UART_LSR) & LSR_TX_EMPTY))
			;
		for (size_t i = 0; i < now; i++)
			*reg(UART_DATA) = (u8)s[i];
		s += now;
		n -= now;
	}
}

void
uart_write(const char *s, size_t n)
{
	if (machine.uart == 0)
		return;

	/* The hart that panics may hold the lock, or have stopped its holder.
	 */
	if (__atomic_load_n(&panicked, __ATOMIC_RELAXED)) {
		send(s, n);
		return;
	}
	acquire(&uart.lock);
	send(s, n);
	release(&uart.lock);
}

/* uart_intr: the console may call uart_listen(false) between two bytes. */
void
uart_intr(void)
{
	while ((*reg(UART_IER) & IER_INPUT) && (*reg(UART_LSR) & LSR_INPUT))
		console_input(*reg(UART_DATA));
}
