#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""original.py CONFIG: a server that answers as the original does, as far as
reading goes, metadata and jobs of projects, which nobody runs. It prints its
port and serves until its standard input ends.

CONFIG is a JSON file: {"token": what it takes, "labels": [...], "jails": [...],
"projects": {name: info}, "stats": {resource: number}, "chains": {name:
{"entrypoint", "access_token"}}, "timeout": seconds for a server below (10),
"jobs": file that gets a line of JSON for each job}.

It knows the original's routes and their twins, and says 404 to others; headers
that the original does not know go no further, nor do members of replies; a
failure below becomes the original's error body. It does not repeat requests."""

import http.client
import json
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Path, its member, the function of its twin by method.
ROUTES = [
    (r"ping/?", "status", {"GET": "ping"}),
    (r"labels/?", "labels", {"GET": "get_api_labels"}),
    (r"chains/?", "chains", {"GET": "get_chains"}),
    (r"jails/?", "jails", {"GET": "get_jails"}),
    (r"stats/?", "stats", {"GET": "get_server_stats"}),
    (r"projects/?", "projects", {"GET": "get_projects"}),
    (r"project/info/([\w.-]+)", "info", {"GET": "get_info", "HEAD": "check"}),
    (r"project/up/([\w.-]+)", "job_id", {"POST": "up"}),
    (r"project/down/([\w.-]+)", "job_id", {"POST": "down"}),
    (r"project/cancel/([\w.-]+)", "job_id", {"POST": "cancel"}),
    (r"metadata/?", "metadata", {"GET": "metadata_list"}),
    (r"metadata/([\w.-]+)", "metadata", {
        "GET": "metadata_get", "HEAD": "metadata_check",
        "POST": "metadata_set", "PUT": "metadata_set",
        "DELETE": "metadata_delete"}),
]
# What a request takes, and what it is when it is not sent; REQUIRED: a fault.
REQUIRED = object()
FIELDS = {"up": {"director_file": REQUIRED, "environment": {},
                 "restart": False, "reserve_port": {}},
          "down": {"environment": {}, "force": False}, "cancel": {},
          "metadata_set": {"value": REQUIRED}}
MORE = ("\nFor more information check: "
        "https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/")
KINDS = {1: "Informational response", 3: "Redirect response",
         4: "Client error", 5: "Server error"}


class Failure(Exception):
    """Status and body; of what a server below said: status, error, message."""


def read(config, member, word):
    """What a GET of this server itself finds."""
    kept = {"metadata": config.setdefault("metadata", {}),
            "info": config.get("projects", {})}
    if word is not None:
        if word not in kept[member]:
            raise Failure(404, {"message": {
                "metadata": "Metadata cannot be found.",
                "info": f"Project '{word}' cannot be found."}[member]})
        return kept[member][word]
    return {"status": "OK", "labels": config.get("labels", []),
            "chains": list(config.get("chains", {})),
            "jails": config.get("jails", []),
            "stats": config.get("stats", {}),
            "projects": sorted(config.get("projects", {})),
            "metadata": list(kept["metadata"])}[member]


def fields(function, body):
    """What a body holds of what this takes, as the original converts it."""
    values = {k: body.get(k, default)
              for k, default in FIELDS[function].items()}
    for name, value in values.items():
        if value is REQUIRED:
            raise Failure(400, {"message": f"`{name}` is required but hasn't "
                                "been specified."})
    if function == "metadata_set":
        return {"value": str(values["value"])}
    return values


def local(config, method, member, word, function, body):
    """Status and body of this server itself."""
    if method in ("GET", "HEAD"):
        value = read(config, member, word)
        return 200, {member: value} if method == "GET" else None
    if member == "job_id":
        config["last"] = config.get("last", 0) + 1
        with open(config["jobs"], "a", encoding="utf-8") as f:
            f.write(json.dumps([function, word, fields(function, body)])
                    + "\n")
        return 200, {"job_id": config["last"]}
    kept = config.setdefault("metadata", {})
    if method == "POST":
        # What is there stays as it is, and nobody is told.
        kept.setdefault(word, fields(function, body)["value"])
        return 201, {"message":
                     f"Metadata '{word}' has been successfully created."}
    read(config, member, word)
    if method == "DELETE":
        del kept[word]
        return 204, None
    kept[word] = fields(function, body)["value"]
    return 200, {"message":
                 f"Metadata '{word}' has been successfully updated."}


