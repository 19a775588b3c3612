//! Expressions and templates.

use std::fmt::Write;

use formwork_contract::Value;

use crate::blueprint::expression::{Expr, ExprKind, TemplatePart, Traverse, TraverseKind};
use crate::blueprint::sources::Sources;
use crate::blueprint::{parse_expression, parse_template};

/// An expression as an S-expression: what was understood, without places.
fn understood(text: &str) -> String {
    let expr =
        parse_expression(text, "test", &mut Sources::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
    shown(&expr)
}

fn shown(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(shown).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => format!("{text:?}"),
        ExprKind::Literal(Value::Number(number)) => number.to_string(),
        ExprKind::Literal(Value::Bool(bool)) => bool.to_string(),
        ExprKind::Literal(_) => "null".into(),
        ExprKind::Template(parts) => format!("(template{})", shown_parts(parts)),
        ExprKind::Tuple(items) => format!("[{}]", list(items)),
        ExprKind::Object(items) => {
            let items: Vec<String> =
                items.iter().map(|item| format!("{}={}", shown(&item.key), shown(&item.value))).collect();
            format!("{{{}}}", items.join(" "))
        }
        ExprKind::Reference(reference) => format!("{}{}", reference.root, shown_steps(&reference.steps)),
        ExprKind::Traversal(traversal) => format!("<{}>{}", shown(&traversal.of), shown_steps(&traversal.steps)),
        ExprKind::Call(call) => {
            format!("({} {}{})", call.name, list(&call.arguments), if call.expand { "..." } else { "" })
        }
        ExprKind::Conditional(conditional) => {
            let (condition, then) = (shown(&conditional.condition), shown(&conditional.then));
            format!("(if {condition} {then} {})", shown(&conditional.otherwise))
        }
        ExprKind::Unary(operator, operand) => format!("({operator:?} {})", shown(operand)),
        ExprKind::Binary(operator, operands) => format!("({operator:?} {} {})", shown(&operands.0), shown(&operands.1)),
        ExprKind::For(each) => {
            let mut text = format!("(for {:?},{} in {} :", each.key_name, each.value_name, shown(&each.collection));
            if let Some(key) = &each.key {
                write!(text, " {} =>", shown(key)).expect("writing to a string");
            }
            write!(text, " {}", shown(&each.value)).expect("writing to a string");
            text.push_str(if each.group { "..." } else { "" });
            if let Some(condition) = &each.condition {
                write!(text, " if {}", shown(condition)).expect("writing to a string");
            }
            text + ")"
        }
    }
}

fn shown_steps(steps: &[Traverse]) -> String {
    let step = |step: &Traverse| match &step.kind {
        TraverseKind::Attribute(name) => format!(".{name}"),
        TraverseKind::Index(index) => format!("[{}]", shown(index)),
        TraverseKind::AttributeSplat => ".*".into(),
        TraverseKind::FullSplat => "[*]".into(),
    };
    steps.iter().map(step).collect()
}

fn shown_parts(parts: &[TemplatePart]) -> String {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Literal(text) => format!(" {text:?}"),
        TemplatePart::Interpolation(expr) => format!(" ${}", shown(expr)),
        TemplatePart::If { condition, then, otherwise } => {
            format!(" (if {}{} else{})", shown(condition), shown_parts(then), shown_parts(otherwise))
        }
        TemplatePart::For { key_name, value_name, collection, body } => {
            format!(" (for {key_name:?},{value_name} in {}{})", shown(collection), shown_parts(body))
        }
    };
    parts.iter().map(part).collect()
}

