# SPDX-License-Identifier: MIT
"""A way to a server that can be cut, and led to another."""
import socket
import threading

from server_store import Listener


class CutProxy(Listener):
    """The way to the server at a Unix socket; while it is cut nothing goes over it, and nobody is told."""

    def __init__(self, path, target):
        self.target = target
        self.whole = threading.Event()
        self.whole.set()
        super().__init__(path)

    def serve(self, connection):
        self.whole.wait()
        with connection, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.target)
            back = threading.Thread(target=self.pump, args=(server, connection), daemon=True)
            back.start()
            self.pump(connection, server)
            back.join()

    def pump(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                self.whole.wait()
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for each in (source, sink):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
