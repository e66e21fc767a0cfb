# SPDX-License-Identifier: ISC
POD_RUN_SRC := $(wildcard pod-run/*.c) $(wildcard pod-run/state/*.c) $(wildcard pod-run/cmd/*.c) \
	$(wildcard pod-run/life/*.c) $(wildcard pod-run/oci/*.c) $(wildcard pod-run/remote/*.c)
# Static: a start of the shared libraries costs a millisecond of each command.  SQLite's loader of extensions,
# which nothing calls, makes the linker warn.
ifneq ($(wildcard pod-run/oci/seccomp.c),)
$(eval $(call program,pod-run,bin,$(POD_RUN_SRC),-lsqlite3 -lmsgpackc -ljansson -lyaml -lcap -lm $(QUIET_STATIC),static))
endif

# --- Workers of pod-run ---
$(eval $(call program,pod-run-pause,libexec/pod,pod-run/worker/pause.c,,static))
$(eval $(call program,pod-run-seccomp,libexec/pod,pod-run/worker/seccomp.c $(addprefix pod-run/oci/,seccomp_profile.c seccomp_default.c config_json.c spec_cap.c spec_list.c),-ljansson -lseccomp,dynamic))
$(eval $(call program,pod-run-copy,libexec/pod,$(wildcard pod-run/copy/*.c) $(addprefix pod-store/layer/,tar.c tarpax.c tarhdr.c sparse.c tarout.c xattr.c),-lmsgpackc,static))
$(eval $(call program,pod-run-scope,libexec/pod,pod-run/worker/scope.c,-lsystemd -lmsgpackc,dynamic))
$(eval $(call program,pod-run-names,libexec/pod,pod-run/worker/names.c,-lmsgpackc,static))
$(eval $(call program,pod-run-logs,libexec/pod,pod-run/worker/logs.c,-lmsgpackc,static))
$(eval $(call program,pod-run-document,libexec/pod,$(addprefix pod-run/worker/,document.c libpod_words.c criu_files.c) pod-run/oci/spec_list.c,-lmsgpackc -ljansson,static))
$(eval $(call program,pod-run-remote,libexec/pod,$(addprefix pod-run/worker/,remote.c exchange.c),-lmsgpackc -ljansson,static))
$(eval $(call program,pod-run-dial,libexec/pod,pod-run/worker/dial.c,$(call pc,libssl libcrypto msgpack),dynamic))
