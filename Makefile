# SPDX-License-Identifier: Apache-2.0
# VexFS: the user-space parts, the tests, and the way to the kernel module.
# "make help" lists what can be made.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
CFLAGS ?= -O2 -g
BUILD := build

# Which kernel the demo and single runs use: uml, qemu-6.1, qemu-6.12,
# qemu-7.2, or host (your own machine).
VM ?= uml

WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wvla
# kernel/core has a float.h of its own, which <float.h> must not find
INCLUDE := -Iinclude -Iinclude/uapi -iquote kernel/core
ALL_CFLAGS = -std=gnu11 -DVEXFS_VERSION_TEXT='"$(VERSION)"' \
	     $(WARN) $(INCLUDE) $(CFLAGS) -MMD -MP
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer

CORE := $(wildcard kernel/core/*.c)
LIB := $(wildcard userspace/lib/*.c)
VOLUME := $(wildcard tools/volume/*.c)
UNIT := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
VM_TESTS := $(patsubst tests/vm/%.c,%,$(wildcard tests/vm/*.c))

# Called only where the processor has the instruction.
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
%/kernel/core/sketch_popcnt.o: ALL_CFLAGS += -mpopcnt
endif

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
pic_objects = $(patsubst %.c,$(BUILD)/pic/%.o,$(1))
checked_objects = $(patsubst %.c,$(BUILD)/checked/%.o,$(1))

SO := $(BUILD)/libvexfs.so.$(VERSION)
TOOLS := $(BUILD)/mkfs.vexfs $(BUILD)/fsck.vexfs $(BUILD)/vexfs

.PHONY: all
all: $(TOOLS) $(BUILD)/libvexfs.a $(SO) $(BUILD)/libvexfs.pc

# User space

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) $(TOOL_INCLUDE) -c $< -o $@

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=default -c $< -o $@

$(BUILD)/checked/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) $(TOOL_INCLUDE) $(SANITIZE) -c $< -o $@

TOOL_INCLUDE := -Itools/volume -Itools/mkfs -Itools/fsck -Itools/vexfs \
		-Itests/unit -Itests/tools

$(BUILD)/libvexfs.a: $(call objects,$(LIB))
	@echo "  AR  $@"
	@rm -f $@
	@$(AR) rcs $@ $^

$(SO): $(call pic_objects,$(LIB)) userspace/lib/libvexfs.map
	$(CC) $(CFLAGS) -shared -Wl,-soname,libvexfs.so.0 \
		-Wl,--version-script=userspace/lib/libvexfs.map \
		-o $@ $(call pic_objects,$(LIB)) -lpthread
	@ln -sf $(@F) $(BUILD)/libvexfs.so.0
	@ln -sf $(@F) $(BUILD)/libvexfs.so

$(BUILD)/libvexfs.pc: userspace/libvexfs.pc.in Makefile
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

$(BUILD)/mkfs.vexfs: $(call objects,$(wildcard tools/mkfs/*.c) $(VOLUME) $(CORE))
	@echo "  LD  $@"
	@$(CC) $(CFLAGS) -o $@ $^ -lblkid -luuid

$(BUILD)/fsck.vexfs: $(call objects,$(wildcard tools/fsck/*.c) $(VOLUME) $(CORE))
	@echo "  LD  $@"
	@$(CC) $(CFLAGS) -o $@ $^ -lblkid -luuid

$(BUILD)/vexfs: $(call objects,$(wildcard tools/vexfs/*.c)) $(BUILD)/libvexfs.a
	@echo "  LD  $@"
	@$(CC) $(CFLAGS) -o $@ $^ -lpthread -lm

# Tests

UNIT_OBJECTS := $(call checked_objects,$(CORE) tests/unit/memory_blocks.c \
		$(filter-out tools/vexfs/main.c,$(wildcard tools/vexfs/*.c)) $(LIB))

$(BUILD)/unit/%: $(BUILD)/checked/tests/unit/test_%.o $(UNIT_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(SANITIZE) -o $@ $^ -lcmocka -lpthread -lm

$(BUILD)/tests/distance_tool: $(call objects,tests/unit/distance_tool.c $(CORE))
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(CFLAGS) -o $@ $^

POWERCUT := $(addprefix $(BUILD)/tests/powercut_,load check replay)

$(POWERCUT): $(BUILD)/tests/%: $(BUILD)/obj/tests/vm/%.o \
		$(addprefix $(BUILD)/obj/tests/vm/powercut_,model.o index.o)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(CFLAGS) -o $@ $^

VM_PROGRAMS := $(addprefix $(BUILD)/tests/vm/,$(filter-out powercut_% stress_%,$(VM_TESTS)))

$(BUILD)/tests/vm/stress: $(addprefix $(BUILD)/obj/tests/vm/stress_,plain.o index.o)

$(VM_PROGRAMS): $(BUILD)/tests/vm/%: $(BUILD)/obj/tests/vm/%.o $(BUILD)/libvexfs.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(CFLAGS) -o $@ $^ -luring -lpthread -lm

$(BUILD)/tests/vm/abi32_client_32: tests/vm/abi32_client.c include/uapi/linux/vexfs.h
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) -m32 -static -std=gnu11 $(WARN) $(INCLUDE) $(CFLAGS) -o $@ $<

TOOLS_TESTS := $(patsubst tests/tools/%.c,%,$(filter-out tests/tools/image.c tests/tools/log.c,$(wildcard tests/tools/*.c)))

$(addprefix $(BUILD)/tests/,$(TOOLS_TESTS)): $(BUILD)/tests/%: \
		$(call checked_objects,tests/tools/image.c tests/tools/log.c \
		$(filter-out tools/mkfs/main.c,$(wildcard tools/mkfs/*.c)) \
		$(filter-out tools/fsck/main.c,$(wildcard tools/fsck/*.c)) $(VOLUME) $(CORE)) \
		$(BUILD)/checked/tests/tools/%.o
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(SANITIZE) -o $@ $^ -lblkid -luuid

# The fuzzers' entries over their seeds.
$(addprefix $(BUILD)/tests/,fuzz_tree fuzz_layout): $(BUILD)/tests/fuzz_%: \
		$(BUILD)/checked/tests/fuzz/fuzz_%.o \
		$(call checked_objects,tests/fuzz/replay.c tests/unit/memory_blocks.c $(CORE))
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(SANITIZE) -o $@ $^

$(BUILD)/tests/seed_tree: $(call checked_objects,tests/fuzz/seed_tree.c \
		tests/unit/memory_blocks.c $(CORE))
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(SANITIZE) -o $@ $^

# Programs of the tools' tests without sanitizers, which do not run in user-mode Linux.
$(addprefix $(BUILD)/tests/vm/,populate mutate): $(BUILD)/tests/vm/%: \
		$(call objects,tests/tools/image.c tests/tools/log.c \
		$(filter-out tools/mkfs/main.c,$(wildcard tools/mkfs/*.c)) $(VOLUME) $(CORE)) \
		$(BUILD)/obj/tests/tools/%.o
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(CFLAGS) -o $@ $^ -lblkid -luuid

.SECONDARY:

.PHONY: test-programs
test-programs: $(addprefix $(BUILD)/unit/,$(UNIT)) $(BUILD)/tests/distance_tool \
	$(POWERCUT) $(VM_PROGRAMS) $(BUILD)/tests/vm/abi32_client_32 \
	$(addprefix $(BUILD)/tests/,$(TOOLS_TESTS) fuzz_tree fuzz_layout seed_tree) \
	$(BUILD)/tests/vm/populate \
	$(BUILD)/tests/vm/mutate

## make              the tools, the library and the command line
## make demo         store and search 60,000 real vectors in a real kernel, and check the answers
## make check        all tests (sets itself up; needs root for packages that are missing)
## make check-debug  concurrency and fault tests on kernels with KASAN and lockdep
## make module       vexfs.ko for the running kernel
## make install      the tools, the library and the man pages
## make bench        searches beside hnswlib, FAISS, usearch, sqlite-vec (QUICK=1 takes five minutes)
## make bench-insert inserts beside ext4
## make bench-search exact searches beside FAISS and AVX2
## make clean        remove what was built (kernels and downloads in .cache stay)

.PHONY: demo check check-debug bench bench-insert bench-search
demo:
	tools/install-packages --with vm,data
	VM=$(VM) tools/demo/run

check:
	tools/install-packages --with vm,gates
	tests/check

check-debug:
	tools/install-packages --with vm
	tests/check-debug

# BENCH_SETS, BENCH_SYSTEMS: what to measure; DATA, METRIC: a set of your own; FAISS_DIR:
# another build of FAISS. docs/benchmarks.md explains them.
bench bench-insert bench-search: packages-for-bench
bench:
	VM=$(VM) FAISS_DIR=$(FAISS_DIR) tests/bench/compare $(if $(QUICK),--quick) \
		$(if $(BENCH_SYSTEMS),--systems "$(BENCH_SYSTEMS)") \
		$(if $(DATA),--data $(DATA)) $(if $(METRIC),--metric $(METRIC)) $(BENCH_SETS)

bench-search:
	VM=$(VM) tests/bench/compare --exact $(BENCH_SETS)

bench-insert:
	VM=$(VM) tests/bench/insert

.PHONY: packages-for-bench
packages-for-bench:
	tools/install-packages --with vm,data,bench
	$(MAKE) all

.PHONY: module
module:
	tools/kmod/build host

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/linux \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man3 \
		$(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	install $(BUILD)/mkfs.vexfs $(BUILD)/fsck.vexfs $(DESTDIR)$(PREFIX)/sbin
	install $(BUILD)/vexfs $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(BUILD)/libvexfs.a $(DESTDIR)$(PREFIX)/lib
	install $(SO) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(notdir $(SO)) $(DESTDIR)$(PREFIX)/lib/libvexfs.so.0
	ln -sf $(notdir $(SO)) $(DESTDIR)$(PREFIX)/lib/libvexfs.so
	install -m 644 $(BUILD)/libvexfs.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 include/vexfs.h include/vexfs_uring.h $(DESTDIR)$(PREFIX)/include
	install -m 644 include/uapi/linux/vexfs.h $(DESTDIR)$(PREFIX)/include/linux
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 docs/man/*.3 $(DESTDIR)$(PREFIX)/share/man/man3
	install -m 644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PHONY: help
help:
	@sed -n 's/^## //p' Makefile

-include $(shell find $(BUILD)/obj $(BUILD)/pic $(BUILD)/checked -name '*.d' 2>/dev/null)
