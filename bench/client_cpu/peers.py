"""What others cost the build host, of those that are installed: ccache when it has the object, distcc's pump.

Neither shall compile here: what they would have to run is a script that copies the object that the
same compile gave before. So the peer's own part is counted and a round takes no longer than it must.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import time

from client_cpu import accounts

# Copies the object, and the depfile if there is one; distcc's server always wants one. Of two units of
# one name it may be the other's, which changes nothing but its size.
COMPILER = """#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    -o) output=$2; shift;;
    -MF) depfile=$2; shift;;
    *.c|*.cc|*.cpp|*.i|*.ii) source=${1##*/};;
  esac
  shift
done
ready=${BENCH_OBJECT:-$BENCH_OBJECTS/${source}}
[ -z "$depfile" ] || cp "$ready.d" "$depfile" 2> /dev/null || echo "$output: $source" > "$depfile"
exec cp "$ready" "$output"
"""


def write_compiler(path):
    path.write_text(COMPILER)
    path.chmod(0o755)


def ccache_hit(bench):
    """Direct hits, and nothing else: CPU ms of each unit, or why there is none."""
    if not shutil.which("ccache"):
        return "not installed"
    compiler = bench.work / "copy"
    write_compiler(compiler)
    env = bench.env | {"CCACHE_DIR": str(bench.work / "ccache"), "CCACHE_PREFIX": str(compiler),
                       "CCACHE_SLOPPINESS": "include_file_mtime,include_file_ctime"}
    for number, unit in enumerate(bench.units):
        ready = env | {"BENCH_OBJECT": str(bench.ready / f"{number}.o")}
        accounts.command_ms(["ccache", *unit.compile(bench.object(number))], bench.project.cwd, ready)
    subprocess.run(["ccache", "-z"], env=env, check=True, stdout=subprocess.DEVNULL)
    ms = bench.sequential(lambda unit, output: unit.compile(output), env, ["ccache"])
    stats = subprocess.run(["ccache", "--print-stats"], env=env, check=True, capture_output=True, text=True).stdout
    hits = int(dict(line.split("\t") for line in stats.splitlines())["direct_cache_hit"])
    return ms if hits >= 0.8 * len(bench.units) else f"{hits} hits in {len(bench.units)}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def distcc_pump(bench):
    """The client and its include server, warm: the second pass counts. CPU ms of each unit (of the server the
    mean), or why there is none."""
    pump = shutil.which("distcc-pump") or shutil.which("pump")
    if not (pump and shutil.which("distcc") and shutil.which("distccd")):
        return "not installed"
    folder = bench.work / "distcc"
    for name in ("bin", "objects", "home"):
        (folder / name).mkdir(parents=True)
    for name in {unit.compiler[0] for unit in bench.units}:
        write_compiler(folder / "bin" / name)
    for number, unit in enumerate(bench.units):
        for suffix in ("", ".d"):
            ready = bench.ready / f"{number}.o{suffix}"
            if ready.exists():
                shutil.copy(ready, folder / "objects" / (pathlib.Path(unit.source).name + suffix))
    port, log = free_port(), folder / "log"
    # It gives up root for another user, who can't write here.
    server = subprocess.Popen(["distccd", "--no-detach", "--daemon", "--listen", "127.0.0.1", "--allow", "127.0.0.1",
                               "--port", str(port), "--enable-tcp-insecure", "--log-stderr", "--log-level", "info"],
                              env=bench.env | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
                                               "BENCH_OBJECTS": str(folder / "objects")},
                              stderr=log.open("wb"), start_new_session=True)
    env = bench.env | {"TMPDIR": str(folder), "DISTCC_DIR": str(folder / "home")}
    env |= {"DISTCC_HOSTS": f"127.0.0.1:{port},lzo,cpp", "DISTCC_FALLBACK": "0", "DISTCC_NO_REWRITE_CROSS": "1",
            "DISTCC_LOG": str(folder / "client.log")}
    include_server = None
    try:
        said = subprocess.run([pump, "--startup"], env=env, check=True, capture_output=True, text=True).stdout
        for line in said.splitlines():
            if line.startswith("export "):
                name, _, value = line[len("export "):].partition("=")
                env[name] = value.strip("'\" ")
        include_server = int(env["INCLUDE_SERVER_PID"])
        time.sleep(0.5)
        for _ in range(2):
            before = accounts.own_ms(include_server)
            ms = bench.sequential(lambda unit, output: unit.compile(output), env, ["distcc"])
            after = accounts.own_ms(include_server)
        time.sleep(0.5)
        remote = log.read_text(errors="replace").count("COMPILE_OK")
        if remote != 2 * len(bench.units):
            return f"{remote // 2} of {len(bench.units)} compiles were remote"
        return [unit_ms + (after - before) / len(bench.units) for unit_ms in ms]
    except subprocess.CalledProcessError as error:
        return f"failed: {error}"
    finally:
        if include_server:
            subprocess.run([pump, "--shutdown"], env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.killpg(server.pid, 15)
        server.wait()


PEERS = {"ccache, hit": ccache_hit, "distcc's pump, warm": distcc_pump}
