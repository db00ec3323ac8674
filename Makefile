# SPDX-License-Identifier: MIT
#
# Stampede.  `make help` lists what there is to run.
#
# Options, as VAR=value behind make:
CPUS      ?= 8
MEM       ?= 128M
COW       ?= 1
RELEASE   ?= 0
DEBUG     ?= 0
USERPROGS ?=
CROSS     ?= riscv64-unknown-elf-

# Every variant has a folder of its own, so switching never needs a clean.
variant := plain$(if $(filter 0,$(COW)),-cow0)$(if \
	$(filter 1,$(RELEASE)),-release)$(if $(filter 1,$(DEBUG)),-debug)
B       := build/$(variant)

# V=1 shows the commands, else each line says what is made.
V   ?= 0
run  = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(patsubst $(B)/%,%,$@);)

CC := $(CROSS)gcc
LD := $(CROSS)ld
NM := $(CROSS)nm
AR := $(CROSS)ar
OBJCOPY := $(CROSS)objcopy

WARN := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wvla \
	-Wstrict-prototypes -Wimplicit-fallthrough -Wno-unused-parameter \
	-Wno-main
BASE := -std=gnu11 -O2 -g3 -march=rv64gc -mabi=lp64d -mcmodel=medany \
	-ffreestanding -fno-common -nostdlib -fno-omit-frame-pointer \
	-fno-stack-protector -fno-pic -mno-relax -msmall-data-limit=0 -I.
KFLAGS := $(BASE) $(WARN) -mno-save-restore \
	-fno-tree-loop-distribute-patterns -DKERNEL \
	-DCOW=$(COW) -DRELEASE=$(RELEASE) -DDEBUG=$(DEBUG)
UFLAGS := $(BASE) $(WARN) -fno-builtin -ffunction-sections
# Programs from outside the tree are not ours to be strict with.
XFLAGS := $(BASE) -fno-builtin -w

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# ---- what there is: a new file is built because it is there

