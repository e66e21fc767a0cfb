/* SPDX-License-Identifier: ISC */
#define MSG_DEF "pod-store/messages.def"
#include "common/wire/msg.c"
