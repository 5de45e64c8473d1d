"""llama doctor and llama config as a user meets them: on a bare machine, with settings that are wrong,
and with the emulator for AWS, before and after llama bootstrap."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "s3")]

import harness  # noqa: E402
import servers  # noqa: E402

NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}


def doctor(scene, status, **env):
    done = scene.llama("doctor", "--json", env=scene.env(**NO_METADATA, **env), timeout=300)
    done.expect_status(status)
    return {check["name"]: check for check in json.loads(done.out)["checks"]}


def expect_check(checks, name, status, *words):
    check = checks.get(name)
    harness.expect(check is not None, f"no check of {name}: {sorted(checks)}")
    harness.expect(check["status"] == status and all(word in check["detail"] for word in words),
                   f"{name} should be {status} with {words}: {check}")
    harness.expect(status == "ok" or check["advice"], f"no advice: {check}")


def bare_machine(scene):
    checks = doctor(scene, 0)
    expect_check(checks, "cloud", "ok", "embedded")
    expect_check(checks, "round trip", "ok", "compiled in a local worker")


def wrong_settings(scene):
    config = scene.llama_dir / "config"
    config.write_text("# mine\nregoin = eu-west-1\n")
    expect_check(doctor(scene, 1), "settings", "fail", f"{config}:2", "did you mean 'region'")
    scene.llama("config").expect_status(1)
    config.unlink()
    checks = doctor(scene, 1, LLAMACC_FUNCTION="llama", AWS_REGION="eu-west-1",
                    HOME=scene.dir / "home")
    expect_check(checks, "credentials", "fail", "AWS_ACCESS_KEY_ID")


def unreachable_server(scene):
    (port,) = servers.free_ports(1)
    checks = doctor(scene, 1, LLAMA_OBJECT_STORE="s3://some-bucket", LLAMACC_FUNCTION="llama",
                    AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", AWS_ACCESS_KEY_ID="AKIDOFATEST",
                    AWS_SECRET_ACCESS_KEY="secret-of-a-test")
    expect_check(checks, "connection", "fail")
    expect_check(checks, "bucket", "fail")
    expect_check(checks, "round trip", "warn", "compiled here")


def emulator(scene):
    with servers.EmulatorTls(scene.dir / "emulator", str(scene.bin / "llama")) as server:
        env = server.environment
        secret = env["AWS_SECRET_ACCESS_KEY"]
        cloud = {key: env[key] for key in env if key.startswith("AWS_")}
        cloud["AWS_ENDPOINT_URL"] = env["LLAMA_TEST_S3_ENDPOINT"]
        places = {"LLAMA_OBJECT_STORE": "s3://no-such-bucket", "LLAMACC_FUNCTION": "no-such-function"}
        checks = doctor(scene, 1, **cloud, **places)
        expect_check(checks, "bucket", "fail", "no-such-bucket does not exist")
        expect_check(checks, "function", "fail", "no-such-function")
        scene.llama("daemon", "stop")

        environment = scene.env(**NO_METADATA, **cloud)
        scene.llama("bootstrap", "--yes", env=environment, timeout=120).expect_status(0)
        checks = doctor(scene, 0, **cloud)
        for name in ("credentials", "clock", "bucket", "function", "worker"):
            expect_check(checks, name, "ok")
        expect_check(checks, "round trip", "ok", "function llama")

        shown = scene.llama("config", "--json", env=environment).expect_status(0).out.decode()
        settings = {setting["name"]: setting for setting in json.loads(shown)}
        harness.expect(settings["function"]["source"].startswith(f"{scene.llama_dir}/config:"),
                       f"where the function comes from: {settings['function']}")
        harness.expect(env["AWS_ACCESS_KEY_ID"][-4:] in settings["credentials"]["value"],
                       f"which key it is: {settings['credentials']}")
        for text in (shown, json.dumps(checks)):
            harness.expect(secret not in text and env["AWS_ACCESS_KEY_ID"] not in text,
                           "a key is shown")
        scene.llama("daemon", "stop")


def scenario(scene):
    for part in (bare_machine, wrong_settings, unreachable_server, emulator):
        part(scene)
        scene.llama("daemon", "stop")


if __name__ == "__main__":
    harness.run(scenario)
