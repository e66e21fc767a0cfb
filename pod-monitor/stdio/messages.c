/* SPDX-License-Identifier: ISC */
#define MSG_DEF "pod-monitor/stdio/messages.def"
#include "common/wire/msg.c"
