#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""original.py CONFIG: a server that answers as the original does, as far as
reading goes. It prints its port and serves until its standard input ends.

CONFIG is a JSON file: {"token": what it takes, "labels": [...], "jails": [...],
"projects": {name: info}, "stats": {resource: number}, "chains": {name:
{"entrypoint", "access_token"}}, "timeout": seconds for a server below (10)}.

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

# Path, its member, the function of its twin.
ROUTES = [
    (r"ping/?", "status", "ping"),
    (r"labels/?", "labels", "get_api_labels"),
    (r"chains/?", "chains", "get_chains"),
    (r"jails/?", "jails", "get_jails"),
    (r"stats/?", "stats", "get_server_stats"),
    (r"projects/?", "projects", "get_projects"),
    (r"project/info/([\w.-]+)", "info", "get_info"),
]
KINDS = {1: "Informational response", 3: "Redirect response",
         4: "Client error", 5: "Server error"}


class Failure(Exception):
    """status, body"""


def local(config, member, word):
    values = {"status": "OK", "labels": config.get("labels", []),
              "chains": list(config.get("chains", {})),
              "jails": config.get("jails", []),
              "stats": config.get("stats", {}),
              "projects": sorted(config.get("projects", {}))}
    if member != "info":
        return values[member]
    if word not in config.get("projects", {}):
        raise Failure(404, {"message": f"Project '{word}' cannot be found."})
    return config["projects"][word]


def ask(config, chain, path):
    """The whole reply of the next server; raises what the original says."""
    url = urllib.parse.urlsplit(chain["entrypoint"])
    c = http.client.HTTPConnection(url.hostname, url.port,
                                   timeout=config.get("timeout", 10))
    try:
        c.request("GET", path, headers={
            "Authentication": "Bearer " + chain["access_token"],
            "Accept": "*/*"})
        r = c.getresponse()
        return r.status, r.reason, r.read()
    finally:
        c.close()


def remote(config, chain, rest, member, function):
    name, _, below = chain.partition(".")
    if name not in config.get("chains", {}):
        raise Failure(404, {
            "message": f"Next entrypoint '{name}' cannot be found."})
    path = f"/v1/chain/{below}/{rest}" if below else "/v1/" + rest
    status, error, text = 503, None, ""
    try:
        status, reason, body = ask(config, config["chains"][name], path)
        if status // 100 == 2:
            return json.loads(body).get(member)
        error, text = "HTTPStatusError", (
            f"{KINDS[status // 100]} '{status} {reason}' for url '{path}'")
    except ConnectionError:
        error = "ConnectError"
    except TimeoutError:
        error = "ReadTimeout"
    except (http.client.HTTPException, OSError) as e:
        error, text = "RemoteProtocolError", str(e)
    except ValueError as e:
        error, text = "JSONDecodeError", str(e)
    raise Failure(status, {"function": function, "entrypoint": name,
                           "chain": below, "error": error, "message": text})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self):
        config = self.server.config
        m = re.fullmatch(r"/v1/(?:chain/([\w.-]+)/)?(.*)",
                         self.path.partition("?")[0])
        for path, member, function in ROUTES if m else ():
            found = re.fullmatch(path, m[2])
            if not found:
                continue
            token = (self.headers["Authentication"] or
                     self.headers["Authorization"] or "")
            if token != "Bearer " + config["token"]:
                raise Failure(401, {"message": "Error while decoding the JWT."})
            if m[1]:
                return member, remote(config, m[1], m[2], member, function)
            return member, local(config, member,
                                 found[1] if found.groups() else None)
        raise Failure(404, {"message": "Not Found"})

    def do_GET(self):
        try:
            member, value = self.answer()
            status, body = 200, {"status_code": 200, member: value}
        except Failure as f:
            status, body = f.args[0], {"status_code": f.args[0], **f.args[1]}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


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
