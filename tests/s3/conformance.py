"""Runs s3_conformance_test against one server: conformance.py TEST-PROGRAM FOLDER SERVER.

Exits with 77, saying why, where the server is not installed.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import servers

SKIPPED = 77
SERVERS = {"radosgw": servers.Radosgw, "swift": servers.Swift}


def main(program, folder, name):
    folder = pathlib.Path(folder) / name
    try:
        with SERVERS[name](folder) as server:
            status = subprocess.run([program], env=dict(os.environ, **server.environment),
                                    stdin=subprocess.DEVNULL, timeout=240).returncode
            if status != 0:
                print(server.logs())
    except servers.Missing as missing:
        print(f"skipped: {missing}")
        return SKIPPED
    except servers.Broken as broken:
        print(f"FAILED: {broken}")
        return 1
    if status == 0:
        shutil.rmtree(folder)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
