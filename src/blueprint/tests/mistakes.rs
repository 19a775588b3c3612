//! What is wrong is named, at its place.

use proptest::prelude::*;

use super::{load_all, problems};
use crate::blueprint::sources::Sources;
use crate::blueprint::{format, parse_expression, parse_template, parse_tfvars};

#[test]
fn syntax_errors_are_placed_at_their_cause() {
    for (text, expected) in [
        ("locals {\n  a = \"x\n  b = 1\n}\n", "A string has no closing quote @ main.tf:2:7"),
        ("locals {\n  a = 1\n", "A `{` is never closed @ main.tf:1:8"),
        ("locals {\n  a = [1, 2\n}\n", "`}` does not close `[` @ main.tf:3:1, main.tf:2:7"),
        ("locals {\n  a = 1\n}\n}\n", "`}` closes nothing @ main.tf:4:1"),
        ("locals {\n  a = 'x'\n}\n", "Strings are written in double quotes @ main.tf:2:7"),
        ("locals {\n  a = <<EOT\n  text\n}\n", "The heredoc `EOT` has no end @ main.tf:2:7"),
        ("locals {\n  a = \"${b\"\n}\n", "A string has no closing quote @ main.tf:2:11"),
        ("/* x\nlocals {}\n", "A comment has no end @ main.tf:1:1"),
        ("locals {\n  a = 1\n  b = 2\n  a = 3\n}\n", "`a` is set twice @ main.tf:4:3, main.tf:2:3"),
        ("locals {\n  a : 1\n}\n", "`:` is not expected here @ main.tf:2:5"),
        ("locals {\n  a =\n}\n", "the end of the line is not expected here @ main.tf:2:6"),
        ("locals {\n  a = [1 2]\n}\n", "`2` is not expected here @ main.tf:2:10"),
        ("locals {\n  a = \"\\q\"\n}\n", "Unknown escape `\\q` in a string @ main.tf:2:8"),
    ] {
        assert_eq!(problems(&[("main.tf", text)]), [expected], "{text}");
    }
}

#[test]
fn blocks_are_checked() {
    for (text, expected) in [
        ("resorce \"a\" \"b\" {}\n", "Unknown block `resorce` @ main.tf:1:1"),
        ("a = 1\n", "The attribute `a` stands outside any block @ main.tf:1:1"),
        ("resource \"a\" {}\n", "The `resource` block has no name @ main.tf:1:1"),
        ("variable \"a\" \"b\" {}\n", "The `variable` block has too many labels @ main.tf:1:14"),
        ("variable \"a b\" {}\n", "`a b` is not a valid name @ main.tf:1:10"),
        ("variable \"a\" {\n  defualt = 1\n}\n", "Unknown attribute `defualt` in a `variable` block @ main.tf:2:3"),
        ("variable \"a\" {\n  type = strin\n}\n", "Unknown type `strin` @ main.tf:2:10"),
        ("variable \"count\" {}\n", "A variable cannot be called `count` @ main.tf:1:10"),
        ("output \"a\" {}\n", "The `output` block has no `value` @ main.tf:1:1"),
        (
            "output \"a\" {\n  value = 1\n  sensitive = var.x\n}\n",
            "`sensitive` must be `true` or `false` @ main.tf:3:15",
        ),
        (
            "resource \"a\" \"b\" {\n  count = 1\n  for_each = {}\n}\n",
            "`count` and `for_each` exclude each other @ main.tf:3:3, main.tf:2:3",
        ),
        (
            "resource \"a\" \"b\" {\n  provisioner \"local-exec\" {}\n}\n",
            "`provisioner` blocks are not supported @ main.tf:2:3",
        ),
        (
            "resource \"a\" \"b\" {}\nresource \"a\" \"b\" {}\n",
            "The resource `a.b` is declared twice @ main.tf:2:1, main.tf:1:1",
        ),
        (
            "module \"m\" {\n  source = \"hashicorp/consul/aws\"\n}\n",
            "The module source `hashicorp/consul/aws` is not a local path @ main.tf:2:12",
        ),
        (
            "moved {\n  from = 1\n  to = a.b\n}\n",
            "This is not the address of a resource, a module or a component @ main.tf:2:10",
        ),
        ("check \"c\" {}\n", "The check `c` asserts nothing @ main.tf:1:1"),
    ] {
        assert_eq!(problems(&[("main.tf", text)]), [expected], "{text}");
    }
}

