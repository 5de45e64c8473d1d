"""S3 servers on loopback, for tests: radosgw and OpenStack Swift from Debian's packages,
and our own emulator.

Each server is a context manager: entering starts it in a folder, at free ports, without root; leaving
ends every process of it. `environment` is what a client needs. No service of the system is touched.
"""
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid

START_SECONDS = 60


class Missing(Exception):
    """A program of the server isn't installed; the message names its packages."""


class Broken(Exception):
    """The server is installed and does not start."""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Server:
    packages = ""
    programs = ()
    path_style = True

    def __init__(self, folder):
        self.dir = pathlib.Path(folder).absolute()
        self.processes = []
        # Debian keeps daemons where a user's PATH does not look.
        self.env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def __enter__(self):
        for program in self.programs:
            if not shutil.which(program, path=self.env["PATH"]):
                raise Missing(f"no {program} here; it is in Debian's {self.packages}")
        shutil.rmtree(self.dir, ignore_errors=True)
        (self.dir / "log").mkdir(parents=True)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        self.processes = []

    def spawn(self, name, *argv, **popen):
        with open(self.dir / "log" / f"{name}.out", "wb") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=self.env, cwd=self.dir, start_new_session=True, **popen)
        self.processes.append(process)
        return process

    def run(self, *argv):
        done = subprocess.run(argv, env=self.env, cwd=self.dir, capture_output=True, timeout=60)
        if done.returncode != 0:
            raise Broken(f"{' '.join(argv)}: {(done.stdout + done.stderr).decode()[-1500:]}")

    def await_http(self, port):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for process in self.processes:
                if process.poll() is not None:
                    raise Broken(f"{process.args[0]} ended with {process.returncode}:\n{self.logs()}")
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    f"http://127.0.0.1:{port}/", timeout=5).close()
                return
            except urllib.error.HTTPError:
                return  # any answer will do
            except OSError:
                time.sleep(0.1)
        raise Broken(f"no answer within {START_SECONDS} s:\n{self.logs()}")

    def logs(self):
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-600:]}"
                         for path in sorted((self.dir / "log").iterdir()))

    def use(self, port, key, secret):
        self.environment = {
            "LLAMA_TEST_S3_ENDPOINT": f"http://127.0.0.1:{port}",
            "LLAMA_TEST_S3_BUCKET": "llama-test",
            "LLAMA_TEST_S3_PATH_STYLE": "1" if self.path_style else "0",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": "us-east-1",
        }


CEPH_CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon}/0]
public addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
run dir = {dir}/run
admin socket = {dir}/run/$cluster-$name.asok
log file = {dir}/log/$name.log
pid file = {dir}/run/$name.pid
keyring = {dir}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
mon allow pool size one = true
mon max pg per osd = 1000
osd crush chooseleaf type = 0
osd class update on start = false
[mon]
mon data = {dir}/mon
mon warn on pool no redundancy = false
[osd]
osd data = {dir}/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd max object name len = 2048
[client.rgw]
rgw data = {dir}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
ms mon client mode = crc
rgw thread pool size = 64
rgw enable usage log = false
rgw enable gc threads = false
rgw enable lc threads = false
rgw enable quota threads = false
rgw run sync thread = false
"""


class Radosgw(Server):
    """Ceph's object gateway on one monitor and one storage daemon that keeps all in memory."""

    packages = "ceph-mon ceph-osd radosgw ceph-common"
    programs = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph")

    def start(self):
        for folder in ("mon", "osd", "rgw", "run"):
            (self.dir / folder).mkdir()
        (self.dir / "keyring").touch()
        mon, port = free_ports(2)
        fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
        conf = self.dir / "ceph.conf"
        conf.write_text(CEPH_CONF.format(fsid=fsid, mon=mon, port=port, dir=self.dir))
        ours = ("-c", str(conf))
        monmap = str(self.dir / "monmap")
        self.run("monmaptool", "--create", "--fsid", fsid, "--addv", "a",
                 f"[v2:127.0.0.1:{mon}/0]", monmap)
        self.run("ceph-mon", *ours, "--mkfs", "-i", "a", "--monmap", monmap)
        self.spawn("mon", "ceph-mon", *ours, "-f", "-i", "a")
        self.run("ceph", *ours, "osd", "new", osd)
        self.run("ceph-osd", *ours, "--mkfs", "-i", "0", "--osd-uuid", osd)
        self.spawn("osd", "ceph-osd", *ours, "-f", "-i", "0")
        key, secret = "LLAMATESTKEY", "llama-test-secret"
        self.run("radosgw-admin", *ours, "-n", "client.rgw", "user", "create", "--uid=test",
                 "--display-name=test", f"--access-key={key}", f"--secret-key={secret}")
        self.spawn("rgw", "radosgw", *ours, "-f", "-n", "client.rgw")
        self.await_http(port)
        self.use(port, key, secret)


