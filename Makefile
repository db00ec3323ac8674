# SPDX-License-Identifier: MIT
#
# Stampede.  `make help` lists what there is to run.
#
# Options, as VAR=value behind make:
CPUS      ?= 8
MEM       ?= 128M
COW       ?= 1
FLAVOR    ?= plain
RELEASE   ?= 0
USERPROGS ?=
CROSS     ?= riscv64-unknown-elf-
PYTHON    ?= /usr/bin/python3
# Options of the runs:
#   ONLY=a,b   only these programs (stress), steps (test), names (bench)
#   SECS=20    for each stress program       SEED=n     repeat a run of stress
#   DISK=file  make qemu: keep the changes   GDBPORT=1234
#   QUICK=1    bench: shorter                APPEND=... more boot arguments
#   BASE=rev   leakcheck: compare with it
#   FUZZ_TIME=8h  JOBS=n  fuzz: how long, on how many cores
#   INPUT=file    repro, minimize: a program    GDB=1  repro: wait for gdb
ONLY    ?=
SECS    ?= 20
SEED    ?=
DISK    ?=
APPEND  ?=
QUICK   ?=
GDBPORT ?= 1234
BASE    ?= origin/main
FUZZ_TIME    ?=
JOBS         ?=
INPUT        ?=
GDB          ?=
FUZZ_FLAVORS ?= plain,asan,lockdep

# Every variant has a folder of its own, so switching never needs a clean.
#   FLAVOR=plain    assertions on        FLAVOR=debug   junk fill, more checks
#   FLAVOR=asan     memory errors        FLAVOR=ubsan   undefined behaviour
#   FLAVOR=lockdep  lock order           FLAVOR=asan+lockdep  and so on: both
#   RELEASE=1       no assertions        COW=0          fork copies
#   PLANT=name      a bug on purpose (kernel/check/plants.def)
PLANT   ?= none
flavor  := $(subst +, ,$(FLAVOR))
flavors := plain debug asan ubsan lockdep
$(if $(filter-out $(flavors),$(flavor)),$(error FLAVOR=$(FLAVOR): unknown; \
	choose from: $(flavors), or several joined by +))
$(foreach v,COW RELEASE,$(if $(filter-out 0 1,$(or $($(v)),empty)),$(error \
	$(v)=$($(v)): give 0 or 1)))
plants  := none $(shell sed -n 's/^PLANT_ROW.\([a-z_]*\),.*/\1/p' \
	kernel/check/plants.def)
$(if $(filter-out $(plants),$(PLANT)),$(error PLANT=$(PLANT): unknown; \
	choose from: $(plants)))
$(foreach p,$(USERPROGS),$(if $(wildcard $(p)),,$(error USERPROGS: $(p): \
	no such file (names must not hold blanks))))
# FUZZ: a kernel for the fuzzer (fuzz/), in a folder of its own.
#   FUZZ=cover      with edge coverage      FUZZ=bare    without
#   FUZZ=exact      with block coverage, for reports
FUZZ    ?=
$(if $(filter-out cover bare exact,$(FUZZ)),$(error FUZZ=$(FUZZ): choose \
	from: cover bare exact))
has     = $(if $(filter $(1),$(flavor)),1,0)
variant := $(FLAVOR)$(if $(filter 0,$(COW)),-cow0)$(if \
	$(filter 1,$(RELEASE)),-release)$(if \
	$(filter-out none,$(PLANT)),-plant-$(PLANT))
B       := build/$(if $(FUZZ),fuzz/)$(variant)$(if \
	$(filter bare exact,$(FUZZ)),-$(FUZZ))

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
BASEFLAGS := -std=gnu11 -O2 -g3 -march=rv64gc -mabi=lp64d -mcmodel=medany \
	-ffreestanding -fno-common -nostdlib -fno-omit-frame-pointer \
	-fno-stack-protector -fno-pic -mno-relax -msmall-data-limit=0 -I.
KFLAGS := $(BASEFLAGS) $(WARN) -mno-save-restore \
	-fno-tree-loop-distribute-patterns -DKERNEL \
	-DCOW=$(COW) -DRELEASE=$(RELEASE) -DDEBUG=$(call has,debug) \
	-DASAN=$(call has,asan) -DUBSAN=$(call has,ubsan) \
	-DLOCKDEP=$(call has,lockdep) -DPLANT=PLANT_$(PLANT) \
	$(if $(filter-out plain,$(flavor)),-fno-optimize-sibling-calls)

