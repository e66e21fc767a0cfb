/* SPDX-License-Identifier: ISC */
#define MSG_DEF "pod-monitor/messages.def"
#include "common/wire/msg.c"
