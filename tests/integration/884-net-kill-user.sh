#!/bin/bash
# SPDX-License-Identifier: ISC
# A short form of the third part of make check-kill.
exec bash "$(dirname "$0")/../net-kill-user.sh" "${NET_TEST_KILLS:-3}"
