"""The gateways that are measured beside each other, each with the configuration that its documentation recommends for speed, and what stands
behind them.

All have one thread for requests, keep their connections to the upstream, tell it the client's address and protocol, write no access log, and
keep a connection that a client does not use for 75 s.
"""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading

from .client import status_of
from .peer import FOLDER, node_environment
from .processes import Child, Failure, free_port_base, tree, wait_until

ISSUER = "urn:souk:user-service"
AUDIENCE = "urn:souk:api"
#: How many requests a caller has in a minute: more than the load sends for any, and a few, to show that the limit is there.
LIMIT = 60_000
NARROW_LIMIT = 5
TOKENS = os.path.join(os.path.dirname(FOLDER), "tokens.js")
#: Connections that each must be able to hold at a time, to clients and the upstream together.
CONNECTIONS = 4096


def executable(name, package=None):
    """Debian keeps servers where only root's PATH looks."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if not found:
        raise Failure(f"{package or name} is missing; install it with: scripts/bootstrap --bench")
    return found


def version(command, pattern):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=10)
    found = re.search(pattern, ended.stdout + ended.stderr)
    return found.group(1) if found else "unknown"


class Upstream:
    """The constant upstream of bench/ProxyBenchmark: one process, one thread."""

    def __init__(self, build, directory):
        command = os.path.join(os.path.abspath(build), "proxy-benchmark")
        if not os.access(command, os.X_OK):
            raise Failure(f"{command} is missing; build it with: scripts/build release (or name its folder with --souk)")
        self.port = free_port_base(1)
        self.child = Child("the upstream", [command, "upstream", str(self.port), "1"], {}, os.path.join(directory, "upstream.log"))

    def wait_until_ready(self):
        wait_until(self.is_ready, 20, 0.05, "the upstream did not answer")

    def is_ready(self):
        self.child.check_alive()
        return status_of(self.port, "/") == 200

    def stop(self):
        self.child.stop(timeout=10)


class Tokens:
    """Access tokens of many customers, bad ones, and the key that tells them apart: as a key set at `address` and in files."""

    def __init__(self, directory, count):
        made = subprocess.run(
            [executable("node"), TOKENS, ISSUER, AUDIENCE, str(count)], capture_output=True, text=True, timeout=60)
        if made.returncode != 0:
            raise Failure(f"no tokens could be made: {made.stderr}")
        found = json.loads(made.stdout)
        self.good, self.bad = found["good"], found["bad"]
        self.file = os.path.join(directory, "tokens")
        self.public_key_file = os.path.join(directory, "public.pem")
        for path, text in ((self.file, "\n".join(self.good) + "\n"), (self.public_key_file, found["publicKey"])):
            with open(path, "w") as file:
                file.write(text)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler(json.dumps(found["keySet"]).encode()))
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def handler(key_set):
        class KeySet(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/.well-known/jwks.json" else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(key_set)))
                self.end_headers()
                self.wfile.write(key_set)

            def log_message(self, *_):
                """The report is on standard output, and nobody asks who fetched a key."""

        return KeySet

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Certificate:
    """A certificate for 127.0.0.1, signed by itself, and its key: in two files, and both in one."""

    def __init__(self, directory):
        self.file, self.key_file, self.both_file = (os.path.join(directory, name) for name in ("server.pem", "server.key", "both.pem"))
        made = subprocess.run(
            [executable("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key_file, "-out", self.file],
            capture_output=True, text=True, timeout=60)
        if made.returncode != 0:
            raise Failure(f"no certificate could be made: {made.stderr}")
        with open(self.both_file, "w") as both:
            for path in (self.file, self.key_file):
                with open(path) as part:
                    both.write(part.read())


class Gateway:
    """One process, or a tree of them, on a free port. With `tokens` it asks for a good one at every request and limits each caller; it is set up
    for requests with bodies of `body_bytes`. With `certificate` it speaks TLS to its clients, and HTTP/2."""

    #: Whether it can check tokens.
    checks_tokens = True
    speaks_http2 = True

    def __init__(self, build, directory, upstream, tokens=None, body_bytes=0, certificate=None):
        self.build = os.path.abspath(build)
        self.upstream = upstream
        self.tokens = tokens
        self.body_bytes = body_bytes
        self.certificate = certificate
        self.directory = os.path.join(directory, self.name)
        os.makedirs(self.directory, exist_ok=True)
        self.port = free_port_base(1)
        command, environment = self.launch()
        self.child = Child(self.name, command, environment, os.path.join(self.directory, "log"), self.directory)

    def launch(self):
        """Writes the configuration; returns the command and its environment."""
        raise NotImplementedError

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def wait_until_ready(self, timeout=20):
        wait_until(self.is_ready, timeout, 0.05, f"{self.name} did not answer")

    def is_ready(self):
        self.child.check_alive()
        return status_of(self.port, "/", is_secure=self.certificate is not None) in (200, 401)

    def pids(self):
        return tree(self.child.pid)

    def stop(self):
        self.child.stop(timeout=10)


class SoukGateway(Gateway):
    """The gateway as `souk up` starts it, with one event loop."""

    name = "souk"

    def launch(self):
        routes = "  - {name: all, path: /, cluster: constant}\n"
        if self.tokens:
            routes = "".join(
                f"  - name: {name}\n    path: {path}\n    cluster: constant\n    authentication: required\n"
                f"    rateLimits: [{{name: minute, requests: {requests}, seconds: 60, by: user}}]\n"
                for name, path, requests in (("all", "/", LIMIT), ("limited", "/limited", NARROW_LIMIT)))
        tls = f"tls: {{certificate: {self.certificate.file}, privateKey: {self.certificate.key_file}}}\n" if self.certificate else ""
        configuration = self.write("gateway.yaml", f"""\
{tls}clusters:
  - name: constant
    endpoints: [http://127.0.0.1:{self.upstream.port}]
routes:
{routes}""")
        return [os.path.join(self.build, "souk"), "serve", "api-gateway"], {
            "GATEWAY_CONFIGURATION": configuration, "GATEWAY_THREADS": "1", "HOST": "127.0.0.1", "PORT": str(self.port), "ACCESS_LOG": "none",
            **({"USER_SERVICE_URL": self.tokens.address} if self.tokens else {}),
        }

    @staticmethod
    def version(build):
        return version([os.path.join(build, "souk"), "version"], r"souk (\S+)")


class Nginx(Gateway):
    """nginx without its commercial part has no tokens: it only limits, by the Authorization field."""

    name = "nginx"
    checks_tokens = False

    def launch(self):
        # Started by root it would give its worker to a user who may not write here.
        user = "user root;\n" if os.geteuid() == 0 else ""
        zones = limits = narrow = buffers = secure = files = ""
        if self.certificate:
            secure = " ssl http2"
            files = (
                f"        ssl_certificate {self.certificate.file};\n        ssl_certificate_key {self.certificate.key_file};\n"
                "        http2_max_concurrent_streams 100;\n")
        if self.body_bytes:
            buffers = f"    # A body stays in memory.\n    client_body_buffer_size {2 * self.body_bytes};\n"
        if self.tokens:
            zones = (
                f"    limit_req_zone $http_authorization zone=wide:10m rate={LIMIT // 60}r/s;\n"
                f"    limit_req_zone $http_authorization zone=narrow:1m rate={NARROW_LIMIT}r/m;\n    limit_req_status 429;\n")
            # As many at once as Souk lets pass.
            limits = f"            limit_req zone=wide burst={LIMIT} nodelay;\n"
            narrow = self.location("/limited", f"            limit_req zone=narrow burst={NARROW_LIMIT - 1} nodelay;\n")
        configuration = self.write("nginx.conf", f"""\
{user}daemon off;
worker_processes 1;
worker_rlimit_nofile {2 * CONNECTIONS};
pid {self.directory}/nginx.pid;
error_log stderr warn;
events {{
    worker_connections {CONNECTIONS};
}}
http {{
    access_log off;
    # No connection ends because it was used often.
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
{buffers}    client_body_temp_path {self.directory}/client-body;
    proxy_temp_path {self.directory}/proxy;
    fastcgi_temp_path {self.directory}/fastcgi;
    uwsgi_temp_path {self.directory}/uwsgi;
    scgi_temp_path {self.directory}/scgi;
{zones}    upstream constant {{
        server 127.0.0.1:{self.upstream.port};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{self.port}{secure} backlog=1024;
{files}{self.location("/", limits)}{narrow}    }}
}}
""")
        return [executable("nginx"), "-p", self.directory, "-c", configuration, "-e", "stderr"], {}

    @staticmethod
    def location(path, limits):
        return f"""\
        location {path} {{
{limits}            proxy_pass http://constant;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
"""

    @staticmethod
    def version(build):
        return version([executable("nginx"), "-v"], r"nginx/(\S+)")


class HAProxy(Gateway):
    name = "haproxy"

    def launch(self):
        checks = tables = buffers = secure = ""
        scheme = "http"
        if self.certificate:
            secure, scheme = f" ssl crt {self.certificate.both_file} alpn h2,http/1.1", "https"
        if self.body_bytes:
            buffers = f"    # A body and its head are sent on in one piece.\n    tune.bufsize {2 * self.body_bytes}\n"
        if self.tokens:
            checks = self.checks()
            tables = "".join(
                f"backend {name}\n    stick-table type string len 32 size 100k expire 2m store http_req_rate(60s)\n"
                for name in ("callers", "limited_callers"))
        configuration = self.write("haproxy.cfg", f"""\
global
    nbthread 1
    maxconn {CONNECTIONS}
{buffers}defaults
    mode http
    timeout connect 3s
    timeout client 75s
    timeout http-keep-alive 75s
    timeout server 30s
frontend clients
    bind 127.0.0.1:{self.port}{secure} backlog 1024
    option forwardfor
    http-request set-header X-Forwarded-Proto {scheme}
{checks}    default_backend constant
backend constant
    http-reuse always
    server constant 127.0.0.1:{self.upstream.port}
{tables}""")
        return [executable("haproxy"), "-db", "-f", configuration], {}

    def checks(self):
        """As the documentation of `jwt_verify` shows it. What is cheap comes first."""
        refuse = "    http-request deny deny_status"
        return f"""\
    http-request set-var(txn.token) http_auth_bearer
    http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
    http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
{refuse} 401 unless {{ var(txn.alg) -m str ES256 }}
{refuse} 401 unless {{ var(txn.token),jwt_header_query('$.typ') -m str at+jwt }}
{refuse} 401 unless {{ var(txn.token),jwt_payload_query('$.iss') -m str {ISSUER} }}
{refuse} 401 unless {{ var(txn.token),jwt_payload_query('$.aud') -m str {AUDIENCE} }}
{refuse} 401 unless {{ var(txn.exp),sub(txn.now) -m int gt 0 }}
{refuse} 401 unless {{ var(txn.token),jwt_verify(txn.alg,"{self.tokens.public_key_file}") 1 }}
    http-request set-var(txn.sub) var(txn.token),jwt_payload_query('$.sub')
    acl is_limited path /limited
    http-request track-sc0 var(txn.sub) table callers unless is_limited
    http-request track-sc1 var(txn.sub) table limited_callers if is_limited
{refuse} 429 if {{ sc0_http_req_rate gt {LIMIT} }}
{refuse} 429 if {{ sc1_http_req_rate gt {NARROW_LIMIT} }}
"""

    @staticmethod
    def version(build):
        return version([executable("haproxy"), "-v"], r"version (\d\S*?)[-\s]")


class ExpressGateway(Gateway):
    """peers/express/proxy.js: Express and http-proxy, with an agent that keeps connections. Neither speaks HTTP/2."""

    name = "express"
    speaks_http2 = False

    def launch(self):
        checks = {}
        if self.tokens:
            checks = {
                "PUBLIC_KEY": self.tokens.public_key_file, "ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "LIMIT": str(LIMIT),
                "NARROW_LIMIT": str(NARROW_LIMIT)}
        return [executable("node"), os.path.join(FOLDER, "proxy.js")], {
            **node_environment(), "KEEP_ALIVE": "1", "PORT": str(self.port), "UPSTREAM": f"http://127.0.0.1:{self.upstream.port}", **checks,
        }

    @staticmethod
    def version(build):
        script = """
            const [express, proxy] = ['express', 'http-proxy'].map((name) => require(`${name}/package.json`).version);
            console.log(`${express} with http-proxy ${proxy} on Node ${process.versions.node}`);"""
        ended = subprocess.run(
            [executable("node"), "-e", script], capture_output=True, text=True, timeout=10, env={**os.environ, **node_environment()})
        return ended.stdout.strip() or "unknown"


GATEWAYS = [SoukGateway, Nginx, HAProxy, ExpressGateway]