def ask(config, chain, method, path, body=None):
    """The whole reply of the next server; raises what the original says."""
    url = urllib.parse.urlsplit(chain["entrypoint"])
    c = http.client.HTTPConnection(url.hostname, url.port,
                                   timeout=config.get("timeout", 10))
    try:
        c.request(method, path, headers={
            "Authentication": "Bearer " + chain["access_token"],
            "Accept": "*/*"}, body=body and json.dumps(body))
        r = c.getresponse()
        return r.status, r.reason, r.read()
    finally:
        c.close()


def pass_on(config, chain, path, method, member, function, body):
    """Status and body of what the next server said."""
    sent = None
    if method in ("POST", "PUT"):
        sent = fields(function, body)
    if function == "metadata_set":
        status, reason, _ = ask(config, chain, "HEAD", path)
        if status not in (200, 404):
            raise Failure(503, "APIError", f"Error {status}: {reason}")
        method = "PUT" if status == 200 else "POST"
        member = "message"
    status, reason, data = ask(config, chain, method, path, sent)
    if method == "HEAD" and status in (200, 404):
        return status, None
    if method == "DELETE" and status == 204:
        return 204, None
    if method in ("HEAD", "DELETE"):
        raise Failure(503, "APIError", f"Error {status}: {reason}")
    if status // 100 != 2:
        raise Failure(status, "HTTPStatusError", (
            f"{KINDS[status // 100]} '{status} {reason}' for url "
            f"'{chain['entrypoint']}{path}'{MORE}{status}"))
    return 200, {member: json.loads(data).get(member)}


def remote(config, chain, rest, *what):
    name, _, below = chain.partition(".")
    if name not in config.get("chains", {}):
        raise Failure(404, {
            "message": f"Next entrypoint '{name}' cannot be found."})
    path = f"/v1/chain/{below}/{rest}" if below else "/v1/" + rest
    status, text = 503, ""
    try:
        return pass_on(config, config["chains"][name], path, *what)
    except Failure as e:
        # Of a fault of the request itself nothing was asked.
        if len(e.args) == 2:
            raise
        status, error, text = e.args
    except ConnectionError:
        error = "ConnectError"
    except TimeoutError:
        error = "ReadTimeout"
    except (http.client.HTTPException, OSError) as e:
        error, text = "RemoteProtocolError", str(e)
    except ValueError as e:
        error, text = "JSONDecodeError", str(e)
    raise Failure(status, {"function": what[2], "entrypoint": name,
                           "chain": below, "error": error, "message": text})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, method):
        """Status and body."""
        length = int(self.headers["Content-Length"] or 0)
        raw = self.rfile.read(length)
        config = self.server.config
        m = re.fullmatch(r"/v1/(?:chain/([\w.-]+)/)?(.*)",
                         self.path.partition("?")[0])
        for path, member, functions in ROUTES if m else ():
            found = re.fullmatch(path, m[2])
            if not found:
                continue
            token = self.headers["Authentication"]
            if token is None:
                raise Failure(401, {"message": "'Authentication' header is "
                                    "required but hasn't been specified."})
            if token != "Bearer " + config["token"]:
                raise Failure(401, {"message": "Error while decoding the JWT."})
            if method not in functions:
                raise Failure(405, {"message": "Method Not Allowed"})
            try:
                body = json.loads(raw or "{}")
            except ValueError:
                raise Failure(400, {"message": "Request has been received "
                                    "with an invalid format."}) from None
            if m[1]:
                return remote(config, m[1], m[2], method, member,
                              functions[method], body)
            return local(config, method, member,
                         found[1] if found.groups() else None,
                         functions[method], body)
        raise Failure(404, {"message": "Not Found"})

    def serve(self, method):
        try:
            status, body = self.answer(method)
        except Failure as f:
            status, body = f.args
        data = b""
        if body is not None:
            data = json.dumps({"status_code": status, **body}).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if method != "HEAD":
            self.wfile.write(data)

    def do_GET(self):
        self.serve("GET")

    def do_HEAD(self):
        self.serve("HEAD")

    def do_POST(self):
        self.serve("POST")

    def do_PUT(self):
        self.serve("PUT")

    def do_DELETE(self):
        self.serve("DELETE")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that hangs up is none."""


def main():
    httpd = Server(("127.0.0.1", 0), Handler)
    with open(sys.argv[1], encoding="utf-8") as f:
        httpd.config = json.load(f)
    print(httpd.server_address[1], flush=True)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    sys.stdin.read()


main()
