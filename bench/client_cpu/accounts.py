"""Whose CPU time it was: of a command that was started here; of a daemon, without its workers."""
import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
# After the last compile the daemon still writes: it flushes once a second.
SETTLE_SECONDS = 1.2


def command_ms(argv, cwd, env, output=subprocess.DEVNULL):
    """CPU of a command and all that it waited for. Raises if it fails."""
    process = subprocess.Popen([str(a) for a in argv], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output,
                               stderr=output, start_new_session=True)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        # Hundreds of wrappers whose daemon ends would become compilers.
        os.killpg(process.pid, signal.SIGKILL)
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, argv)
    return (usage.ru_utime + usage.ru_stime) * 1000


@functools.cache
def compiler_paths():
    """Compilers, the assembler, and their libraries: all that a toolchain is of."""
    programs = ["gcc", "g++", "as"]
    for name in ("cc1", "cc1plus"):
        programs.append(subprocess.run(["gcc", f"-print-prog-name={name}"], check=True, capture_output=True,
                                       text=True).stdout.strip())
    paths = {path for program in programs if (path := shutil.which(program))}
    for path in list(paths):
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        paths |= {word for word in listed.split() if word.startswith("/")}
    return sorted(path for path in paths if os.path.exists(path))


def compilers():
    """What tells a daemon that a compiler is another one: a hard link to it suffices."""
    return [os.stat(path).st_ctime_ns for path in compiler_paths()]


def stat_fields(pid):
    """Of /proc/PID/stat, from the state on; empty if the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def own_ms(pid):
    """Of a process that runs, all its threads: the kernel's clock of it, to the nanosecond."""
    return time.clock_gettime(~int(pid) << 3 | 2) * 1000


def waited_ms(fields):
    return (int(fields[13]) + int(fields[14])) * 1000 / TICKS


def all_ms(fields):
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS + waited_ms(fields)


class Daemon:
    """A daemon with a state folder of its own, from its start to its stop.

    Its CPU is that of its threads and of the children that it waited for (compilers that it asks, `cc -M`).
    Workers are its children too, but what they do a function would do elsewhere: one that was waited
    for is taken off again, by what it had used when it was last seen.
    """

    def __init__(self, llama, env):
        self.llama, self.env = llama, env
        subprocess.run([llama, "daemon", "start"], env=env, check=True)
        self.pid = self.status()["pid"]
        self.workers, self.ended_ms = {}, 0.0
        self.stopping = threading.Event()
        self.watch = threading.Thread(target=self._watch)
        self.watch.start()

    def stop(self):
        self.stopping.set()
        self.watch.join()
        subprocess.run([self.llama, "daemon", "stop"], env=self.env, check=False)

    def status(self):
        out = subprocess.run([self.llama, "daemon", "status", "--json"], env=self.env, check=True, capture_output=True)
        return json.loads(out.stdout)

    def cpu_ms(self):
        """Of its threads and its children but workers."""
        self._look_at_workers()
        return own_ms(self.pid) + waited_ms(stat_fields(self.pid)) - self.ended_ms

    def peak_mb(self):
        """The most memory since this was last asked."""
        lines = pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return peak / 1024

    def _watch(self):
        while not self.stopping.wait(1):
            self._look_at_workers()

    def _look_at_workers(self):
        now = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and len(fields := stat_fields(entry)) > 14 and int(fields[1]) == self.pid:
                # A compiler that the daemon asks is a child for a moment, and none of its session.
                if int(fields[3]) == int(entry):
                    now[entry] = all_ms(fields)
        self.ended_ms += sum(ms for pid, ms in self.workers.items() if pid not in now)
        self.workers = now
