"""What becomes of roles on AWS, as the emulator has it: one that Lambda and KMS do not know yet, and one that was
made anew under the same name; and what `llama doctor --full` sees of a cloud's rules."""
import json
import time

import permissions
from permissions import emulated, harness, iam
from harness import expect

NAME = "llama-worker-us-east-1"


def doctor(scene, status, *options):
    done = scene.llama("doctor", "--json", *options, timeout=120).expect_status(status)
    return {check["name"]: check for check in json.loads(done.out)["checks"]}


def requests(cloud, operation):
    lines = (cloud.dir / "requests.ndjson").read_text().splitlines()
    return [request for request in map(json.loads, lines) if request["operation"] == operation]


def fresh_role(scene, cloud, worker):
    """Bootstrap waits for Lambda and then for KMS, which each refuse CreateFunction for a while."""
    cloud.set_model(iam__role_delay="6s")
    begin = time.monotonic()
    scene.llama("bootstrap", "--yes", "--zip", worker, timeout=120).expect_status(0)
    expect(time.monotonic() - begin >= 6, "it did not wait")
    tried = [request["error"] for request in requests(cloud, "CreateFunction")]
    expect(tried[-1] == "" and set(tried[:-1]) == {"InvalidParameterValueException"}, f"CreateFunction: {tried}")
    cloud.set_model()
    expect(doctor(scene, 0)["worker"]["status"] == "ok", "the function does not answer")


def role_made_anew_by_others(scene, cloud, worker):
    """Every invocation is refused by KMS. It is said what to do, and that helps."""
    iam(cloud, Action="DeleteRolePolicy", RoleName=NAME, PolicyName="llama-worker")
    iam(cloud, Action="DeleteRole", RoleName=NAME)
    iam(cloud, Action="CreateRole", RoleName=NAME, AssumeRolePolicyDocument="{}",
        **{"Tags.member.1.Key": "created-by", "Tags.member.1.Value": "llama-bootstrap"})
    scene.llama("bootstrap", "--yes", "--zip", worker, timeout=120).expect_status(0)
    check = doctor(scene, 1)["worker"]
    expect("KMSAccessDenied" in check["detail"] and "llama function delete llama" in check["advice"], check)
    (scene.dir / "a.c").write_text("int a;\n")
    begin = time.monotonic()
    said = scene.run([scene.bin / "llamacc", "gcc", "-c", "a.c"], env=scene.env(LLAMACC_VERBOSE="1"),
                     timeout=120).expect_status(0).err
    expect(time.monotonic() - begin < 30 and b"local" in said, f"a compile meanwhile: {said}")
    scene.llama("daemon", "stop")
    scene.llama("function", "delete", "llama", "--yes").expect_status(0)
    scene.llama("bootstrap", "--yes", "--zip", worker, timeout=120).expect_status(0)
    expect(doctor(scene, 0)["worker"]["status"] == "ok", "the advice did not help")


def role_gone(scene, cloud, worker):
    """Bootstrap makes it anew, and the function with it."""
    iam(cloud, Action="DeleteRolePolicy", RoleName=NAME, PolicyName="llama-worker")
    iam(cloud, Action="DeleteRole", RoleName=NAME)
    scene.llama("bootstrap", "--yes", "--zip", worker, timeout=120).expect_status(0)
    expect(doctor(scene, 0)["worker"]["status"] == "ok", "the function has not the new role")


def full_doctor(scene, cloud):
    checks = doctor(scene, 0, "--full")
    for name in ("absent object", "bucket owner", "conditional put", "bill"):
        check = checks[name]
        expect(check["status"] == "ok" and "seen to hold" in check["detail"], check)
    expect(checks["concurrency"]["status"] == checks["log"]["status"] == "ok", checks)
    expect("absent object" not in doctor(scene, 0), "the short one asks as much")
    cloud.set_model(lambda__concurrency="10")
    check = doctor(scene, 0, "--full")["concurrency"]
    expect(check["status"] == "warn" and "10" in check["detail"] and "Service Quotas" in check["advice"], check)


def scenario(scene):
    cloud = emulated.Cloud(scene)
    worker = scene.dir / "worker"
    scene.run(["strip", "-o", worker, scene.bin / "llama-runtime"]).expect_status(0)
    fresh_role(scene, cloud, worker)
    full_doctor(scene, cloud)
    cloud.set_model()
    role_made_anew_by_others(scene, cloud, worker)
    role_gone(scene, cloud, worker)


if __name__ == "__main__":
    harness.run(scenario)
