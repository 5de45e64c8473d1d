"""The emulator's S3, as the clients that people use see it: awscli, boto3, s3cmd, @aws-sdk/client-s3."""
import hashlib
import os
import pathlib
import subprocess
import sys

from serving import Emulator, Failure, Skip, expect, node_modules

from harness import require_program, run

HERE = pathlib.Path(__file__).resolve().parent
# What an awkward key is, in the order of their bytes where it matters.
AWKWARD = [
    "plain", "with space", "plus+sign", "per%cent%20", "quest?ion=1&b", "ha#sh", "a//double", "/leading",
    "dots/../up", "trailing/", "uni/ünï-日本", "quote'\"<&>", "x" * 1024,
]


def boto(emulator, **config):
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise Skip(f"no boto3: {error}")
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update({k: v for k, v in emulator.env.items() if k.startswith("AWS_") or "PROXY" in k.upper()})
    settings = {"retries": {"max_attempts": 1}, "s3": {"addressing_style": "path"}} | config
    # Named here as well: botocore before 1.31 does not know AWS_ENDPOINT_URL.
    return boto3.client("s3", endpoint_url=emulator.endpoint, config=Config(**settings))


def refused(call, code, **arguments):
    from botocore.exceptions import ClientError
    try:
        call(**arguments)
    except ClientError as error:
        got = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        expect(code in (got, status), f"refused with {got} ({status}), not {code}")
        return
    raise Failure(f"not refused with {code}: {call.__name__} {arguments}")


def boto_objects(s3):
    s3.create_bucket(Bucket="objects")
    s3.head_bucket(Bucket="objects")
    body = os.urandom(70_000)
    put = s3.put_object(Bucket="objects", Key="k", Body=body, ContentType="text/x-test", Metadata={"who": "me"},
                        StorageClass="STANDARD_IA")
    expect(put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"', "the etag is not the MD5")
    got = s3.get_object(Bucket="objects", Key="k")
    expect(got["Body"].read() == body and got["ContentType"] == "text/x-test", "not what was put")
    expect(got["Metadata"] == {"who": "me"} and got["StorageClass"] == "STANDARD_IA", "metadata is lost")
    for header, part in (("bytes=10-19", body[10:20]), ("bytes=69990-", body[69990:]), ("bytes=-5", body[-5:])):
        answer = s3.get_object(Bucket="objects", Key="k", Range=header)
        expect(answer["Body"].read() == part, f"Range {header}")
        expect(answer["ResponseMetadata"]["HTTPStatusCode"] == 206, f"status of Range {header}")
    refused(s3.get_object, "InvalidRange", Bucket="objects", Key="k", Range="bytes=70000-")
    head = s3.head_object(Bucket="objects", Key="k")
    expect(head["ContentLength"] == 70_000, "HEAD's length")
    refused(s3.get_object, "NoSuchKey", Bucket="objects", Key="none")
    refused(s3.head_object, 404, Bucket="objects", Key="none")
    refused(s3.get_object, "NoSuchBucket", Bucket="nowhere", Key="k")
    s3.put_object(Bucket="objects", Key="empty", Body=b"")
    expect(s3.get_object(Bucket="objects", Key="empty")["Body"].read() == b"", "an empty object")
    s3.copy_object(Bucket="objects", Key="copy", CopySource={"Bucket": "objects", "Key": "k"})
    expect(s3.get_object(Bucket="objects", Key="copy")["Metadata"] == {"who": "me"}, "metadata of a copy")


def boto_conditions(s3):
    etag = s3.head_object(Bucket="objects", Key="k")["ETag"]
    refused(s3.get_object, 304, Bucket="objects", Key="k", IfNoneMatch=etag)
    refused(s3.get_object, "PreconditionFailed", Bucket="objects", Key="k", IfMatch='"other"')
    if "IfNoneMatch" not in s3.meta.service_model.operation_model("PutObject").input_shape.members:
        return  # botocore before 1.35
    refused(s3.put_object, "PreconditionFailed", Bucket="objects", Key="k", Body=b"x", IfNoneMatch="*")
    s3.put_object(Bucket="objects", Key="new", Body=b"x", IfNoneMatch="*")
    expect(s3.head_object(Bucket="objects", Key="k")["ETag"] == etag, "a refused PUT changed the object")


def boto_listing(s3):
    s3.create_bucket(Bucket="listing")
    keys = sorted([f"a/{i:03}" for i in range(30)] + [f"b/{i}/x" for i in range(7)] + ["c", "d"])
    for key in keys:
        s3.put_object(Bucket="listing", Key=key, Body=key.encode())
    for operation in ("list_objects_v2", "list_objects"):
        pages = s3.get_paginator(operation).paginate(Bucket="listing", PaginationConfig={"PageSize": 4})
        listed = [o["Key"] for page in pages for o in page.get("Contents", [])]
        expect(listed == keys, f"{operation}: {listed}")
        pages = list(s3.get_paginator(operation).paginate(Bucket="listing", Delimiter="/",
                                                          PaginationConfig={"PageSize": 1}))
        prefixes = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])]
        expect(prefixes == ["a/", "b/"], f"{operation}: common prefixes {prefixes}")
        expect([o["Key"] for p in pages for o in p.get("Contents", [])] == ["c", "d"], "keys beside prefixes")
    answer = s3.list_objects_v2(Bucket="listing", Prefix="b/", Delimiter="/", StartAfter="b/3/x")
    expect([p["Prefix"] for p in answer["CommonPrefixes"]] == ["b/4/", "b/5/", "b/6/"], "StartAfter")
    result = s3.delete_objects(Bucket="listing", Delete={"Objects": [{"Key": k} for k in keys + ["none"]]})
    expect(len(result["Deleted"]) == len(keys) + 1, "batch delete")
    expect(s3.list_objects_v2(Bucket="listing")["KeyCount"] == 0, "something is left")
    s3.delete_bucket(Bucket="listing")
    refused(s3.delete_bucket, "BucketNotEmpty", Bucket="objects")


