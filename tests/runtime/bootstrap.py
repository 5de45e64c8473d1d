#!/usr/bin/env python3
"""The worker as a function's bootstrap, under a Runtime API on loopback.

    bootstrap.py LLAMA_RUNTIME ENVELOPE_TOOL PROBE [ignored]
"""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

RUNTIME, TOOL, PROBE = sys.argv[1:4]
PREFIX = "/2018-06-01/runtime/"


class RuntimeApi:
    """Serves one worker: what is put into `jobs` is its next invocation, `answers` takes what it says."""

    def __init__(self):
        self.jobs, self.answers = queue.Queue(), queue.Queue()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                assert self.path == PREFIX + "invocation/next", self.path
                api.answers.put(("next", None))
                job = api.jobs.get()
                if job is None:
                    self.close_connection = True
                    return
                headers, body = job
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api.answers.put((self.path[len(PREFIX):], body))

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """A worker that is killed resets its connection."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def said(self):
        return self.answers.get(timeout=30)

    def invoke(self, payload, headers=None):
        """The path and body of the worker's answer."""
        kind, _ = self.said()
        assert kind == "next", kind
        self.jobs.put(({"Lambda-Runtime-Aws-Request-Id": "r1", **(headers or {})}, payload))
        return self.said()

    def close(self):
        self.jobs.put(None)
        self.server.shutdown()
        self.server.server_close()


class Worker:
    def __init__(self, folder, **env):
        self.api = RuntimeApi()
        self.started_ns = time.monotonic_ns()
        self.process = subprocess.Popen(
            ["./bootstrap"], cwd=folder, stderr=subprocess.PIPE,
            env={"AWS_LAMBDA_RUNTIME_API": self.api.address, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
                 "LAMBDA_TASK_ROOT": str(folder), **env})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Told to end, it takes its folder along.
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        self.api.close()

    def run(self, *words, headers=None, job=None):
        path, body = self.api.invoke(job or make_job(*words), headers)
        assert path == "invocation/r1/response", (path, body)
        return read_answer(body)


def make_job(*words):
    return subprocess.run([TOOL, "job", PROBE, *words], stdout=subprocess.PIPE, check=True).stdout


def read_answer(envelope):
    text = subprocess.run([TOOL, "answer"], input=envelope, stdout=subprocess.PIPE, check=True).stdout.decode()
    answer = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name in ("field", "span", "output"):
            name, _, value = value.partition(" ")
        answer[name] = value
    return answer


def runs_jobs_in_envelopes(folder):
    job = make_job("one", "two")
    with Worker(folder) as worker:
        first = worker.run(job=job, headers={"Lambda-Runtime-Trace-Id": "Root=1-2-3"})
        assert first["outcome"] == "0" and first["status"] == str(7 << 8), first
        began, _, words = first["out"].partition(" ")
        assert words == "one two", first
        assert first["/folder/output.txt"] == "written", first
        assert first["cold_start"] == "1" and first["worker.xray"] == "Root=1-2-3", first
        print("start of the worker to its first command's main: %.1f ms" % ((int(began) - worker.started_ns) / 1e6))
        second = worker.run("again")
        assert second["cold_start"] == "0" and second["job_count"] == "2", second


def answers_pings(folder):
    with Worker(folder) as worker:
        path, body = worker.api.invoke(b'{"llama":1,"ping":true}')
        pong = json.loads(body)
        assert path == "invocation/r1/response" and pong["llama"] == 1, pong
        assert pong["memory_mb"] == 1769 and pong["tmp_bytes"] > 0 and len(pong["build"]) == 32, pong
        assert abs(pong["time_ms"] / 1000 - time.time()) < 60, pong


def fails_foreign_events_and_goes_on(folder):
    with Worker(folder) as worker:
        for event in (b"{}", b'{"Records":[{"s3":{}}]}', b"[1,2]", b'"x"', b"", b"\xff" * 100, b'{"llama":1}'):
            path, body = worker.api.invoke(event)
            assert path == "invocation/r1/error", (event, path)
            assert "runs jobs of llama" in json.loads(body)["errorMessage"], body
        assert worker.run("still here")["outcome"] == "0"


def reports_a_job_before_its_deadline(folder):
    with Worker(folder) as worker:
        deadline_ms = int(time.time() * 1000) + 6000
        answer = worker.run("sleep", headers={"Lambda-Runtime-Deadline-Ms": str(deadline_ms)})
        assert time.time() * 1000 < deadline_ms, "too late"
        assert answer["outcome"] == "2" and "no end after" in answer["error"], answer
        # The next one is none the worse for it; its deadline is no time of day.
        assert worker.run("fine", headers={"Lambda-Runtime-Deadline-Ms": "5000"})["outcome"] == "0"


