//! Functions that read files, and templates.

use std::sync::Arc;

use formwork_contract::Value;

use super::{Vars, context, evaluate_in};
use crate::blueprint::files::Files;
use crate::language::FunctionContext;

fn folder() -> (tempfile::TempDir, FunctionContext) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir_all(folder.path().join("templates/deep")).expect("a folder");
    for (name, text) in [
        ("a.txt", "hello"),
        ("b.json", "{}"),
        ("templates/greet.tftpl", "Hello ${name}!\n%{ for x in xs ~}\n- ${x}\n%{ endfor ~}\n"),
        ("templates/bad.tftpl", "line one\n${nope}\n"),
        ("templates/deep/x.txt", ""),
        ("templates/main.tera", "{% include \"part.tera\" %}{{ name }} <b>{% for x in xs %}{{ x }},{% endfor %}"),
        ("templates/part.tera", "part of {{ name }}: "),
        ("templates/bad.tera", "one\n{{ name | nothing }}"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let context = FunctionContext { files: Arc::new(Files::on_disk(folder.path())), ..context() };
    (folder, context)
}

fn text(expression: &str, context: &FunctionContext) -> String {
    match evaluate_in(expression, &Vars::usual(), context) {
        Ok(value) => value.as_str().unwrap_or_default().to_owned(),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn files_are_read_from_the_blueprint() {
    let (_folder, context) = folder();
    assert_eq!(text("file(\"a.txt\")", &context), "hello");
    assert_eq!(text("filebase64(\"./a.txt\")", &context), "aGVsbG8=");
    assert_eq!(text("filemd5(\"a.txt\")", &context), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(text("join(\",\", fileset(\".\", \"*.txt\"))", &context), "a.txt");
    assert_eq!(text("join(\",\", fileset(\".\", \"**/*.txt\"))", &context), "a.txt,templates/deep/x.txt");
    assert_eq!(text("join(\",\", fileset(\"templates\", \"{main,part}.tera\"))", &context), "main.tera,part.tera");
    assert_eq!(text("join(\",\", fileset(\"none\", \"*\"))", &context), "");
    assert_eq!(text("pathexpand(\"~/x\")", &context), "/home/someone/x");
}

#[test]
fn a_snapshot_answers_as_the_disk_did() {
    let (folder, context) = folder();
    let expressions = [
        "file(\"a.txt\")",
        "tostring(fileexists(\"b.json\"))",
        "tostring(fileexists(\"none\"))",
        "join(\",\", fileset(\".\", \"**\"))",
        "abspath(\"x\")",
        "tera(\"templates/main.tera\", {name = \"n\", xs = []})",
    ];
    let before: Vec<String> = expressions.iter().map(|expression| text(expression, &context)).collect();
    let files = Arc::new(Files::from_snapshot(context.files.snapshot()));
    drop(folder);
    let context = FunctionContext { files, ..context };
    let after: Vec<String> = expressions.iter().map(|expression| text(expression, &context)).collect();
    assert_eq!(before, after);
}

#[test]
fn templates_render_with_their_variables() {
    let (_folder, context) = folder();
    let hcl = "templatefile(\"templates/greet.tftpl\", {name = \"you\", xs = [1, 2]})";
    assert_eq!(text(hcl, &context), "Hello you!\n- 1\n- 2\n");
    let tera = "tera(\"templates/main.tera\", {name = \"<you>\", xs = [1, 2]})";
    assert_eq!(text(tera, &context), "part of <you>: <you> <b>1,2,");
    assert_eq!(text("templatestring(\"a $${b}\", {b = 1})", &context), "a 1");
}

#[test]
fn errors_in_templates_name_file_and_line() {
    let (_folder, context) = folder();
    let told = text("templatefile(\"templates/bad.tftpl\", {})", &context);
    assert!(told.contains("templates/bad.tftpl:2:3: `vars` has no `nope`"), "{told}");
    let told = text("tera(\"templates/bad.tera\", {name = 1})", &context);
    assert!(told.contains("templates/bad.tera:2:"), "{told}");
    let told = text("templatestring(\"$${templatefile(\\\"a.txt\\\", {})}\", {})", &context);
    assert!(told.contains("a template cannot render another one"), "{told}");
}

#[test]
fn impure_functions_give_values_while_applying() {
    let (_folder, context) = folder();
    let context = FunctionContext { applying: true, ..context };
    assert_eq!(text("timestamp()", &context), "2023-11-14T22:13:20Z");
    assert_eq!(text("uuid()", &context).len(), 36);
    let value = evaluate_in("startswith(bcrypt(\"a\", 4), \"$2a$04$\")", &Vars::usual(), &context);
    assert_eq!(value, Ok(Value::Bool(true)));
}