def boto_multipart(s3):
    body = os.urandom(11 << 20)
    parts = [body[: 5 << 20], body[5 << 20: 10 << 20], body[10 << 20:]]
    upload = s3.create_multipart_upload(Bucket="objects", Key="large", Metadata={"m": "1"})["UploadId"]
    where = {"Bucket": "objects", "Key": "large", "UploadId": upload}
    done = [{"PartNumber": n, "ETag": s3.upload_part(Body=part, PartNumber=n, **where)["ETag"]}
            for n, part in enumerate(parts, 1)]
    expect([p["Size"] for p in s3.list_parts(**where)["Parts"]] == [len(p) for p in parts], "ListParts")
    listed = s3.list_multipart_uploads(Bucket="objects")["Uploads"]
    expect([u["UploadId"] for u in listed] == [upload], "ListMultipartUploads")
    refused(s3.complete_multipart_upload, "InvalidPart", **where,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"no"'}]})
    refused(s3.complete_multipart_upload, "InvalidPartOrder", **where, MultipartUpload={"Parts": done[::-1]})
    etag = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": done})["ETag"]
    digests = b"".join(hashlib.md5(p).digest() for p in parts)
    expect(etag == f'"{hashlib.md5(digests).hexdigest()}-3"', f"etag {etag}")
    got = s3.get_object(Bucket="objects", Key="large")
    expect(got["Body"].read() == body and got["Metadata"] == {"m": "1"}, "not what was uploaded")
    other = s3.create_multipart_upload(Bucket="objects", Key="gone")["UploadId"]
    s3.abort_multipart_upload(Bucket="objects", Key="gone", UploadId=other)
    refused(s3.list_parts, "NoSuchUpload", Bucket="objects", Key="gone", UploadId=other)


def boto_awkward_keys(s3):
    s3.create_bucket(Bucket="awkward")
    for key in AWKWARD:
        s3.put_object(Bucket="awkward", Key=key, Body=key.encode())
    for key in AWKWARD:
        expect(s3.get_object(Bucket="awkward", Key=key)["Body"].read() == key.encode(), f"key {key!r}")
    listed = [o["Key"] for o in s3.list_objects_v2(Bucket="awkward")["Contents"]]
    expect(listed == sorted(AWKWARD, key=lambda k: k.encode()), f"listed {listed}")
    result = s3.delete_objects(Bucket="awkward", Delete={"Objects": [{"Key": k} for k in AWKWARD]})
    expect(len(result["Deleted"]) == len(AWKWARD), "batch delete of awkward keys")
    expect("Contents" not in s3.list_objects_v2(Bucket="awkward"), "an awkward key is left")
    refused(s3.put_object, "KeyTooLongError", Bucket="awkward", Key="x" * 1025, Body=b"")


def boto_configs(s3):
    where = {"Bucket": "objects"}
    expect(s3.get_bucket_location(**where)["LocationConstraint"] is None, "location")
    expect("objects" in [b["Name"] for b in s3.list_buckets()["Buckets"]], "ListBuckets")
    refused(s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration", **where)
    refused(s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", **where)
    rules = [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 3}}]
    s3.put_bucket_lifecycle_configuration(**where, LifecycleConfiguration={"Rules": rules})
    expect(s3.get_bucket_lifecycle_configuration(**where)["Rules"] == rules, "lifecycle")
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(**where, PublicAccessBlockConfiguration=block)
    expect(s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"] == block, "public access block")
    expect(s3.get_bucket_encryption(**where)["ServerSideEncryptionConfiguration"]["Rules"], "encryption")
    tags = [{"Key": "made-by", "Value": "llama"}]
    s3.put_bucket_tagging(**where, Tagging={"TagSet": tags})
    expect(s3.get_bucket_tagging(**where)["TagSet"] == tags, "tagging")


def boto_presigned(emulator):
    import requests_lite
    s3 = boto(emulator, signature_version="s3v4")  # without it, presigned by version 2
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "objects", "Key": "pre signed+"}, ExpiresIn=60)
    expect(requests_lite.fetch("PUT", url, b"bytes", emulator.certificate).status == 200, "presigned PUT")
    url = s3.generate_presigned_url("get_object", ExpiresIn=60, Params={
        "Bucket": "objects", "Key": "pre signed+", "ResponseContentType": "text/odd"})
    answer = requests_lite.fetch("GET", url, None, emulator.certificate)
    expect(answer.body == b"bytes" and answer.headers["content-type"] == "text/odd", "presigned GET")
    broken = requests_lite.fetch("GET", url[:-1] + ("0" if url[-1] != "0" else "1"), None, emulator.certificate)
    expect(broken.status == 403 and b"SignatureDoesNotMatch" in broken.body, "a broken presigned signature")


