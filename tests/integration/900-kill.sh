#!/bin/bash
# SPDX-License-Identifier: ISC
# A short form of make check-kill.
exec bash "$(dirname "$0")/../kill.sh" 25