class Emulator(Server):
    """llama emulator, over http or https."""

    packages = "llama"
    tls = False

    def __init__(self, folder, llama):
        super().__init__(folder)
        self.programs = (llama,)

    def start(self):
        port_file = self.dir / "port"
        state = self.dir / "emulator"
        self.env["LLAMA_DIR"] = str(self.dir / "state")
        self.spawn("emulator", *self.programs, "emulator", "--port", "0", "--port-file",
                   str(port_file), "--dir", str(state), *(["--tls"] if self.tls else []))
        deadline = time.monotonic() + START_SECONDS
        while not port_file.exists() or not port_file.read_text().strip():
            if self.processes[0].poll() is not None or time.monotonic() > deadline:
                raise Broken(f"the emulator does not start:\n{self.logs()}")
            time.sleep(0.02)
        settings = self.read_environment(state / "env")
        scheme = "https" if self.tls else "http"
        self.use(int(port_file.read_text()), settings["AWS_ACCESS_KEY_ID"],
                 settings["AWS_SECRET_ACCESS_KEY"])
        self.environment["LLAMA_TEST_S3_ENDPOINT"] = settings["AWS_ENDPOINT_URL"]
        if not settings["AWS_ENDPOINT_URL"].startswith(scheme + "://"):
            raise Broken(f"not {scheme}: {settings['AWS_ENDPOINT_URL']}")
        if self.tls:
            self.environment["AWS_CA_BUNDLE"] = settings["AWS_CA_BUNDLE"]

    @staticmethod
    def read_environment(path):
        words = shlex.split(path.read_text(), comments=True)
        return dict(word.split("=", 1) for word in words if "=" in word)


class EmulatorTls(Emulator):
    tls = True


SWIFT_SERVER_CONF = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {dir}/etc
devices = {dir}/srv
mount_check = false
disable_fallocate = true
workers = 0
log_address = {dir}/log/none
log_level = WARNING
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""

SWIFT_PROXY_CONF = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {dir}/etc
workers = 0
log_address = {dir}/log/none
log_level = WARNING
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth bulk slo copy symlink versioned_writes proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing-secret .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:copy]
use = egg:swift#copy
[filter:symlink]
use = egg:swift#symlink
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
"""

class Swift(Server):
    """OpenStack Swift with its s3api: strict about signatures, without conditional PUT."""

    packages = "swift-proxy swift-account swift-container swift-object memcached"
    programs = ("swift-proxy-server", "swift-account-server", "swift-container-server",
                "swift-object-server", "swift-ring-builder", "memcached")

    def start(self):
        # Read from there whatever swift_dir says; its package makes it.
        if not os.access("/etc/swift/swift.conf", os.R_OK):
            raise Missing("no /etc/swift/swift.conf to read, without which Swift does not start")
        user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        for folder in ("etc", "srv/d1"):
            (self.dir / folder).mkdir(parents=True)
        etc = self.dir / "etc"
        proxy, memcached, *storage = free_ports(5)
        self.spawn("memcached", "memcached", "-u", user, "-l", "127.0.0.1", "-p", str(memcached),
                   "-m", "16")
        for name, port in zip(("account", "container", "object"), storage):
            builder = str(etc / f"{name}.builder")
            self.run("swift-ring-builder", builder, "create", "4", "1", "1")
            self.run("swift-ring-builder", builder, "add", f"r1z1-127.0.0.1:{port}/d1", "1")
            self.run("swift-ring-builder", builder, "rebalance")
            conf = etc / f"{name}-server.conf"
            conf.write_text(SWIFT_SERVER_CONF.format(name=name, port=port, user=user, dir=self.dir))
            self.spawn(name, f"swift-{name}-server", str(conf))
        conf = etc / "proxy-server.conf"
        conf.write_text(SWIFT_PROXY_CONF.format(port=proxy, memcached=memcached, user=user,
                                                dir=self.dir))
        self.spawn("proxy", "swift-proxy-server", str(conf))
        self.await_http(proxy)
        self.use(proxy, "test:tester", "testing-secret")
