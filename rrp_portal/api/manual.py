"""The OpenAPI document as a manual: resources, their operations, parameters and fields, as plain rows for a template."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

METHODS = ("get", "post", "patch", "delete")
NAME_AT = 3  # /api/v1/<name>/…
TOLD_ONCE = frozenset({"cursor", "page_size", "format"})  # in the rules for every address
CHOICE = re.compile(r"\s*\* `([^`]*)` - ([^\n]*)")


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or a field: its name, type, meaning, and whether it must be given."""

    name: str
    type: str
    about: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    about: str
    parameters: list[Value]
    body: list[Value]


@dataclass(slots=True)
class Resource:
    """A resource with its operations and the fields of its rows."""

    name: str
    about: str = ""
    operations: list[Operation] = field(default_factory=list)
    fields: list[Value] = field(default_factory=list)


def resources(document: dict[str, Any]) -> list[Resource]:
    """The document's resources in the order of its addresses."""
    found: dict[str, Resource] = {}
    for path, item in document["paths"].items():
        name = path.split("/")[NAME_AT]
        resource = found.setdefault(name, Resource(name))
        for method in METHODS:
            if method in item:
                resource.operations.append(_operation(document, method, path, item[method]))
        if not resource.fields and "get" in item:
            resource.about = item["get"].get("description", "")
            resource.fields = [replace(value, is_required=False) for value in _fields(document, _answer(item["get"]))]
    return list(found.values())


def _operation(document: dict, method: str, path: str, said: dict) -> Operation:
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Operation(
        method=method.upper(),
        path=path,
        about=said.get("description", ""),
        parameters=[
            Value(p["name"], _type(document, p["schema"]), _about(p), p.get("required", False))
            for p in said.get("parameters", [])
            if p["in"] == "query" and p["name"] not in TOLD_ONCE
        ],
        body=list(_fields(document, body)),
    )


def _answer(said: dict) -> dict:
    for status in ("200", "201"):
        if content := said.get("responses", {}).get(status, {}).get("content"):
            return content["application/json"]["schema"]
    return {}


def _resolved(document: dict, schema: dict) -> dict:
    if "allOf" in schema and len(schema["allOf"]) == 1:
        schema = schema["allOf"][0]
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return schema


def _fields(document: dict, schema: dict) -> Iterator[Value]:
    schema = _resolved(document, schema)
    results = schema.get("properties", {}).get("results")
    if results:
        schema = _resolved(document, results["items"])
    required = schema.get("required", [])
    for name, said in schema.get("properties", {}).items():
        yield Value(name, _type(document, said), _about(said), name in required)


def _about(said: dict) -> str:
    """The meaning in one paragraph; choices as "code: meaning", without those whose meaning is their code."""
    text = said.get("description") or said.get("title") or ""
    choices = [f"{code}: {meaning}" for code, meaning in CHOICE.findall(text) if code.lower() != meaning.lower()]
    parts = [CHOICE.sub("", text).strip().replace("`", ""), "; ".join(choices)]
    return " – ".join(filter(None, parts))


def _type(document: dict, schema: dict) -> str:
    """The type in words: string, date, decimal, list of …, or the values it can take."""
    found = _resolved(document, schema)
    if options := found.get("oneOf"):
        found = _resolved(document, options[0])
    if choices := found.get("enum"):
        return " | ".join(str(choice) for choice in choices if choice not in (None, ""))
    if found.get("type") == "array":
        return f"[{_type(document, found['items'])}]"
    if found.get("type") == "object" and found.get("properties"):
        return "{" + ", ".join(found["properties"]) + "}"
    return found.get("format") or found.get("type") or "any"