def boto_streaming(s3):
    """botocore of 1.36 and later sends a checksum in a trailer of an aws-chunked body over HTTPS."""
    import io

    class Unseekable(io.RawIOBase):
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def read(self, size=-1):
            return self.data.read(size)

    body = os.urandom(9 << 20)
    s3.upload_fileobj(Unseekable(body), "objects", "streamed")
    expect(s3.get_object(Bucket="objects", Key="streamed")["Body"].read() == body, "streamed bytes")
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        s3.put_object(Bucket="objects", Key=algorithm, Body=body[:100_000], ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket="objects", Key=algorithm, ChecksumMode="ENABLED")
        expect(got["Body"].read() == body[:100_000], algorithm)


def with_boto3(scene, *options):
    with Emulator(scene, *options) as emulator:
        s3 = boto(emulator)
        boto_objects(s3)
        boto_conditions(s3)
        boto_listing(s3)
        boto_multipart(s3)
        boto_awkward_keys(s3)
        boto_configs(s3)
        boto_presigned(emulator)
        boto_streaming(s3)
    # What was kept is there again.
    with Emulator(scene, *options) as emulator:
        got = boto(emulator).get_object(Bucket="objects", Key="k")
        expect(got["Metadata"] == {"who": "me"} and len(got["Body"].read()) == 70_000, "lost in a restart")


def refusals(scene):
    with Emulator(scene) as emulator:
        import requests_lite
        s3 = boto(emulator)
        s3.create_bucket(Bucket="closed")
        s3.put_object(Bucket="closed", Key="k", Body=b"bytes")
        refused(boto_as(emulator, secret="wrong").get_object, "SignatureDoesNotMatch", Bucket="closed", Key="k")
        refused(boto_as(emulator, key="AKIAUNKNOWNUNKNOWN00").get_object, "InvalidAccessKeyId",
                Bucket="closed", Key="k")
        elsewhere = boto_as(emulator, region="eu-west-1").get_object(Bucket="closed", Key="k")
        expect(elsewhere["Body"].read() == b"bytes", "botocore was not told the right region")
        expect("AuthorizationHeaderMalformed" in {line["error"] for line in emulator.log()},
               "a signature for another region was taken")
        unsigned = requests_lite.fetch("GET", f"{emulator.endpoint}/closed/k", None, None)
        expect(unsigned.status == 403 and b"AccessDenied" in unsigned.body, "an unsigned GET")
        refuse_tampered(emulator)
        expect(s3.get_object(Bucket="closed", Key="k")["Body"].read() == b"bytes", "the object changed")


