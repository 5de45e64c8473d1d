"""The policy that `llama bootstrap --policy` prints is sufficient and minimal, on the emulator: as a role with
it all works, and with each action taken away that breaks which docs/aws.md says, and says which it was."""
import datetime
import hashlib
import hmac
import json
import pathlib
import re
import ssl
import sys
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e")]

import emulated  # noqa: E402
import harness  # noqa: E402
from harness import expect  # noqa: E402

ROLE, REGION = "tester", "us-east-1"

# action → (when it shows, what is said then). "begin": there is nothing yet; "again": all is there;
# "end": while it is taken down; "upload": while a large object is on its way.
BREAKS = {
    "s3:CreateBucket": ("begin", ["bootstrap"], "CreateBucket"),
    "s3:PutEncryptionConfiguration": ("begin", ["bootstrap"], "PutEncryptionConfiguration"),
    "s3:PutBucketPublicAccessBlock": ("begin", ["bootstrap"], "PutBucketPublicAccessBlock"),
    "s3:PutLifecycleConfiguration": ("begin", ["bootstrap"], "PutLifecycleConfiguration"),
    "s3:PutBucketTagging": ("begin", ["bootstrap"], "PutBucketTagging"),
    "iam:CreateRole": ("begin", ["bootstrap"], "iam:CreateRole"),
    "iam:TagRole": ("begin", ["bootstrap"], "iam:TagRole"),
    "iam:GetRole": ("begin", ["bootstrap"], "iam:GetRole"),
    "iam:PutRolePolicy": ("begin", ["bootstrap"], "iam:PutRolePolicy"),
    "iam:PassRole": ("begin", ["bootstrap"], "iam:PassRole"),
    "lambda:CreateFunction": ("begin", ["bootstrap"], "lambda:CreateFunction"),
    "lambda:GetFunction": ("begin", ["bootstrap"], "lambda:GetFunction"),
    "lambda:TagResource": ("begin", ["bootstrap"], "lambda:TagResource"),
    "logs:CreateLogGroup": ("begin", ["bootstrap"], "logs:CreateLogGroup"),
    "logs:PutRetentionPolicy": ("begin", ["bootstrap"], "logs:PutRetentionPolicy"),
    "logs:DescribeLogGroups": ("begin", ["bootstrap"], "logs:DescribeLogGroups"),
    "s3:ListBucket": ("again", ["bootstrap"], "may not use it"),
    "s3:GetBucketTagging": ("again", ["bootstrap"], "GetBucketTagging"),
    "iam:GetRolePolicy": ("again", ["bootstrap"], "iam:GetRolePolicy"),
    "lambda:ListTags": ("again", ["bootstrap"], "lambda:ListTags"),
    "lambda:UpdateFunctionConfiguration": ("again", ["function", "update", "--memory", "512"],
                                           "lambda:UpdateFunctionConfiguration"),
    "lambda:UpdateFunctionCode": ("again", ["function", "update"], "lambda:UpdateFunctionCode"),
    "lambda:ListFunctions": ("again", ["function", "list"], "lambda:ListFunctions"),
    "logs:FilterLogEvents": ("again", ["function", "logs"], "logs:FilterLogEvents"),
    "lambda:InvokeFunction": ("again", ["doctor"], "lambda:InvokeFunction"),
    "s3:PutObject": ("again", ["doctor"], "s3:PutObject"),
    "s3:GetObject": ("again", ["doctor"], "s3:GetObject"),
    "s3:DeleteObject": ("end", ["bootstrap", "--destroy"], "s3:DeleteObject"),
    "s3:DeleteBucket": ("end", ["bootstrap", "--destroy"], "DeleteBucket"),
    "iam:DeleteRole": ("end", ["bootstrap", "--destroy"], "iam:DeleteRole"),
    "iam:DeleteRolePolicy": ("end", ["bootstrap", "--destroy"], "iam:DeleteRolePolicy"),
    "lambda:DeleteFunction": ("end", ["bootstrap", "--destroy"], "lambda:DeleteFunction"),
    "logs:DeleteLogGroup": ("end", ["bootstrap", "--destroy"], "logs:DeleteLogGroup"),
    "s3:AbortMultipartUpload": ("upload", ["store"], ""),
}
# Builds work without; bootstrap says that it left something out.
HARMLESS = {"logs:DescribeLogGroups"}


