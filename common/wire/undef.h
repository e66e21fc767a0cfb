/* SPDX-License-Identifier: ISC */
/* Ends one expansion of all.def; included more than once on purpose. */
#undef REC
#undef MSG
#undef STR
#undef BIN
#undef U64
#undef I64
#undef BOOL
#undef STRS
#undef SUB
#undef SUBS
#undef FD
#undef END