def boto_as(emulator, key=None, secret=None, region=None):
    import boto3
    from botocore.config import Config
    return boto3.client("s3", endpoint_url=emulator.endpoint, aws_access_key_id=key or emulator.env["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=secret or emulator.env["AWS_SECRET_ACCESS_KEY"],
                        region_name=region or emulator.env["AWS_REGION"],
                        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}))


def refuse_tampered(emulator):
    """Requests that botocore signed, with the body, the hash or the date changed."""
    import datetime

    import requests_lite
    from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    keys = Credentials(emulator.env["AWS_ACCESS_KEY_ID"], emulator.env["AWS_SECRET_ACCESS_KEY"])

    def put(sent, signed=b"bytes", headers=None, signer=S3SigV4Auth):
        request = AWSRequest("PUT", f"{emulator.endpoint}/closed/k", data=signed, headers=headers or {})
        signer(keys, "s3", "us-east-1").add_auth(request)
        return requests_lite.fetch("PUT", request.url, sent, None, dict(request.headers.items()))

    answer = put(b"other")
    expect(answer.status == 400 and b"XAmzContentSHA256Mismatch" in answer.body, f"a wrong hash: {answer.body}")
    answer = put(b"bytes", headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})
    expect(answer.status == 400 and b"BadDigest" in answer.body, f"a wrong Content-MD5: {answer.body}")
    answer = put(b"bytes", headers={"x-amz-checksum-crc32": "AAAAAA=="})
    expect(answer.status == 400 and b"BadDigest" in answer.body, f"a wrong CRC: {answer.body}")

    def ago(signer, minutes):
        """The signer, with a clock that is behind."""
        class Late(signer):
            def add_auth(self, request):
                then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
                request.context["timestamp"] = then.strftime("%Y%m%dT%H%M%SZ")
                self._modify_request_before_signing(request)
                string_to_sign = self.string_to_sign(request, self.canonical_request(request))
                self._inject_signature_to_request(request, self.signature(string_to_sign, request))
        return Late

    answer = put(b"bytes", signer=ago(S3SigV4Auth, 20))
    expect(answer.status == 403 and b"RequestTimeTooSkewed" in answer.body, f"an expired date: {answer.body}")
    url = AWSRequest("GET", f"{emulator.endpoint}/closed/k")
    ago(S3SigV4QueryAuth, 2)(keys, "s3", "us-east-1", expires=60).add_auth(url)
    answer = requests_lite.fetch("GET", url.url, None, None)
    expect(answer.status == 403 and b"Request has expired" in answer.body, f"an expired URL: {answer.body}")


def with_awscli(scene, *options):
    program = require_program("aws")
    folder = scene.dir / "files"
    (folder / "sub").mkdir(parents=True)
    large = os.urandom(20 << 20)
    (folder / "large").write_bytes(large)
    (folder / "sub" / "small one").write_bytes(b"small")
    with Emulator(scene, *options) as emulator:
        aws = [program, "--endpoint-url", emulator.endpoint]

        def cli(*args, status=0):
            return scene.run([*aws, *args], env=emulator.env).expect_status(status).out.decode()
        cli("s3", "mb", "s3://cli")
        cli("s3", "cp", "--recursive", folder, "s3://cli/up/")
        expect("small one" in cli("s3", "ls", "s3://cli/up/sub/"), "aws s3 ls")
        back = scene.dir / "back"
        cli("s3", "sync", "s3://cli/up", back)
        expect((back / "large").read_bytes() == large, "aws s3 sync brought something else")
        expect((back / "sub" / "small one").read_bytes() == b"small", "aws s3 sync lost a file")
        expect(scene.run([*aws, "s3", "cp", "s3://cli/up/sub/small one", "-"], env=emulator.env).out == b"small",
               "aws s3 cp to stdout")
        cli("s3api", "head-object", "--bucket", "cli", "--key", "up/large")
        missing = scene.run([*aws, "s3api", "get-object", "--bucket", "cli", "--key", "none", scene.dir / "none"],
                            env=emulator.env)
        expect(missing.status != 0 and b"NoSuchKey" in missing.err, f"a missing key: {missing.err}")
        cli("s3", "mv", "s3://cli/up/large", "s3://cli/moved")
        cli("s3", "rm", "--recursive", "s3://cli")
        cli("s3", "rb", "s3://cli")


