//! Values as another implementation of the protocol writes and reads them: the Python framework `tf`.
//!
//! What it writes is kept in `tests/interop/vectors.json`. Where there is a Python that has it, it is asked
//! anew, and reads what we write. `FORMWORK_TEST_PYTHON` names the interpreter; else it is `python3`.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use formwork_contract::json::{OpenError, Seal, decode};
use formwork_contract::{Type, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::{Value as Json, json};

use super::properties::{Parts, closed_type, value_of};
use super::*;

const VECTORS: &str = include_str!("../../../tests/interop/vectors.json");

/// A value of the other implementation.
struct Vector {
    name: String,
    ty: Type,
    value: Value,
    msgpack: Vec<u8>,
}

/// Nothing here is sensitive.
struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, _: &[u8]) -> String {
        String::new()
    }

    fn open(&self, _: &str) -> Result<Vec<u8>, OpenError> {
        Err(OpenError)
    }
}

fn vectors(json: &str) -> Vec<Vector> {
    let vectors: Vec<Json> = serde_json::from_str(json).expect("a list of vectors");
    let read = vectors.iter().map(|vector| {
        let ty = Type::from_json(&vector["type"]).expect("a type");
        Vector {
            name: vector["name"].as_str().expect("a name").to_owned(),
            value: decode(&vector["value"], &ty, &NoSeal).expect("a value of the type"),
            msgpack: bytes(vector["msgpack"].as_str().expect("hexadecimal digits")),
            ty,
        }
    });
    read.collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal digits")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The interpreter that has the framework; a skip is told where there is none.
fn python() -> Option<OsString> {
    let named = std::env::var_os("FORMWORK_TEST_PYTHON");
    let python = named.clone().unwrap_or_else(|| "python3".into());
    let has_framework = Command::new(&python).args(["-c", "import tf.provider"]).output();
    if has_framework.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert_eq!(named, None, "FORMWORK_TEST_PYTHON has no package tf");
    println!("skipped: no python3 with the package tf; set FORMWORK_TEST_PYTHON to one");
    None
}

fn ask(python: &OsString, verb: &str, input: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/vectors.py");
    let mut child = Command::new(python)
        .args([script, verb])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("python reads");
    let Output { status, stdout, stderr } = child.wait_with_output().expect("python ends");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

/// Whether the framework has the type: objects stand outermost there, or as elements of blocks.
fn in_framework(ty: &Type) -> bool {
    match ty {
        Type::Object(object) => object.iter().all(|attribute| within_object(&attribute.ty)),
        other => within_object(other),
    }
}

fn within_object(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Number | Type::String => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => within_object(element),
        Type::Tuple(_) | Type::Object(_) | Type::Any => false,
    }
}

/// Values of the types that the framework has, the same in each run.
fn sample() -> Vec<(Type, Value)> {
    let typed = closed_type()
        .prop_filter("the framework has the type", in_framework)
        .prop_flat_map(|ty| (Just(ty.clone()), value_of(&ty, Parts::Unrefined)))
        .prop_filter("a whole object is known", |(ty, value)| !matches!(ty, Type::Object(_)) || !value.is_unknown());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(Default::default()));
    (0..300).map(|_| typed.new_tree(&mut runner).expect("a value").current()).collect()
}

#[test]
fn what_the_framework_writes_is_read() {
    let vectors = vectors(VECTORS);
    assert!(vectors.len() > 40, "only {} vectors", vectors.len());
    for vector in vectors {
        let message = DynamicValue { msgpack: vector.msgpack.into(), json: Bytes::new() };
        assert_eq!(from_wire(&message, &vector.ty), Ok(vector.value), "{}", vector.name);
    }
}

#[test]
fn what_is_kept_is_what_the_framework_writes() {
    let Some(python) = python() else { return };
    let asked: Json = serde_json::from_str(&ask(&python, "encode", "")).expect("a list of vectors");
    let kept: Json = serde_json::from_str(VECTORS).expect("a list of vectors");
    assert_eq!(asked, kept, "write it anew with `vectors.py encode > vectors.json`");
}

#[test]
fn the_framework_reads_what_we_write() {
    let Some(python) = python() else { return };
    let kept = vectors(VECTORS).into_iter().map(|vector| (vector.ty, vector.value));
    // The parts that the framework has no types for are read here alone.
    let typed = kept.filter(|(ty, _)| !ty.has_any() && !matches!(ty, Type::Tuple(_)));
    let values: Vec<(Type, Value)> = typed.chain(sample()).collect();
    let given: Json = values
        .iter()
        .map(|(ty, value)| json!({"type": ty.to_json(), "msgpack": hex(&to_msgpack(value, ty))}))
        .collect();
    let read = ask(&python, "decode", &given.to_string());
    assert_eq!(read.lines().count(), values.len());
    for (line, (ty, value)) in read.lines().zip(values) {
        let json: Json = serde_json::from_str(line).expect("a value");
        assert_eq!(decode(&json, &ty, &NoSeal).expect("a value of the type"), value, "{ty}: {line}");
    }
}
