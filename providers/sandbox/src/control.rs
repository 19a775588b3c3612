//! The cloud behind Formwork's back: listing, changing and deleting objects as a stranger would.

use std::path::Path as FilePath;

use formwork_contract::convert::convert;
use formwork_contract::planning::unknown_where_computed;
use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Path, Type, Value, json};

use crate::catalog::{Catalog, Kind};
use crate::resource::Problems;
use crate::service::{Change, Service, decode, id_of, targets};
use crate::settings::Settings;
use crate::store::objects::{self, Object};
use crate::store::tokens::{self, Token};
use crate::store::{Store, attempts, passwords};

/// What the attempts are called that make objects out of band.
const OUT_OF_BAND: &str = "out of band";

/// An object of the sandbox, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSummary {
    pub id: String,
    pub type_name: String,
    /// The owner tags.
    pub environment: String,
    pub address: String,
}

/// A token that was given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSummary {
    pub id: String,
    /// The id of what it opens.
    pub target: String,
    pub environment: String,
    pub renewals: u32,
    /// It was not taken back, whether or not its time is over.
    pub is_open: bool,
}

/// All tokens that were ever given out, the first one first.
///
/// # Errors
/// The sandbox's file cannot be read.
pub fn tokens(state_dir: &FilePath) -> Result<Vec<TokenSummary>, Diagnostics> {
    let all = open(state_dir)?.read(tokens::all).map_err(|fault| fault.diagnostic("list", None, "none"))?;
    let summary = |token: Token| TokenSummary {
        id: token.id,
        target: token.target,
        environment: token.environment,
        renewals: token.renewals,
        is_open: token.is_open,
    };
    Ok(all.into_iter().map(summary).collect())
}

/// Whether somebody could sign in as an identity. `which` is its id or the address of its owner.
///
/// # Errors
/// No object or several are meant.
pub fn signs_in(state_dir: &FilePath, which: &str, password: &str) -> Result<bool, Diagnostics> {
    let (store, catalog) = (open(state_dir)?, Catalog::new());
    let (object, _) = find(&store, &catalog, which)?;
    let known = store.read(|connection| passwords::is(connection, &object.id, password));
    Ok(known.map_err(|fault| fault.diagnostic("sign in", None, "none"))?)
}

/// All objects of all environments, by environment and address.
///
/// # Errors
/// The sandbox's file cannot be read.
pub fn list(state_dir: &FilePath) -> Result<Vec<ObjectSummary>, Diagnostics> {
    let store = open(state_dir)?;
    let all = store.read(objects::all).map_err(|fault| fault.diagnostic("list", None, "none"))?;
    Ok(all.iter().map(ObjectSummary::from).collect())
}

/// All objects of all environments with their attributes as plain JSON, in the order of [`list`].
///
/// # Errors
/// The sandbox's file cannot be read.
pub fn contents(state_dir: &FilePath) -> Result<Vec<(ObjectSummary, serde_json::Value)>, Diagnostics> {
    let all = open(state_dir)?.read(objects::all).map_err(|fault| fault.diagnostic("list", None, "none"))?;
    Ok(all.into_iter().map(|object| (ObjectSummary::from(&object), object.attributes)).collect())
}

