//! What is told when an expression is wrong.

use super::error;

#[test]
fn messages_say_what_is_wrong_and_what_to_do() {
    for (text, parts) in [
        ("{cidr_block = 1}.cidr_blok", &["No attribute `cidr_blok`", "did you mean `cidr_block`?"][..]),
        ("{a = 1}.zebra", &["It has `a`."]),
        ("[1, 2][5]", &["Index `5` is out of range", "the list has 2 elements"]),
        ("[][0]", &["the list has no elements"]),
        ("[1][0.5]", &["an index is a whole number"]),
        ("toset([1])[0]", &["A set of number cannot be indexed", "`tolist`"]),
        ("[{a = 1}].a", &["take one element first, as in `[0].a`"]),
        ("null.a", &["No attribute `a` in a null value"]),
        ("1 / 0", &["A division by zero"]),
        ("1 + \"x\"", &["An operand of `+` is not a number", "this string does not read as a number"]),
        ("!1", &["An operand of `!` is not a bool", "this is a number"]),
        ("\"x${[1]}\"", &["A tuple in a template", "`jsonencode`"]),
        ("true ? \"a\" : [1]", &["have no type in common", "this is a string", "this is a tuple"]),
        ("uper(\"a\")", &["No function `uper`", "did you mean `upper`?"]),
        ("upper()", &["`upper` is given too few arguments", "`upper(str)`"]),
        ("upper(1, 2)", &["too many arguments", "one too many"]),
        ("upper([])", &["The argument `str` of `upper` does not fit", "a string is required, not tuple"]),
        ("max()", &["The call of `max` fails", "at least one number is required"]),
        ("{for x in [1, 1] : x => x}", &["have the same key `1`", "`...`"]),
        ("[for x in 1 : x]", &["goes through a collection only"]),
        ("try([][0], {}.a)", &["No expression of `try`", "Index `0` is out of range"]),
        ("provider::aws::arn(1)", &["functions of provider `aws` cannot be called here"]),
        ("file(\"none.txt\")", &["there is no file `none.txt`"]),
    ] {
        let told = error(text);
        for part in parts {
            assert!(told.contains(part), "{text}: {told:?} lacks {part:?}");
        }
    }
}

#[test]
fn independent_errors_are_told_at_once() {
    assert_eq!(error("[nope, 1 + \"x\", {a = nada}]").lines().count(), 3);
}
