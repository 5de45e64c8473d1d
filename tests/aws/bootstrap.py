"""llama bootstrap and llama function, from nothing to nothing: bootstrap.py LLAMA LLAMA-RUNTIME.

Exits with 77, saying why, where there is no control plane to be had.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import control_plane

SKIPPED = 77
SECRET = "wJalrTESTSECRETbootstrapKEY"
EVERYTHING = ["bucket", "role", "role policy", "log group", "function"]


class Scene:
    def __init__(self, llama, worker, folder, url):
        self.llama, self.folder = llama, folder
        # A worker of a debug build is larger than Lambda takes.
        self.worker = str(folder / "llama-runtime")
        subprocess.run(["strip", "-o", self.worker, worker], check=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_REGION": "eu-west-1",
                    "LLAMA_DIR": str(folder / "state"), "AWS_ENDPOINT_URL": url,
                    "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": SECRET,
                    "AWS_EC2_METADATA_DISABLED": "true"}
        self.url = url

    def run(self, *arguments, status=0, **env):
        done = subprocess.run([self.llama, *arguments], env=dict(self.env, **env), text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        assert SECRET not in done.stdout + done.stderr, "a secret was printed"
        return done.stdout + done.stderr

    def bootstrap(self, *options, **env):
        worker = [] if "--destroy" in options else ["--zip", self.worker]
        return json.loads(self.run("bootstrap", "--json", "--yes", *worker, *options, **env))

    def function(self, verb, *arguments, **kept):
        return self.run("function", verb, *arguments, **kept)

    def config(self):
        return (self.folder / "state" / "config").read_text()


def verbs(plan):
    return {step["part"]: step["verb"] for step in plan["steps"]}


def creates_everything_once(scene):
    plan = scene.bootstrap("--dry-run")
    assert verbs(plan) == dict.fromkeys(EVERYTHING, "create"), plan
    assert not plan["carried_out"] and not (scene.folder / "state" / "config").exists()
    assert verbs(scene.bootstrap("--dry-run")) == dict.fromkeys(EVERYTHING, "create")

    refused = scene.run("bootstrap", "--zip", scene.worker, status=1)
    assert "--yes is needed" in refused, refused

    (scene.folder / "state").mkdir(exist_ok=True)
    (scene.folder / "state" / "config").write_text("# mine\nmax_concurrency = 7\n")
    plan = scene.bootstrap()
    assert plan["carried_out"] and verbs(plan) == dict.fromkeys(EVERYTHING, "create"), plan
    assert plan["usd_per_month_idle"] == 0 and 0.01 < plan["usd_per_1000_compiles"] < 0.1, plan
    config = scene.config()
    assert config.startswith("# mine\nmax_concurrency = 7\n"), config
    assert "object_store = s3://llama-123456789012-eu-west-1\n" in config, config
    assert "function = llama\n" in config, config

    plan = scene.bootstrap()
    assert verbs(plan) == dict.fromkeys(EVERYTHING, "keep"), plan
    assert not plan["carried_out"] and scene.config() == config


def changes_only_what_is_asked_for(scene):
    plan = scene.bootstrap("--memory", "3008", "--timeout", "800")
    changed = dict.fromkeys(EVERYTHING, "keep")
    changed["function"] = "change"
    assert verbs(plan) == changed, plan
    function = json.loads(scene.function("list", "--json"))[0]
    assert (function["memory_mb"], function["tmp_mb"], function["timeout_s"]) == (3008, 2048, 800)
    assert verbs(scene.bootstrap()) == dict.fromkeys(EVERYTHING, "keep")

    other = scene.folder / "other-runtime"
    other.write_bytes(pathlib.Path(scene.worker).read_bytes() + b"another version")
    plan = json.loads(scene.run("bootstrap", "--json", "--yes", "--zip", str(other)))
    assert verbs(plan) == changed, plan
    scene.bootstrap()


def keeps_house_with_functions(scene):
    scene.function("create", "big", "--memory", "10240", "--env", "A=B", "--zip", scene.worker)
    names = [f["name"] for f in json.loads(scene.function("list", "--json"))]
    assert sorted(names) == ["big", "llama"], names
    assert "already" in scene.function("create", "big", "--zip", scene.worker, status=1)
    scene.function("update", "big", "--timeout", "60", "--zip", scene.worker)
    big = [f for f in json.loads(scene.function("list", "--json")) if f["name"] == "big"][0]
    assert (big["memory_mb"], big["timeout_s"]) == (10240, 60), big
    assert big["store"].startswith("s3://llama-123456789012-eu-west-1?"), big
    assert "--yes is needed" in scene.function("delete", "big", status=1)
    scene.function("delete", "big", "--yes")
    assert "ResourceNotFound" in scene.function("update", "big", "--zip", scene.worker, status=1)
    scene.function("logs", "--since", "5")


def says_what_is_wrong(scene):
    scene.function("list", "--memory", "5", status=2)
    scene.function("frobnicate", status=2)
    scene.run("bootstrap", "--tmp", "1", status=2)
    text = scene.run("bootstrap", "--zip", "/etc/hostname", status=1)
    assert "/etc/hostname" in text, text
    text = scene.run("bootstrap", "--zip", scene.worker, status=1,
                     AWS_ENDPOINT_URL=f"http://127.0.0.1:{control_plane.free_port()}")
    assert "127.0.0.1" in text, text
    text = scene.run("bootstrap", status=1, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert "no AWS credentials" in text, text


def takes_down_what_it_made(scene):
    bucket = scene.url + "/llama-123456789012-eu-west-1/"
    for number in range(3):
        urllib.request.urlopen(urllib.request.Request(
            f"{bucket}layers/{number}", data=b"x", method="PUT"), timeout=10).close()
    plan = scene.bootstrap("--destroy", "--dry-run")
    assert set(verbs(plan).values()) == {"delete"} and not plan["carried_out"], plan
    plan = scene.bootstrap("--destroy")
    assert verbs(plan) == dict.fromkeys(EVERYTHING, "delete") and plan["carried_out"], plan
    assert "object_store" not in scene.config() and "max_concurrency = 7" in scene.config()
    assert scene.bootstrap("--destroy")["steps"] == []
    assert verbs(scene.bootstrap("--dry-run")) == dict.fromkeys(EVERYTHING, "create")


def prints_policies(scene):
    policy = json.loads(scene.run("bootstrap", "--policy", "--bucket", "s3://mine/team",
                                  AWS_ACCESS_KEY_ID=""))
    assert policy["Version"] == "2012-10-17"
    resources = [r for s in policy["Statement"] for r in s["Resource"]]
    assert "arn:aws:s3:::mine/team/*" in resources, resources


def main(llama, worker):
    with tempfile.TemporaryDirectory(prefix="llama-aws-") as folder:
        folder = pathlib.Path(folder)
        try:
            with control_plane.Moto(folder) as server:
                scene = Scene(llama, worker, folder, server.url)
                for step in (creates_everything_once, changes_only_what_is_asked_for,
                             keeps_house_with_functions, says_what_is_wrong, prints_policies,
                             takes_down_what_it_made):
                    step(scene)
                    print(f"{step.__name__.replace('_', ' ')}: ok")
        except control_plane.Missing as missing:
            print(f"skipped: {missing}")
            return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
