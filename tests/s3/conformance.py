"""Runs s3_conformance_test against one server: conformance.py PROGRAM-FOLDER FOLDER SERVER.

PROGRAM-FOLDER holds the test program and, for the emulator, llama.

Exits with 77, saying why, where the server is not installed.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import servers

SKIPPED = 77


def new_server(name, folder, programs):
    if name == "radosgw":
        return servers.Radosgw(folder)
    if name == "swift":
        return servers.Swift(folder)
    emulator = {"emulator_http": servers.Emulator, "emulator_https": servers.EmulatorTls}[name]
    return emulator(folder, str(programs / "llama"))


def main(programs, folder, name):
    programs, folder = pathlib.Path(programs), pathlib.Path(folder) / name
    program = programs / "s3_conformance_test"
    try:
        with new_server(name, folder, programs) as server:
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
