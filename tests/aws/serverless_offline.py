"""Our Invoke client against somebody else's Lambda: npm's serverless-offline.

serverless_offline.py INVOKE_TOOL NODE_MODULES
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
CONFIG = """
service: offline
frameworkVersion: '3'
provider:
  name: aws
  runtime: nodejs20.x
  region: us-east-1
plugins:
  - serverless-offline
functions:
  echo:
    handler: handler.echo
    timeout: 3
"""
HANDLER = """
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
exports.echo = async (event) => {
  const text = Buffer.from(event.bytes, 'base64').toString();
  if (text === 'throw') throw new Error('as it was told');
  if (text === 'hang') await pause(60000);
  if (text === 'nonsense') return {hello: 'world'};
  if (text === 'large') return {llama: 1, bytes: Buffer.alloc(1000000, 'x').toString('base64')};
  return {llama: 1, bytes: event.bytes};
};
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(folder, modules):
    (folder / "serverless.yml").write_text(CONFIG)
    (folder / "handler.js").write_text(HANDLER)
    (folder / "node_modules").symlink_to(modules)
    port = free_port()
    # Nothing of it may leave this machine: what it would ask the world for goes to a proxy that isn't there.
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "SLS_TRACKING_DISABLED": "1",
           "SLS_NOTIFICATIONS_MODE": "off", "SLS_INTERACTIVE_SETUP_ENABLE": "", "CI": "1",
           "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"}
    command = ["node", modules / "serverless/bin/serverless.js", "offline", "--lambdaPort", str(port), "--httpPort",
               str(free_port()), "--albPort", str(free_port()), "--host", "127.0.0.1"]
    log = open(folder / "log", "wb")
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, port
        except OSError:
            time.sleep(0.05)
    stop(process)
    sys.exit("serverless-offline did not start:\n" + (folder / "log").read_text(errors="replace")[-3000:])


def stop(process):
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
    except subprocess.TimeoutExpired:
        pass
    except ProcessLookupError:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(10)


def main(tool, modules):
    modules = pathlib.Path(os.environ.get("LLAMA_NODE_MODULES") or modules)
    if not shutil.which("node"):
        skip("no node here")
    for package in ("serverless", "serverless-offline"):
        if not (modules / package).is_dir():
            skip(f"no {package}; tools/node_packages.sh installs it")
    failures = []
    with tempfile.TemporaryDirectory(prefix="llama-serverless-") as folder:
        process, port = start(pathlib.Path(folder), modules)

        def invoke(function, payload, timeout_ms=20_000):
            done = subprocess.run([tool, f"http://127.0.0.1:{port}", function, payload, str(timeout_ms)],
                                  capture_output=True, text=True, timeout=60)
            return done.stdout.strip() or f"status {done.returncode}: {done.stderr}"

        def expect(answer, *parts):
            if not all(part in answer for part in parts):
                failures.append(f"{answer[:500]!r} lacks one of {parts}")
        try:
            name = "offline-dev-echo"
            expect(invoke(name, "hello"), "answer hello")
            expect(invoke(name, "a second one"), "answer a second one")
            large = invoke(name, "large")
            if large != "answer " + "x" * 1_000_000:
                failures.append(f"a large answer: {len(large)} bytes")
            expect(invoke(name, "throw"), "error remote failed", "as it was told")
            expect(invoke(name, "nonsense"), "error ")
            expect(invoke(name, "hang", 1_500), "error deadline")
            expect(invoke("offline-dev-none", "hello"), "error ")
            if failures:
                failures.append((pathlib.Path(folder) / "log").read_text(errors="replace")[-2000:])
        finally:
            stop(process)
    if failures:
        sys.exit("FAILED: " + "\n".join(failures))


if __name__ == "__main__":
    main(*sys.argv[1:])
