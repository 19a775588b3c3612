//! The file: each object with its `import` block, after what it refers to; sensitive values as variables.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use formwork_contract::{Attribute, Diagnostic, Diagnostics, Path, Step, Str, Value};

use super::configuration::Configuration;
use super::names::Names;
use super::{Described, GeneratedObject};
use crate::blueprint::write;
use crate::graph::implied_provider;

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    pub text: String,
    pub objects: Vec<GeneratedObject>,
    pub variables: Vec<Str>,
    pub warnings: Diagnostics,
}

/// An object with its name.
struct Named {
    object: Described,
    name: Str,
}

/// A variable that stands for something sensitive.
struct Variable {
    ty: String,
    /// It is never stored, so that it has to be given each time.
    ephemeral: bool,
}

impl Named {
    fn address(&self) -> String {
        format!("{}.{}", self.object.kind.name, self.name)
    }
}

/// Writes all objects. `taken` are names that the blueprint has, by type.
pub(super) fn file(mut described: Vec<Described>, taken: HashSet<(Str, Str)>) -> Written {
    described.sort_by_key(|object| (object.kind.name.clone(), object.import_id.clone()));
    let mut names = Names(taken);
    let objects: Vec<Named> = described
        .into_iter()
        .map(|object| {
            let name = names.give(&object.kind.name, &object.value, &object.import_id);
            Named { object, name }
        })
        .collect();
    let links = Links::of(&objects);
    let variables = RefCell::new(BTreeMap::new());
    let mut written = Written::default();
    let mut blocks = String::new();
    for place in &links.order {
        write_object(&mut blocks, &objects, *place, &links, &variables);
        let object = &objects[*place];
        written.objects.push(GeneratedObject {
            address: object.address().into(),
            id: object.object.import_id.clone(),
            differs: object.object.configuration.differs,
        });
    }
    for (name, Variable { ty, ephemeral }) in variables.into_inner() {
        let _ = writeln!(written.text, "variable {} {{\ntype = {ty}\nsensitive = true", write::quoted(&name));
        written.text.push_str(if ephemeral { "ephemeral = true\n}\n\n" } else { "}\n\n" });
        written.variables.push(name);
    }
    written.text.push_str(blocks.trim_end());
    if !written.text.is_empty() {
        written.text.push('\n');
    }
    let differing: Vec<String> = objects
        .iter()
        .filter(|object| object.object.configuration.differs)
        .map(|object| format!("`{}`", object.address()))
        .collect();
    if !differing.is_empty() {
        written.warnings.push(
            Diagnostic::warning("some objects cannot be written so that nothing changes")
                .detail(format!("Their provider plans a change of what it told itself: {}.", differing.join(", ")))
                .hint("read their part of the next plan, and correct the blocks"),
        );
    }
    written
}

fn write_object(
    text: &mut String,
    objects: &[Named],
    place: usize,
    links: &Links,
    variables: &RefCell<BTreeMap<Str, Variable>>,
) {
    let object = &objects[place];
    let Described { kind, import_id, provider, .. } = &object.object;
    let (address, id) = (object.address(), write::quoted(import_id));
    let _ = writeln!(text, "import {{\nto = {address}\nid = {id}\n}}\n");
    if object.object.configuration.differs {
        text.push_str("# The provider would change something of this object: see the plan.\n");
    }
    let _ = writeln!(text, "resource {} {} {{", write::quoted(&kind.name), write::quoted(&object.name));
    if provider.alias.is_some() || *provider.name != *implied_provider(&kind.name) {
        let _ = writeln!(text, "provider = {provider}\n");
    }
    let config = links.kept(object, place);
    let instead = |path: &Path, value: &Value| {
        if let Some((name, variable)) = variable(object, path, value) {
            let written = format!("var.{name}");
            variables.borrow_mut().insert(name, variable);
            return Some(written);
        }
        links.reference(objects, place, path, value)
    };
    let _ = writeln!(text, "{}}}\n", write::body(&kind.block, &config, &instead));
}

/// What is sensitive, and what is never told, comes from outside.
fn variable(object: &Named, path: &Path, value: &Value) -> Option<(Str, Variable)> {
    let attribute = attribute_at(object, path)?;
    let told = attribute.sensitive && !value.is_null();
    let never_told = attribute.write_only && attribute.required;
    if !told && !never_told {
        return None;
    }
    let steps: Vec<String> = path
        .steps()
        .iter()
        .map(|step| match step {
            Step::Attribute(name) | Step::Key(name) => name.to_string(),
            Step::Index(index) => index.to_string(),
        })
        .collect();
    let plain = |char: char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '_' };
    let kind = &object.object.kind.name;
    let name: String = format!("{kind}_{}_{}", object.name, steps.join("_")).chars().map(plain).collect();
    Some((name.into(), Variable { ty: attribute.ty.to_string(), ephemeral: attribute.write_only }))
}

