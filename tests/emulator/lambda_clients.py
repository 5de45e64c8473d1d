"""The emulator's Lambda, as the clients that people use see it: boto3, awscli, @aws-sdk/client-lambda; and AWS's own
runtime client, aws-lambda-ric, as a function."""
import base64
import io
import json
import os
import pathlib
import sys
import zipfile

from serving import Emulator, Failure, Skip, expect, node_modules, wait_until

from harness import require_program, run

HERE = pathlib.Path(__file__).resolve().parent
ROLE = "arn:aws:iam::000000000000:role/test"
FAST = ("--profile", "aws", "--set", "lambda.cold_start=0", "--set", "lambda.latency=0",
        "--set", "lambda.control.latency=0", "--set", "lambda.invoke.latency=0")


def make_zip(files):
    """`files` are names with bytes, or with (bytes, mode)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            content, mode = content if isinstance(content, tuple) else (content, 0o755)
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def fake_zip(scene):
    return make_zip({"bootstrap": (scene.bin / "fake_function").read_bytes()})


def boto(emulator, service="lambda", **config):
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise Skip(f"no boto3: {error}")
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update({k: v for k, v in emulator.env.items() if k.startswith("AWS_")})
    # botocore before 1.31 doesn't know AWS_ENDPOINT_URL.
    return boto3.client(service, endpoint_url=emulator.endpoint,
                        config=Config(**({"retries": {"max_attempts": 1}} | config)))


def refused(call, code, **arguments):
    from botocore.exceptions import ClientError
    try:
        call(**arguments)
    except ClientError as error:
        got = error.response["Error"]["Code"]
        expect(got == code, f"refused with {got}, not {code}: {error}")
        return error.response
    raise Failure(f"not refused with {code}: {arguments}")


def create(client, scene, name="f", **more):
    return client.create_function(**({"FunctionName": name, "Runtime": "provided.al2023", "Handler": "h", "Role": ROLE,
                                      "Code": {"ZipFile": fake_zip(scene)}} | more))


def ask(client, words, name="f", **more):
    return json.loads(client.invoke(FunctionName=name, Payload=json.dumps(words), **more)["Payload"].read())


def boto_functions(client, scene):
    made = create(client, scene, MemorySize=512, Timeout=7, EphemeralStorage={"Size": 1024}, Tags={"made-by": "llama"},
                  Environment={"Variables": {"MINE": "one"}}, Description="a test")
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    expect(made["FunctionArn"] == arn and made["State"] == "Active", f"created: {made}")
    client.get_waiter("function_active_v2").wait(FunctionName="f")
    refused(client.create_function, "ResourceConflictException", FunctionName="f", Runtime="provided.al2023",
            Role=ROLE, Handler="h", Code={"ZipFile": fake_zip(scene)})
    got = client.get_function(FunctionName=arn)
    expect(got["Tags"] == {"made-by": "llama"} and got["Configuration"]["MemorySize"] == 512, f"got: {got}")
    import hashlib
    digest = base64.b64encode(hashlib.sha256(fake_zip(scene)).digest()).decode()
    expect(got["Configuration"]["CodeSha256"] == digest, "CodeSha256 is not the zip's")
    refused(client.get_function, "ResourceNotFoundException", FunctionName="none")
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": "two"}}, Timeout=9)
    client.get_waiter("function_updated_v2").wait(FunctionName="f")
    config = client.get_function_configuration(FunctionName="f")
    expect(config["Timeout"] == 9 and config["MemorySize"] == 512, f"updated: {config}")
    refused(client.update_function_configuration, "ValidationException", FunctionName="f", MemorySize=20_000)
    refused(client.update_function_configuration, "InvalidParameterValueException", FunctionName="f",
            Environment={"Variables": {"AWS_REGION": "x"}})
    refused(client.update_function_configuration, "PreconditionFailedException", FunctionName="f", Timeout=3,
            RevisionId="00000000-0000-0000-0000-000000000000")
    for name in ("a", "b", "c"):
        create(client, scene, name)
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    names = [f["FunctionName"] for page in pages for f in page["Functions"]]
    expect(names == ["a", "b", "c", "f"], f"listed: {names}")
    client.delete_function(FunctionName="c")
    refused(client.invoke, "ResourceNotFoundException", FunctionName="c")
    client.tag_resource(Resource=arn, Tags={"more": "yes"})
    client.untag_resource(Resource=arn, TagKeys=["made-by"])
    expect(client.list_tags(Resource=arn)["Tags"] == {"more": "yes"}, "tags")


def boto_code(client, scene, s3):
    refused(client.update_function_code, "InvalidParameterValueException", FunctionName="f", ZipFile=b"no zip")
    outside = make_zip({"bootstrap": b"x", "../../outside": b"x"})
    refused(client.update_function_code, "InvalidParameterValueException", FunctionName="f", ZipFile=outside)
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="f.zip", Body=make_zip({"bootstrap": b"#!/nowhere\n"}))
    before = client.get_function_configuration(FunctionName="f")["CodeSha256"]
    after = client.update_function_code(FunctionName="f", S3Bucket="code", S3Key="f.zip")
    expect(after["CodeSha256"] != before and after["LastUpdateStatus"] == "Successful", f"updated: {after}")
    answer = client.invoke(FunctionName="f")
    expect(answer.get("FunctionError") == "Unhandled", f"an interpreter that is not there: {answer}")
    expect(json.load(answer["Payload"])["errorType"] == "Runtime.InvalidEntrypoint", "its type")
    refused(client.update_function_code, "InvalidParameterValueException", FunctionName="f", S3Bucket="code",
            S3Key="no")
    client.update_function_code(FunctionName="f", ZipFile=fake_zip(scene))
    refused(client.create_function, "InvalidParameterValueException", FunctionName="node", Runtime="nodejs20.x",
            Role=ROLE, Handler="h", Code={"ZipFile": make_zip({"index.js": b"x"})})


def boto_versions(client):
    version = client.publish_version(FunctionName="f")["Version"]
    expect(version == "1", f"version {version}")
    expect(client.publish_version(FunctionName="f")["Version"] == "1", "nothing changed, but a new version")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": "three"}})
    expect(client.publish_version(FunctionName="f")["Version"] == "2", "second version")
    expect(ask(client, "env MINE", Qualifier="live") == "two", "the alias's version")
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    expect(client.get_alias(FunctionName="f", Name="live")["FunctionVersion"] == "2", "the alias")
    expect(ask(client, "env MINE", Qualifier="live") == "three", "the alias's new version")
    refused(client.create_alias, "ResourceNotFoundException", FunctionName="f", Name="x", FunctionVersion="9")
    listed = client.list_versions_by_function(FunctionName="f")["Versions"]
    expect([v["Version"] for v in listed] == ["$LATEST", "1", "2"], "ListVersionsByFunction")


def boto_invocations(client, logs):
    answer = client.invoke(FunctionName="f", Payload=b'"echo hello"', LogType="Tail")
    expect(answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST", f"{answer}")
    expect(json.load(answer["Payload"]) == "hello", "the payload")
    log = base64.b64decode(answer["LogResult"]).decode()
    expect(log.count("RequestId") == 3 and "REPORT" in log and "Billed Duration" in log, f"log: {log}")
    expect(ask(client, "served") == "2", "it is not kept warm")
    failed = client.invoke(FunctionName="f", Payload=b'"fail"')
    expect(failed["FunctionError"] == "Unhandled", f"{failed}")
    expect(json.load(failed["Payload"])["errorMessage"] == "as it was told", "the error")
    killed = json.load(client.invoke(FunctionName="f", Payload=b'"kill 9"')["Payload"])
    expect(killed["errorType"] == "Runtime.ExitError" and "signal: killed" in killed["errorMessage"], f"{killed}")
    client.update_function_configuration(FunctionName="f", Timeout=1)
    late = json.load(client.invoke(FunctionName="f", Payload=b'"hang"')["Payload"])
    expect(late["errorType"] == "Sandbox.Timedout" and "after 1.00 seconds" in late["errorMessage"], f"{late}")
    expect(client.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204, "dry run")
    event = client.invoke(FunctionName="f", InvocationType="Event", Payload=b'"print from an event"')
    expect(event["StatusCode"] == 202, "an event")

    def seen():
        found = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='"from an event"')
        return found["events"]
    wait_until(seen, 20, "an event's output")
    refused(client.invoke, "RequestTooLargeException", FunctionName="f", Payload=b'"' + b"x" * 6_291_555 + b'"')
    refused(client.invoke, "InvalidRequestContentException", FunctionName="f", Payload=b"{no json")
    largest = client.invoke(FunctionName="f", Payload=b'"big 6291554"')["Payload"].read()
    expect(len(largest) == 6_291_556, f"the largest answer has {len(largest)} bytes")


def boto_throttling(client, emulator):
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    response = refused(client.invoke, "TooManyRequestsException", FunctionName="f", Payload=b'"echo"')
    expect(response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", f"{response}")
    expect(response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1", f"{response}")
    # An SDK that tries again gets through once there is room.
    patient = boto(emulator, retries={"max_attempts": 5, "mode": "standard"})
    throttles = []

    def make_room(response, **_):
        if response and response[0].status_code == 429:
            throttles.append(response)
            client.delete_function_concurrency(FunctionName="f")
    patient.meta.events.register_first("needs-retry.lambda.Invoke", make_room)
    expect(ask(patient, "echo on") == "on" and len(throttles) == 1, f"retries: {len(throttles)} throttles")


def boto_identity(emulator):
    sts = boto(emulator, "sts")
    expect(sts.get_caller_identity()["Account"] == "000000000000", "GetCallerIdentity")
    iam = boto(emulator, "iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}", Tags=[{"Key": "k", "Value": "v & w"}])
    refused(iam.create_role, "EntityAlreadyExists", RoleName="r", AssumeRolePolicyDocument="{}")
    role = iam.get_role(RoleName="r")["Role"]
    expect(role["Arn"].endswith(":role/r") and role["Tags"] == [{"Key": "k", "Value": "v & w"}], f"{role}")
    policy = {"Version": "2012-10-17", "Statement": []}
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(policy))
    expect(iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == policy, "the policy")
    expect(iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p"], "ListRolePolicies")
    refused(iam.delete_role, "DeleteConflict", RoleName="r")
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
    import boto3
    assumed = boto3.client("sts", endpoint_url=emulator.endpoint, aws_access_key_id=session["AccessKeyId"],
                           aws_secret_access_key=session["SecretAccessKey"], aws_session_token=session["SessionToken"])
    expect("assumed-role" in assumed.get_caller_identity()["Arn"], "who an assumed role is")
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")
    refused(iam.get_role, "NoSuchEntity", RoleName="r")


def with_boto3(scene, *options):
    with Emulator(scene, *FAST, *options) as emulator:
        client = boto(emulator)
        boto_functions(client, scene)
        boto_code(client, scene, boto(emulator, "s3"))
        boto_versions(client)
        boto_invocations(client, boto(emulator, "logs"))
        boto_throttling(client, emulator)
        boto_identity(emulator)
        import boto3
        known = emulator.env["AWS_ACCESS_KEY_ID"]
        for key, code in (("AKIAUNKNOWN", "UnrecognizedClientException"), (known, "InvalidSignatureException")):
            wrong = boto3.client("lambda", endpoint_url=emulator.endpoint, aws_access_key_id=key,
                                 aws_secret_access_key="x")
            refused(wrong.list_functions, code)
    with Emulator(scene, *FAST, *options) as emulator:
        expect(ask(boto(emulator), "env MINE", Qualifier="live") == "three", "lost in a restart")


def hung_up(scene):
    """A caller that hangs up: the function goes on, and its environment serves the next one."""
    import socket
    with Emulator(scene, *FAST) as emulator:
        client = boto(emulator)
        create(client, scene)
        import botocore.exceptions
        try:
            boto(emulator, read_timeout=1).invoke(FunctionName="f", Payload=b'"slow 2000"')
            raise Failure("it did not time out")
        except (botocore.exceptions.ReadTimeoutError, socket.timeout):
            pass
        logs = boto(emulator, "logs")
        wait_until(lambda: logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="REPORT")["events"], 20,
                   "the end of an invocation whose caller is gone")
        expect(ask(client, "served") == "2", "the environment was not kept")


def with_awscli(scene, *options):
    aws = require_program("aws")
    code = scene.dir / "code.zip"
    code.write_bytes(fake_zip(scene))
    out = scene.dir / "out"
    with Emulator(scene, *FAST, *options) as emulator:
        aws_lambda = [aws, "--endpoint-url", emulator.endpoint, "lambda"]
        version = scene.run([aws, "--version"], env=emulator.env).out.decode()
        raw = ["--cli-binary-format", "raw-in-base64-out"] if "aws-cli/2" in version else []

        def cli(*args):
            done = scene.run([*aws_lambda, *args], env=emulator.env | {"AWS_PAGER": ""}).expect_status(0)
            return json.loads(done.out) if done.out.strip() else {}
        cli("create-function", "--function-name", "f", "--runtime", "provided.al2023", "--role", ROLE, "--handler", "h",
            "--zip-file", f"fileb://{code}")
        cli("wait", "function-active", "--function-name", "f")
        answer = cli("invoke", "--function-name", "f", "--payload", '"echo hello"', "--log-type", "Tail", *raw, out)
        expect(out.read_bytes() == b'"hello"' and "LogResult" in answer, f"{answer}")
        answer = cli("invoke", "--function-name", "f", "--payload", '"fail"', *raw, out)
        expect(answer["FunctionError"] == "Unhandled", f"{answer}")
        for kind, status in (("Event", 202), ("DryRun", 204)):
            answer = cli("invoke", "--function-name", "f", "--invocation-type", kind, "--payload", '"echo"', *raw, out)
            expect(answer["StatusCode"] == status, f"{kind}: {answer}")
        cli("update-function-code", "--function-name", "f", "--zip-file", f"fileb://{code}", "--publish")
        cli("update-function-configuration", "--function-name", "f", "--memory-size", "256")
        expect(cli("get-function", "--function-name", "f")["Configuration"]["MemorySize"] == 256, "get-function")
        expect(len(cli("list-functions")["Functions"]) == 1, "list-functions")
        cli("put-function-concurrency", "--function-name", "f", "--reserved-concurrent-executions", "0")
        env = emulator.env | {"AWS_MAX_ATTEMPTS": "1"}
        refusal = scene.run([*aws_lambda, "invoke", "--function-name", "f", out], env=env)
        expect(refusal.status != 0 and b"TooManyRequestsException" in refusal.err, f"{refusal.err}")
        cli("delete-function", "--function-name", "f")
        gone = scene.run([*aws_lambda, "get-function", "--function-name", "f"], env=emulator.env)
        expect(gone.status != 0 and b"ResourceNotFoundException" in gone.err, f"{gone.err}")


def with_node(scene, *options):
    node = require_program("node")
    modules = node_modules(scene, "@aws-sdk/client-lambda")
    (scene.dir / "code.zip").write_bytes(fake_zip(scene))
    with Emulator(scene, *FAST, *options) as emulator:
        env = emulator.env | {"LLAMA_NODE_MODULES": str(modules), "CODE": str(scene.dir / "code.zip"), "ROLE": ROLE}
        if emulator.certificate:
            env["NODE_EXTRA_CA_CERTS"] = emulator.certificate
        scene.run([node, HERE / "lambda_client.mjs"], env=env, timeout=100).expect_status(0)


HANDLER = b"""
let served = 0;
export const handler = async (event, context) => {
  if (event.fail) throw new TypeError(event.fail);
  if (event.big) return 'x'.repeat(event.big);
  console.log('served', event);
  const arn = context.invokedFunctionArn;
  return {event, arn, served: ++served, left: context.getRemainingTimeInMillis(), id: context.awsRequestId};
};
"""
STREAMING = b"""
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  for (let i = 0; i < 5; i++) stream.write(JSON.stringify({part: i}) + '\\n');
  stream.end();
});
"""


def with_ric(scene):
    """AWS's runtime client (JavaScript around a native part of theirs) as the bootstrap."""
    node = pathlib.Path(require_program("node")).resolve()
    if not str(node).startswith("/usr/"):
        raise Skip(f"node is in {node.parent}, which functions don't see")
    package = node_modules(scene, "aws-lambda-ric") / "aws-lambda-ric"
    if not list(package.rglob("*.node")):
        raise Skip("aws-lambda-ric was installed without its native part")
    files = {"bootstrap": f"#!/bin/sh\nexec {node} node_modules/aws-lambda-ric/bin/index.mjs $_HANDLER\n".encode(),
             "index.mjs": (HANDLER, 0o644), "streaming.mjs": (STREAMING, 0o644)}
    for path in package.rglob("*"):
        name = path.relative_to(package)
        if path.is_file() and name.parts[0] in ("bin", "dist", "package.json", "build") and path.suffix != ".o" \
                and path.suffix != ".a":
            files[f"node_modules/aws-lambda-ric/{name}"] = path.read_bytes()
    with Emulator(scene, *FAST) as emulator:
        client = boto(emulator)
        code = {"ZipFile": make_zip(files)}
        create(client, scene, Code=code, Handler="index.handler", MemorySize=1024, Timeout=20)
        for count in (1, 2):
            answer = client.invoke(FunctionName="f", Payload=json.dumps({"n": count}), LogType="Tail")
            log = base64.b64decode(answer["LogResult"]).decode()
            payload = json.load(answer["Payload"])
            expect(payload.get("event") == {"n": count} and payload["served"] == count, f"{payload} {log}")
            expect(payload["arn"].endswith(":function:f") and 0 < payload["left"] <= 20_000, f"{payload}")
            expect("served" in log and payload["id"] in log, f"log: {log}")
        failed = client.invoke(FunctionName="f", Payload=b'{"fail": "no luck"}')
        error = json.load(failed["Payload"])
        expect(failed["FunctionError"] == "Unhandled" and error["errorType"] == "TypeError", f"{error}")
        expect(error["errorMessage"] == "no luck" and error.get("trace"), f"{error}")
        large = json.load(client.invoke(FunctionName="f", Payload=b'{"big": 5000000}')["Payload"])
        expect(len(large) == 5_000_000, "a large answer")
        over = json.load(client.invoke(FunctionName="f", Payload=b'{"big": 6400000}')["Payload"])
        expect(over["errorType"] == "Function.ResponseSizeTooLarge", f"{str(over)[:500]}")
        create(client, scene, "broken", Code=code, Handler="missing.handler", MemorySize=1024, Timeout=20)
        broken = client.invoke(FunctionName="broken", Payload=b"{}")
        error = json.load(broken["Payload"])
        expect(broken["FunctionError"] == "Unhandled" and "missing" in error["errorMessage"], f"{error}")
        create(client, scene, "streaming", Code=code, Handler="streaming.handler", MemorySize=1024, Timeout=20)
        lines = client.invoke(FunctionName="streaming", Payload=b"{}")["Payload"].read().decode().splitlines()
        expect([json.loads(line)["part"] for line in lines] == [0, 1, 2, 3, 4], f"streamed: {lines}")


SCENARIOS = {
    "boto3": with_boto3,
    "boto3_tls": lambda scene: with_boto3(scene, "--tls"),
    "boto3_bare_root": lambda scene: with_boto3(scene, "--bare-root"),
    "hung_up": hung_up,
    "awscli": with_awscli,
    "node": with_node,
    "node_tls": lambda scene: with_node(scene, "--tls"),
    "ric": with_ric,
}

if __name__ == "__main__":
    run(SCENARIOS[sys.argv[1]])
