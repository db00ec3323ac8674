# SPDX-License-Identifier: MIT
#
# build.mk - how the fuzzer's parts are built; part of the Makefile.
#
#   FUZZ=cover   build/fuzz/<flavour>/kernel   kernel, shim and disk in one
#   always       build/fuzz/monitor.elf, stampede-fuzz, mutator.so, prog

F := build/fuzz

# ---- the executor and what it executes: the only programs on the disk

guest_src := $(filter-out fuzz/guest/child.c,$(sort $(wildcard \
	fuzz/guest/*.[cS])))
guest_obj := $(call obj,$(guest_src) fuzz/wire/codec.c fuzz/wire/values.c)

$(B)/obj/fuzz/guest/%.o $(B)/obj/fuzz/wire/%.o: UFLAGS += $(GUESTFLAGS)
$(B)/obj/fuzz/guest/%.o: fuzz/guest/%.c Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(UFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/fuzz/guest/%.o: fuzz/guest/%.S Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(UFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/fuzz/wire/%.o: fuzz/wire/%.c Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(UFLAGS) -MMD -MP -c -o $@ $<

$(B)/disk/executor: $(guest_obj) $(udeps)
	@mkdir -p $(@D) $(B)/prog
	$(ulink) $(ubase) $(guest_obj) $(B)/libuser.a
	@$(strip)

$(B)/disk/fuzzchild: $(B)/obj/fuzz/guest/child.o $(udeps)
	@mkdir -p $(@D) $(B)/prog
	$(ulink) $(ubase) $< $(B)/libuser.a
	@$(strip)

# ---- the kernel under test: with the shim, its disk inside

ifdef FUZZ
on_disk := $(B)/disk/executor:/init $(B)/disk/fuzzchild:/fuzzchild

# A program must not run out of files: it has at most INSTANCES_MAX processes
# (fuzz/guest/plan.h), which open 13 each.
KFLAGS += -DNPROC=64 -DNFILE=320 -DNINODE=64 -DNBUF=256 -DCOVER_EXACT=$(if $(filter exact,$(FUZZ)),1,0)
$(kernel_obj): fuzz/build.mk
KWRAP := $(addprefix --wrap=,acquire disk_flush disk_init disk_rw fdt_read \
	ipi_send page_init panic park_others park_release uart_write)
# The audit runs once an input, and would be half of it if asan watched it.
audit_src := $(addprefix kernel/check/,audit.c lists.c objects.c procs.c \
	refs.c tables.c tlbs.c)
$(call obj,$(audit_src)): SANITIZE := $(UBSAN_FLAGS)
ifeq ($(FUZZ),exact)
KFLAGS += -fno-optimize-sibling-calls # or some hooks return elsewhere
endif
# Not the checks, which run once an input, nor loops that only move bytes, nor
# what every call does a hundred times and always alike: the spinlocks.
COVER = $(if $(filter bare,$(FUZZ)),,$(if $(filter kernel/check/% \
	kernel/lib/string.c kernel/lib/printf.c kernel/lib/panic.c \
	kernel/lock/intr.c kernel/lock/spinlock.c,$<),,\
	-fsanitize-coverage=trace-pc))

ifeq ($(FUZZ),cover)
# What gcc would call at each block is put in line on the way.
kcompile = $(CC) $(KFLAGS) $(SANITIZE) $(COVER) -MMD -MP -MT $@ \
	-S -o $(@:.o=.called.s) $< && \
	$(PYTHON) scripts/inline_cover.py <$(@:.o=.called.s) >$(@:.o=.s) && \
	$(CC) $(KFLAGS) -c -o $@ $(@:.o=.s)
$(kernel_obj): scripts/inline_cover.py
KWRAP += fuzz/shim/cover.ld
$(B)/kernel.nosyms: fuzz/shim/cover.ld
endif

$(B)/obj/fuzz/shim/ramdisk.o: KFLAGS += -DRAMDISK='"$(B)/fs.img"'
$(B)/obj/fuzz/shim/ramdisk.o: $(B)/fs.img
$(B)/obj/fuzz/shim/%.o: fuzz/shim/%.c Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(KFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/fuzz/shim/%.o: fuzz/shim/%.S Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(KFLAGS) -MMD -MP -c -o $@ $<
endif

# ---- the monitor: an image of its own

MFLAGS := $(BASEFLAGS) $(WARN) -fno-tree-loop-distribute-patterns
monitor_obj := $(patsubst fuzz/monitor/%,$(F)/obj/monitor/%.o,$(basename \
	$(sort $(wildcard fuzz/monitor/*.[cS]))))

$(F)/obj/monitor/%.o: fuzz/monitor/%.c Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(MFLAGS) -MMD -MP -c -o $@ $<

$(F)/obj/monitor/%.o: fuzz/monitor/%.S Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(MFLAGS) -MMD -MP -c -o $@ $<

$(F)/monitor.elf: $(monitor_obj) fuzz/monitor/monitor.ld
	$(call run,LD)$(LD) -nostdlib -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments -T fuzz/monitor/monitor.ld -o $@ \
		$(monitor_obj)

# ---- host tools

HOSTCC ?= cc
HFLAGS := -std=gnu11 -O2 -g -I. -Wall -Wextra -Werror -Wshadow \
	-Wmissing-prototypes -Wvla -Wstrict-prototypes -Wno-unused-parameter

mutate_src := $(wildcard fuzz/host/mutat*.c)
tool_src   := $(filter-out $(mutate_src),$(wildcard fuzz/host/*.c))
wire_src   := $(filter-out fuzz/wire/prog.c,$(wildcard fuzz/wire/*.c))
host_obj    = $(patsubst %.c,$(F)/obj/host/%.o,$(sort $(1)))
host_link   = $(call run,LD)$(HOSTCC) $(HFLAGS)

# Position-independent, for the mutator is a library.
$(F)/obj/host/%.o: %.c Makefile fuzz/build.mk
	@mkdir -p $(@D)
	$(call run,HOSTCC)$(HOSTCC) $(HFLAGS) -fPIC -MMD -MP -c -o $@ $<

# -MMD does not see what .incbin takes in.
$(F)/obj/host/fuzz/wire/prog2c.o: fuzz/wire/alone.inc

$(F)/stampede-fuzz: $(call host_obj,$(tool_src) $(wire_src))
	$(host_link) -o $@ $^

$(F)/prog: $(call host_obj,fuzz/wire/prog.c $(wire_src))
	$(host_link) -o $@ $^

$(F)/mutator.so: $(call host_obj,$(mutate_src) fuzz/wire/codec.c \
		fuzz/wire/values.c)
	$(host_link) -shared -o $@ $^

.PHONY: fuzz-tools
fuzz-tools: $(F)/stampede-fuzz $(F)/prog $(F)/mutator.so $(F)/monitor.elf
	@:

-include $(shell find $(F)/obj -name '*.d' 2>/dev/null)

# ---- what fuzz-bench compares with: programs as C, in a loop, on a plain kernel

loop_prog := empty getpid fork11 files
loop_src  := $(loop_prog:%=$(F)/loop/%_loop.c)

$(F)/loop/%_loop.c: corpus/seeds/%.prog $(F)/prog
	@mkdir -p $(@D)
	$(call run,PROG)$(F)/prog c -o $@ $<
