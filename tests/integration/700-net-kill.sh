#!/bin/bash
# SPDX-License-Identifier: ISC
# A short form of the second half of make check-kill.
exec bash "$(dirname "$0")/../net-kill.sh" "${NET_TEST_KILLS:-15}"
