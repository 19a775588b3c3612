//! Makes up what only a real call would tell: of the right type, the same each time, and recognisable.

use formwork_contract::{Path, Step, Str, Type, Value};
use sha2::{Digest, Sha256};

/// How every text begins that was made up, unless its name asks for another form.
const MARK: &str = "rehearsed-";

/// A number that a text decides.
pub(super) fn number(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// `value` with its unknown parts made up: from what stood there before, where something did. The same `salt` gives
/// the same again.
pub(super) fn made_up(value: &Value, prior: &Value, salt: &str) -> Value {
    value.transform(&Path::root(), &mut |path, part| match &part {
        Value::Unknown(unknown) => match prior.at(path) {
            Some(before) if !before.is_null() && before.is_wholly_known() => before.clone(),
            _ => of_type(&unknown.ty, path, &format!("{salt}/{path}")),
        },
        _ => part,
    })
}

/// Whether something in it was made up.
pub(super) fn mentions(value: &Value) -> bool {
    let mut found = false;
    value.walk(&Path::root(), &mut |_, part| {
        found |= part.as_str().is_some_and(|text| text.contains(MARK) || text.contains(".invalid"));
    });
    found
}

fn of_type(ty: &Type, path: &Path, salt: &str) -> Value {
    match ty {
        Type::Bool => Value::Bool(false),
        Type::Number => Value::from(1),
        Type::List(element) => Value::list((**element).clone(), Vec::new()),
        Type::Set(element) => Value::set((**element).clone(), Vec::new()),
        Type::Map(element) => Value::map((**element).clone(), formwork_contract::Entries::new(Vec::new())),
        Type::Tuple(types) => {
            Value::tuple(types.iter().enumerate().map(|(at, ty)| of_type(ty, path, &format!("{salt}/{at}"))).collect())
        }
        Type::Object(object) => {
            let part = |name: &Str, ty: &Type| {
                let path = path.join(Step::Attribute(name.clone()));
                (name.clone(), of_type(ty, &path, &format!("{salt}/{name}")))
            };
            Value::object(object.iter().map(|attribute| part(&attribute.name, &attribute.ty)))
        }
        _ => Value::string(text(&name_of(path), salt)),
    }
}

/// The attribute that a path leads to.
fn name_of(path: &Path) -> String {
    let name = path.steps().into_iter().rev().find_map(|step| match step {
        Step::Attribute(name) | Step::Key(name) => Some(name.to_string()),
        Step::Index(_) => None,
    });
    name.unwrap_or_default()
}

/// Texts that expressions often take apart have the form that their name promises.
fn text(name: &str, salt: &str) -> String {
    let number = number(salt);
    let [a, b, c, ..] = number.to_be_bytes();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name == *ending || name.ends_with(&format!("_{ending}")));
    if ends(&["cidr", "cidr_block", "cidr_range"]) {
        return format!("10.{a}.{b}.0/24");
    }
    if ends(&["ip", "ip_address", "address_v4"]) {
        return format!("10.{a}.{b}.{}", c.max(1));
    }
    if ends(&["url", "endpoint", "uri", "issuer"]) {
        return format!("https://{MARK}{number:016x}.invalid");
    }
    if ends(&["json"]) {
        return "{}".into();
    }
    format!("{MARK}{number:016x}")
}
