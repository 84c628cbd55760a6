# SPDX-License-Identifier: MIT
"""A way to a server that can be cut, and led to another."""
import socket
import threading

from e2e import wait_until
from server_store import Listener


class CutProxy(Listener):
    """
    The way to the server at a Unix socket; while it is cut nothing goes over it, and nobody is told. back: the same of
    answers alone, own: of those to who sent what was watched for with it.
    """

    def __init__(self, path, target):
        self.target = target
        self.whole, self.back, self.own = threading.Event(), threading.Event(), threading.Event()
        for each in (self.whole, self.back, self.own):
            each.set()
        self.watched = None  # the pair of own
        self.pairs = set()
        self.cut_at = None  # a text, and the event that is cleared before what has it goes on; None: see strand()
        self.stranded = None
        self.landed = False
        self.answered = 0   # bytes
        super().__init__(path)

    def watch(self, text, event):
        self.cut_at = (text, event)

    def strand(self, text):
        """
        The connection ends for who sends that text; the server has not received it, and knows nothing of an end, whatever
        else it says meanwhile.
        """
        self.watch(text, None)

    def land(self):
        """It is received now, and answered, or its session is gone."""
        pair, data = self.stranded
        self.landed = True
        try:
            pair[1].sendall(data)
        except OSError:
            pass
        wait_until("the server has done with it", lambda: pair not in self.pairs)

    def look_at(self, pair, data):
        """True: it is stranded."""
        if not self.cut_at:
            return False
        text, event = self.cut_at
        # Values are hexadecimal on MariaDB.
        if text.encode() not in data and text.encode().hex().encode() not in data.lower():
            return False
        self.cut_at = None
        if event:
            self.watched = pair
            event.clear()
            return False
        self.stranded = (pair, data)
        self.end(pair[0])
        return True

    def serve(self, connection):
        self.whole.wait()
        with connection, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.target)
            pair = (connection, server)
            self.pairs.add(pair)
            back = threading.Thread(target=self.pump, args=(server, connection, None), daemon=True)
            back.start()
            self.pump(connection, server, pair)
            back.join()
            self.pairs.discard(pair)

    def pump(self, source, sink, pair):
        """pair None: answers."""
        try:
            while data := source.recv(1 << 16):
                if not pair:
                    self.back.wait()
                    if self.watched and self.watched[1] is source:
                        self.own.wait()
                    self.answered += len(data)
                    if self.stranded and self.stranded[0][1] is source and not self.landed:
                        continue
                elif self.look_at(pair, data):
                    return
                self.whole.wait()
                sink.sendall(data)
        except OSError:
            pass
        self.end(source, sink)

    @staticmethod
    def end(*ends):
        for each in ends:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
