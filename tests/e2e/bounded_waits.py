"""A cloud in trouble costs seconds, once: how long a build takes with each kind of trouble.

    bounded_waits.py CASE       a function of this file that begins with case_

24 small compiles are built by plain make and then through llama, in the same run, on an emulated AWS
that comes into trouble in mid-build or is in it from the start. In every case the build succeeds,
its objects are the local compiler's, and its time stays within a bar that is a multiple of plain
make's and some seconds. docs/faults.md has the table.
"""
import os
import signal
import socket
import subprocess
import sys

import emulated
import harness
import hostile_endpoint
from harness import Skip, wait_until
from trouble import Trouble, on_emulator


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


def serve_hostile(scene, behaviour):
    server = hostile_endpoint.Server(behaviour)
    scene.at_end.append(server.stop)
    return server


def hostile(behaviour):
    """A case with an endpoint that does one thing to every request, from the start."""

    def case(scene):
        trouble = Trouble(scene)
        use_endpoint(scene, serve_hostile(scene, behaviour).url)
        trouble.build(1.5, 10)

    return case


def use_endpoint(scene, url):
    scene.llama_dir.mkdir(mode=0o700, exist_ok=True)
    (scene.llama_dir / "config").write_text("object_store = s3://a-bucket\nfunction = llama\nregion = eu-west-1\n")
    scene.extra_env.update(AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="secret")


HOSTILE = ("mute", "slow_head", "slow_body", "redirect", "big_head", "big_body", "cut", "garbage", "slow_read",
           "handshake")
globals().update({f"case_hostile_{name}": hostile(name) for name in HOSTILE})


def case_lost_invocations(scene):
    """Invocations are never answered, and all else is: only the job's deadline ends one, here 20 s."""
    trouble = Trouble(scene)
    use_endpoint(scene, serve_hostile(scene, "lost").url)
    scene.extra_env["LLAMA_JOB_TIMEOUT"] = "20"
    trouble.build(1.5, 10 + 20)


def one_service_mute(scene, variable):
    """The other one is an emulated AWS that is well."""
    trouble = Trouble(scene)
    emulated.use(scene)
    scene.llama("daemon", "stop")
    server = serve_hostile(scene, "mute")
    scene.extra_env[variable] = server.url
    trouble.build(1.5, 10)


def case_function_mute(scene):
    one_service_mute(scene, "AWS_ENDPOINT_URL_LAMBDA")


def case_store_mute(scene):
    one_service_mute(scene, "AWS_ENDPOINT_URL_S3")


def case_names_unanswered(scene):
    """No name server answers."""
    harness.require_root("to set another name server")
    harness.require_program("unshare")
    trouble = Trouble(scene)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.91.7.3", 53))
    scene.at_end.append(names.close)
    (scene.dir / "resolv.conf").write_text("nameserver 127.91.7.3\n")
    use_endpoint(scene, "http://cloud.example")
    trouble.before = ["unshare", "--mount", "sh", "-c",
                      f'mount --bind "{scene.dir}/resolv.conf" /etc/resolv.conf && exec "$@"', "sh"]
    trouble.build(1.5, 10)


def small_state_disk(scene, size):
    """The state folder's disk is small, on the embedded cloud."""
    harness.require_root("to mount a small file system")
    trouble = Trouble(scene)
    scene.llama_dir.mkdir(mode=0o700, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", scene.llama_dir], check=False,
                             capture_output=True)
    if mounted.returncode != 0:
        raise Skip(f"mount fails here: {mounted.stderr.decode().strip()}")
    scene.at_end.append(lambda: subprocess.run(["umount", "-l", scene.llama_dir], check=True))
    trouble.build(1.2, 1)


def case_full_disk(scene):
    """No room for the toolchain's layer."""
    small_state_disk(scene, "6m")


def case_full_mirror(scene):
    """Room for the layer, and none for a worker's mirror of it."""
    small_state_disk(scene, "40m")


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
