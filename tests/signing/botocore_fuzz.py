#!/usr/bin/env python3
"""Signs random awkward requests with botocore and with ours (sign_lines) and compares.

    botocore_fuzz.py SIGN_LINES [COUNT [SEED]]

Exits 77 (skipped) where there is no botocore.
"""
import datetime
import hashlib
import random
import subprocess
import sys
import urllib.parse

try:
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
except ImportError:
    print("skipped: no botocore for this python3 (Debian: python3-botocore)")
    sys.exit(77)

TIME = 1_700_000_000
PIECES = ["a", "B", "7", "-", "_", ".", "~", " ", "  ", "+", "=", "%", "&", "?", "#", ";", ":", "@", "!", "*", "'", "(",
          ")", "[", "]", "{", "}", "|", "\\", "^", "`", '"', "<", ">", ",", "$", "é", "中", "🦙", "\u0301", "%2F", "%zz",
          "..", "//"]
SERVICES = ["s3", "lambda", "iam", "sts", "logs"]


class FixedDatetime:
    """datetime.datetime as botocore uses it, but always the same time."""

    @staticmethod
    def now(tz=None):
        return datetime.datetime.fromtimestamp(TIME, tz or datetime.timezone.utc)

    @staticmethod
    def utcnow():
        return datetime.datetime.fromtimestamp(TIME, datetime.timezone.utc).replace(tzinfo=None)


def freeze_time():
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda remove_tzinfo=True: FixedDatetime.utcnow()
    # Older versions call datetime.datetime.utcnow() themselves.
    botocore.auth.datetime = type("datetime", (), {"datetime": FixedDatetime, "timedelta": datetime.timedelta})


def text(rng, most, pieces=PIECES):
    return "".join(rng.choice(pieces) for _ in range(rng.randint(0, most)))


def encoded(s):
    return urllib.parse.quote(s, safe="-._~")


def random_query(rng, distinct):
    """Pairs in the order that they go over the wire, and that text: unsorted, repeated, valueless."""
    names = [text(rng, 4) or "k" for _ in range(rng.randint(0, 5))]
    names += [rng.choice(names) for _ in range(rng.randint(0, 2)) if names]
    names += rng.sample(["uploads", "acl", "list-type", "versions"], rng.randint(0, 2))
    if distinct:
        names = list(dict.fromkeys(names))
    rng.shuffle(names)
    pairs = [(name, rng.choice(["", text(rng, 5), "a=b", "x+y", "A", "a"])) for name in names]
    parts = []
    for name, value in pairs:
        if value == "" and rng.random() < 0.5:
            parts.append(encoded(name))
        elif rng.random() < 0.3:
            # '=' and a few others as some clients send them: bare.
            parts.append(encoded(name) + "=" + urllib.parse.quote(value, safe="-._~=:/,@"))
        else:
            parts.append(encoded(name) + "=" + encoded(value))
    return pairs, "&".join(parts)


def random_path(rng, service):
    if service != "s3":
        segments = [encoded(text(rng, 4)) for _ in range(rng.randint(0, 4))]
        return "/" + "/".join(segments)
    key = "/".join(text(rng, 6) for _ in range(rng.randint(1, 4)))
    return "/bucket/" + urllib.parse.quote(key, safe="/-._~")


def random_headers(rng):
    headers = [("Host", "h%d.example.com%s" % (rng.randint(0, 9), rng.choice(["", ":9000"])))]
    for i in range(rng.randint(0, 4)):
        name = rng.choice(["Content-Type", "x-amz-meta-a", "X-Amz-Meta-B", "x-amz-acl", "Range", "User-Agent",
                           "Expect", "X-Amzn-Trace-Id", "If-None-Match", "x-amz-meta-" + str(i)])
        value = "".join(rng.choice(["a", " ", "  ", "\t", ",", "B", "=", "/", "\"", ";"]) for _ in range(rng.randint(1, 12)))
        headers.append((name, value))
    return headers


def botocore_signature(method, path, pairs, headers, payload, scope, keys, presign):
    """botocore's own word on the request whose query it encodes itself, as its clients do."""
    query = "&".join(f"{encoded(n)}={encoded(v)}" for n, v in pairs)
    host = headers[0][1]
    request = botocore.awsrequest.AWSRequest(method=method, url=f"https://{host}{path}" + (f"?{query}" if query else ""),
                                             data=payload)
    for name, value in headers:
        request.headers.add_header(name, value)
    region, service = scope
    credentials = botocore.credentials.Credentials(*keys)
    if presign:
        kind = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
        kind(credentials, service, region, expires=900).add_auth(request)
        return request.url.split("X-Amz-Signature=")[1]
    if service == "s3":
        request.context["payload_signing_enabled"] = True
        request.context["client_config"] = None
        botocore.auth.S3SigV4Auth(credentials, service, region).add_auth(request)
    else:
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    return request.headers["Authorization"]


def field(value):
    return value.encode().hex() or "-"


def one(rng):
    """A request as a line for sign_lines, and what botocore makes of it."""
    service = rng.choice(SERVICES)
    presign = rng.random() < 0.25
    method = rng.choice(["GET", "PUT", "HEAD", "DELETE"] if presign else ["GET", "PUT", "POST", "HEAD", "DELETE"])
    payload = b"" if presign else text(rng, 20).encode()
    # botocore drops all but one of a repeated parameter from what it presigns.
    pairs, query = random_query(rng, distinct=presign)
    path = random_path(rng, service)
    headers = random_headers(rng)
    if presign:
        headers = headers[:1]
    scope = (rng.choice(["us-east-1", "eu-west-1"]), service)
    keys = ("AKID" + str(rng.randint(0, 9)), text(rng, 30) or "secret", rng.choice([None, "tok/en+" + "x" * 50 + "=="]))
    expected = botocore_signature(method, path, pairs, headers, payload, scope, keys, presign)
    target = path + ("?" + query if query else "")
    fields = ["presign" if presign else "sign", method, target, hashlib.sha256(payload).hexdigest(), *scope, str(TIME),
              keys[0], keys[1], keys[2] or ""]
    for header in headers:
        fields += header
    return " ".join(map(field, fields)), expected, fields


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    freeze_time()
    rng = random.Random(seed)
    cases = [one(rng) for _ in range(count)]
    lines = "".join(line + "\n" for line, _, _ in cases)
    ours = subprocess.run([program], input=lines, text=True, capture_output=True, check=True, timeout=60).stdout.splitlines()
    if len(ours) != count:
        sys.exit(f"{count} requests, {len(ours)} answers")
    bad = 0
    for (_, expected, fields), got in zip(cases, ours):
        if (got.split("X-Amz-Signature=")[-1] if fields[0] == "presign" else got) != expected:
            bad += 1
            if bad <= 5:
                print(f"differs: {fields}\n  botocore {expected}\n  ours     {got}")
    print(f"{count} requests signed with botocore {botocore.__version__} (seed {seed}): {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
