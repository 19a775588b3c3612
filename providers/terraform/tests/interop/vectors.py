"""Values of the plugin protocol as the Python framework `tf` encodes and decodes them.

    vectors.py encode          writes vectors.json's content
    vectors.py decode          reads [{"type": ..., "msgpack": HEX}, ...], writes the values

Values are written so that nothing is lost: {"$unknown": TYPE}, {"$number": DIGITS}, {"$map": [[KEY, VALUE], ...]}.
"""

import json
import sys

from tf.blocks import SetNestedBlock
from tf.gen import tfplugin_pb2 as pb
from tf.provider import _decode_state, _encode_state
from tf.schema import Attribute, Block
from tf.types import Bool, List, Map, Number, Set, String, Unknown
from tf.utils import Diagnostics, read_dynamic_value, to_dynamic_value

HOST = {
    "name": String(),
    "ports": List(Number()),
    "tags": Map(String()),
    "groups": Set(String()),
    "ready": Bool(),
}
DISK = {"size": Number(), "label": String()}

# A type (or the attributes of an object, and of its blocks of disks) and a value.
CASES = {
    "null": (String(), None),
    "unknown": (String(), Unknown),
    "empty string": (String(), ""),
    "string of 31 bytes": (String(), "x" * 31),
    "string of 32 bytes": (String(), "x" * 32),
    "string of 256 bytes": (String(), "y" * 256),
    "unicode": (String(), "f\u00fcr \u65e5\u672c \U0001f680 \u00e9"),
    "control characters": (String(), "a\u0000b\n\t\"\\"),
    "true": (Bool(), True),
    "false": (Bool(), False),
    "zero": (Number(), 0),
    "fixed positive": (Number(), 127),
    "8 bits": (Number(), 255),
    "16 bits": (Number(), 65535),
    "32 bits": (Number(), 4294967295),
    "64 bits": (Number(), 9223372036854775807),
    "64 bits without sign": (Number(), 18446744073709551615),
    "fixed negative": (Number(), -32),
    "8 bits negative": (Number(), -128),
    "16 bits negative": (Number(), -32768),
    "32 bits negative": (Number(), -2147483648),
    "64 bits negative": (Number(), -9223372036854775808),
    "exact double": (Number(), 0.5),
    "double": (Number(), 1.23),
    "small double": (Number(), -2.5e-7),
    "whole double": (Number(), 1e22),
    "number as text": (Number(), "123456789012345678901234567890.000000001"),
    "empty list": (List(String()), []),
    "list": (List(String()), ["a", None, Unknown, ""]),
    "list of 16": (List(Number()), list(range(16))),
    "unknown list": (List(String()), Unknown),
    "lists of lists": (List(List(Number())), [[1], [], None, [2, 3]]),
    "set out of order": (Set(String()), ["b", "c", "a"]),
    "set of lists": (Set(List(Number())), [[2], [1, 2], []]),
    "empty map": (Map(String()), {}),
    "map": (Map(Number()), {"b": 1, "a": None, "": 3, "\u00e9": Unknown}),
    "map of 16": (Map(Bool()), {f"key{n}": n % 2 == 0 for n in range(16)}),
    "map of maps of sets": (Map(Map(Set(Number()))), {"x": {"y": [3, 1, 2]}, "z": {}}),
    "object": (
        HOST,
        {"name": "web", "ports": [80, 443], "tags": {"env": "prod"}, "groups": ["b", "a"], "ready": True},
    ),
    "object of nulls": (HOST, dict.fromkeys(HOST)),
    "object of unknowns": (HOST, dict.fromkeys(HOST, Unknown)),
    "no object": (HOST, None),
    "object with blocks": (
        {"name": String(), "disk": SetNestedBlock("disk", Block(attributes=[Attribute(n, t) for n, t in DISK.items()]))},
        {"name": "db", "disk": [{"size": 20, "label": "data"}, {"size": 10, "label": None}]},
    ),
}