def with_s3cmd(scene):
    s3cmd = require_program("s3cmd")
    with Emulator(scene) as emulator:
        config = scene.dir / "s3cfg"
        host = emulator.endpoint.split("//")[1]
        config.write_text(f"[default]\naccess_key = {emulator.env['AWS_ACCESS_KEY_ID']}\n"
                          f"secret_key = {emulator.env['AWS_SECRET_ACCESS_KEY']}\n"
                          f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\n"
                          "bucket_location = us-east-1\n")
        config.chmod(0o600)

        def s3(*args):
            return scene.run([s3cmd, "-c", config, *args], env=scene.env()).expect_status(0).out.decode()
        body = os.urandom(16 << 20)
        (scene.dir / "file").write_bytes(body)
        s3("mb", "s3://cmd")
        s3("put", "--multipart-chunk-size-mb=5", scene.dir / "file", "s3://cmd/a+b c/%25?#ü")
        expect("a+b c/%25?#ü" in s3("ls", "-r", "s3://cmd"), "s3cmd ls")
        s3("get", "s3://cmd/a+b c/%25?#ü", scene.dir / "got")
        expect((scene.dir / "got").read_bytes() == body, "s3cmd get brought something else")
        expect("MD5" in s3("info", "s3://cmd/a+b c/%25?#ü"), "s3cmd info")
        s3("cp", "s3://cmd/a+b c/%25?#ü", "s3://cmd/copy")
        s3("del", "--recursive", "--force", "s3://cmd")
        s3("rb", "s3://cmd")


def with_node(scene, *options):
    node = require_program("node")
    modules = node_modules(scene, "@aws-sdk/client-s3")
    with Emulator(scene, *options) as emulator:
        env = emulator.env | {"LLAMA_NODE_MODULES": str(modules), "AWKWARD": "\n".join(AWKWARD)}
        if emulator.certificate:
            env["NODE_EXTRA_CA_CERTS"] = emulator.certificate
        scene.run([node, HERE / "s3_client.mjs"], env=env, timeout=200).expect_status(0)


def expiring_keys(scene):
    """Keys from the emulator's credentials endpoint end, and a client that asks again goes on."""
    import time
    with Emulator(scene, "--expire-after", 2) as emulator:
        s3 = boto(emulator)
        s3.create_bucket(Bucket="expiring")
        import boto3
        from botocore.config import Config
        keys = boto3.Session().get_credentials().get_frozen_credentials()
        held = boto3.client("s3", endpoint_url=emulator.endpoint, aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key,
                            aws_session_token=keys.token,
                            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                held.list_objects_v2(Bucket="expiring")
            except held.exceptions.ClientError as error:
                expect(error.response["Error"]["Code"] == "ExpiredToken", str(error))
                break
        else:
            raise Failure("the keys never expired")
        s3.list_objects_v2(Bucket="expiring")


def faults(scene):
    """Faults come as often as the model says, at what it is set to while the emulator runs."""
    with Emulator(scene) as emulator:
        s3 = boto(emulator, retries={"max_attempts": 10, "mode": "standard"})
        s3.create_bucket(Bucket="faulty")
        emulator.admin("PUT", "model", b"error.any = 20%\nstall.time = 10ms\n")
        for i in range(100):
            s3.put_object(Bucket="faulty", Key=str(i), Body=str(i).encode() * 1000)
            expect(s3.get_object(Bucket="faulty", Key=str(i))["ETag"], "no etag")
        emulator.admin("PUT", "model", b"")
        listed = s3.list_objects_v2(Bucket="faulty")["KeyCount"]
        expect(listed == 100, f"{listed} objects, not 100")
        seen = emulator.metrics()["faults"]
        kinds = {"s3." + kind for kind in ("reset", "500", "503", "429", "truncate", "stall")}
        expect(set(seen) == kinds, f"faults {seen}")


SCENARIOS = {
    "boto3": with_boto3,
    "boto3_tls": lambda scene: with_boto3(scene, "--tls"),
    "awscli": with_awscli,
    "awscli_tls": lambda scene: with_awscli(scene, "--tls"),
    "s3cmd": with_s3cmd,
    "node": with_node,
    "node_tls": lambda scene: with_node(scene, "--tls"),
    "refusals": refusals,
    "expiring_keys": expiring_keys,
    "faults": faults,
}

if __name__ == "__main__":
    run(SCENARIOS[sys.argv[1]])
