//! Results against Terraform's, written down in `results.txt` and, where `terraform` is on the path,
//! asked again.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::evaluate;
use crate::language::type_name;

/// One expression and what Terraform 1.11 makes of it: JSON and type, or an error.
struct Case {
    expression: &'static str,
    result: Option<(&'static str, &'static str)>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("results.txt");
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty() && !block.starts_with('#'));
    blocks
        .map(|block| {
            let mut lines = block.lines();
            let expression = lines.next().and_then(|line| line.strip_prefix("> ")).expect("an expression");
            let json = lines.next().expect("a result").strip_prefix("= ");
            let ty = lines.next().and_then(|line| line.strip_prefix(": "));
            Case { expression, result: json.zip(ty) }
        })
        .collect()
}

#[test]
fn results_are_those_of_terraform() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() > 400, "only {} cases", cases.len());
    for case in cases {
        let json = evaluate(&format!("jsonencode({})", case.expression));
        let got = json.map(|json| json.as_str().unwrap_or("(unknown)").to_owned());
        match (&got, case.result) {
            (Err(_), None) => {}
            (Ok(got), Some((wanted, ty))) => {
                let value = evaluate(case.expression).expect("evaluated before");
                let got_ty: String = type_name(&value).split_whitespace().collect();
                if got != wanted || got_ty != ty {
                    wrong.push(format!("{}\n  is     {got} : {got_ty}\n  wanted {wanted} : {ty}", case.expression));
                }
            }
            (got, wanted) => {
                let got = got.as_ref().map_err(ToString::to_string);
                let wanted = wanted.map_or("an error", |(wanted, _)| wanted);
                wrong.push(format!("{}\n  is     {got:?}\n  wanted {wanted}", case.expression));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_written_down_is_what_terraform_says() {
    if Command::new("terraform").arg("version").output().is_err() {
        println!("skipped: terraform is not on the path");
        return;
    }
    let cases = cases();
    for chunk in cases.chunks(100) {
        let items: Vec<String> =
            chunk.iter().map(|case| format!("try(jsonencode({}), \"!error\")", case.expression)).collect();
        let answer = console(&format!("base64encode(jsonencode([{}]))", items.join(", ")));
        let json = STANDARD.decode(answer.trim().trim_matches('"')).expect("base64 from terraform");
        let results: Vec<String> = serde_json::from_slice(&json).expect("a list of strings from terraform");
        for (case, said) in chunk.iter().zip(results) {
            let written = case.result.map_or("!error", |(json, _)| json);
            assert_eq!(said, written, "{}", case.expression);
        }
    }
}

fn console(line: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = Command::new("terraform")
        .args(["console", "-no-color"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("terraform starts");
    let mut input = child.stdin.take().expect("its input is a pipe");
    input.write_all(format!("{line}\n").as_bytes()).expect("terraform reads");
    drop(input);
    let output = child.wait_with_output().expect("terraform ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
