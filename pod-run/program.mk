# SPDX-License-Identifier: ISC
POD_RUN_SRC := $(wildcard pod-run/*.c) $(wildcard pod-run/state/*.c) $(wildcard pod-run/cmd/*.c) \
	$(wildcard pod-run/life/*.c) $(wildcard pod-run/oci/*.c)
ifneq ($(wildcard pod-run/oci/seccomp.c),)
$(eval $(call program,pod-run,bin,$(POD_RUN_SRC),-lmsgpackc -lsqlite3 -ljansson -lcap,dynamic))
endif

# --- Workers of pod-run ---
$(eval $(call program,pod-run-pause,libexec/pod,pod-run/worker/pause.c,,static))
$(eval $(call program,pod-run-seccomp,libexec/pod,pod-run/worker/seccomp.c,-ljansson -lseccomp,dynamic))
