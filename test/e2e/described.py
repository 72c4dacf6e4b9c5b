# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Answers against the OpenAPI document: node.py holds every answer that a test
gets to what the document says of it, so that neither can change alone.

Knows the part of JSON Schema that proto/openapi_schema.c writes."""

import json
import re

TYPES = {
    "string": str, "boolean": bool, "object": dict, "array": list,
    "null": type(None), "integer": int, "number": (int, float),
}


class Described:
    def __init__(self, document):
        self.document = document
        self.paths = []
        for template, operations in document["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            self.paths.append((re.compile(pattern + "/?"), template,
                               operations))
        # A literal wins over a word.
        self.paths.sort(key=lambda p: p[1].count("{"))

    def find(self, method, path):
        """(template, operation), or None; `get` is another method than
        `GET`."""
        path = path.partition("?")[0]
        for pattern, template, operations in self.paths:
            if method.isupper() and pattern.fullmatch(path) and \
                    method.lower() in operations:
                return template, operations[method.lower()]
        return None

    def resolve(self, node):
        while "$ref" in node:
            where = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                where = where[part]
            node = where
        return node

    def check(self, method, path, reply):
        """Fails with what is not as described."""
        found = self.find(method, path)
        if found is None:
            return
        # Where it is not optional, a slash at the end makes another path.
        if path.endswith("/") and reply.status == 404:
            return
        what = f"{method} {found[0]}: {reply.status}"
        responses = found[1]["responses"]
        name = str(reply.status)
        if name not in responses:
            name = name[0] + "XX"
        assert name in responses, f"{what} is not in the document"
        content = self.resolve(responses[name]).get("content", {})
        if method == "HEAD" or not content:
            assert not reply.text, f"{what} has a body"
            return
        kind = reply.headers["Content-Type"]
        assert kind in content, f"{what} is not {kind} in the document"
        if kind == "application/json":
            faults = list(self.faults(content[kind]["schema"],
                                      json.loads(reply.text), "reply"))
            assert not faults, f"{what} is not as the document says: {faults}"

    def faults(self, schema, value, where):
        """What is wrong with a value."""
        schema = self.resolve(schema)
        unknown = set(schema) - {
            "type", "const", "enum", "anyOf", "properties", "required",
            "items", "additionalProperties", "propertyNames", "pattern",
            "description", "minimum", "maximum", "maxLength", "minItems",
            "minProperties"}
        assert not unknown, f"{unknown} is more than described.py knows"
        if "anyOf" in schema:
            each = [list(self.faults(s, value, where))
                    for s in schema["anyOf"]]
            if all(each):
                yield f"{where}: none of {each}"
        if "const" in schema and schema["const"] != value:
            yield f"{where}: {value!r} is not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is none of {schema['enum']}"
        if "type" in schema and not self.is_type(schema["type"], value):
            yield f"{where}: {value!r} is not of type {schema['type']}"
        elif isinstance(value, dict):
            yield from self.object_faults(schema, value, where)
        elif isinstance(value, list):
            for i, item in enumerate(value):
                yield from self.faults(schema.get("items", {}), item,
                                       f"{where}[{i}]")
        elif isinstance(value, str) and "pattern" in schema:
            if not re.search(schema["pattern"], value):
                yield f"{where}: {value!r} has not the pattern"

    @staticmethod
    def is_type(name, value):
        if isinstance(value, bool):
            return name == "boolean"
        return isinstance(value, TYPES[name])

    def object_faults(self, schema, value, where):
        known = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}.{name} is missing"
        for name, member in value.items():
            rule = known.get(name, schema.get("additionalProperties", {}))
            if rule is False:
                yield f"{where}.{name} is unknown"
                continue
            yield from self.faults(rule, member, f"{where}.{name}")
