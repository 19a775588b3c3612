//! Paths to sensitive parts, as the file has them.

use formwork_contract::{Marks, Path, Step, Value};
use serde_json::{Value as Json, json};

use super::format::PathStep;

/// The steps of a path. It ends before a step that names an element of a set by its value: the set is meant then.
pub(super) fn read(steps: &[PathStep]) -> Vec<Step> {
    steps.iter().map_while(step).collect()
}

fn step(step: &PathStep) -> Option<Step> {
    if step.kind == "get_attr" {
        return Some(Step::Attribute(step.value.as_str()?.into()));
    }
    match step.value.get("value")? {
        Json::String(key) => Some(Step::Key(key.as_str().into())),
        Json::Number(index) => Some(Step::Index(usize::try_from(index.as_u64()?).ok()?)),
        _ => None,
    }
}

/// The value with the part at the path marked as sensitive: what is around it, where there is no such part.
pub(super) fn mark(value: Value, steps: &[Step]) -> Value {
    let Some((first, rest)) = steps.split_first() else { return value.mark(Marks::SENSITIVE) };
    let mut found = false;
    let within = match value.unmarked() {
        // Elements of a set have no place of their own.
        Value::Set(_) => value.clone(),
        _ => value.map_children(&mut |step, child| {
            let here = step == *first;
            found |= here;
            if here { mark(child.clone(), rest) } else { child.clone() }
        }),
    };
    if found { within } else { value.mark(Marks::SENSITIVE) }
}

/// The paths of the outermost sensitive parts.
pub(super) fn sensitive(value: &Value) -> Vec<Path> {
    let mut found: Vec<Path> = Vec::new();
    value.walk(&Path::root(), &mut |path, part| {
        let whole_set = || matches!(part.unmarked(), Value::Set(_)) && part.deep_marks().sensitive;
        let within = found.last().is_some_and(|outer| path.is_within(outer));
        if !within && (part.marks().sensitive || whole_set()) {
            found.push(path.clone());
        }
    });
    found
}

pub(super) fn write(path: &Path) -> Vec<PathStep> {
    let index = |value: Json, ty: &str| PathStep { kind: "index".into(), value: json!({"value": value, "type": ty}) };
    let step = |step: &Step| match step {
        Step::Attribute(name) => PathStep { kind: "get_attr".into(), value: Json::from(&**name) },
        Step::Index(at) => index(Json::from(*at), "number"),
        Step::Key(key) => index(Json::from(&**key), "string"),
    };
    path.steps().into_iter().map(step).collect()
}
