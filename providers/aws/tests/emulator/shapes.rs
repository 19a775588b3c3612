//! TEST CODE: holds the answers of our own stand-in for EKS against botocore's service model.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::control_plane::given;

/// Names every part of an answer that the model does not know, or knows otherwise.
const CHECK: &str = r#"
import json, sys
import botocore.session
model = botocore.session.get_session().get_service_model("eks")
wrong = []
def walk(value, shape, where):
    if value is None:
        wrong.append(f"{where} is null")
    elif shape.type_name == "structure":
        if not isinstance(value, dict):
            return wrong.append(f"{where} is no object")
        for name, part in value.items():
            if name in shape.members:
                walk(part, shape.members[name], f"{where}.{name}")
            else:
                wrong.append(f"{where} has no {name}")
    elif shape.type_name == "list":
        if not isinstance(value, list):
            return wrong.append(f"{where} is no list")
        for part in value:
            walk(part, shape.member, where + "[]")
    elif shape.type_name == "map":
        for name, part in value.items():
            walk(part, shape.value, f"{where}[{name}]")
    else:
        types = {"string": str, "boolean": bool, "integer": int, "long": int, "timestamp": (int, float)}
        if not isinstance(value, types[shape.type_name]):
            wrong.append(f"{where} is {value!r}, no {shape.type_name}")
        elif getattr(shape, "enum", None) and value not in shape.enum:
            wrong.append(f"{where} is {value!r}, none of {shape.enum}")
operations = set()
for line in sys.stdin:
    operation, body = line.split("\t", 1)
    operations.add(operation)
    walk(json.loads(body), model.operation_model(operation).output_shape, operation)
print(f"{len(operations)} operations")
for line in sorted(set(wrong)):
    print(line)
sys.exit(1 if wrong else 0)
"#;

/// Fails where an answer that was given is not as the model has it.
#[expect(clippy::print_stdout, reason = "what was looked at is for people to see")]
pub(crate) fn check() {
    let Some(python) = std::env::var_os("FORMWORK_TEST_MOTO") else { return };
    let mut child = Command::new(python)
        .args(["-c", CHECK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the emulator's Python starts");
    let mut input = child.stdin.take().expect("piped");
    let lines = given();
    // Its answer is short, so that it cannot wait for us while we wait for it.
    input.write_all(lines.as_bytes()).expect("it reads");
    drop(input);
    let told = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    println!("answers of EKS beside botocore's model: {text}");
    assert!(told.status.success() && !lines.is_empty(), "{text}");
}
