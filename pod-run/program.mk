# SPDX-License-Identifier: ISC
# --- Workers of pod-run ---
$(eval $(call program,pod-run-pause,libexec/pod,pod-run/worker/pause.c,,static))
