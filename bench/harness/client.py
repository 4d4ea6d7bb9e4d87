"""A JSON client over one kept connection, for what the benchmark itself asks of a shop: small and sequential."""

import http.client
import json
import re
import ssl

from .processes import Failure


class Client:
    def __init__(self, port, token=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.token = token

    def exchange(self, method, path, body=None):
        """Returns (status, headers, body as bytes). A connection that the server closed in the meantime is opened again once."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body)
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, data, headers)
                response = self.connection.getresponse()
                return response.status, response.headers, response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                if attempt == 2:
                    raise

    def call(self, method, path, body=None):
        """Returns the decoded body; anything but a 2xx is a failure."""
        status, _, data = self.exchange(method, path, body)
        if not 200 <= status < 300:
            raise Failure(f"{method} {path}: {status} {data.decode(errors='replace')[:400]}")
        return json.loads(data)

    def get(self, path):
        return self.call("GET", path)

    def pages(self, path):
        """The items of a list, page after page, as `Link: <…>; rel="next"` (RFC 8288) says."""
        while path:
            status, headers, data = self.exchange("GET", path)
            if status != 200:
                raise Failure(f"GET {path}: {status} {data.decode(errors='replace')[:400]}")
            yield from json.loads(data)
            link = re.search(r'<([^>]*)>\s*;\s*rel="?next"?', headers.get("Link", ""))
            path = re.sub(r"^https?://[^/]*", "", link.group(1)) if link else None


def status_of(port, path, is_secure=False):
    """The status of one GET on a connection of its own, over TLS with whatever certificate if `is_secure`; None when nothing answers."""
    if is_secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=2, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
