"""Checks the files of this folder; see scripts/check-deploy.

    check.py BSPM [FOLDER]
"""

import contextlib
import http.client
import json
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

KEY = "a-key-for-the-checks-of-deploy"
HOST = "shop.example"


def fail(message):
    sys.exit(f"error: {message}")


def run(*command):
    """Runs a command, and returns its output. Fails with the output if the command fails."""
    done = subprocess.run([str(it) for it in command], capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def only(pattern, text, what):
    """Returns the only match of a pattern."""
    found = re.findall(pattern, text, flags=re.MULTILINE)
    if len(found) != 1:
        fail(f"{what}: expected one match of {pattern}, found {len(found)}")
    return found[0]


def replaced(text, *changes):
    """Replaces texts, each of which must occur."""
    for old, new in changes:
        if old not in text:
            fail(f"expected {old!r} in:\n{text}")
        text = text.replace(old, new)
    return text


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def request(connection, path, key=None, host=HOST):
    """Returns the status, the headers and the body of a response."""
    headers = {"Host": host}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def plain(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=10)


@contextlib.contextmanager
def started(command, is_ready):
    """Runs a process while the block runs, from the time at which it is ready."""
    process = subprocess.Popen([str(it) for it in command])
    try:
        for _ in range(300):
            if process.poll() is not None:
                fail(f"{shlex.join(map(str, command))}: ended with status {process.returncode}")
            if is_ready():
                break
            time.sleep(0.1)
        else:
            fail(f"{shlex.join(map(str, command))}: not ready after 30 s")
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def server(bspm, arguments, folder, where):
    """Runs `bspm` with the arguments of a file, but with the model, the keys and the port of this check."""
    port = free_port()
    text = shlex.join(arguments)
    model = only(r"\S+\.bspm\b", text, where)
    keys = only(r"--keys[= ](\S+)", text, where)
    address = only(r"--address[= ](\S+)", text, where)
    if not address.endswith(":8080"):
        fail(f"{where}: expected port 8080, found {address}")
    text = replaced(text, (model, str(folder / "model.bspm")), (keys, str(folder / "keys.txt")))
    text = replaced(text, (address, address.replace(":8080", f":{port}")))
    with started([bspm, *shlex.split(text)], lambda: accepts(port)):
        yield port


def check_probes(port, paths, where):
    """Fails if a path needs a key or does not return 200, as a probe needs it."""
    for path in paths:
        status, _, body = request(plain(port), path, host="127.0.0.1")
        if status != 200:
            fail(f"{where}: {path}: expected 200, found {status}: {body!r}")


def check_kubernetes(bspm, folder, files):
    path = files / "kubernetes.yaml"
    run("kubernetes-validate", "--strict", "--quiet", path)
    parts = {it["kind"]: it for it in yaml.safe_load_all(path.read_text())}
    pod = parts["Deployment"]["spec"]["template"]
    container = pod["spec"]["containers"][0]
    labels = pod["metadata"]["labels"]
    for selector in (
        parts["Deployment"]["spec"]["selector"]["matchLabels"],
        parts["Service"]["spec"]["selector"],
        parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        if not selector.items() <= labels.items():
            fail(f"{path}: the labels {labels} do not match the selector {selector}")
    volumes = {it["name"] for it in pod["spec"]["volumes"]}
    for part in [container, *pod["spec"]["initContainers"]]:
        for mount in part["volumeMounts"]:
            if mount["name"] not in volumes:
                fail(f"{path}: no volume {mount['name']}; expected one of {sorted(volumes)}")
    ports = {it["name"]: it["containerPort"] for it in container["ports"]}
    probes = [container[it]["httpGet"] for it in ("startupProbe", "livenessProbe", "readinessProbe")]
    for port in [it["port"] for it in probes] + [parts["Service"]["spec"]["ports"][0]["targetPort"]]:
        if ports.get(port) != 8080:
            fail(f"{path}: {port} is not the port 8080 of the container: {ports}")
    scaler = parts["HorizontalPodAutoscaler"]["spec"]
    if scaler["scaleTargetRef"]["name"] != parts["Deployment"]["metadata"]["name"]:
        fail(f"{path}: the autoscaler has another target: {scaler['scaleTargetRef']}")
    metric = scaler["metrics"][0]["pods"]["metric"]
    labels = ",".join(f'{name}="{value}"' for name, value in metric["selector"]["matchLabels"].items())
    gauge = f"{metric['name']}{{{labels}}} "
    with server(bspm, container["args"], folder, path) as port:
        check_probes(port, [it["path"] for it in probes], path)
        status, _, body = request(plain(port), "/metrics", KEY)
        if status != 200:
            fail(f"{path}: /metrics: expected 200, found {status}: {body!r}")
        if not any(it.startswith(gauge) for it in body.decode().splitlines()):
            fail(f"{path}: /metrics has no line that starts with {gauge!r}")


def check_compose(bspm, folder, files):
    path = files / "compose.yaml"
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)
    compose = yaml.safe_load(path.read_text())
    services = compose["services"]
    for name, service in services.items():
        for other in [*service.get("depends_on", {}), service.get("network_mode", f"service:{name}")]:
            if other.removeprefix("service:") not in services:
                fail(f"{path}: {name}: no service {other}")
        for secret in service.get("secrets", []):
            if secret not in compose["secrets"]:
                fail(f"{path}: {name}: no secret {secret}")
    if not (files / "nginx.conf").is_file() or "./nginx.conf:" not in str(services["nginx"]["volumes"]):
        fail(f"{path}: expected nginx.conf as a volume of nginx")
    kind, *test = services["bspm"]["healthcheck"]["test"]
    if kind != "CMD":
        fail(f"{path}: expected a test of the kind CMD, found {kind}")
    with server(bspm, services["bspm"]["command"], folder, path) as port:
        run(*[replaced(it, ("/8080;", f"/{port};")) if "/dev/tcp" in it else it for it in test])
    if subprocess.run(test, stderr=subprocess.DEVNULL).returncode == 0 and not accepts(8080):
        fail(f"{path}: the health check succeeds without a server")


def check_systemd(bspm, folder, files):
    path = files / "bspm.service"
    text = path.read_text()
    copy = folder / "bspm.service"
    copy.write_text(replaced(text, ("ExecStart=/usr/local/bin/bspm ", f"ExecStart={bspm} ")))
    # Unknown keys are only warnings, so any output is an error.
    found = run("systemd-analyze", "verify", copy)
    if found.strip():
        fail(f"{path}: systemd-analyze verify:\n{found}")
    command = only(r"^ExecStart=(.*)$", text, path)
    with server(bspm, shlex.split(command)[1:], folder, path) as port:
        status, _, body = request(plain(port), "/recommend?user=u1", KEY)
        if status != 200:
            fail(f"{path}: /recommend: expected 200, found {status}: {body!r}")


def check_nginx(bspm, folder, files):
    path = files / "nginx.conf"
    tls = folder / "tls"
    tls.mkdir()
    run(
        *"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -keyout".split(), tls / "privkey.pem",
        "-out", tls / "fullchain.pem", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
    )
    service = files / "bspm.service"
    arguments = shlex.split(only(r"^ExecStart=(.*)$", service.read_text(), service))[1:]
    with server(bspm, arguments, folder, service) as upstream:
        http_port, https_port = free_port(), free_port()
        site = replaced(
            path.read_text(),
            ("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstream};"),
            ("listen 80;", f"listen 127.0.0.1:{http_port};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{https_port} ssl;"),
            ("/etc/nginx/tls/", f"{tls}/"),
            # So slow that the time of the requests does not matter.
            ("rate=50r/s", "rate=1r/m"),
        )
        (folder / "site.conf").write_text(site)
        main = folder / "nginx.conf"
        main.write_text(
            f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;\n"
            f"events {{}} http {{ access_log off; include {folder}/site.conf; }}\n"
        )
        run("nginx", "-t", "-p", folder, "-c", main)
        context = ssl.create_default_context(cafile=str(tls / "fullchain.pem"))

        def secure():
            # A connection to this machine that verifies the certificate for the name of the host.
            plain_socket = socket.create_connection(("127.0.0.1", https_port), timeout=10)
            connection = http.client.HTTPSConnection(HOST, timeout=10)
            connection.sock = context.wrap_socket(plain_socket, server_hostname=HOST)
            return connection

        with started(["nginx", "-p", folder, "-c", main], lambda: accepts(https_port)):
            address = "/recommend?user=u1&k=3"

            def items(connection):
                # The id of the answer differs each time.
                status, _, body = request(connection, address, KEY)
                return status, json.loads(body)["items"]

            for what, found, expected in [
                ("with a key", items(secure()), items(plain(upstream))),
                ("without a key", request(secure(), address)[0], 401),
                ("another host", request(secure(), address, KEY, host="other.example")[0], 403),
                ("metrics", request(secure(), "/metrics", KEY)[0], 404),
                ("without TLS", request(plain(http_port), address)[0], 301),
                (
                    "the redirection",
                    request(plain(http_port), address)[1]["location"],
                    f"https://{HOST}{address}",
                ),
            ]:
                if found != expected:
                    fail(f"{path}: {what}: expected {expected!r}, found {found!r}")
            if request(secure(), address, KEY)[0] != 200:
                fail(f"{path}: expected a list")
            statuses = [request(secure(), "/healthz")[0] for _ in range(150)]
            if 429 not in statuses or 200 not in statuses:
                fail(f"{path}: expected a limit on the rate of requests, found {set(statuses)}")


def main():
    bspm, files = Path(sys.argv[1]).resolve(), Path(sys.argv[2] if len(sys.argv) > 2 else "deploy")
    folder = Path(tempfile.mkdtemp(prefix="bspm-deploy-"))
    try:
        rows = [f"u{user},i{(user * 7 + step * step) % 30}" for user in range(40) for step in range(6)]
        (folder / "plays.csv").write_text("\n".join(["user,item", *rows]) + "\n")
        (folder / "keys.txt").write_text(f"{KEY}\n")
        run(bspm, "fit", folder / "plays.csv", "-o", folder / "model.bspm", "--filter", "gf-cf")
        for check in (check_kubernetes, check_compose, check_systemd, check_nginx):
            check(bspm, folder, files)
            print(f"{check.__name__.removeprefix('check_')}: passed", flush=True)
    finally:
        shutil.rmtree(folder)


main()
