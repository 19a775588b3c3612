//! Paths to parts of a value.

use formwork_contract::{Path, Step, Type};

use crate::proto::{AttributePath, PathStep, Selector};

/// The path as far as it can be followed: a step without a selector or with a negative index ends it.
pub(crate) fn from_wire(path: AttributePath) -> Path {
    path.steps.into_iter().map_while(step_from_wire).collect()
}

fn step_from_wire(step: PathStep) -> Option<Step> {
    Some(match step.selector? {
        Selector::AttributeName(name) => Step::Attribute(name.into()),
        Selector::ElementKeyString(key) => Step::Key(key.into()),
        Selector::ElementKeyInt(index) => Step::Index(usize::try_from(index).ok()?),
    })
}

/// The path as a message. One that leads into a set means nothing to Terraform: see [`above_sets`].
pub(crate) fn to_wire(path: &Path) -> AttributePath {
    AttributePath { steps: path.steps().into_iter().map(step_to_wire).collect() }
}

fn step_to_wire(step: &Step) -> PathStep {
    let selector = match step {
        Step::Attribute(name) => Selector::AttributeName(name.to_string()),
        Step::Key(key) => Selector::ElementKeyString(key.to_string()),
        Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
    };
    PathStep { selector: Some(selector) }
}

/// The path up to the first set on its way through a value of the type.
///
/// We name an element of a set by its place, Terraform by its value: the set as a whole is what both understand.
pub(crate) fn above_sets(path: &Path, ty: &Type) -> Path {
    let mut ty = ty;
    let known = path.steps().into_iter().map_while(|step| {
        ty = match (ty, step) {
            (Type::Set(_), _) => return None,
            (Type::List(element) | Type::Map(element), _) => element,
            (Type::Tuple(elements), Step::Index(index)) => elements.get(*index).unwrap_or(&Type::Any),
            (Type::Object(object), Step::Attribute(name) | Step::Key(name)) => {
                object.get(name).map_or(&Type::Any, |attribute| &attribute.ty)
            }
            _ => &Type::Any,
        };
        Some(step.clone())
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(selectors: impl IntoIterator<Item = Option<Selector>>) -> AttributePath {
        AttributePath { steps: selectors.into_iter().map(|selector| PathStep { selector }).collect() }
    }

    #[test]
    fn a_path_survives() {
        let message = wire([
            Some(Selector::AttributeName("network".into())),
            Some(Selector::ElementKeyInt(2)),
            Some(Selector::AttributeName("tags".into())),
            Some(Selector::ElementKeyString("env".into())),
        ]);
        let path = from_wire(message.clone());
        assert_eq!(path.to_string(), r#"network[2].tags["env"]"#);
        assert_eq!(to_wire(&path), message);
    }

    #[test]
    fn a_step_that_means_nothing_ends_the_path() {
        for broken in [None, Some(Selector::ElementKeyInt(-1))] {
            let message = wire([Some(Selector::AttributeName("a".into())), broken, Some(Selector::ElementKeyInt(0))]);
            assert_eq!(from_wire(message), Path::attribute("a"));
        }
    }

    #[test]
    fn a_path_stops_above_a_set() {
        let ty = Type::object([("rules", Type::set(Type::object([("port", Type::Number)]))), ("any", Type::Any)]);
        let inside: Path =
            [Step::Attribute("rules".into()), Step::Index(3), Step::Attribute("port".into())].into_iter().collect();
        assert_eq!(above_sets(&inside, &ty), Path::attribute("rules"));
        let open: Path = [Step::Attribute("any".into()), Step::Key("k".into())].into_iter().collect();
        assert_eq!(above_sets(&open, &ty), open);
    }
}
