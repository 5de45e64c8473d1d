"""A service that takes spans, on loopback: it keeps what it is sent, and fails as it is told to."""
import gzip
import http.server
import json
import threading

PATHS = {"otlp": "/v1/traces", "otlp-json": "/v1/traces", "zipkin": "/api/v2/spans", "honeycomb": "/1/batch/llama"}


class Request:
    def __init__(self, path, headers, body):
        self.path = path
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.compressed = self.headers.get("content-encoding") == "gzip"
        self.body = gzip.decompress(body) if self.compressed else body


class Receiver:
    def __init__(self, fail_first=0, status=503, refuse=False):
        """Answers the first requests with `status`; `refuse`s one event of each batch."""
        self.seen, self.taken = [], []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.append(self.path)
                if len(receiver.seen) <= fail_first:
                    return self.answer(status, b"try again", {"Retry-After": "0"})
                request = Request(self.path, self.headers, body)
                receiver.taken.append(request)
                answer = b""
                if self.path == PATHS["honeycomb"]:
                    statuses = [{"status": 202} for _ in json.loads(request.body)]
                    if refuse:
                        statuses[0] = {"status": 400, "error": "too old"}
                    answer = json.dumps(statuses).encode()
                self.answer(202 if self.path == PATHS["zipkin"] else 200, answer, {})

            def answer(self, code, body, headers):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
