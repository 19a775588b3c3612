//! Canonical formatting, compared with the tool that people know.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use crate::blueprint::format;

fn formatted(text: &str) -> String {
    format(text, "test.tf").unwrap_or_else(|failure| panic!("{failure}\n{text}"))
}

const SAMPLES: [(&str, &str); 14] = [
    (
        "a {\n  b = \"${ c }\"\n  d = {\n    e = \"${f}\"\n  }\n  g = \"${h}-${i}\"\n}\n",
        "a {\n  b = c\n  d = {\n    e = \"${f}\"\n  }\n  g = \"${h}-${i}\"\n}\n",
    ),
    ("b = [{\na=1\n},{\nb=2\n}]\n", "b = [{\n  a = 1\n  }, {\n  b = 2\n}]\n"),
    ("a=1\nlonger =  2\n", "a      = 1\nlonger = 2\n"),
    (
        "resource \"a\" \"b\" {\nx=1 # one\nyyy=22 // two\n\nblock{\nz=[1,2,3]\n}\n}\n",
        "resource \"a\" \"b\" {\n  x   = 1  # one\n  yyy = 22 // two\n\n  block {\n    z = [1, 2, 3]\n  }\n}\n",
    ),
    (
        "a {\n  tags = {\n a=1\n    bcd = 2\n  }\n  c = 3\n}\n",
        "a {\n  tags = {\n    a   = 1\n    bcd = 2\n  }\n  c = 3\n}\n",
    ),
    ("x={a=1}\ny={}\nz = [ ]\n", "x = { a = 1 }\ny = {}\nz = []\n"),
    ("x = f( a ,b... )\n", "x = f(a, b...)\n"),
    ("x = -a - -1*2 + (- b)\ny = ! c&&d||e\n", "x = -a - -1 * 2 + (-b)\ny = !c && d || e\n"),
    ("x = a ?b:c\n", "x = a ? b : c\n"),
    (
        "x = [for k,v in m:v if v!=null]\ny = {for k,v in m:k=>v...}\n",
        "x = [for k, v in m : v if v != null]\ny = { for k, v in m : k => v... }\n",
    ),
    ("x = \"a ${ b+c } d ${ {a=1}.a }\"\n", "x = \"a ${b + c} d ${ { a = 1 }.a}\"\n"),
    ("x = <<EOT\n   keep   this\nEOT\nlonger = 1\n", "x      = <<EOT\n   keep   this\nEOT\nlonger = 1\n"),
    ("# alone\na = [\n1, # one\n2345, # two\n]\n", "# alone\na = [\n  1,    # one\n  2345, # two\n]\n"),
    ("a = m [ 0 ] . b\nc = a.*.b [ 1 ]\n", "a = m[0].b\nc = a.*.b[1]\n"),
];

#[test]
fn samples_come_out_as_everybody_writes_them() {
    for (text, expected) in SAMPLES {
        assert_eq!(formatted(text), expected);
        assert_eq!(formatted(expected), expected, "formatting again changes nothing");
    }
}

#[test]
fn terraform_formats_the_same() {
    for (text, _) in SAMPLES {
        let command = Command::new("terraform").args(["fmt", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = command else {
            println!("skipped: terraform is not on PATH");
            return;
        };
        child.stdin.take().expect("stdin is piped").write_all(text.as_bytes()).expect("terraform reads");
        let output = child.wait_with_output().expect("terraform ends");
        assert_eq!(formatted(text), String::from_utf8_lossy(&output.stdout), "{text}");
    }
}

#[test]
fn what_is_not_valid_is_not_formatted() {
    let failure = format("a = [1\n", "bad.tf").expect_err("an open bracket");
    assert_eq!(super::rendered(&failure), ["A `[` is never closed @ bad.tf:1:5"]);
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("\"a ${ b } c\"".to_owned()),
        Just("a.b [0]".to_owned()),
        Just("-x".to_owned()),
        Just("<<EOT\n  a\n EOT\nEOT\n".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[\n{}]", items.join(",\n"))),
            inner.clone().prop_map(|value| format!("{{ a={value}\n bcd = 1 # c\n}}")),
            inner.prop_map(|value| format!("f( {value}, 2)")),
        ]
    })
}

proptest! {
    #[test]
    fn formatting_twice_is_formatting_once(values in prop::collection::vec(value(), 1..4)) {
        let attributes: String = values.iter().enumerate().map(|(at, value)| format!("x{at}  ={value}\n")).collect();
        let text = format!("block \"a\" {{\n{attributes}}}\n");
        if let Ok(once) = format(&text, "test.tf") {
            prop_assert_eq!(format(&once, "test.tf").expect("still valid"), once);
        }
    }
}
