#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what asking a network on the same machine costs beside computing it (docs/gpu.md).

Starts `unmask serve` with both protocols, and scores the same random crops with the network in this process
and with the one there, by turns. The overhead is the difference: encoding, HTTP both ways, decoding, queues.
Needs build/release with the targets unmask and remote-probe.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
ROUNDS = sys.argv[1] if len(sys.argv) > 1 else "50"


def remote_card(folder, protocol, url):
    version = max(int(place.name) for place in (ROOT / "models/face").iterdir())
    card = json.loads((ROOT / f"models/face/{version}/model.json").read_text())
    del card["network"]
    card["engine"] = {"type": protocol, "url": url, "model": "face"}
    place = Path(folder) / protocol / "face" / str(version)
    place.mkdir(parents=True)
    (place / "model.json").write_text(json.dumps(card))
    return place.parents[1]


def main():
    command = [BUILD / "unmask", "serve", "--models", ROOT / "models", "--listen", "127.0.0.1:0"]
    command += ["--kserve", "127.0.0.1:0", "--tf-serving", "127.0.0.1:0"]
    print(f"{processor()}; {ROUNDS} rounds; milliseconds, least and median")
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            urls = dict(
                re.fullmatch(r"(\S+) is listening on (\S+)\n", server.stdout.readline()).groups()
                for _ in range(3)
            )
            for protocol, name in (("kserve-v2", "kserve"), ("tf-serving", "tf-serving")):
                models = remote_card(folder, protocol, urls[name])
                probe = [BUILD / "remote-probe", ROOT / "models", models, ROUNDS]
                done = subprocess.run(probe, check=True, stdout=subprocess.PIPE, text=True)
                for row in map(json.loads, done.stdout.splitlines()):
                    least = row["remote_least"] - row["local_least"]
                    median = row["remote_median"] - row["local_median"]
                    print(
                        f"{protocol:10} {row['faces']:3} faces:"
                        f" local {row['local_least']:7.2f} {row['local_median']:7.2f}"
                        f"  remote {row['remote_least']:7.2f} {row['remote_median']:7.2f}"
                        f"  overhead {least:6.2f} {median:6.2f}  |logit| differs by {row['difference']:.1g}"
                    )
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