/// The attribute of the schema that a path leads to; `None` for a part of one.
fn attribute_at<'a>(object: &'a Named, path: &Path) -> Option<&'a Attribute> {
    let mut block = &object.object.kind.block;
    let mut found = None;
    for step in path.steps() {
        match step {
            Step::Attribute(name) if found.is_none() => match (block.attributes.get(name), block.blocks.get(name)) {
                (Some(attribute), _) => found = Some(attribute),
                (None, Some(nested)) => block = &nested.block,
                (None, None) => return None,
            },
            Step::Index(_) | Step::Key(_) if found.is_none() => {}
            // Within an attribute: one that has attributes of its own goes on.
            Step::Index(_) if found.is_some_and(|attribute| attribute.nested.is_some()) => {}
            Step::Attribute(name) | Step::Key(name) => {
                let nested = found.and_then(|attribute| attribute.nested.as_ref())?;
                found = Some(nested.block.attributes.get(name)?);
            }
            Step::Index(_) => return None,
        }
    }
    found
}

/// Which object refers to which.
struct Links {
    /// The place of an object by its type-independent id.
    by_id: HashMap<Str, usize>,
    /// What an object may refer to: that which comes before it.
    position: Vec<usize>,
    order: Vec<usize>,
}

impl Links {
    fn of(objects: &[Named]) -> Self {
        let ids = objects.iter().enumerate();
        let mut by_id: HashMap<Str, usize> = HashMap::new();
        let mut doubtful: HashSet<Str> = HashSet::new();
        for (place, object) in ids {
            let Some(id) = object.object.value.get_str("id") else { continue };
            if by_id.insert(id.into(), place).is_some() {
                doubtful.insert(id.into());
            }
        }
        by_id.retain(|id, _| !doubtful.contains(id));
        let targets: Vec<Vec<usize>> = objects
            .iter()
            .enumerate()
            .map(|(place, object)| {
                let mut targets = Vec::new();
                each_text(&object.object.configuration.full, &Path::root(), &mut |path, text| {
                    targets.extend(by_id.get(text).filter(|target| **target != place && can_refer(path)));
                });
                targets
            })
            .collect();
        let order = order(&targets);
        let mut position = vec![0; objects.len()];
        for (number, place) in order.iter().enumerate() {
            position[*place] = number;
        }
        Self { by_id, position, order }
    }

    fn reference(&self, objects: &[Named], place: usize, path: &Path, value: &Value) -> Option<String> {
        let target = self.target(place, path, value)?;
        Some(format!("{}.id", objects[target].address()))
    }

    fn target(&self, place: usize, path: &Path, value: &Value) -> Option<usize> {
        let target = *self.by_id.get(value.as_str()?)?;
        // Of two that refer to each other only the later can say so.
        (target != place && can_refer(path) && self.position[target] < self.position[place]).then_some(target)
    }

    /// The least configuration, with those attributes as well that tell what the object belongs to.
    fn kept(&self, object: &Named, place: usize) -> Value {
        let Configuration { full, least, .. } = &object.object.configuration;
        let Some(entries) = full.entries() else { return least.clone() };
        entries.iter().fold(least.clone(), |config, (name, part)| {
            let mut refers = false;
            each_text(part, &Path::attribute(name.clone()), &mut |path, text| {
                refers |= self.target(place, path, &Value::string(text)).is_some();
            });
            if refers { config.with(name, part.clone()) } else { config }
        })
    }
}

/// Names, descriptions and tags hold what people write: that it is equal to an id is chance.
fn can_refer(path: &Path) -> bool {
    let steps = path.steps();
    let is_free = |name: &str| matches!(name, "name" | "description" | "tags" | "labels" | "id");
    !matches!(steps.first(), Some(Step::Attribute(name)) if is_free(name))
}

fn each_text(value: &Value, at: &Path, visit: &mut dyn FnMut(&Path, &str)) {
    if let Some(text) = value.as_str() {
        visit(at, text);
    } else if let Some(entries) = value.entries() {
        for (name, part) in entries.iter() {
            each_text(part, &at.join(Step::Attribute(name.clone())), visit);
        }
    } else {
        for (index, part) in value.elements().unwrap_or_default().iter().enumerate() {
            each_text(part, &at.join(Step::Index(index)), visit);
        }
    }
}

