# SPDX-License-Identifier: ISC
# Filters of the roles, compiled once here instead of at each start.
$(G)/gen-filter: common/role/gen-filter.c common/role/bpf.c common/role/bpf.h common/role/role.def common/role/syscall.def \
		common/role/caps.h common/role/role.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -std=gnu11 -O1 $(WARN) -o $@ $(filter %.c,$^) -lseccomp

$(G)/role-filters.h: $(G)/gen-filter
	$< > $@

$(O)/common/role/role.o: $(G)/role-filters.h

$(BUILD)/man/pod-privileges.7: common/role/gen-privileges.c common/role/role.def common/role/syscall.def $(LIBCOMMON)
	@mkdir -p $(@D) $(G)
	$(CC) $(CPPFLAGS_ALL) -std=gnu11 -O1 $(WARN) $(FORTIFY) -o $(G)/gen-privileges $< $(LIBCOMMON) -lcap
	$(G)/gen-privileges > $@
MAN_GENERATED += $(BUILD)/man/pod-privileges.7
