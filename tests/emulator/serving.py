"""An emulator of a scenario's own, as users start it: `llama emulator` at a free port."""
import json
import os
import pathlib
import shlex
import signal
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import Failure, Skip, expect, finish, wait_until  # noqa: E402


class Emulator:
    def __init__(self, scene, *options, name="emulator"):
        self.scene = scene
        self.dir = scene.dir / name
        self.options = options
        self.process = None

    def __enter__(self):
        port_file = self.dir.with_suffix(".port")
        port_file.unlink(missing_ok=True)
        self.process = self.scene.start([self.scene.bin / "llama", "emulator", "--port", 0, "--dir", self.dir,
                                         "--port-file", port_file, *self.options])
        wait_until(lambda: port_file.exists() or self.process.poll() is not None, 30, "the emulator")
        if self.process.poll() is not None:
            raise Failure(f"the emulator ended: {finish(self.process).err.decode(errors='replace')}")
        self.port = int(port_file.read_text())
        self.env = self._sourced()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        ended = finish(self.process, 30)
        expect(ended.status == 0, f"the emulator ended with {ended.status}: {ended.err.decode(errors='replace')}")
        secret = self.env.get("AWS_SECRET_ACCESS_KEY") or self.env["LLAMA_EMULATOR_TOKEN"]
        told = ended.out + ended.err + (self.dir / "requests.ndjson").read_bytes()
        expect(secret.encode() not in told, "the secret is in the emulator's output or log")

    def _sourced(self):
        script = f". {shlex.quote(str(self.dir / 'env'))}; env -0"
        env = {k: v for k, v in self.scene.env().items() if not k.startswith("AWS_")}
        out = self.scene.run(["sh", "-c", script], env=env).expect_status(0).out
        sourced = dict(entry.split("=", 1) for entry in out.decode().split("\0") if entry)
        # A client that does not know AWS_ENDPOINT_URL must not reach AWS: port 9 discards.
        nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
        return sourced | nowhere | dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")

    @property
    def endpoint(self):
        return self.env["AWS_ENDPOINT_URL"]

    @property
    def certificate(self):
        return self.env.get("AWS_CA_BUNDLE")

    def admin(self, method, name, body=None):
        """Plain HTTP only. The answer's body; a Failure for an error."""
        request = urllib.request.Request(f"{self.endpoint}/_emulator/{name}", method=method, data=body,
                                         headers={"Authorization": self.env["LLAMA_EMULATOR_TOKEN"]})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return answer.read().decode()

    def metrics(self):
        return json.loads(self.admin("GET", "metrics"))

    def log(self):
        lines = (self.dir / "requests.ndjson").read_text().splitlines()
        return [json.loads(line) for line in lines]


def node_modules(scene, package):
    """The folder of node packages that holds this one."""
    for folder in (os.environ.get("LLAMA_NODE_MODULES"), scene.build_dir / "node_modules"):
        if folder and (pathlib.Path(folder) / package).is_dir():
            return pathlib.Path(folder)
    raise Skip(f"no {package}; tools/node_packages.sh installs it")
