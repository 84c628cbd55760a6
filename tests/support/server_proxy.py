# SPDX-License-Identifier: MIT
"""What stands between schedd and a server, or in its place: listeners, and ways that are slow, secure or broken."""
import pathlib
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time


class Listener:
    """Takes connections at a socket, or at a port if path is a number, and gives each to serve(connection) in a thread."""

    address = "127.0.0.1"

    def __init__(self, path=None):
        local = isinstance(path, str)
        self.socket = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(path if local else (self.address, path or 0))
        self.socket.listen(64)
        self.port = None if local else self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass

    def serve(self, connection):
        raise NotImplementedError

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def dial(target):
    """Connected to that Unix socket, or to that port of this machine."""
    if isinstance(target, int):
        return socket.create_connection(("127.0.0.1", target))
    server = socket.socket(socket.AF_UNIX)
    server.connect(target)
    return server


class SlowProxy(Listener):
    """The way to the server at that Unix socket or port, on which everything takes so many seconds each way."""

    def __init__(self, path, target, delay=0.3):
        self.target, self.delay = target, delay
        super().__init__(path)

    def serve(self, connection):
        with connection, dial(self.target) as server:
            back = threading.Thread(target=self.pump, args=(server, connection), daemon=True)
            back.start()
            self.pump(connection, server)
            back.join()

    def pump(self, source, sink):
        """What comes while something waits goes out no later than it has to."""
        waiting = []
        source.settimeout(0.005)
        try:
            while True:
                try:
                    data = source.recv(1 << 20)
                    waiting.append((time.monotonic() + self.delay, data))
                except TimeoutError:
                    pass
                while waiting and waiting[0][0] <= time.monotonic():
                    data = waiting.pop(0)[1]
                    if not data:
                        return
                    sink.sendall(data)
        except OSError:
            pass
        finally:
            for each in (source, sink):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def openssl(*words, **more):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, **more).stdout


def certificates(case):
    """A directory with ca.pem, other.pem that signed nothing, and s.pem with s.key, of localhost, signed by ca."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="schedd-tls."))
    case.addCleanup(shutil.rmtree, made)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "other"):
        openssl("req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", "-keyout", made / f"{name}.key",
                "-out", made / f"{name}.pem")
    (made / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    request = openssl("req", *key, "-subj", "/CN=localhost", "-keyout", made / "s.key")
    (made / "s.pem").write_bytes(openssl("x509", "-req", "-CA", made / "ca.pem", "-CAkey", made / "ca.key", "-days", "2",
                                         "-extfile", made / "ext", input=request))
    return made


class TlsProxy(Listener):
    """The way to the server at that port by TLS alone, with these certificates; it asks for one, too."""

    def __init__(self, made, target, address="127.0.0.1"):
        self.target, self.address = target, address
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(made / "s.pem", made / "s.key")
        self.context.load_verify_locations(made / "ca.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        super().__init__()

    def serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as tls, dial(self.target) as server:
            while True:
                ready = [tls] if tls.pending() else select.select([tls, server], [], [])[0]
                for source, sink in ((tls, server), (server, tls)):
                    data = source.recv(1 << 16) if source in ready else None
                    if data == b"":
                        return
                    if data:
                        sink.sendall(data)


class FlappingProxy(Listener):
    """The way to the server at that Unix socket, until cut() ends all that goes over it."""

    def __init__(self, path, target):
        self.target, self.connections = target, []
        pathlib.Path(path).unlink(missing_ok=True)
        super().__init__(path)

    def serve(self, connection):
        with connection, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.target)
            self.connections += [connection, server]
            back = threading.Thread(target=self.pump, args=(server, connection), daemon=True)
            back.start()
            self.pump(connection, server)
            back.join()

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for each in (source, sink):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def cut(self):
        connections, self.connections = self.connections, []
        for each in connections:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
