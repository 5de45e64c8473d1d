"""Two builds of the same small compiles: by plain make, and through llama while the cloud is in trouble.

The bar of a case is a multiple of plain make's time and some seconds. Plain make runs right before the
other, and its objects are what the other's must be.
"""
import threading
import time

import emulated
import harness
import synthetic
import trees
from harness import expect

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
        self.before = []  # what the build is started by, for example an `unshare`

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
        llama = self.scene.bin / "llama"
        process = self.scene.start([*self.before, llama, "build", "--name", "trouble", "--", *MAKE], cwd=self.tree)
        watcher = threading.Thread(target=self._begin, args=(process, begins, after))
        watcher.start()
        try:
            done = harness.finish(process, LIMIT)
        finally:
            watcher.join()
        took = time.monotonic() - begin
        done.expect_status(0)
        bar = factor * self.plain_s + seconds
        faults = trees.compare(self.plain, self.tree)
        expect(not faults, "\n".join(faults))
        # fault_table.py reads this line.
        print(f"plain {self.plain_s:.1f} s, llama {took:.1f} s, bar {bar:.1f} s = {factor} × plain + {seconds} s")
        self._print_compiles()
        expect(took <= bar, f"the build took {took:.1f} s, more than {bar:.1f} s")
        return done

    def _print_compiles(self):
        try:
            ran = [c.describe() for c in self.scene.compiles("trouble")]
        except (harness.Failure, OSError):
            print("no trace of the build")  # whose disk is full, or whose daemon was killed
            return
        print(f"{len(ran)} compiles: {({how: ran.count(how) for how in sorted(set(ran))})}")

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
