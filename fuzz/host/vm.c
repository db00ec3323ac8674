/* SPDX-License-Identifier: MIT */
/*
 * vm.c - one QEMU, from its start to its snapshot, and one input after the
 * other from there.
 *
 * The guest rings by a byte through a pipe, and waits for one to go on; while
 * it waits its memory is ours (fuzz/monitor/ring.c).  A run is: write input
 * and settings into the mailbox, ring, wait, copy the mailbox, put the
 * snapshot back.
 *
 * Time.  What ends by itself ends by the same verdict each time.  What does
 * not is given up when QEMU has used its budget of CPU time, not of time on
 * the wall, for machines are shared, and the budget is for one step of the
 * program, so that long ones have more.  We look at QEMU's CPU clock every few
 * milliseconds, set `cancel`, and the monitor sees it at its next tick.  If
 * it does not, QEMU is killed and started anew.
 */
#define _GNU_SOURCE
#include "fuzz/host/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/host/elf.h"
#include "fuzz/host/ram.h"
#include "fuzz/monitor/shimcall.h"
#include "fuzz/monitor/state.h"
#include "fuzz/monitor/usercall.h"

enum {
	BOOT_MS = 60000,   /* CPU time until the snapshot */
	BUDGET_MS = 12,    /* CPU time of one step, if nobody says otherwise */
	WARM_UP = 64,      /* so many inputs first, while QEMU translates, */
	PATIENCE = 10,     /* have so many times as much */
	STEPS = 20,        /* all steps of an input, of one step's budget */
	GRACE_MS = 1000,   /* beyond it the monitor itself is lost */
	STUCK_MS = 300000, /* on the wall */
	LOOK_MS = 2,       /* how often the CPU clock is looked at */
};

struct vm {
	struct vm_config config;
	struct elf *kernel;
	struct elf *monitor;
	struct ram *ram;
	uint64_t box_pa;
	uint64_t cover_pa;
	uint64_t blocks_pa; /* 0: none */
	uint64_t state_pa;
	struct mailbox *box;         /* in the guest's memory */
	struct cover *cover;         /* too */
	struct monitor_state *state; /* too */
	struct mailbox copy;         /* of the last run, checked */
	char console[CONSOLE_MAX + 1];
	uint8_t no_cover[COVER_SIZE]; /* of what has not run to a verdict */
	pid_t pid;                    /* 0: no QEMU */
	clockid_t clock;
	int to_guest;
	int from_guest;
	int log; /* what QEMU itself has to say */
	unsigned budget_ms;
	unsigned warm; /* inputs since QEMU was started, up to WARM_UP */
	bool trace;
	bool clock_on;
};

static void
say(char *err, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err, size, fmt, args);
	va_end(args);
}

/* ---- QEMU */