# The framework has no type for these, so its bytes are made of the parts that the protocol asks for.
PARTS = {
    "dynamic string": ("dynamic", [b'"string"', "x"], {"$any": "string", "value": "x"}),
    "dynamic null": ("dynamic", None, None),
    "dynamic unknown": ("dynamic", Unknown, {"$unknown": "dynamic"}),
    "typed dynamic unknown": ("dynamic", [b'"bool"', Unknown], {"$unknown": "bool"}),
    "dynamic object": (
        "dynamic",
        [b'["object",{"a":"number","b":["tuple",["string","bool"]]}]', {"a": 1, "b": ["x", True]}],
        {"$any": ["object", {"a": "number", "b": ["tuple", ["string", "bool"]]}], "value": {"a": 1, "b": ["x", True]}},
    ),
    "tuple": (["tuple", ["string", "number"]], ["a", 1], ["a", 1]),
}


def type_json(ty):
    """The JSON of a type, of an object's attributes, or of a block."""
    if isinstance(ty, dict):
        return ["object", {name: type_json(attribute) for name, attribute in ty.items()}]
    if isinstance(ty, SetNestedBlock):
        return ["set", ["object", {a.name: type_json(a.type) for a in ty.block.attributes}]]
    return json.loads(ty.tf_type())


def framework_type(ty):
    """The framework's type, or a dictionary of attributes for an object."""
    match ty:
        case "string":
            return String()
        case "number":
            return Number()
        case "bool":
            return Bool()
        case ["list", element]:
            return List(framework_type(element))
        case ["set", ["object", attributes]]:
            members = [Attribute(name, framework_type(t)) for name, t in attributes.items()]
            return SetNestedBlock("", Block(attributes=members))
        case ["set", element]:
            return Set(framework_type(element))
        case ["map", element]:
            return Map(framework_type(element))
        case ["object", attributes]:
            return {name: framework_type(t) for name, t in attributes.items()}
    raise ValueError(f"the framework has no type {ty}")


def members(attributes):
    """An object's attributes and its blocks, as the framework keeps them."""
    blocks = {name: t for name, t in attributes.items() if isinstance(t, SetNestedBlock)}
    plain = {name: Attribute(name, t) for name, t in attributes.items() if name not in blocks}
    return plain, blocks


def encode(ty, value):
    if isinstance(ty, dict):
        return _encode_state(*members(ty), value, None)
    return to_dynamic_value(ty.encode(value))


def decode(ty, message):
    if not isinstance(ty, dict):
        return ty.decode(read_dynamic_value(message))
    diagnostics = Diagnostics()
    _, value = _decode_state(diagnostics, *members(ty), message)
    assert not diagnostics.has_errors(), diagnostics
    return value


def exact(value, ty):
    """The value as JSON, without loss."""
    if value is Unknown:
        return {"$unknown": ty}
    if value is None:
        return None
    match ty:
        case "number":
            whole = isinstance(value, float) and value.is_integer()
            return {"$number": str(int(value)) if whole else str(value)}
        case ["list" | "set", element]:
            return [exact(item, element) for item in value]
        case ["map", element]:
            return {"$map": [[key, exact(item, element)] for key, item in value.items()]}
        case ["object", attributes]:
            return {name: exact(value[name], t) for name, t in attributes.items()}
    return value


def vectors():
    for name, (ty, value) in CASES.items():
        message = encode(ty, value)
        json_type = type_json(ty)
        yield {"name": name, "type": json_type, "value": exact(value, json_type), "msgpack": message.msgpack.hex()}
    for name, (ty, parts, value) in PARTS.items():
        yield {"name": name, "type": ty, "value": value, "msgpack": to_dynamic_value(parts).msgpack.hex()}


def main():
    if sys.argv[1:] == ["encode"]:
        lines = [json.dumps(vector, separators=(",", ":")) for vector in vectors()]
        print("[\n" + ",\n".join(lines) + "\n]")
    elif sys.argv[1:] == ["decode"]:
        for given in json.load(sys.stdin):
            message = pb.DynamicValue(msgpack=bytes.fromhex(given["msgpack"]))
            print(json.dumps(exact(decode(framework_type(given["type"]), message), given["type"])))
    else:
        sys.exit(__doc__)


main()
