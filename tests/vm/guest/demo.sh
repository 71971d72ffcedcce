#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
uname -a
[ ! -x /bin/vmtrace ] || /bin/vmtrace --version
