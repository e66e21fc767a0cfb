/* SPDX-License-Identifier: ISC */
#define MSG_DEF "pod-net/messages.def"
#include "common/wire/msg.c"
