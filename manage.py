#!/usr/bin/env python
"""Run a management command of runai-access."""

import sys

from runai_access.command_line import run

if __name__ == "__main__":
    run(sys.argv)
