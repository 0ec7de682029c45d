# peerwatt: see README.md. Variables: BUILD=release|debug|san, V=1, CC, MPICC, CFLAGS, PREFIX, DESTDIR,
# MPIEXEC, MPIEXEC_FLAGS, OBJCOPY.

BUILD ?= release
V ?=
Q := $(if $(V),,@)
say = @$(if $(V),true,printf '  %-5s %s\n' $(1) $(2))

PREFIX ?= /usr/local
DESTDIR ?=
MPICC ?= mpicc

OUT := build/$(BUILD)
PROGRAM := $(if $(filter release,$(BUILD)),build/peerwatt,$(OUT)/peerwatt)

# Libraries: pkg-config where it knows them, the usual places where it does not.
PKG_CONFIG ?= pkg-config
HDF5_PC := $(shell for p in hdf5-serial hdf5 hdf5-openmpi hdf5-mpich; do $(PKG_CONFIG) --exists $$p 2>/dev/null && echo $$p && break; done)
ifneq ($(HDF5_PC),)
HDF5_CFLAGS ?= $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(HDF5_PC)))
HDF5_LIBS ?= $(shell $(PKG_CONFIG) --libs-only-L $(HDF5_PC)) -lhdf5_hl -lhdf5
else
HDF5_CFLAGS ?= $(if $(HDF5_ROOT),-isystem $(HDF5_ROOT)/include)
HDF5_LIBS ?= $(if $(HDF5_ROOT),-L$(HDF5_ROOT)/lib) -lhdf5_hl -lhdf5
endif
pc_cflags = $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null))
pc_libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null || echo $(2))
LIB_CFLAGS := $(HDF5_CFLAGS) $(foreach l,yaml-0.1 jansson libsodium,$(call pc_cflags,$(l))) -isystem /usr/include/suitesparse
METIS_LIBS ?= -lmetis
LIBS := $(HDF5_LIBS) $(call pc_libs,yaml-0.1,-lyaml) $(call pc_libs,jansson,-ljansson) \
        $(call pc_libs,libsodium,-lsodium) -lcholmod $(METIS_LIBS) -lm
CHECK_CFLAGS := $(call pc_cflags,check)
CHECK_LIBS := $(call pc_libs,check,-lcheck -lsubunit -lrt -lpthread)