/// What is referred to comes first; where that is not possible, the order in which the objects came.
fn order(targets: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(targets.len());
    let mut begun = vec![false; targets.len()];
    for start in 0..targets.len() {
        let mut stack = vec![(start, 0)];
        if std::mem::replace(&mut begun[start], true) {
            continue;
        }
        while let Some((place, next)) = stack.pop() {
            match targets[place].get(next) {
                Some(target) => {
                    stack.push((place, next + 1));
                    if !std::mem::replace(&mut begun[*target], true) {
                        stack.push((*target, 0));
                    }
                }
                None => order.push(place),
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use formwork_contract::{Block, Contents, Mode, Nesting, Type};

    use super::*;
    use crate::graph::{ProviderKey, ProviderSource};
    use crate::live::{Origin, ResourceKind};

    fn described(name: &str, block: Block, import_id: &str, value: Value) -> Described {
        let kind = ResourceKind {
            name: name.into(),
            mode: Mode::Managed,
            origin: Arc::new(Origin { source: ProviderSource::of_name("a", &["a"]), version: None }),
            version: 0,
            ty: block.ty(),
            block,
            contents: Contents::Nothing,
        };
        let full = formwork_contract::planning::asking_for(&kind.block, &value);
        let configuration = Configuration { least: full.clone(), full, differs: false };
        let provider =
            ProviderKey { module: formwork_contract::ModulePath::root(), name: "a".into(), alias: Some("west".into()) };
        Described { provider, kind: Arc::new(kind), import_id: import_id.into(), value, configuration }
    }

    #[test]
    fn what_is_sensitive_comes_from_variables() {
        let login = Block::new([("token", Attribute::required(Type::String).sensitive())]);
        let block = Block::new([
            ("id", Attribute::computed(Type::String)),
            ("name", Attribute::required(Type::String)),
            ("password", Attribute::required(Type::String).sensitive()),
            ("code_wo", Attribute::required(Type::Number).write_only()),
            ("unset", Attribute::optional(Type::String).sensitive()),
        ]);
        let block = block.with_block("login", Nesting::List, login);
        let token = Value::object([("token", Value::string("planted-token"))]);
        let value = block
            .empty_value()
            .with("id", "1".into())
            .with("name", "db".into())
            .with("password", "planted-password".into())
            .with("login", Value::list(token.ty(), vec![token]));
        let written = file(vec![described("a_db", block, "1", value)], HashSet::new());
        assert!(!written.text.contains("planted"), "{}", written.text);
        let text = crate::blueprint::format(&written.text, "test").unwrap_or_else(|failed| panic!("{failed}"));
        let expected = r#"variable "a_db_db_code_wo" {
  type      = number
  sensitive = true
  ephemeral = true
}

variable "a_db_db_login_0_token" {
  type      = string
  sensitive = true
}

variable "a_db_db_password" {
  type      = string
  sensitive = true
}

import {
  to = a_db.db
  id = "1"
}

resource "a_db" "db" {
  provider = a.west

  code_wo  = var.a_db_db_code_wo
  name     = "db"
  password = var.a_db_db_password

  login {
    token = var.a_db_db_login_0_token
  }
}
"#;
        assert_eq!(text, expected);
        assert_eq!(written.variables.len(), 3);
    }

    #[test]
    fn two_that_hold_each_others_ids_make_no_circle() {
        let block = Block::new([
            ("id", Attribute::computed(Type::String)),
            ("peer", Attribute::optional(Type::String)),
            ("description", Attribute::optional(Type::String)),
        ]);
        let object = |id: &str, peer: &str| {
            let value =
                block.empty_value().with("id", id.into()).with("peer", peer.into()).with("description", peer.into());
            described("a_peer", block.clone(), id, value)
        };
        let text = file(vec![object("p-1", "p-2"), object("p-2", "p-1")], HashSet::new()).text;
        assert_eq!(text.matches(".id").count(), 1, "{text}");
        assert_eq!(text.matches("description = \"p-").count(), 2, "{text}");
    }

    #[test]
    fn what_is_referred_to_comes_first_and_circles_end() {
        assert_eq!(order(&[vec![2], vec![], vec![1]]), [1, 2, 0]);
        assert_eq!(order(&[vec![1], vec![0]]), [1, 0]);
        assert_eq!(order(&[vec![0]]), [0]);
    }
}