kernel_src := $(sort $(wildcard kernel/*/*.[cS]))
ulib_src   := $(sort $(filter-out user/lib/crt.S,$(wildcard user/lib/*.[cS])))
# A program from outside takes the place of ours of the same name.
prog_src   := $(sort $(foreach s,$(wildcard user/bin/*.c user/tests/*.c),$(if \
	$(filter $(notdir $(s)),$(notdir $(USERPROGS))),,$(s))))
stress_src := $(sort $(wildcard stress/*.c))
slib_src   := $(sort $(wildcard stress/lib/*.c))
runner_src := $(sort $(wildcard stress/runner/*.c))

obj = $(patsubst %,$(B)/obj/%.o,$(basename $(1)))

kernel_obj := $(call obj,$(kernel_src))
ulib_obj   := $(call obj,$(ulib_src))
slib_obj   := $(call obj,$(slib_src))
progs      := $(patsubst %.c,$(B)/disk/%,$(notdir $(prog_src)))
cases      := $(patsubst stress/%.c,$(B)/disk/stress/%,$(stress_src))
runners    := $(patsubst stress/runner/%.c,$(B)/disk/%,$(runner_src))
extras     := $(patsubst %.c,$(B)/disk/%,$(notdir $(USERPROGS)))
disk       := $(progs) $(cases) $(runners) $(extras)

# A stamp that changes only when the list it holds does: what is removed from
# the tree is then removed from what was linked and from the disk as well.
define stamp
$(shell mkdir -p $(B); echo '$(2)' | cmp -s - $(B)/$(1).list || \
	echo '$(2)' > $(B)/$(1).list)
endef
$(call stamp,kernel,$(kernel_src))
$(call stamp,ulib,$(ulib_src))
$(call stamp,disk,$(disk) $(USERPROGS))

.PHONY: all clean help
all: $(B)/kernel $(B)/fs.img            ## build kernel and disk

# ---- kernel: linked twice, for the table of its own symbols

$(B)/obj/kernel/%.o: kernel/%.c Makefile
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(KFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/kernel/%.o: kernel/%.S Makefile
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(KFLAGS) -MMD -MP -c -o $@ $<

$(B)/kernel.nosyms: $(kernel_obj) kernel/boot/kernel.ld $(B)/kernel.list
	$(call run,LD)$(LD) -nostdlib -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments \
		-T kernel/boot/kernel.ld -o $@ $(kernel_obj)

$(B)/ksyms.S: $(B)/kernel.nosyms scripts/ksyms.py
	$(call run,KSYMS)$(NM) -n $< | python3 scripts/ksyms.py > $@

$(B)/ksyms.o: $(B)/ksyms.S
	$(call run,CC)$(CC) $(KFLAGS) -c -o $@ $<

$(B)/kernel: $(B)/kernel.nosyms $(B)/ksyms.o
	$(call run,LD)$(LD) -nostdlib -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments \
		-T kernel/boot/kernel.ld -o $@ $(kernel_obj) $(B)/ksyms.o

# ---- user programs

$(B)/obj/user/%.o: user/%.c Makefile
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(UFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/user/%.o: user/%.S Makefile
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(UFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/stress/%.o: stress/%.c Makefile
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(UFLAGS) -MMD -MP -c -o $@ $<

$(B)/libuser.a: $(ulib_obj) $(B)/ulib.list
	@rm -f $@
	$(call run,AR)$(AR) rcs $@ $(ulib_obj)

# Linked into prog/ with debug information, put on the disk without.
ulink = $(call run,LD)$(LD) -nostdlib -z max-page-size=4096 -z noexecstack \
	--gc-sections -T user/user.ld -o $(B)/prog/$(@F)
strip = $(OBJCOPY) -S $(B)/prog/$(@F) $@
ubase := $(B)/obj/user/lib/crt.o
udeps := $(ubase) $(B)/libuser.a user/user.ld

# A program is one file, and what lies in a folder of its name beside it.
parts = $(call obj,$(sort $(wildcard $(basename $(1))/*.c)))

define program # source
$(B)/disk/$(notdir $(basename $(1))): $(B)/obj/$(basename $(1)).o \
		$(call parts,$(1)) $(udeps)
	@mkdir -p $$(@D) $(B)/prog
	$$(ulink) $(ubase) $$< $(call parts,$(1)) $(B)/libuser.a
	@$$(strip)
endef
$(foreach s,$(prog_src) $(runner_src),$(eval $(call program,$(s))))

$(B)/disk/stress/%: $(B)/obj/stress/%.o $(slib_obj) $(udeps)
	@mkdir -p $(@D) $(B)/prog
	$(ulink) $(ubase) $< $(slib_obj) $(B)/libuser.a
	@$(strip)

define external # a program from outside the tree
$(B)/disk/$(notdir $(basename $(1))): $(1) $(udeps)
	@mkdir -p $$(@D) $(B)/prog $(B)/obj/external
	$$(call run,CC)$(CC) $(XFLAGS) -c -o $(B)/obj/external/$(notdir $(basename $(1))).o $(1)
	$$(ulink) $(ubase) $(B)/obj/external/$(notdir $(basename $(1))).o \
		$(B)/libuser.a
	@$$(strip)
endef
$(foreach s,$(USERPROGS),$(eval $(call external,$(s))))

# ---- disk

$(B)/fs.img: $(disk) scripts/mkfs.py scripts/fsimage.py README.md \
		kernel/fs.h kernel/param.h $(B)/disk.list
	$(call run,MKFS)python3 scripts/mkfs.py $@ README.md:/README.md \
		$(foreach d,$(disk),$(d):/$(patsubst $(B)/disk/%,%,$(d)))

-include $(shell find $(B) -name '*.d' 2>/dev/null)

clean:                                  ## remove everything that was built
	rm -rf build

help:                                   ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 18