#[test]
fn all_forms_of_expressions_are_understood() {
    for (text, expected) in [
        ("null", "null"),
        ("-1.50", "-1.5"),
        ("123456789012345678901234567890.25", "123456789012345678901234567890.25"),
        ("18446744073709551617", "18446744073709551617"),
        ("1e3", "1000"),
        (r#""a\n\"b\" \u00e9""#, "\"a\\n\\\"b\\\" é\""),
        ("[1, \"a\", true,]", "[1 \"a\" true]"),
        ("{ a = 1, \"b c\" : 2, (d) = 3, null = 4, true = 5 }", "{\"a\"=1 \"b c\"=2 d=3 \"null\"=4 \"true\"=5}"),
        ("{\n  a = 1\n  b = 2\n}", "{\"a\"=1 \"b\"=2}"),
        ("{ \"${a}-x\" = 1 }", "{(template $a \"-x\")=1}"),
        ("aws_vpc.main[0].id", "aws_vpc.main[0].id"),
        ("a.b[\"k\"].c", "a.b[\"k\"].c"),
        ("a.0.b", "a[0].b"),
        ("a.*.b", "a.*.b"),
        ("a[*].b[0]", "a[*].b[0]"),
        ("(a.*.b)[0]", "<a.*.b>[0]"),
        ("f(x).a", "<(f x)>.a"),
        ("max(xs...)", "(max xs...)"),
        ("provider::x::f(1)", "(provider::x::f 1)"),
        ("a ? b : c ? d : e", "(if a b (if c d e))"),
        ("!a && b || c", "(Or (And (Not a) b) c)"),
        ("1 + 2 * 3 - -4 % 5 / 6", "(Subtract (Add 1 (Multiply 2 3)) (Divide (Remainder -4 5) 6))"),
        ("a == b != (c < d) ", "(NotEqual (Equal a b) (Less c d))"),
        ("[for x in xs : x]", "(for None,x in xs : x)"),
        ("[for i, x in xs : x if i > 0]", "(for Some(\"i\"),x in xs : x if (Greater i 0))"),
        ("{for k, v in m : k => v... if v}", "(for Some(\"k\"),v in m : k => v... if v)"),
        ("(\n  1 +\n  2\n)", "(Add 1 2)"),
    ] {
        assert_eq!(understood(text), expected, "{text}");
    }
}

#[test]
fn templates_are_understood() {
    for (text, expected) in [
        (r#""""#, "\"\""),
        (r#""${x}""#, "x"),
        (r#""${~ x ~}""#, "x"),
        (r#""a${x}b""#, "(template \"a\" $x \"b\")"),
        (r#""a ${~ x ~} b""#, "(template \"a\" $x \"b\")"),
        (r#""$${x} %%{if} $ %""#, "\"${x} %{if} $ %\""),
        (r#""%{if x}a\n%{else}b\t%{endif}""#, "(template (if x \"a\\n\" else \"b\\t\"))"),
        (r#""%{ for k, v in m ~} ${k} %{~ endfor }""#, "(template (for Some(\"k\"),v in m \"\" $k))"),
        ("<<EOT\na\n  b\nEOT", "\"a\\n  b\\n\""),
        ("<<EOT\nEOT", "\"\""),
        ("<<-EOT\n    a\n      b\n\n    c\n    EOT", "\"a\\n  b\\n\\nc\\n\""),
        ("<<-EOT\n  a \\n ${x}\n    b\n  EOT", "(template \"a \\\\n \" $x \"\\n  b\\n\")"),
        ("<<-EOT\n  %{ if x }\n  a\n  %{ endif }\n  EOT", "(template (if x \"\\na\\n\" else) \"\\n\")"),
        (
            "<<-EOT\n  list\n  %{ for x in xs ~}\n    - ${x}\n  %{ endfor ~}\n  end\n  EOT",
            "(template \"list\\n\" (for None,x in xs \"    - \" $x \"\\n\") \"  end\\n\")",
        ),
        ("<<EOT\n${x}\nEOT", "(template $x \"\\n\")"),
    ] {
        assert_eq!(understood(text).replace(" \"\"", ""), expected.replace(" \"\"", ""), "{text}");
    }
}

#[test]
fn a_template_file_is_a_template_without_quotes() {
    let text = "Say \"${hello}\" \\n\n%{ for x in xs ~}\n  - ${x}\n%{ endfor ~}\n";
    let template = parse_template(text, "hello.tftpl", &mut Sources::default()).expect("a template");
    assert_eq!(
        shown(&template),
        "(template \"Say \\\"\" $hello \"\\\" \\\\n\\n\" (for None,x in xs \"  - \" $x \"\\n\"))"
    );
}
