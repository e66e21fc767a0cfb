# SPDX-License-Identifier: ISC
MONITOR_HALF := $(wildcard pod-monitor/half/*.c)
$(eval $(call program,pod-monitor,bin,$(wildcard pod-monitor/*.c) $(MONITOR_HALF),-lmsgpackc,static))
$(eval $(call program,pod-monitor-stdio,libexec/pod,$(wildcard pod-monitor/stdio/*.c) $(MONITOR_HALF),-lmsgpackc,static))
