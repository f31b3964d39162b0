"""A proxy that leads every host to one port of this machine, and notes who was asked for."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Proxy:
    def __init__(self, server: socket.socket, port: int) -> None:
        self._server = server
        self._port = port
        self.asked: list[str] = []
        self.url = f"http://user:proxy-password@127.0.0.1:{server.getsockname()[1]}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                block = client.recv(4096)
                if not block:
                    return
                head += block
            self.asked.append(head.split()[1].decode())
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxying(port: int) -> Iterator[Proxy]:
    """A proxy, while the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy(server, port)
        threading.Thread(target=proxy.serve, daemon=True).start()
        yield proxy
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
