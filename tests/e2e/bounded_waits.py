"""A cloud in trouble costs seconds, once: how long a build takes with each kind of trouble.

    bounded_waits.py CASE       a function of this file that begins with case_

24 small compiles are built by plain make and then through llama, in the same run, on an emulated AWS
that comes into trouble in mid-build or is in it from the start. In every case the build succeeds,
its objects are the local compiler's, and its time stays within a bar that is a multiple of plain
make's and some seconds. docs/faults.md has the table.
"""
import os
import signal
import subprocess
import sys
import threading
import time

import emulated
import harness
import hostile_endpoint
import synthetic
import trees
from harness import Skip, expect, wait_until

UNITS = 24
# How much of an optimiser's work: some 0.4 s a unit of a slow core.
FUNCTIONS = 100
MAKE = ["make", "-s", "-j4"]
LIMIT = 280  # what ends a build that hangs, so that it can be told


class Trouble:
    """What two builds of the same sources are measured by."""

    def __init__(self, scene):
        self.scene = scene
        self.tree, self.plain = scene.dir / "tree", scene.dir / "plain"
        self.plain_s = self._build_plain()

    def _build_plain(self):
        synthetic.write(self.tree, UNITS, FUNCTIONS)
        begin = time.monotonic()
        self.scene.run(MAKE, cwd=self.tree).expect_status(0)
        seconds = time.monotonic() - begin
        self.tree.rename(self.plain)
        synthetic.write(self.tree, UNITS, FUNCTIONS)
        return seconds

    def warm_up(self):
        """The store has the toolchain, and workers run."""
        warm = self.scene.dir / "warm"
        synthetic.write(warm, 2, 1)
        self.scene.llama_build("warm", MAKE, cwd=warm).expect_status(0)

    def build(self, factor, seconds, begins=None, after=4):
        """Through llama; `begins` is called when so many objects are there."""
        begin = time.monotonic()
        process = self.scene.start_build("trouble", MAKE, cwd=self.tree)
        watcher = threading.Thread(target=self._begin, args=(process, begins, after))
        watcher.start()
        try:
            done = harness.finish(process, LIMIT)
        finally:
            watcher.join()
        took = time.monotonic() - begin
        done.expect_status(0)
        bar = factor * self.plain_s + seconds
        print(f"plain make {self.plain_s:.1f} s, through llama {took:.1f} s, bar {bar:.1f} s")
        faults = trees.compare(self.plain, self.tree)
        expect(not faults, "\n".join(faults))
        ran = [c.describe() for c in self.scene.compiles("trouble")]
        print(f"{len(ran)} compiles: {({how: ran.count(how) for how in sorted(set(ran))})}")
        expect(took <= bar, f"the build took {took:.1f} s, more than {factor} × {self.plain_s:.1f} + {seconds} s")
        return done

    def _begin(self, process, begins, after):
        while begins and process.poll() is None:
            if len(list(self.tree.glob("*.o"))) >= after:
                begins()
                return
            time.sleep(harness.POLL_SECONDS)


def on_emulator(scene, *options):
    """An emulated AWS and a project on it, warm."""
    trouble = Trouble(scene)
    cloud = emulated.use(scene, *options)
    trouble.warm_up()
    return cloud, trouble


def case_stopped_server(scene):
    """The endpoint takes connections and never answers, from mid-build on."""
    cloud, trouble = on_emulator(scene)
    try:
        trouble.build(1.5, 10, lambda: os.kill(cloud.process.pid, signal.SIGSTOP))
    finally:
        os.kill(cloud.process.pid, signal.SIGCONT)


def case_throttled(scene):
    """Every invocation is throttled, from mid-build on."""
    cloud, trouble = on_emulator(scene)
    trouble.build(1.5, 10, lambda: cloud.set_model(lambda__error__429="100%"))


def case_no_concurrency(scene):
    """The function's reserved concurrency is 0: throttled for good."""
    curl = harness.require_program("curl")
    cloud, trouble = on_emulator(scene)
    (scene.dir / "curl").write_text("\n".join((
        f'user = "{cloud.env["AWS_ACCESS_KEY_ID"]}:{cloud.env["AWS_SECRET_ACCESS_KEY"]}"',
        f'aws-sigv4 = "aws:amz:{cloud.env["AWS_REGION"]}:lambda"', f'cacert = "{cloud.env["AWS_CA_BUNDLE"]}"')))
    scene.run([curl, "-sS", "--fail", "-K", scene.dir / "curl", "-X", "PUT", "-H", "Content-Type: application/json",
               "-d", '{"ReservedConcurrentExecutions": 0}',
               f"{cloud.env['AWS_ENDPOINT_URL']}/2017-10-31/functions/llama/concurrency"]).expect_status(0)
    trouble.build(1.5, 10)


def case_store_unavailable(scene):
    """S3 answers 503 to everything, and the store is empty."""
    trouble = Trouble(scene)
    cloud = emulated.use(scene)
    cloud.set_model(s3__error__503="100%")
    trouble.build(1.5, 10)


def case_stalling_transfers(scene):
    """A third of all answers stand still in their midst."""
    cloud, trouble = on_emulator(scene)
    cloud.set_model(error__stall="33%")
    trouble.build(2, 10)


def case_thin_uplink(scene):
    """512 KiB/s, and the toolchain has to go up."""
    trouble = Trouble(scene)
    cloud = emulated.use(scene)
    cloud.set_model(bandwidth__total__up="512KiB/s")
    trouble.build(2, 10)


def hostile(scene, behaviour):
    """An endpoint that does one thing to every request, from the start."""
    trouble = Trouble(scene)
    server = hostile_endpoint.Server(behaviour)
    scene.at_end.append(server.stop)
    scene.llama_dir.mkdir(mode=0o700, exist_ok=True)
    (scene.llama_dir / "config").write_text("object_store = s3://a-bucket\nfunction = llama\nregion = eu-west-1\n")
    scene.extra_env.update(AWS_ENDPOINT_URL=server.url, AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
                           AWS_SECRET_ACCESS_KEY="secret")
    trouble.build(1.5, 10)
    print(f"{server.requests} requests")


def case_hostile_mute(scene):
    hostile(scene, "mute")


def case_hostile_slow_head(scene):
    hostile(scene, "slow_head")


def case_hostile_redirect(scene):
    hostile(scene, "redirect")


def case_hostile_big_body(scene):
    hostile(scene, "big_body")


def case_hostile_big_head(scene):
    hostile(scene, "big_head")


def case_hostile_slow_body(scene):
    hostile(scene, "slow_body")


def case_full_disk(scene):
    """The state folder's disk is full, on the embedded cloud."""
    harness.require_root("to mount a small file system")
    trouble = Trouble(scene)
    scene.llama_dir.mkdir(mode=0o700, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", scene.llama_dir], check=False,
                             capture_output=True)
    if mounted.returncode != 0:
        raise Skip(f"mount fails here: {mounted.stderr.decode().strip()}")
    scene.at_end.append(lambda: subprocess.run(["umount", "-l", scene.llama_dir], check=True))
    trouble.build(1.2, 1)


def case_stopped_daemon(scene):
    """The daemon is stopped in mid-build."""
    trouble = Trouble(scene)
    trouble.warm_up()
    daemon, = scene.daemons()
    try:
        trouble.build(1, 5, lambda: os.kill(daemon, signal.SIGSTOP))
    finally:
        os.kill(daemon, signal.SIGCONT)
    wait_until(lambda: scene.llama("daemon", "status").status == 0, 20, "the daemon")


def scenario(scene):
    globals()["case_" + sys.argv[1]](scene)


harness.run(scenario)
