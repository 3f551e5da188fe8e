"""A proxy between the records and PostgreSQL that cuts the connection when a commit is answered, before it is heard."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CuttingProxy:
    """Passes everything on; once `cut_next_commit` is set, one commit is done but its answer is not passed on."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cut_next_commit = False
        self.cuts = 0

    def serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connected, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _connected(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server)) as server:
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            while sent := client.recv(65536):
                cut = self.cut_next_commit and b"COMMIT" in sent
                if cut:
                    self.cut_next_commit = False
                    client.shutdown(socket.SHUT_RDWR)  # so the answer can't be passed on
                server.sendall(sent)
                if cut:
                    back.join()  # it ends when the answer came
                    self.cuts += 1
                    return


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)


@contextmanager
def cutting_proxy(server: int) -> Iterator[CuttingProxy]:
    """Run a proxy of the server at the port `server` of the loopback interface."""
    proxy = CuttingProxy(server)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