/// Makes an object out of band: nobody's owner tag is on it. Attributes are given as for [`drift`].
///
/// # Errors
/// There is no such type or attribute, or the cloud refuses the object.
pub fn create(state_dir: &FilePath, type_name: &str, given: &[(String, String)]) -> Result<ObjectSummary, Diagnostics> {
    let service = Service {
        store: open(state_dir)?,
        settings: Settings::default(),
        catalog: Catalog::new().into(),
        environment: objects::NOBODY.into(),
    };
    let kind = service.catalog.kind(type_name).ok_or_else(|| service.catalog.unknown_type(type_name))?;
    let block = &kind.description.block;
    let mut problems = Diagnostics::new();
    let mut config = block.empty_value();
    for (attribute, text) in given {
        match changed(kind, &config, attribute, text) {
            Ok(value) => config = value,
            Err(problem) => problems.append(problem),
        }
    }
    for (name, attribute) in &block.attributes {
        if attribute.required && config.get(name).is_none_or(Value::is_null) {
            problems.push(
                Diagnostic::error(format!("`{name}` is missing"))
                    .detail(format!("A `{type_name}` cannot be made without it."))
                    .hint(format!("write `{name}=VALUE`")),
            );
        }
    }
    problems.into_result(())?;
    let mut found = Problems::default();
    kind.resource.check(&config, &mut found);
    found.into_diagnostics().into_result(())?;
    let planned = unknown_where_computed(block, &kind.with_defaults(&config, &config));
    let made = service.store.write(|connection| {
        // The same commands make the same ids.
        let attempt = format!("{OUT_OF_BAND}: {type_name} {}", attempts::next(connection, OUT_OF_BAND, type_name)?);
        let change = Change {
            kind,
            address: objects::NOBODY,
            attempt: &attempt,
            prior: &Value::NULL,
            config: &config,
            planned: &planned,
            half: false,
        };
        service.create_in(connection, &change)
    });
    let made = made.map_err(|fault| fault.diagnostic(&format!("create {type_name}"), None, "none"))?;
    Ok(ObjectSummary {
        id: id_of(&made).to_owned(),
        type_name: type_name.to_owned(),
        environment: objects::NOBODY.to_owned(),
        address: objects::NOBODY.to_owned(),
    })
}

/// Changes attributes of an object out of band. `which` is an id or the address of its owner; a change
/// is an attribute (or `tags.KEY`: an entry of a map) and its new value: text for a string, a number or
/// a bool, JSON for anything else, `null` for no value.
///
/// # Errors
/// No object or several are meant, there is no such attribute, or the value does not fit its type.
pub fn drift(state_dir: &FilePath, which: &str, changes: &[(String, String)]) -> Result<ObjectSummary, Diagnostics> {
    let service = Service {
        store: open(state_dir)?,
        settings: Settings::default(),
        catalog: Catalog::new().into(),
        environment: "".into(),
    };
    let (mut object, kind) = find(&service.store, &service.catalog, which)?;
    let live = decode(kind, &object).map_err(|fault| fault.diagnostic("drift", None, "none"))?;
    let mut problems = Diagnostics::new();
    let mut value = live;
    for (attribute, text) in changes {
        match changed(kind, &value, attribute, text) {
            Ok(new) => value = new,
            Err(problem) => problems.append(problem),
        }
    }
    problems.into_result(())?;
    if let (Some(name), Some((_, new))) = (&mut object.name, service.name_of(kind, &value)) {
        name.name = new.name;
    }
    object.attributes = json::to_plain(&value);
    let written = service.store.write(|connection| objects::update(connection, &object, &targets(kind, &value)));
    written.map_err(|fault| fault.diagnostic("drift", None, "none"))?;
    Ok(ObjectSummary::from(&object))
}

/// Deletes an object out of band. `which` is an id or the address of its owner.
///
/// # Errors
/// No object or several are meant, or others use it.
pub fn delete(state_dir: &FilePath, which: &str) -> Result<ObjectSummary, Diagnostics> {
    let catalog = Catalog::new().into();
    let service = Service { store: open(state_dir)?, settings: Settings::default(), catalog, environment: "".into() };
    let (object, kind) = find(&service.store, &service.catalog, which)?;
    service.delete(kind, &object.id).map_err(|fault| fault.diagnostic("delete", None, "none"))?;
    Ok(ObjectSummary::from(&object))
}

impl From<&Object> for ObjectSummary {
    fn from(object: &Object) -> Self {
        Self {
            id: object.id.clone(),
            type_name: object.type_name.clone(),
            environment: object.environment.clone(),
            address: object.address.clone(),
        }
    }
}

fn open(state_dir: &FilePath) -> Result<Store, Diagnostics> {
    Ok(Store::open(state_dir).map_err(|fault| fault.diagnostic("open", None, "none"))?)
}

