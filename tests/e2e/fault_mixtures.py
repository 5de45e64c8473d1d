"""A cloud, a daemon and workers with several faults at once, drawn by a seed.

    fault_mixtures.py SEED

Of each mixture: the build succeeds, its objects are plain make's, nothing is left behind, and it takes
no longer than 3 × plain make + 15 s. What is drawn is printed first.
"""
import os
import random
import shutil
import signal
import sys
import time

import emulated
import harness
from trouble import Trouble

# What the model can do, and how bad.
MODEL = {
    "error__any": ("5%", "20%", "50%", "90%"),
    "error__stall": ("5%", "20%", "50%"),
    "error__reset": ("10%", "50%"),
    "error__truncate": ("10%", "50%"),
    "s3__error__503": ("20%", "60%", "100%"),
    "lambda__error__429": ("20%", "60%", "100%"),
    "lambda__error__500": ("20%", "60%", "100%"),
    "s3__latency": ("500ms", "uniform 10ms 4s"),
    "s3__put__latency": ("2s", "uniform 10ms 8s"),
    "lambda__invoke__latency": ("1s", "uniform 10ms 4s"),
    "lambda__cold_start": ("3s", "10s"),
    "lambda__concurrency": ("1", "2"),
    "bandwidth__total__up": ("128KiB/s", "512KiB/s", "2MiB/s"),
    "bandwidth__total__down": ("128KiB/s", "1MiB/s"),
    "bandwidth__worker__down": ("256KiB/s",),
}


class Mixture:
    """Faults, and when they come and go: in counts of objects that are there."""

    def __init__(self, seed):
        draw = random.Random(seed)
        keys = draw.sample(sorted(MODEL), draw.randint(1, 3))
        self.model = {key: draw.choice(MODEL[key]) for key in keys}
        self.is_warm = draw.random() < 0.6
        self.after = draw.choice((0, 4, 10))
        self.recovers_s = draw.choice((None, None, 5, 15))
        self.blow = draw.choice((None, None, "stop_server", "pause_server", "kill_server", "pause_daemon",
                                 "kill_daemon", "kill_workers", "lose_store", "lose_pool"))

    def describe(self):
        model = ", ".join(f"{key.replace('__', '.')}={value}" for key, value in self.model.items())
        return (f"{'warm' if self.is_warm else 'cold'}; after {self.after} objects: {model}"
                f"{f', for {self.recovers_s} s' if self.recovers_s else ''}{f'; {self.blow}' if self.blow else ''}")


class Blows:
    """What happens once, by hand."""

    def __init__(self, scene, cloud):
        self.scene, self.cloud = scene, cloud

    def _signal(self, pids, number):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def _pause(self, pids, seconds):
        self._signal(pids, signal.SIGSTOP)
        time.sleep(seconds)
        self._signal(pids, signal.SIGCONT)

    def stop_server(self):
        self._signal([self.cloud.process.pid], signal.SIGSTOP)

    def pause_server(self):
        self._pause([self.cloud.process.pid], 8)

    def kill_server(self):
        self.cloud.process.terminate()

    def pause_daemon(self):
        self._pause(self.scene.daemons(), 8)

    def kill_daemon(self):
        self._signal(self.scene.daemons(), signal.SIGKILL)

    def kill_workers(self):
        self._signal(self.scene.workers(), signal.SIGKILL)

    def lose_store(self):
        shutil.rmtree(self.cloud.dir / "s3", ignore_errors=True)

    def lose_pool(self):
        """What the daemon knows of the store, and its socket."""
        shutil.rmtree(self.scene.llama_dir / "run", ignore_errors=True)
        shutil.rmtree(self.scene.llama_dir / "index", ignore_errors=True)


def run_mixture(scene):
    mixture = Mixture(int(sys.argv[1]))
    print(mixture.describe())
    trouble = Trouble(scene)
    cloud = emulated.use(scene)
    if mixture.is_warm:
        trouble.warm_up()

    def begins():
        cloud.set_model(stall__time="20s", **mixture.model)
        begun = time.monotonic()
        if mixture.blow:
            getattr(Blows(scene, cloud), mixture.blow)()
        if mixture.recovers_s and mixture.blow not in ("stop_server", "kill_server"):
            time.sleep(max(0, mixture.recovers_s - (time.monotonic() - begun)))
            if cloud.process.poll() is None:
                cloud.set_model()

    try:
        trouble.build(3, 15, begins, after=mixture.after)
    finally:
        if cloud.process.poll() is None:
            os.kill(cloud.process.pid, signal.SIGCONT)


harness.run(run_mixture)