def does_not_mind_being_frozen(folder):
    with Worker(folder) as worker:
        worker.run("before")
        kind, _ = worker.api.said()
        assert kind == "next"
        worker.process.send_signal(signal.SIGSTOP)
        while pathlib.Path(f"/proc/{worker.process.pid}/stat").read_text().split()[2] != "T":
            pass
        # The connection dies meanwhile; a new one asks again.
        worker.api.jobs.put(None)
        worker.process.send_signal(signal.SIGCONT)
        assert worker.run("after")["job_count"] == "2"


class Bucket:
    """Objects over https at an endpoint that a worker is told; whether signatures are right, others check."""

    def __init__(self, folder):
        self.objects, self.authorized = {}, []
        bucket = self
        self.certificate = folder / "store.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", folder / "store.key", "-out", self.certificate, "-days", "2", "-subj", "/CN=store",
                        "-addext", "subjectAltName=DNS:localhost,DNS:bucket.localhost"],
                       check=True, stderr=subprocess.DEVNULL)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=b""):
                bucket.authorized.append(self.headers["Authorization"].split("/")[0])
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                body = bucket.objects.get(self.headers["Host"].split(":")[0] + self.path)
                self.answer(404 if body is None else 200, body or b"")

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bucket.objects[self.headers["Host"].split(":")[0] + self.path] = body
                self.answer(200)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "store.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def takes_jobs_from_a_store_over_tls(folder):
    """The static program's own TLS and names: nothing of it may need the libraries of where it runs."""
    if shutil.which("openssl") is None:
        print("left out: no openssl to make a certificate with")
        return
    bucket = Bucket(folder)
    try:
        job = base64.b64decode(json.loads(make_job("from", "the", "store"))["bytes"])
        bucket.objects["bucket.localhost/pre/jobs/1"] = job
        request = {"llama": 1, "key": "jobs/1", "sha256": hashlib.sha256(job).hexdigest(), "max_answer": 100,
                   "store": f"s3://bucket/pre?region=eu-west-1&endpoint=https%3A%2F%2Flocalhost%3A{bucket.port}"}
        env = {"AWS_ACCESS_KEY_ID": "AKIDROLE", "AWS_SECRET_ACCESS_KEY": "role-secret",
               "AWS_SESSION_TOKEN": "role-token"}
        with Worker(folder, LLAMA_CA_FILE=str(bucket.certificate), **env) as worker:
            path, body = worker.api.invoke(json.dumps(request).encode())
            assert path == "invocation/r1/response", (path, body)
            receipt = json.loads(body)
            answer = bucket.objects["bucket.localhost/pre/" + receipt["key"]]
            assert hashlib.sha256(answer).hexdigest() == receipt["sha256"]
            envelope = json.dumps({"llama": 1, "bytes": base64.b64encode(answer).decode()}).encode()
            assert read_answer(envelope)["out"].endswith("from the store")
        assert bucket.authorized == ["AWS4-HMAC-SHA256 Credential=AKIDROLE"] * 2, bucket.authorized
        # Certificates of others, and a function that is set to another store: both are told from each other.
        with Worker(folder, **env) as worker:
            path, body = worker.api.invoke(json.dumps(request).encode())
            assert path.endswith("/error") and b"certificate" in body and b"role-secret" not in body, body
        with Worker(folder, LLAMA_STORE="s3://theirs", **env) as worker:
            path, body = worker.api.invoke(json.dumps(request).encode())
            assert path.endswith("/error") and b"LLAMA_STORE" in body, body
    finally:
        bucket.close()


def ends_when_told(folder):
    with Worker(folder) as worker:
        worker.api.said()
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(30) == 0


def says_why_it_cannot_start(folder):
    with Worker(folder, LLAMA_WORKER_DIR="/dev/null/x") as worker:
        path, body = worker.api.said()
        assert path == "init/error" and "/dev/null" in json.loads(body)["errorMessage"], (path, body)
        assert worker.process.wait(30) == 1


def keeps_out_of_anothers_folder(folder):
    with Worker(folder) as one, Worker(folder) as two:
        assert one.run("one")["outcome"] == "0"
        assert two.run("two")["outcome"] == "0"
        assert one.run("one")["job_count"] == "2"


SCENES = [runs_jobs_in_envelopes, answers_pings, fails_foreign_events_and_goes_on, reports_a_job_before_its_deadline,
          does_not_mind_being_frozen, takes_jobs_from_a_store_over_tls, ends_when_told,
          says_why_it_cannot_start, keeps_out_of_anothers_folder]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="llama-bootstrap-"))
    try:
        shutil.copy2(RUNTIME, folder / "bootstrap")
        for scene in SCENES:
            scene(folder)
            print("ok", scene.__name__)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