fn find<'a>(store: &Store, catalog: &'a Catalog, which: &str) -> Result<(Object, &'a Kind), Diagnostics> {
    let found = store.read(|connection| match objects::by_id(connection, which)? {
        Some(object) => Ok(vec![object]),
        None => objects::by_address(connection, which),
    });
    let mut found = found.map_err(|fault| fault.diagnostic("find", None, "none"))?;
    let object = match (found.pop(), found.as_slice()) {
        (Some(object), []) => object,
        (Some(last), others) => {
            let ids = others.iter().chain([&last]).map(|o| format!("`{}` of environment `{}`", o.id, o.environment));
            let list = ids.collect::<Vec<_>>().join(", ");
            return Err(Diagnostic::error(format!("several objects of the sandbox belong to `{which}`"))
                .detail(format!("They are {list}."))
                .hint("name the one that is meant by its id")
                .into());
        }
        (None, _) => {
            return Err(Diagnostic::error(format!("nothing in the sandbox has the id or the owner `{which}`"))
                .hint("give an id, or an address such as `sandbox_network.main`, of what was applied")
                .into());
        }
    };
    let kind = catalog.kind(&object.type_name).ok_or_else(|| catalog.unknown_type(&object.type_name))?;
    Ok((object, kind))
}

fn changed(kind: &Kind, value: &Value, attribute: &str, text: &str) -> Result<Value, Diagnostics> {
    let (name, key) = match attribute.split_once('.') {
        Some((name, key)) => (name, Some(key)),
        None => (attribute, None),
    };
    let block = &kind.description.block;
    let ty = match (block.attributes.get(name), block.blocks.get(name)) {
        (Some(attribute), _) => attribute.ty.clone(),
        (None, Some(nested)) => nested.ty(),
        (None, None) => return Err(unknown_attribute(kind, name).into()),
    };
    if name == "id" {
        return Err(Diagnostic::error("the id of an object cannot change").hint("change another attribute").into());
    }
    if block.attributes.get(name).is_some_and(|attribute| attribute.write_only) {
        return Err(Diagnostic::error(format!("`{name}` is write-only: nobody sees it change"))
            .hint("change another attribute")
            .into());
    }
    match (key, &ty) {
        (None, ty) => Ok(value.with(name, parsed(name, text, ty)?)),
        (Some(key), Type::Map(element)) => {
            let item = parsed(attribute, text, element)?;
            let map = value.get(name).cloned().unwrap_or(Value::NULL);
            let map = match map {
                Value::Map(_) => map.with(key, item),
                _ => Value::map((**element).clone(), [(key.into(), item)].into_iter().collect()),
            };
            Ok(value.with(name, map))
        }
        (Some(_), ty) => Err(Diagnostic::error(format!("`{name}` is no map, so `{attribute}` names nothing"))
            .detail(format!("It is a {}.", ty.friendly_name()))
            .hint(format!("write `{name}=VALUE`"))
            .path(Path::attribute(name))
            .into()),
    }
}

fn parsed(attribute: &str, text: &str, ty: &Type) -> Result<Value, Diagnostics> {
    let given = match ty {
        _ if text == "null" => Value::NULL,
        Type::String | Type::Number | Type::Bool => Value::string(text),
        other => {
            let json = serde_json::from_str(text).map_err(|error| {
                Diagnostic::error(format!("the value of `{attribute}` is not JSON"))
                    .detail(format!("{error}."))
                    .hint(format!("write a {} as JSON", other.friendly_name()))
            })?;
            json::from_plain(&json)
        }
    };
    Ok(convert(&given, ty).map_err(|error| {
        Diagnostic::error(format!("`{text}` does not fit `{attribute}`"))
            .detail(format!("{error}: its type is `{ty}`."))
            .hint(format!("give a {}", ty.friendly_name()))
    })?)
}

fn unknown_attribute(kind: &Kind, name: &str) -> Diagnostic {
    let block = &kind.description.block;
    let names: Vec<&str> = block.attributes.keys().chain(block.blocks.keys()).map(|name| &**name).collect();
    let hint = match nearest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it has `{}`", names.join("`, `")),
    };
    Diagnostic::error(format!("`{}` has no attribute `{name}`", kind.description.type_name)).hint(hint)
}