static double
now_ms(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return 0;
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* In the child: only the pipes stay open, above all not a fork server's. */
static void
arrange_descriptors(const struct vm *vm, int from_host, int to_host)
{
	int null = open("/dev/null", O_RDWR);

	if (dup2(null, 0) < 0 || dup2(vm->log, 1) < 0 || dup2(vm->log, 2) < 0 ||
		dup2(from_host, RING_FROM_HOST) < 0 ||
		dup2(to_host, RING_TO_HOST) < 0)
		_exit(126);
	close_range(3, RING_FROM_HOST - 1, 0);
	close_range(RING_TO_HOST + 1, ~0U, 0);
}

/* In the child: end with the parent, and run where it was asked to. */
static void
arrange_process(const struct vm *vm, pid_t parent)
{
	cpu_set_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (vm->config.keep_cpu)
		return;
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
}

/* The child: never returns. */
static void
exec_qemu(const struct vm *vm, int from_host, int to_host, pid_t parent)
{
	const struct vm_config *c = &vm->config;
	const char *qemu = c->qemu ? c->qemu : "qemu-system-riscv64";
	char size[32], memory[128], loader[4200], gdb[64];
	/* clang-format off: an option a line */
	const char *argv[] = {
		qemu,
		"-M",
		"virt,memory-backend=ram",
		"-m",
		size,
		"-object",
		memory,
		"-accel",
		"tcg,thread=single",
		"-smp",
		"1",
		"-bios",
		"none",
		"-kernel",
		c->kernel,
		"-device",
		loader,
		"-append",
		c->append ? c->append : "batch",
		"-display",
		"none",
		"-monitor",
		"none",
		"-serial",
		"none",
		"-nodefaults",
		"-semihosting-config",
		"enable=on,target=native",
		/*
		 * The guest is hostile; semihosting could start programs.
		 * QEMU serves supervisor mode too, if that runs just the three
		 * instructions that ask for it; no kernel has them.
		 */
		"-sandbox",
		"on,spawn=deny",
		/* -S: until gdb lets it go. */
		c->gdb_port ? "-S" : NULL,
		"-gdb",
		gdb,
		NULL,
	};
	/* clang-format on */

	snprintf(size, sizeof(size), "%luM", RAM_SIZE >> 20);
	snprintf(memory, sizeof(memory),
		"memory-backend-file,id=ram,size=%s,share=on,mem-path="
		"/proc/%d/fd/%d",
		size, (int)parent, ram_fd(vm->ram));
	snprintf(loader, sizeof(loader), "loader,file=%s", c->monitor);
	snprintf(gdb, sizeof(gdb), "tcp:127.0.0.1:%d", c->gdb_port);
	arrange_process(vm, parent);
	arrange_descriptors(vm, from_host, to_host);
	execvp(qemu, (char **)argv);
	_exit(127);
}

static bool
start_qemu(struct vm *vm, char *err, size_t size)
{
	int there[2], back[2];
	pid_t parent = getpid();

	if (pipe2(there, O_CLOEXEC) < 0) {
		say(err, size, "no pipe: %s", strerror(errno));
		return false;
	}
	if (pipe2(back, O_CLOEXEC) < 0) {
		say(err, size, "no pipe: %s", strerror(errno));
		close(there[0]);
		close(there[1]);
		return false;
	}
	if (ftruncate(vm->log, 0) == 0)
		lseek(vm->log, 0, SEEK_SET);
	vm->pid = fork();
	if (vm->pid == 0)
		exec_qemu(vm, there[0], back[1], parent);
	close(there[0]);
	close(back[1]);
	vm->to_guest = there[1];
	vm->from_guest = back[0];
	if (vm->pid < 0) {
		vm->pid = 0;
		say(err, size, "cannot start QEMU: %s", strerror(errno));
		return false;
	}
	if (clock_getcpuclockid(vm->pid, &vm->clock) != 0)
		vm->clock = CLOCK_MONOTONIC;
	return true;
}

static void
stop_qemu(struct vm *vm)
{
	if (vm->pid > 0) {
		kill(vm->pid, SIGKILL);
		while (waitpid(vm->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	vm->pid = 0;
	if (vm->to_guest >= 0)
		close(vm->to_guest);
	if (vm->from_guest >= 0)
		close(vm->from_guest);
	vm->to_guest = vm->from_guest = -1;
}

/* The last line that QEMU has printed, for messages. */
static void
qemu_said(const struct vm *vm, char *line, size_t size)
{
	char text[2048];
	ssize_t n = pread(vm->log, text, sizeof(text) - 1, 0);
	char *last;

	line[0] = '\0';
	if (n <= 0)
		return;
	text[n] = '\0';
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	last = strrchr(text, '\n');
	snprintf(line, size, "%.200s", last ? last + 1 : text);
}

/* ---- ringing */

enum answer { ANSWER_RANG, ANSWER_DEAD, ANSWER_LOST };

static bool
ring(struct vm *vm)
{
	char byte = 0;
	ssize_t n;

	do
		n = write(vm->to_guest, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* What an input has used of its budget, in milliseconds of QEMU's CPU time. */
struct meter {
	double begin;  /* of the input */
	double step;   /* the last one seen: time starts anew with each */
	uint64_t seen; /* the trace's hash, which every step changes */
};

/* Is the input out of its budget? */
static bool
overdrawn(const struct vm *vm, struct meter *m, unsigned budget_ms)
{
	double now = now_ms(vm->clock);
	uint64_t hash = ((volatile struct mailbox *)vm->box)->trace_hash;

	if (hash != m->seen) {
		m->seen = hash;
		m->step = now;
	}
	return now - m->step > budget_ms ||
	       now - m->begin > (double)budget_ms * STEPS;
}

/* Wait for the guest, but not for ever. */
static enum answer
wait_ring(struct vm *vm, unsigned budget_ms)
{
	struct pollfd p = {.fd = vm->from_guest, .events = POLLIN};
	struct meter m = {.begin = now_ms(vm->clock)};
	double first = now_ms(CLOCK_MONOTONIC), given_up = 0;
	char byte;

	m.step = m.begin;
	for (;;) {
		int n = poll(&p, 1, LOOK_MS);

		if (n > 0) {
			ssize_t got = read(vm->from_guest, &byte, 1);

			if (got == 1)
				return ANSWER_RANG;
			if (got == 0 || errno != EINTR)
				return ANSWER_DEAD;
		}
		if (vm->config.gdb_port)
			continue;
		/* Without using time it can only be stuck by mistake. */
		if (now_ms(CLOCK_MONOTONIC) - first > STUCK_MS)
			return ANSWER_LOST;
		if (given_up == 0 && overdrawn(vm, &m, budget_ms)) {
			vm->box->cancel = 1;
			given_up = now_ms(vm->clock);
		}
		if (given_up != 0 && now_ms(vm->clock) - given_up > GRACE_MS)
			return ANSWER_LOST;
	}
}

/* ---- the way to the snapshot */

/* The physical address of a symbol of the kernel's; 0 if there is none. */
static uint64_t
symbol_pa(const struct vm *vm, const char *name)
{
	uint64_t va, pa, seg_va, n;

	if (!elf_symbol(vm->kernel, name, &va))
		return 0;
	for (unsigned i = 0; elf_segment(vm->kernel, i, &pa, &seg_va, &n); i++)
		if (va >= seg_va && va - seg_va < n)
			return va - seg_va + pa;
	return 0;
}

static bool
find_symbols(struct vm *vm, char *err, size_t size)
{
	vm->box_pa = symbol_pa(vm, "stampede_mailbox");
	vm->cover_pa = symbol_pa(vm, "stampede_cover");
	vm->blocks_pa = symbol_pa(vm, "stampede_blocks");
	if (vm->box_pa == 0 || vm->cover_pa == 0) {
		say(err, size,
			"%s has no mailbox or no map: it is no kernel for the "
			"fuzzer; build it with make FUZZ=cover",
			vm->config.kernel);
		return false;
	}
	vm->box = ram_at(vm->ram, vm->box_pa, sizeof(*vm->box));
	vm->cover = ram_at(vm->ram, vm->cover_pa, sizeof(*vm->cover));
	if (!elf_symbol(vm->monitor, "monitor_state", &vm->state_pa) ||
		(vm->state = ram_at(
			 vm->ram, vm->state_pa, sizeof(*vm->state))) == NULL ||
		vm->box == NULL || vm->cover == NULL) {
		say(err, size,
			"%s is not the monitor that belongs to this tool",
			vm->config.monitor);
		return false;
	}
	return true;
}

static bool
is_mailbox(const struct mailbox *box)
{
	return box->magic == MAILBOX_MAGIC && box->version == MAILBOX_VERSION &&
	       box->size == sizeof(*box);
}

static bool
check_mailbox(const struct vm *vm, char *err, size_t size)
{
	if (is_mailbox(vm->box))
		return true;
	say(err, size,
		"%s: its mailbox is of another version; build kernel and tool "
		"from the same tree",
		vm->config.kernel);
	return false;
}

static void copy_console(struct vm *vm);

/* Wait until the executor asks for its first input. */
static bool
boot(struct vm *vm, char *err, size_t size)
{
	enum answer answer = wait_ring(vm, BOOT_MS);
	char line[256];

	if (answer == ANSWER_DEAD) {
		qemu_said(vm, line, sizeof(line));
		say(err, size, "QEMU ended before the kernel was up: %s",
			line[0] ? line : "it said nothing");
		return false;
	}
	if (answer == ANSWER_LOST) {
		say(err, size, "%s does not come to its executor's first input",
			vm->config.kernel);
		return false;
	}
	if (!check_mailbox(vm, err, size))
		return false;
	if (vm->box->event != EVENT_READY) {
		memcpy(&vm->copy, vm->box, sizeof(vm->copy));
		vm->copy.panic_text[PANIC_TEXT - 1] = '\0';
		copy_console(vm);
		say(err, size,
			"%s fails while it boots: event %u, %s, cause "
			"%lu, pc %lx, value %lx; console: %.300s",
			vm->config.kernel, vm->copy.event, vm->copy.panic_text,
			vm->copy.trap_cause, vm->copy.trap_pc,
			vm->copy.trap_value, vm->console);
		return false;
	}
	return true;
}

static bool
take_snapshot(struct vm *vm, char *err, size_t size)
{
	uint64_t satp[VHARTS_MAX + SPACES_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < VHARTS_MAX; i++)
		satp[n++] = vm->state->vharts[i].satp;
	for (unsigned i = 0; i < SPACES_MAX && i < vm->state->nspaces; i++)
		satp[n++] = vm->state->spaces[i];
	ram_skip(vm->ram, vm->box_pa, sizeof(*vm->box));
	ram_skip(vm->ram, vm->cover_pa, sizeof(*vm->cover));
	ram_skip(vm->ram, MONITOR_BASE, MONITOR_SIZE);
	if (vm->blocks_pa != 0)
		ram_skip(vm->ram, vm->blocks_pa, BLOCKS_MAX);
	ram_keep(vm->ram, vm->state_pa, sizeof(*vm->state));
	/* The kernel could have written there. */
	vm->box->ndirty = 0;
	return ram_snapshot(vm->ram, satp, n, err, size);
}

static bool
start(struct vm *vm, char *err, size_t size)
{
	ram_free(vm->ram);
	vm->ram = ram_new(err, size);
	vm->warm = 0;
	return vm->ram != NULL && find_symbols(vm, err, size) &&
	       start_qemu(vm, err, size) && boot(vm, err, size) &&
	       take_snapshot(vm, err, size);
}

struct vm *
vm_open(const struct vm_config *config, char *err, size_t size)
{
	/* calloc() does not align as the mailbox wants it. */
	struct vm *vm = aligned_alloc(_Alignof(struct vm), sizeof(*vm));

	if (vm == NULL) {
		say(err, size, "out of memory");
		return NULL;
	}
	memset(vm, 0, sizeof(*vm));
	vm->config = *config;
	vm->to_guest = vm->from_guest = -1;
	vm->budget_ms = config->budget_ms ? config->budget_ms : BUDGET_MS;
	vm->log = memfd_create("qemu-log", MFD_CLOEXEC);
	vm->kernel = elf_open(config->kernel, err, size);
	vm->monitor = vm->kernel ? elf_open(config->monitor, err, size) : NULL;
	if (vm->monitor == NULL || !start(vm, err, size)) {
		vm_close(vm);
		return NULL;
	}
	/* A QEMU that has died is noticed by what write() returns. */
	signal(SIGPIPE, SIG_IGN);
	return vm;
}

void
vm_close(struct vm *vm)
{
	if (vm == NULL)
		return;
	stop_qemu(vm);
	ram_free(vm->ram);
	elf_close(vm->kernel);
	elf_close(vm->monitor);
	if (vm->log >= 0)
		close(vm->log);
	free(vm);
}

/* ---- one input */

static void
prepare(struct vm *vm, const void *input, size_t n)
{
	struct mailbox *box = vm->box;
	const uint8_t *bytes = input;

	/* The last input may have spoiled the head. */
	box->magic = MAILBOX_MAGIC;
	box->version = MAILBOX_VERSION;
	box->size = sizeof(*box);
	box->event = EVENT_NONE;
	box->cancel = 0;
	box->input_size = (uint32_t)n;
	/* The program's head says on how many harts, and in what order. */
	box->harts = n > 3 ? bytes[3] : 1;
	box->seed = 0;
	if (n >= 8)
		box->seed = (uint32_t)bytes[4] | (uint32_t)bytes[5] << 8 |
			    (uint32_t)bytes[6] << 16 | (uint32_t)bytes[7] << 24;
	box->trace_on = vm->trace;
	box->clock_on = vm->clock_on;
	memcpy(box->input, input, n);
	box->trace_hash = 0;
	box->audit = 0;
	box->clock_start = box->clock_audit = box->clock_end = 0;
	box->nreports = box->ntrace = box->nconsole = 0;
	box->panic_text[0] = '\0';
	box->panic_value = 0;
	box->trap_cause = box->trap_value = box->trap_pc = 0;
	memset(vm->cover, 0, sizeof(*vm->cover));
	/* ndirty is what the last restore left for the guest to do. */
}

static bool
is_text(char c)
{
	return (c >= ' ' && c <= '~') || c == '\n' || c == '\t';
}

/* The console's ring as text, oldest first: no more than people may see. */
static void
copy_console(struct vm *vm)
{
	uint32_t n = vm->copy.nconsole, from = 0, kept = n;

	if (n > CONSOLE_MAX) {
		from = n % CONSOLE_MAX;
		kept = CONSOLE_MAX;
	}
	for (uint32_t i = 0; i < kept; i++) {
		char c = vm->copy.console[(from + i) % CONSOLE_MAX];

		vm->console[i] = is_text(c) ? c : '?';
	}
	vm->console[kept] = '\0';
}

/* Follow the frame pointers of one hart; all of it is the guest's word. */
static void
walk_frames(const struct vm *vm, const struct vhart *vh, uint64_t *frames,
	uint32_t *n)
{
	uint64_t fp = vh->regs[REG_S0];

	*n = 0;
	frames[(*n)++] = vh->pc;
	if (vh->priv == 0)
		return;
	while (*n < FRAMES_MAX && fp % 8 == 0 && fp >= 16) {
		uint64_t pa = ram_walk(vm->ram, vh->satp, fp - 16);
		const uint64_t *record = ram_at(vm->ram, pa, 16);

		if (record == NULL || pa % RAM_PAGE > RAM_PAGE - 16)
			return;
		if (record[1] == 0)
			return;
		frames[(*n)++] = record[1];
		if (record[0] <= fp)
			return; /* stacks grow down: no way back */
		fp = record[0];
	}
}

static void
copy_frames(struct vm *vm)
{
	for (unsigned i = 0; i < VHARTS_MAX; i++)
		walk_frames(vm, &vm->state->vharts[i], vm->copy.frames[i],
			&vm->copy.nframes[i]);
}

#define LEAST(a, b) ((a) < (b) ? (a) : (b))

/* A copy of all but the map and the input, with every count in its range. */
static void
copy_mailbox(struct vm *vm)
{
	struct mailbox *c = &vm->copy;
	const struct mailbox *box = vm->box;
	bool failed = box->event != EVENT_DONE || box->nreports || box->audit;

	memcpy(c, box, offsetof(struct mailbox, reports));
	memcpy(c->reports, box->reports, sizeof(c->reports));
	memcpy(c->panic_text, box->panic_text,
		offsetof(struct mailbox, nframes) -
			offsetof(struct mailbox, panic_text));
	c->panic_text[PANIC_TEXT - 1] = '\0';
	c->nreports = LEAST(c->nreports, REPORTS_MAX);
	c->ntrace = LEAST(c->ntrace, TRACE_MAX);
	c->hart = LEAST(c->hart, VHARTS_MAX - 1);
	memcpy(c->trace, box->trace, c->ntrace * sizeof(c->trace[0]));
	memset(c->nframes, 0, sizeof(c->nframes));
	vm->console[0] = '\0';
	if (failed || vm->trace) {
		memcpy(c->console, box->console, sizeof(c->console));
		copy_console(vm);
		copy_frames(vm);
	}
}

static const char *const oracle_text[NORACLES] = {
#define ORACLE(name, text) [ORACLE_##name] = text,
#include "fuzz/monitor/oracles.def"
#undef ORACLE
};

static void
judge_report(struct vm_result *r)
{
	const struct mailbox_report *first = &r->box->reports[0];
	unsigned oracle = first->oracle < NORACLES ? first->oracle : 0;

	r->class = VM_ORACLE;
	snprintf(r->what, sizeof(r->what), "%s", oracle_text[oracle]);
	snprintf(r->detail, sizeof(r->detail),
		"operation %d, expected %lx, found %lx", first->op, first->want,
		first->got);
}

/* The first finding is what the others follow from. */
static void
judge_audit(struct vm_result *r)
{
	const char *line = strstr(r->console, "audit: ");
	size_t n;

	r->class = VM_AUDIT;
	snprintf(r->what, sizeof(r->what), "audit failed");
	snprintf(r->detail, sizeof(r->detail), "%ld findings", r->box->audit);
	if (line == NULL)
		return;
	/* "audit: what: numbers" */
	n = strcspn(line + 7, ":\n");
	snprintf(r->what, sizeof(r->what), "%.*s", (int)(n + 7), line);
	n = strcspn(line, "\n");
	snprintf(r->detail, sizeof(r->detail), "%.*s", (int)n, line);
}

static void
judge_trap(struct vm_result *r, const char *what)
{
	r->class = VM_TRAP;
	snprintf(r->what, sizeof(r->what), "%s", what);
	snprintf(r->detail, sizeof(r->detail), "cause %lu, pc %lx, address %lx",
		r->box->trap_cause, r->box->trap_pc, r->box->trap_value);
}

static void
judge(struct vm_result *r)
{
	r->what[0] = r->detail[0] = '\0';
	if (!is_mailbox(r->box)) {
		judge_trap(r, "the kernel has spoiled the mailbox");
		return;
	}
	switch (r->box->event) {
	case EVENT_DONE:
		if (r->box->nreports > 0)
			judge_report(r);
		else if (r->box->audit != 0)
			judge_audit(r);
		else
			r->class = VM_PASS;
		return;
	case EVENT_PANIC:
		r->class = VM_PANIC;
		snprintf(r->what, sizeof(r->what), "panic: %s",
			r->box->panic_text);
		snprintf(r->detail, sizeof(r->detail), "0x%lx",
			r->box->panic_value);
		return;
	case EVENT_TRAP:
		judge_trap(r, "exception that nobody can serve");
		return;
	case EVENT_PROTECT:
		judge_trap(r, "access to memory that is not the kernel's");
		return;
	case EVENT_CANCEL:
		r->class = VM_HANG;
		snprintf(r->what, sizeof(r->what), "endless loop");
		return;
	case EVENT_DEADLOCK:
		r->class = VM_HANG;
		snprintf(r->what, sizeof(r->what), "all harts wait for ever");
		return;
	}
	r->class = VM_BROKEN;
	snprintf(r->what, sizeof(r->what), "the guest rang without a reason");
	snprintf(r->detail, sizeof(r->detail), "event %u", r->box->event);
}

static void
restore(struct vm *vm, struct vm_result *r)
{
	uint64_t pa;

	vm->box->ndirty = ram_restore(
		vm->ram, vm_failed(r->class), vm->box->dirty, DIRTY_MAX);
	if (vm->box->ndirty == DIRTY_MAX) /* more code than we can tell of */
		stop_qemu(vm);
	if (!vm->config.verify)
		return;
	pa = ram_verify(vm->ram);
	if (pa == 0)
		return;
	r->class = VM_BROKEN;
	snprintf(r->what, sizeof(r->what), "restored memory differs");
	snprintf(r->detail, sizeof(r->detail), "first at physical %lx", pa);
}

/* What QEMU said, or else what the monitor wrote before it ended QEMU. */
static void
why_dead(const struct vm *vm, char *line, size_t size)
{
	const struct mailbox *box = vm->box;

	qemu_said(vm, line, size);
	if (line[0] == '\0' && vm->pid != 0 && box->event == EVENT_TRAP)
		snprintf(line, size,
			"the monitor failed: cause %lu, pc %lx, address %lx",
			box->trap_cause, box->trap_pc, box->trap_value);
}

/* QEMU is gone, or does not answer: start again, and say so. */
static enum vm_class
begin_anew(struct vm *vm, struct vm_result *r, const char *why)
{
	char err[512];

	r->class = VM_BROKEN;
	snprintf(r->what, sizeof(r->what), "%s", why);
	why_dead(vm, r->detail, sizeof(r->detail));
	memset(&vm->copy, 0, sizeof(vm->copy)); /* was the last run's */
	stop_qemu(vm);
	if (vm->config.gdb_port)
		return r->class; /* who debugs it has ended it */
	if (!start(vm, err, sizeof(err))) {
		stop_qemu(vm);
		snprintf(r->detail, sizeof(r->detail), "%.250s", err);
	}
	return r->class;
}

static unsigned
budget(struct vm *vm)
{
	if (vm->warm == WARM_UP)
		return vm->budget_ms;
	vm->warm++;
	return vm->budget_ms * PATIENCE;
}

enum vm_class
vm_run(struct vm *vm, const void *input, size_t n, struct vm_result *r)
{
	double start_ms = now_ms(CLOCK_MONOTONIC), ended_ms;
	enum answer answer;

	memset(r, 0, offsetof(struct vm_result, what));
	r->what[0] = r->detail[0] = '\0';
	r->box = &vm->copy;
	r->cover = vm->no_cover; /* the guest's may have no place */
	r->console = vm->console;
	vm->console[0] = '\0';
	if (n > INPUT_MAX) {
		r->class = VM_SKIPPED;
		snprintf(r->what, sizeof(r->what), "input too long");
		return r->class;
	}
	if (vm->pid == 0)
		return begin_anew(vm, r, "QEMU is not there");
	prepare(vm, input, n);
	if (!ring(vm))
		return begin_anew(vm, r, "QEMU has died");
	answer = wait_ring(vm, budget(vm));
	if (answer != ANSWER_RANG)
		return begin_anew(vm, r,
			answer == ANSWER_DEAD ? "QEMU has died"
					      : "the monitor does not answer");
	copy_mailbox(vm);
	r->cover = vm->cover->map;
	r->console_size = strlen(vm->console);
	judge(r);
	ended_ms = vm->clock_on ? now_ms(CLOCK_MONOTONIC) : 0;
	restore(vm, r);
	if (vm->clock_on)
		r->restore_us = 1e3 * (now_ms(CLOCK_MONOTONIC) - ended_ms);
	r->ms = now_ms(CLOCK_MONOTONIC) - start_ms;
	return r->class;
}

void
vm_trace(struct vm *vm, bool on)
{
	vm->trace = on;
}

void
vm_clock(struct vm *vm, bool on)
{
	vm->clock_on = on;
}

void
vm_budget(struct vm *vm, unsigned ms)
{
	vm->budget_ms = ms;
}

const uint8_t *
vm_blocks(const struct vm *vm, uint64_t *text, size_t *n)
{
	if (vm->blocks_pa == 0 || !elf_symbol(vm->kernel, "kernel_text", text))
		return NULL;
	*n = BLOCKS_MAX;
	return ram_at(vm->ram, vm->blocks_pa, BLOCKS_MAX);
}

int
vm_pid(const struct vm *vm)
{
	return (int)vm->pid;
}
