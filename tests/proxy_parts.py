"""An outgoing HTTP proxy, as company networks have one: CONNECT (RFC 9110, 9.3.6), nothing else."""

import contextlib
import socket
import socketserver
import threading


class Proxy:
    """Opens tunnels on a free port. `with` ends it, and all of them.

    `refusal`: what it answers instead, such as "407 Proxy Authentication Required"; "": it opens.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        """Where to tunnels were asked for."""
        self.refusal = ""
        self._open: set[socket.socket] = set()
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    proxy._serve(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _serve(self, handler: socketserver.StreamRequestHandler) -> None:
        method, target, _ = handler.rfile.readline().decode("latin-1").split(" ")
        while handler.rfile.readline().strip():
            pass
        self.asked.append(target)
        if method != "CONNECT" or self.refusal:
            refused = self.refusal or "405 Method Not Allowed"
            handler.wfile.write(f"HTTP/1.1 {refused}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            handler.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._tunnel(handler.connection, there)

    def _tunnel(self, here: socket.socket, there: socket.socket) -> None:
        both = {here, there}
        self._open |= both
        back = threading.Thread(target=_copy, args=(there, here))
        back.start()
        _copy(here, there)
        back.join()
        self._open -= both

    def cut(self) -> None:
        """End all tunnels at once."""
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self.cut()
        self._server.server_close()


def _copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65_536):
            to.sendall(chunk)
    for each in (source, to):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