#[test]
fn independent_mistakes_are_told_together() {
    let found = problems(&[
        ("a.tf", "variable \"a\" {\n  type = strin\n}\noutput \"o\" {}\n"),
        ("b.tf", "resource \"x\" {}\n"),
    ]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(
        problems(&[
            ("a.tf", "locals {\n  a : 1\n}\nlocals {}\noutput \"x\" {\n  value =\n}\n"),
            ("b.tf", "resource \"x\" {}\n"),
        ]),
        [
            "`:` is not expected here @ a.tf:2:5",
            "the end of the line is not expected here @ a.tf:6:10",
            "The `resource` block has no name @ b.tf:1:1",
        ]
    );
}

#[test]
fn files_that_are_no_blueprint_are_passed_over_and_unsupported_ones_named() {
    let valid = "locals {}\n";
    assert!(
        problems(&[("main.tf", valid), (".terraform.lock.hcl", "{"), ("x.tfvars", "{"), ("x.tftest.hcl", "{")])
            .is_empty()
    );
    assert_eq!(
        problems(&[("main.tf", valid), ("a.tf.json", "{}"), ("x_override.tf", "")]),
        [
            "`a.tf.json` is written in JSON, which is not supported @ ",
            "`x_override.tf` is an override file, which is not supported @ "
        ]
    );
    assert_eq!(problems(&[("readme.md", "")]), ["There are no blueprint files in `.` @ "]);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert!(problems(&[("main.tf", "\u{feff}locals {\n  a = 1\n}\n")]).is_empty());
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let problem = parse_tfvars(b"a = \"\xff\"\n", "x.tfvars", &mut Sources::default()).expect_err("not UTF-8");
    assert!(problem.to_string().starts_with("`x.tfvars` is not UTF-8 text"), "{problem}");
}

#[test]
fn deep_nesting_is_an_error() {
    for (open, close) in [("[", "]"), ("(", ")"), ("{a=", "}"), ("!", ""), ("\"${", "}\""), ("f(", ")")] {
        let text = format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
        let problem = parse_expression(&text, "deep", &mut Sources::default()).expect_err(open);
        assert!(problem.to_string().starts_with("The expression is too deep"), "{open}: {problem}");
    }
    let sum = vec!["1"; 5_000].join("+");
    assert!(parse_expression(&sum, "long", &mut Sources::default()).is_err());
}

fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "a",
        "b.c",
        "\"",
        "${",
        "%{",
        "}",
        "{",
        "[",
        "]",
        "(",
        ")",
        "=",
        "\n",
        " ",
        "<<EOT\n",
        "EOT\n",
        "<<-EOT\n",
        "for",
        "in",
        "if",
        "endif",
        "endfor",
        "else",
        ":",
        "=>",
        "...",
        ",",
        "1",
        "1e9",
        "\\",
        "\\u00",
        "é",
        "/*",
        "*/",
        "#",
        "'",
        "~}",
        "${~",
        "resource \"a\" \"b\" {\n",
        "variable \"x\" {\n",
        "dynamic",
        "*",
        "?",
        "-",
        "!",
        "\r\n",
        "99999999999999999999",
    ]);
    prop::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in prop_oneof![scraps(), any::<String>()]) {
        let mut sources = Sources::default();
        let _ = parse_expression(&text, "test", &mut sources);
        let _ = parse_template(&text, "test", &mut sources);
        let _ = parse_tfvars(text.as_bytes(), "test.tfvars", &mut sources);
        let _ = parse_tfvars(text.as_bytes(), "test.json", &mut sources);
        let _ = format(&text, "test");
        if let Err(failure) = load_all(&[("main.tf", &text)]) {
            for label in failure.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
                prop_assert!(failure.sources.position(label.span).is_some(), "{label:?}");
            }
        }
    }
}
