"""An emulated AWS for a scene: `llama emulator` over HTTPS, set up by `llama bootstrap`.

From then on the scene's builds go to S3 and Lambda as the emulator has them: signed, encrypted, as
slow and as limited as the model says, with functions in namespaces and bare roots of their own.
"""
import json
import os
import pathlib
import shlex
import signal
import ssl
import urllib.request

import harness
from harness import Failure, expect, finish, wait_until


class Cloud:
    """The emulator of a scene. Ends with the scene."""

    def __init__(self, scene, *options):
        self.scene = scene
        self.dir = scene.dir / "aws"
        port_file = scene.dir / "aws.port"
        self.process = scene.start([scene.bin / "llama", "emulator", "--port", 0, "--port-file", port_file,
                                    "--dir", self.dir, "--tls", *options])
        scene.at_end.append(self.stop)
        wait_until(lambda: port_file.exists() or self.process.poll() is not None, 30, "the emulator")
        if self.process.poll() is not None:
            raise Failure(f"the emulator ended: {finish(self.process).err.decode(errors='replace')}")
        self.env = self._sourced()
        scene.extra_env.update({k: v for k, v in self.env.items() if k.startswith(("AWS_", "LLAMA_EMULATOR"))})

    def _sourced(self):
        env = {k: v for k, v in self.scene.env().items() if not k.startswith("AWS_")}
        script = f". {shlex.quote(str(self.dir / 'env'))}; env -0"
        out = self.scene.run(["sh", "-c", script], env=env).expect_status(0).out
        return dict(entry.split("=", 1) for entry in out.decode().split("\0") if entry)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        ended = finish(self.process, 60)
        expect(ended.status == 0, f"the emulator ended with {ended.status}: {ended.err.decode(errors='replace')}")

    def admin(self, method, name, body=None):
        request = urllib.request.Request(f"{self.env['AWS_ENDPOINT_URL']}/_emulator/{name}", method=method,
                                         data=None if body is None else body.encode(),
                                         headers={"Authorization": self.env["LLAMA_EMULATOR_TOKEN"]})
        context = ssl.create_default_context(cafile=self.env["AWS_CA_BUNDLE"])
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=20) as answer:
            return answer.read().decode()

    def set_model(self, **settings):
        """Keys with '__' for '.': error__any="5%"."""
        lines = [f"{key.replace('__', '.')} = {value}" for key, value in settings.items()]
        self.admin("PUT", "model", "profile = aws\n" + "\n".join(lines) + "\n")

    def requests(self):
        """The request log: one record a request."""
        return [json.loads(line) for line in (self.dir / "requests.ndjson").read_text().splitlines()]

    def secrets(self):
        """Everything that nobody may ever print: by what it is."""
        return {name: self.env[name] for name in ("AWS_SECRET_ACCESS_KEY", "LLAMA_EMULATOR_TOKEN")
                if self.env.get(name)}


def use(scene, *options):
    """Starts the cloud (AWS-like latencies and limits) and makes bucket, role and function there."""
    if os.geteuid() == 0:
        options = ("--bare-root", *options)
    cloud = Cloud(scene, "--profile", "aws", *options)
    scene.llama("bootstrap", "--yes", timeout=120).expect_status(0)
    return cloud


def check_used(cloud, compiles):
    """Every compile was an invocation over there, and nothing went round it."""
    invoked = [r for r in cloud.requests() if r["operation"] == "Invoke" and r["status"] == 200]
    expect(len(invoked) >= compiles, f"{len(invoked)} invocations for {compiles} remote compiles")
    pool = pathlib.Path(cloud.scene.llama_dir) / "pool"
    expect(not pool.exists(), f"{pool}: the local pool was used")


def require_namespaces():
    harness.require_root("for functions in bare roots")
