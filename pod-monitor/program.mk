# SPDX-License-Identifier: ISC
$(eval $(call program,pod-monitor,bin,$(wildcard pod-monitor/*.c),-lmsgpackc,static))
$(eval $(call program,pod-monitor-stdio,libexec/pod,pod-monitor/messages.c $(wildcard pod-monitor/stdio/*.c),-lmsgpackc,static))