# Each access of the kernel through a function of check/asan.c, and what C
# leaves undefined to check/ubsan.c.
ASAN_FLAGS := $(if $(filter asan,$(flavor)),-fsanitize=kernel-address \
	-fasan-shadow-offset=0xdfffffe800000000 \
	-fsanitize-address-use-after-scope --param asan-globals=1 \
	--param asan-stack=1 --param asan-instrumentation-with-call-threshold=0)
UBSAN_FLAGS := $(if $(filter ubsan,$(flavor)),-fsanitize=undefined \
	-fsanitize=bounds-strict -fno-sanitize-recover=undefined \
	-fno-sanitize-recover=bounds-strict)
SANITIZE := $(ASAN_FLAGS) $(UBSAN_FLAGS)

UFLAGS := $(BASEFLAGS) $(WARN) -fno-builtin -ffunction-sections
# Programs from outside the tree are not ours to be strict with.
XFLAGS := $(BASEFLAGS) -Iuser -fno-builtin -w

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# These build by a make of their own: not two of them at once.
ifneq ($(filter clean stress test qemu qemu-gdb cowtest usertests failnth \
	bench fuzz fuzz-build fuzz-bench repro minimize findings regress \
	corpus-merge coverage,\
	$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

# ---- what there is: a new file is built because it is there

kernel_src := $(sort $(wildcard kernel/*/*.[cS]))
ifdef FUZZ
# The monitor starts the harts, and the shim stands between it and the kernel.
kernel_src := $(filter-out kernel/boot/entry.S kernel/boot/start.c,\
	$(kernel_src)) $(sort $(wildcard fuzz/shim/*.[cS]))
endif
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
# After `make clean all` has removed it again:
$(B)/$(1).list: ; @mkdir -p $$(@D); echo '$(2)' > $$@
endef
ifdef FUZZ
disk := $(B)/disk/executor $(B)/disk/fuzzchild
endif
$(eval $(call stamp,kernel,$(kernel_src)))
$(eval $(call stamp,ulib,$(ulib_src)))
$(eval $(call stamp,disk,$(disk) $(USERPROGS)))

.PHONY: all tools clean help
all: tools $(B)/kernel $(B)/fs.img            ## build kernel and disk
	@:

tools:
	@command -v $(CC) >/dev/null || { \
		echo "make: $(CC) not found; run: make setup" >&2; exit 2; }

# ---- kernel: linked twice, for the table of its own symbols

# Not watched: those that watch, and what runs before translation is on, for
# it can call nobody.  The strings check their ranges as a whole.
unwatched := kernel/boot/start.c kernel/check/asan.c kernel/check/asan_boot.c \
	kernel/check/ubsan.c
$(call obj,$(unwatched)): SANITIZE :=
$(call obj,kernel/lib/string.c): SANITIZE := $(UBSAN_FLAGS)

kcompile = $(CC) $(KFLAGS) $(SANITIZE) $(COVER) -MMD -MP -c -o $@ $<

$(B)/obj/kernel/%.o: kernel/%.c Makefile
	@mkdir -p $(@D)
	$(call run,CC)$(kcompile)

$(B)/obj/kernel/%.o: kernel/%.S Makefile
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(KFLAGS) -MMD -MP -c -o $@ $<

klink = $(call run,LD)$(LD) -nostdlib -z max-page-size=4096 -z noexecstack \
	--no-warn-rwx-segments $(KWRAP) -T kernel/boot/kernel.ld -o $@ \
	$(kernel_obj)

$(B)/kernel.nosyms: $(kernel_obj) kernel/boot/kernel.ld $(B)/kernel.list
	$(klink)

$(B)/ksyms.S: $(B)/kernel.nosyms scripts/ksyms.py
	$(call run,KSYMS)$(NM) -n $< | $(PYTHON) scripts/ksyms.py > $@

$(B)/ksyms.o: $(B)/ksyms.S
	$(call run,CC)$(CC) $(KFLAGS) -c -o $@ $<

$(B)/kernel: $(B)/kernel.nosyms $(B)/ksyms.o
	$(klink) $(B)/ksyms.o

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
	$$(call run,CC)$(CC) $(XFLAGS) -MMD -MP -MT $$@ -c -o $(B)/obj/external/$(notdir $(basename $(1))).o $(1)
	$$(ulink) $(ubase) $(B)/obj/external/$(notdir $(basename $(1))).o \
		$(B)/libuser.a
	@$$(strip)
endef
$(foreach s,$(USERPROGS),$(eval $(call external,$(s))))

# ---- disk

on_disk = README.md:/README.md README.md:/README \
	$(foreach d,$(disk),$(d):/$(patsubst $(B)/disk/%,%,$(d)))

include fuzz/build.mk

$(B)/fs.img: $(disk) scripts/mkfs.py scripts/fsimage.py README.md \
		kernel/fs.h kernel/param.h kernel/stat.h kernel/file/log.h \
		$(B)/disk.list
	$(call run,MKFS)$(PYTHON) scripts/mkfs.py $@ $(on_disk)

# ---- runs
export CROSS PYTHON
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

machine := --kernel $(B)/kernel --image $(B)/fs.img
guest   := --cpus='$(CPUS)' --mem='$(MEM)' --append='$(APPEND)'
# What a rerun command has to repeat.
rerun   := $(strip $(if $(filter 0,$(COW)),COW=0) \
	$(if $(filter-out none,$(PLANT)),PLANT=$(PLANT)) \
	$(if $(filter 1,$(RELEASE)),RELEASE=1) $(if $(filter-out plain,$(FLAVOR)),FLAVOR=$(FLAVOR)) \
	$(if $(APPEND),APPEND='$(APPEND)'))
stress_args = $(machine) $(guest) --only='$(ONLY)' --secs='$(SECS)' \
	--seed='$(SEED)' --rerun="$(rerun)"

# The tools come first, and then a second make builds with them.
.PHONY: setup setup-stress setup-test setup-fuzz stress test lint qemu qemu-gdb
.PHONY: cowtest usertests failnth bench leakcheck install-hooks remove-hooks
setup: setup-test                       ## install all tools that are missing
setup-stress setup-test setup-fuzz: setup-%:
	@scripts/setup.sh $*

# As many jobs as there are processors, unless -j says how many.
jobs = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
build = --no-print-directory $(jobs)
eager = $(subst $(FLAVOR),$(FLAVOR)-cow0,$(B))

stress: setup-stress                    ## run the stress programs: CPUS= ONLY= SECS= SEED= MEM=
	@$(PYTHON) scripts/stress.py --check $(stress_args)
	@$(MAKE) $(build) all
	@$(PYTHON) scripts/stress.py $(stress_args)

test: setup-test                        ## run every test, ONLY=step,step some
	@$(MAKE) $(build) all
	@$(PYTHON) scripts/test.py $(machine) --only='$(ONLY)'

lint: setup-test                        ## check the sources without a run
	@scripts/lint.sh

qemu: setup-stress                      ## a shell: CPUS= MEM= DISK=
	@$(MAKE) $(build) all
	@$(PYTHON) scripts/qemu.py $(machine) $(guest) \
		$(if $(DISK),--disk='$(DISK)')

qemu-gdb: setup-stress                  ## the same, waiting for gdb at GDBPORT=
	@$(MAKE) $(build) all
	@$(PYTHON) scripts/qemu.py $(machine) $(guest) --gdb=$(GDBPORT) \
		$(if $(DISK),--disk='$(DISK)')

cowtest: setup-stress                   ## the copy-on-write tests
	@$(MAKE) $(build) all
	@$(PYTHON) scripts/guest.py $(machine) $(guest) \
		--expect 'ALL COW TESTS PASSED' /cowtest

usertests: setup-stress                 ## all user tests; ONLY=-q: the quick ones, ONLY=name: one
	@$(MAKE) $(build) all
	@$(PYTHON) scripts/guest.py $(machine) $(guest) \
		--expect 'ALL TESTS PASSED' /usertests $(ONLY)

# On one hart and on eight, unless CPUS= says how many.
failnth: setup-stress                   ## fail each allocation once: ONLY= CPUS= MEM=
	@$(MAKE) $(build) all
	@$(PYTHON) scripts/failnth.py $(machine) --mem='$(MEM)' \
		$(if $(filter command environment,$(origin CPUS)),--cpus='$(CPUS)') \
		--append='$(APPEND)' --only='$(ONLY)'

bench: setup-stress                     ## measure: ONLY=regex QUICK=1
	@$(MAKE) $(build) all
	@$(MAKE) $(build) COW=0 B=$(eager) $(eager)/kernel
	@$(PYTHON) scripts/bench.py $(machine) \
		--eager $(eager)/kernel --only='$(ONLY)' $(if $(QUICK),--quick)

leakcheck: setup-fuzz                   ## compare with BASE=origin/main: leaks, counts, costs
	@$(PYTHON) scripts/leakcheck.py --base '$(BASE)' --cpus '$(CPUS)' \
		--mem '$(MEM)' --seed '$(SEED)'

# ---- fuzzing: see fuzz/build.mk for how its parts are built
.PHONY: fuzz fuzz-build fuzz-bench repro minimize findings regress
.PHONY: corpus-merge coverage
comma := ,
fuzz_kernel = $(F)/$(variant)/kernel
# The main instance is plain, the others take turns; a flavour or a planted bug
# that was asked for is what all of them have.
fuzz_variants = $(if $(filter plain,$(variant)),$(subst \
	$(comma), ,$(FUZZ_FLAVORS)),$(variant))
fuzz_args = --time='$(FUZZ_TIME)' --jobs='$(JOBS)' --seed='$(SEED)' \
	--flavors='$(fuzz_variants)'
need_input = $(if $(INPUT),,$(error give the program: make $@ INPUT=file))

fuzz: setup-fuzz                        ## fuzz the kernel: FUZZ_TIME=8h JOBS= FLAVOR=
	@$(PYTHON) scripts/fuzz.py --check $(fuzz_args)
	@$(MAKE) $(build) fuzz-tools
	@for flavor in $(if $(filter plain,$(variant)),$(fuzz_variants),$(FLAVOR)); \
	do $(MAKE) $(build) FUZZ=cover FLAVOR=$$flavor || exit; done
	@$(PYTHON) scripts/fuzz.py $(fuzz_args)

fuzz-build: setup-fuzz
	@$(MAKE) $(build) fuzz-tools
	@$(MAKE) $(build) FUZZ=cover

repro: fuzz-build                       ## run one program: INPUT=file GDB=1
	$(need_input)@$(F)/stampede-fuzz repro --kernel=$(fuzz_kernel) \
		$(if $(GDB),--gdb=$(GDBPORT)) '$(INPUT)'

minimize: fuzz-build                    ## make a failing program small: INPUT=file
	$(need_input)@$(F)/stampede-fuzz minimize --kernel=$(fuzz_kernel) \
		'$(INPUT)'

findings: fuzz-build                    ## list what make fuzz has found
	@$(F)/stampede-fuzz findings $(F)/findings

regress: fuzz-build                     ## replay corpus/ under the fuzzer
	@$(F)/stampede-fuzz corpus --kernel=$(fuzz_kernel) \
		$(wildcard corpus/*)

corpus-merge: fuzz-build                ## take what make fuzz reached into corpus/
	@$(PYTHON) scripts/fuzz_corpus.py merge

coverage: setup-fuzz                    ## what of the kernel corpus/ reaches
	@$(MAKE) $(build) fuzz-tools
	@$(MAKE) $(build) FUZZ=exact
	@$(PYTHON) scripts/coverage.py --kernel $(F)/$(variant)-exact/kernel

fuzz-bench: fuzz-build                  ## executions a second, and where time goes
	@$(MAKE) $(build) FUZZ=bare
	@$(MAKE) $(build) FUZZ=cover PLANT=demand
	@$(MAKE) $(build) FUZZ=cover PLANT=demand FLAVOR=debug
	@$(MAKE) $(build) $(loop_src)
	@$(MAKE) $(build) B=$(F)/loop/plain USERPROGS='$(loop_src)'
	@$(PYTHON) scripts/fuzz_bench.py $(if $(QUICK),--quick)

install-hooks:                          ## have git do that before a push or a merge
	@scripts/install_hooks.sh install

remove-hooks:                           ## take that away again
	@scripts/install_hooks.sh remove

-include $(shell find $(B) -name '*.d' 2>/dev/null)

clean:                                  ## remove everything that was built
	rm -rf build

help:                                   ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 18
