"""A control plane on loopback: S3, IAM, Lambda, STS and CloudWatch Logs as moto has them.

Missing: no Python here has moto. It is looked for in this one and in those that PATH names.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request


class Missing(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def python_with_moto():
    for name in (sys.executable, shutil.which("python3"), shutil.which("python")):
        if name and subprocess.run([name, "-c", "import moto.server"], stderr=subprocess.DEVNULL,
                                   check=False).returncode == 0:
            return name
    raise Missing("no Python here has moto")


class Moto:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        program = python_with_moto()
        self.log = open(self.folder / "moto.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(self.url + "/moto-api/", timeout=2).close()
                return self
            except OSError:
                time.sleep(0.1)
        self.__exit__(None, None, None)
        raise RuntimeError("moto does not start: see moto.log")

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.wait(20)
        self.log.close()