def signed(cloud, service, target, body="", method="POST"):
    """A request of the emulator's own permanent keys."""
    env = cloud.env
    endpoint = urllib.parse.urlsplit(env["AWS_ENDPOINT_URL"])
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body.encode()).hexdigest()
    headers = {"host": endpoint.netloc, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(headers)
    path, _, query = target.partition("?")
    canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in headers.items()), "", names, digest])
    scope = f"{now[:8]}/{REGION}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + env["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in (now[:8], REGION, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={env['AWS_ACCESS_KEY_ID']}/{scope}, "
                                f"SignedHeaders={names}, Signature={signature}")
    request = urllib.request.Request(env["AWS_ENDPOINT_URL"] + target, method=method, headers=headers,
                                     data=body.encode() or None)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=env["AWS_CA_BUNDLE"])))
    with opener.open(request, timeout=20) as answer:
        return answer.read().decode()


def iam(cloud, **form):
    return signed(cloud, "iam", "/", urllib.parse.urlencode(form))


class Tester:
    """Whoever has the role, with the printed policy or a part of it."""

    def __init__(self, scene, cloud):
        self.scene, self.cloud = scene, cloud
        self.policy = json.loads(self.as_admin("bootstrap", "--policy").out)
        iam(cloud, Action="CreateRole", RoleName=ROLE, AssumeRolePolicyDocument="{}")
        config = scene.dir / "aws_config"
        config.write_text(f"[profile tester]\nrole_arn = arn:aws:iam::000000000000:role/{ROLE}\n"
                          "source_profile = admin\n[profile admin]\n"
                          f"aws_access_key_id = {cloud.env['AWS_ACCESS_KEY_ID']}\n"
                          f"aws_secret_access_key = {cloud.env['AWS_SECRET_ACCESS_KEY']}\n")
        config.chmod(0o600)
        self.env = scene.env(AWS_CONFIG_FILE=config, AWS_PROFILE="tester")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            self.env.pop(name)
        # A worker of a debug build is larger than Lambda takes.
        self.worker = scene.dir / "worker"
        scene.run(["strip", "-o", self.worker, scene.bin / "llama-runtime"]).expect_status(0)
        self.other = scene.dir / "other-worker"
        self.other.write_bytes(self.worker.read_bytes() + b"another")

    def actions(self):
        return [action for statement in self.policy["Statement"] for action in statement["Action"]]

    def as_admin(self, *words):
        return self.scene.llama(*words, timeout=120).expect_status(0)

    def may(self, *without):
        """All that the policy says, but for these."""
        policy = json.loads(json.dumps(self.policy))
        for statement in policy["Statement"]:
            statement["Action"] = [action for action in statement["Action"] if action not in without]
        policy["Statement"] = [statement for statement in policy["Statement"] if statement["Action"]]
        iam(self.cloud, Action="PutRolePolicy", RoleName=ROLE, PolicyName="all", PolicyDocument=json.dumps(policy))

    def words(self, command, worker=None):
        words = list(command)
        if command[0] == "bootstrap":
            words += ["--yes"] + ([] if "--destroy" in command else ["--zip", worker or self.worker])
        if command[:2] == ["function", "update"]:
            words += ["--zip", self.other if len(command) == 2 else self.worker]
        return words

    def run(self, command):
        done = self.scene.llama(*self.words(command), env=self.env, timeout=120)
        return done.status, (done.out + done.err).decode(errors="replace")

    def works(self, command):
        status, said = self.run(command)
        expect(status == 0, f"{command} with the whole policy: {said}")
        return said

    def breaks(self, action, command, words):
        self.may(action)
        status, said = self.run(command)
        expect((status == 0) == (action in HARMLESS), f"without {action}, {command}: status {status}\n{said}")
        expect(words in said, f"without {action}, {command} does not say '{words}': {said}")
        self.may()