# No -ffast-math and no contraction: results are the same bits on every machine and rank count.
WARNINGS := -Wno-psabi -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
BASE_CFLAGS := -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off -fno-math-errno -fno-trapping-math $(WARNINGS) $(WERROR) -MMD -MP -I. -I$(OUT)
# A gcc that compiles and links optimises the program and the benchmarks as a whole, for the virtual clock (tests/bench/bench_virtual, beside
# CFLAGS=-fno-lto). Tests are linked from the same objects' other half, optimised file by file, which takes less time.
version_of = $(shell $(1) -dumpfullversion 2>/dev/null)
WHOLE := -flto=auto -ffat-lto-objects
CAN_WHOLE := $(if $(filter $(or $(call version_of,$(CC)),none),$(call version_of,$(MPICC))),$(shell echo 'int main(void) { return 0; }' | $(MPICC) $(WHOLE) -x c - -o /dev/null 2>/dev/null && echo yes))
release_CFLAGS := -O3 -g $(if $(CAN_WHOLE),$(WHOLE))
debug_CFLAGS := -O0 -g3
san_CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ALL_CFLAGS = $(BASE_CFLAGS) $($(BUILD)_CFLAGS) $(LIB_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK_FLAGS = $($(BUILD)_CFLAGS) $(CFLAGS) $(LDFLAGS)
TEST_LINK_FLAGS = $(LINK_FLAGS) $(if $(CAN_WHOLE),-fno-lto)

SOURCES := $(wildcard common/*.c agent/*.c net_models/*.c coordinator/*.c)
MPI_SOURCES := coordinator/transport_mpi.c
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o)
# What tests link: everything but the program's start, its commands and MPI.
CORE_OBJECTS := $(filter-out $(addprefix $(OUT)/coordinator/,main.o commands.o cmd_%.o) $(MPI_SOURCES:%.c=$(OUT)/%.o),$(OBJECTS))
UNIT_SOURCES := $(wildcard tests/unit/*.c)
UNIT_HELPERS := tests/unit/random_market.c tests/unit/schedule.c tests/unit/kkt.c tests/unit/clearing.c tests/unit/rounds.c tests/unit/choosing.c
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(OUT)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES := $(patsubst tests/bench/%.c,$(OUT)/tests/bench/%,$(wildcard tests/bench/bench_*.c))

.PHONY: all check demo deps unit bench soak fuzz layers format lint install uninstall clean FORCE
all: $(PROGRAM)

# Linked once, and stamped with the revision, which changes more often, beside its name: what runs is never half of a program.
OBJCOPY ?= objcopy
$(PROGRAM): $(OUT)/linked $(OUT)/revision
	$(Q)$(OBJCOPY) --update-section .peerwatt_revision=$(OUT)/revision $< $@.new && mv $@.new $@
$(OUT)/linked: $(OBJECTS)
	$(call say,LINK,$(PROGRAM))
	$(Q)$(MPICC) $(LINK_FLAGS) $^ $(LIBS) -o $@.new && mv $@.new $@
$(OUT)/revision: FORCE
	@mkdir -p $(@D)
	@(git describe --always --dirty 2>/dev/null || echo unknown) | tr -d '\n' | head -c 127 | dd bs=128 conv=sync 2>/dev/null > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(MPI_SOURCES:%.c=$(OUT)/%.o): CC := $(MPICC)
$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter tests/%,$<),$(CHECK_CFLAGS)) -c $< -o $@

$(OUT)/coordinator/build_info.o: $(OUT)/build_flags.h
$(OUT)/build_flags.h: FORCE
	@mkdir -p $(@D)
	@printf '#define PW_BUILD_FLAGS "%s"\n' "$(strip $($(BUILD)_CFLAGS) $(CFLAGS))" > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(OUT)/tests/unit/unit: $(UNIT_SOURCES:%.c=$(OUT)/%.o) $(CORE_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(TEST_LINK_FLAGS) $^ $(LIBS) $(CHECK_LIBS) -o $@

$(OUT)/tests/mpi/mpi: $(OUT)/tests/mpi/test_mpi.o $(OUT)/tests/mpi/late.o $(UNIT_HELPERS:%.c=$(OUT)/%.o) $(CORE_OBJECTS) $(MPI_SOURCES:%.c=$(OUT)/%.o)
	$(call say,LINK,$@)
	$(Q)$(MPICC) $(TEST_LINK_FLAGS) $^ $(LIBS) $(CHECK_LIBS) -o $@

$(OUT)/tests/mpi/soak_mpi: $(OUT)/tests/mpi/soak_mpi.o $(UNIT_HELPERS:%.c=$(OUT)/%.o) $(CORE_OBJECTS) $(MPI_SOURCES:%.c=$(OUT)/%.o)
	$(call say,LINK,$@)
	$(Q)$(MPICC) $(TEST_LINK_FLAGS) $^ $(LIBS) -o $@

$(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $(OUT)/tests/fuzz/replay.o $(CORE_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(TEST_LINK_FLAGS) $^ $(LIBS) -o $@

$(OUT)/tests/bench/%: $(OUT)/tests/bench/%.o $(OUT)/tests/bench/bench.o $(UNIT_HELPERS:%.c=$(OUT)/%.o) $(CORE_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LINK_FLAGS) $^ $(LIBS) -o $@

deps:
	@sh run_scripts/install_deps.sh

# The two commands of the README. Each installs first, in a make of its own: what pkg-config finds may change.
check demo:
	@sh run_scripts/install_deps.sh
	@$(MAKE) --no-print-directory run-$@
.PHONY: run-check run-demo
run-check: $(PROGRAM) $(OUT)/tests/unit/unit $(OUT)/tests/mpi/mpi $(OUT)/tests/mpi/soak_mpi $(FUZZ_TARGETS)
	@BUILD_DIR=$(OUT) PEERWATT=$(PROGRAM) sh run_scripts/check.sh
run-demo: $(PROGRAM)
	@PEERWATT=$(PROGRAM) sh run_scripts/demo.sh

unit: $(OUT)/tests/unit/unit
	@$<
bench: $(BENCHES)
	@for b in $^; do echo "== $$(basename $$b)"; $$b || exit 1; done
soak: $(PROGRAM) $(OUT)/tests/unit/unit $(OUT)/tests/mpi/soak_mpi
	@BUILD_DIR=$(OUT) PEERWATT=$(PROGRAM) sh run_scripts/soak.sh
fuzz:
	@sh run_scripts/fuzz.sh
layers:
	@sh run_scripts/layers.sh
format:
	@clang-format -i --style=file $$(git ls-files '*.c' '*.h')
lint: layers
	@sh run_scripts/lint.sh

install: $(PROGRAM)
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/peerwatt/cases' '$(DESTDIR)$(PREFIX)/share/peerwatt/studies' '$(DESTDIR)$(PREFIX)/share/peerwatt/figures' '$(DESTDIR)$(PREFIX)/share/doc/peerwatt'
	install -m 755 $(PROGRAM) '$(DESTDIR)$(PREFIX)/bin/peerwatt'
	install -m 644 configs/cases/* '$(DESTDIR)$(PREFIX)/share/peerwatt/cases'
	install -m 644 configs/studies/* '$(DESTDIR)$(PREFIX)/share/peerwatt/studies'
	install -m 644 run_scripts/figures/*.py '$(DESTDIR)$(PREFIX)/share/peerwatt/figures'
	install -m 644 README.md LICENSE CHANGELOG.md '$(DESTDIR)$(PREFIX)/share/doc/peerwatt'
uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/bin/peerwatt'
	rm -rf '$(DESTDIR)$(PREFIX)/share/peerwatt' '$(DESTDIR)$(PREFIX)/share/doc/peerwatt'
clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(wildcard $(OUT)/tests/*/*.d)
.SECONDARY:
