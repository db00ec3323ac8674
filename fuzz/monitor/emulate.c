/* SPDX-License-Identifier: MIT */
/*
 * emulate.c - time, as the kernel sees it.
 *
 * There is no clock in here, or no run would be like another.  Virtual time
 * goes on by a fixed amount with each look at it and each step of a program,
 * and jumps when all harts wait for it.  So mcounteren keeps the real
 * counters from the kernel, and menvcfg keeps Sstc's compare register.
 *
 * A hart that looks at the clock again and again waits for another, which
 * cannot run meanwhile: so now and then a look passes the token.
 */
#include "fuzz/monitor/monitor.h"

enum {
	CSR_STIMECMP = 0x14d,
	CSR_CYCLE = 0xc00,
	CSR_TIME = 0xc01,
	CSR_INSTRET = 0xc02,
	OPCODE_SYSTEM = 0x73,
	LOOK = 10,  /* units of time that a look at the clock takes */
	LOOKS = 16, /* and as many pass the token */
};

enum csr_op { CSRRW = 1, CSRRS = 2, CSRRC = 3 };

static void
set_reg(struct vhart *vh, u32 rd, u64 value)
{
	if (rd != 0)
		vh->regs[rd] = value;
}

struct vhart *
emulate(struct vhart *vh, u32 insn)
{
	struct monitor_state *st = &monitor_state;
	u32 csr = insn >> 20, rd = insn >> 7 & 31, rs1 = insn >> 15 & 31;
	u32 op = insn >> 12 & 7;
	u64 operand = op & 4 ? rs1 : rs1 ? vh->regs[rs1] : 0;
	u64 old;

	if ((insn & 0x7f) != OPCODE_SYSTEM || (op & 3) == 0)
		return 0;

	if (csr == CSR_TIME || csr == CSR_CYCLE || csr == CSR_INSTRET) {
		if ((op & 3) == CSRRW || rs1 != 0)
			return 0; /* read-only */
		st->now += LOOK;
		st->looks++;
		set_reg(vh, rd, st->now);
	} else if (csr == CSR_STIMECMP && vh->priv == 1) {
		old = vh->timecmp;
		if ((op & 3) == CSRRW)
			vh->timecmp = operand;
		else if ((op & 3) == CSRRS)
			vh->timecmp |= operand;
		else
			vh->timecmp &= ~operand;
		set_reg(vh, rd, old);
	} else {
		return 0;
	}
	vh->pc += 4;
	timer_update(vh);
	if (csr == CSR_TIME && st->looks % LOOKS == 0)
		return token_offer(vh);
	return vh;
}