def upload_is_cleaned_up(tester):
    """Parts of an upload that is refused in its midst are thrown away, by whom may."""
    big = tester.scene.dir / "big"
    big.write_bytes(hashlib.shake_256(b"x").digest(80 << 20))
    left = {}
    for without in ((), ("s3:AbortMultipartUpload",)):
        tester.may(*without)
        tester.cloud.set_model(bandwidth__total__up="20MB/s")
        tester.scene.llama("daemon", "stop", env=tester.env)
        process = tester.scene.start([tester.scene.bin / "llama", "store", big], env=tester.env)
        uploads = lambda: re.findall("<UploadId>", signed(  # noqa: E731
            tester.cloud, "s3", "/llama-000000000000-us-east-1?uploads=", method="GET"))
        harness.wait_until(uploads, 60, "the upload")
        tester.may("s3:PutObject", *without)
        done = harness.finish(process, 120)
        expect(done.status != 0, "the upload went through without s3:PutObject")
        left[without] = len(uploads())
    tester.cloud.set_model()
    tester.may()
    expect(list(left.values()) == [0, 1], f"uploads left with and without s3:AbortMultipartUpload: {left}")
    big.unlink()


def documented(actions):
    """Each action has a row in docs/aws.md."""
    text = (HERE.parent.parent / "docs" / "aws.md").read_text()
    rows = set(re.findall(r"`(\w+:\w+)`", text[text.index("### Least privilege"):text.index("## Settings")]))
    expect(set(actions) == set(BREAKS), f"not tried: {set(actions) ^ set(BREAKS)}")
    expect(set(actions) <= rows, f"docs/aws.md does not say what breaks without {set(actions) - rows}")


def scenario(scene):
    cloud = emulated.Cloud(scene)
    tester = Tester(scene, cloud)
    actions = tester.actions()
    expect(len(actions) == len(set(actions)), "an action is there twice")
    documented(actions)
    begin = time.monotonic()
    at = lambda when: [(action, *rest) for action, (stage, *rest) in BREAKS.items() if stage == when]  # noqa: E731
    for action, command, words in at("begin"):
        tester.breaks(action, command, words)
        tester.works(["bootstrap", "--destroy"])
        plan = json.loads(tester.scene.llama("bootstrap", "--json", "--dry-run", *tester.words(["bootstrap"])[1:],
                                             env=tester.env).expect_status(0).out)
        expect({step["verb"] for step in plan["steps"]} == {"create"}, f"left after {action}: {plan}")
    tester.works(["bootstrap"])
    said = json.loads(tester.scene.llama("bootstrap", "--json", *tester.words(["bootstrap"])[1:],
                                         env=tester.env).expect_status(0).out)
    expect({step["verb"] for step in said["steps"]} == {"keep"}, f"the second time: {said}")
    tester.works(["doctor"])
    tester.works(["function", "logs"])
    tester.works(["function", "list"])
    for action, command, words in at("again"):
        tester.breaks(action, command, words)
    upload_is_cleaned_up(tester)
    tester.works(["function", "update"])
    scene.llama("daemon", "stop", env=tester.env)
    for action, command, words in at("end"):
        tester.works(["bootstrap"])
        signed(cloud, "s3", "/llama-000000000000-us-east-1/layers/x", "x", "PUT")
        tester.breaks(action, command, words)
    tester.works(["bootstrap", "--destroy"])
    print(f"{len(actions)} actions, each taken away once: {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    harness.run(scenario)
