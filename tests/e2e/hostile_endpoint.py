"""An HTTP endpoint that does one hostile thing to every request.

    mute        takes the request and never answers
    slow_head   the answer's head, a byte a second
    slow_body   a head at once, then the body, a byte a second
    redirect    307 to itself, for ever
    big_head    a head of a gigabyte
    big_body    a body of a terabyte
    cut         a head, half a body, and a reset
    garbage     an answer that is no HTTP
    slow_read   the request's body is taken a byte a second
    handshake   https, and no word of TLS
    lost        all is answered as S3 and Lambda do, but for invocations, which are lost
"""
import socket
import struct
import threading

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n"


class Server:
    def __init__(self, behaviour):
        self._behave = getattr(self, "_" + behaviour)
        self._stopped = threading.Event()
        self._takes_body = behaviour != "slow_read"
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        if not self._takes_body:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # of what it accepts, too
        self._connections = []
        scheme = "https" if behaviour == "handshake" else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests = 0
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for thread, connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            thread.join()
        self._socket.close()

    def _accept(self):
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._connections.append((thread, connection))
            thread.start()

    def _serve(self, connection):
        try:
            with connection:
                while head := self._read_request(connection):
                    self.requests += 1
                    self._behave(connection, head)
        except OSError:
            pass

    def _read_request(self, connection):
        """Its head; empty at the connection's end."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536 if self._takes_body else 1)
            if not more:
                return b""
            data += more
        if not self._takes_body:
            return data
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                       if line.lower().startswith(b"content-length:")), 0)
        left = length - len(body)
        while left > 0:
            more = connection.recv(min(left, 1 << 20))
            if not more:
                return b""
            left -= len(more)
        return head

    def _drip(self, connection, data):
        for byte in data:
            connection.sendall(bytes([byte]))
            if self._stopped.wait(1):
                return

    def _mute(self, connection, _head):
        while not self._stopped.is_set() and connection.recv(1):
            pass

    def _slow_head(self, connection, _head):
        self._drip(connection, HEAD + b"X-Filler: " + b"a" * 100_000)

    def _slow_body(self, connection, _head):
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        self._drip(connection, b"<" + b"a" * 99_999)

    def _redirect(self, connection, _head):
        connection.sendall(f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {self.url}/elsewhere\r\n"
                           "Content-Length: 0\r\n\r\n".encode())

    def _big_head(self, connection, _head):
        connection.sendall(HEAD)
        line = b"X-Filler: " + b"a" * 8000 + b"\r\n"
        for _ in range((1 << 30) // len(line)):
            connection.sendall(line)

    def _big_body(self, connection, _head):
        connection.sendall(HEAD + f"Content-Length: {1 << 40}\r\n\r\n".encode())
        block = b"a" * (1 << 20)
        while not self._stopped.is_set():
            connection.sendall(block)

    def _cut(self, connection, _head):
        connection.sendall(HEAD + b"Content-Length: 2000\r\n\r\n" + b"a" * 1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def _garbage(self, connection, _head):
        connection.sendall(b"\x00\xff220 mail.example ESMTP\r\n" * 50 + b"\r\n")

    def _slow_read(self, connection, _head):
        while not self._stopped.wait(1):
            if not connection.recv(1):
                return

    _handshake = _mute  # whose ClientHello never makes a request

    def _lost(self, connection, head):
        dry_run = b"x-amz-invocation-type: dryrun" in head.lower()
        if b"/invocations" in head and not dry_run:
            self._mute(connection, head)
        elif head.startswith((b"HEAD", b"GET")):
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            status = b"204 No Content" if dry_run else b"200 OK\r\nETag: \"0\""
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
