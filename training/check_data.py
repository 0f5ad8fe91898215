#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the data before a run: every listed picture is there, nothing stands in two splits."""

import argparse
import json
import sys
from pathlib import Path

from unmask_training import data

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", type=Path, required=True)
try:
    print(json.dumps(data.check(parser.parse_args().data), indent=2))
except (FileNotFoundError, ValueError) as error:
    sys.exit(f"error: {error}")
