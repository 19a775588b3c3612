"""A provider of text files in one folder, written with the Python framework `tf`: a plugin of protocol 6.

It serves tests: `.ci/providers` puts it where they look for plugins.
"""

import hashlib
import os
import pathlib
from datetime import datetime, timedelta, timezone

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tf import runner, types
from tf.function import Function, FunctionSignature, Parameter, Return
from tf.iface import DataSource, Provider, Resource
from tf.schema import Attribute, Schema
from tf.types import Unknown


def digest(content):
    return hashlib.sha256(content.encode()).hexdigest()


class File(Resource):
    """A file, named by its place in the folder."""

    def __init__(self, provider):
        self.folder = provider.folder

    @classmethod
    def get_name(cls):
        return "file"

    @classmethod
    def get_schema(cls):
        return Schema(
            version=2,
            attributes=[
                Attribute("id", types.String(), computed=True),
                Attribute("path", types.String(), required=True, requires_replace=True),
                Attribute("content", types.String(), required=True, sensitive=True),
                Attribute("labels", types.Map(types.String()), optional=True),
                Attribute("sha256", types.String(), computed=True),
            ],
        )

    def _seen(self, state):
        file = self.folder / state["path"]
        if not file.is_file():
            return None
        content = file.read_text()
        return {**state, "id": state["path"], "content": content, "sha256": digest(content)}

    def create(self, ctx, planned):
        file = self.folder / planned["path"]
        if file.exists():
            ctx.diagnostics.add_error("the file is there already", "It was not made by this resource.", path=["path"])
            return None
        return self._write(planned)

    def _write(self, planned):
        (self.folder / planned["path"]).write_text(planned["content"])
        return self._seen(planned)

    def read(self, ctx, current):
        return self._seen(current)

    def plan(self, ctx, current, planned):
        if "content" in ctx.changed_fields:
            planned["sha256"] = Unknown
        return planned

    def update(self, ctx, current, planned):
        return self._write(planned)

    def delete(self, ctx, current):
        (self.folder / current["path"]).unlink(missing_ok=True)

    def import_(self, ctx, id):
        return self._seen({"path": id, "labels": None})

    def upgrade(self, ctx, version, old):
        # In version 1 the content was called `text`.
        old["content"] = old.pop("text")
        return {"labels": None, **old}


class Listing(DataSource):
    """The names of all files."""

    def __init__(self, provider):
        self.folder = provider.folder

    @classmethod
    def get_name(cls):
        return "listing"

    @classmethod
    def get_schema(cls):
        return Schema(
            attributes=[
                Attribute("suffix", types.String(), optional=True),
                Attribute("names", types.List(types.String()), computed=True),
            ]
        )

    def read(self, ctx, config):
        suffix = config["suffix"] or ""
        names = sorted(file.name for file in self.folder.iterdir() if file.name.endswith(suffix))
        return {"suffix": config["suffix"], "names": names}


class Repeat(Function):
    """A text, some times over."""

    def __init__(self, provider):
        pass

    @classmethod
    def get_name(cls):
        return "repeat"

    @classmethod
    def get_signature(cls):
        return FunctionSignature(
            parameters=[Parameter("text", types.String()), Parameter("times", types.Number())],
            return_type=Return(types.String()),
            summary="Repeats a text",
        )

    def call(self, ctx, arguments):
        text, times = arguments
        if times < 0:
            ctx.diagnostics.add_error("a text cannot be repeated less than 0 times", "")
            return None
        return text * int(times)


class Files(Provider):
    def __init__(self):
        self.folder = None

    def get_model_prefix(self):
        return "files_"

    def full_name(self):
        return "registry.terraform.io/formwork-tests/files"

    def get_provider_schema(self, diags):
        return Schema(attributes=[Attribute("folder", types.String(), required=True)])

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        self.folder = pathlib.Path(config["folder"])
        if not self.folder.is_dir():
            diags.add_error("there is no such folder", str(self.folder), path=["folder"])

    def get_data_sources(self):
        return [Listing]

    def get_resources(self):
        return [File]

    def get_functions(self):
        return [Repeat]


def as_go_does():
    """A certificate on the curve P-521, and the host's own required: how plugins written in Go secure themselves."""
    key = ec.generate_private_key(ec.SECP521R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(seconds=30))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA512())
    )
    encoding, format = serialization.Encoding, serialization.PrivateFormat.PKCS8
    key_pem = key.private_bytes(encoding.PEM, format, serialization.NoEncryption())
    credentials = grpc.ssl_server_credentials(
        [(key_pem, certificate.public_bytes(encoding.PEM))],
        root_certificates=os.environ["PLUGIN_CLIENT_CERT"].encode(),
        require_client_auth=True,
    )
    return certificate.public_bytes(encoding.DER), credentials


if __name__ == "__main__":
    if os.environ.get("FILES_CERTIFICATE") == "go":
        runner._self_signed_cert = as_go_does
    runner.run_provider(Files())
